//! What came of a call: which charges change, where, and who may not be meant.

use agenthalt_core::amount::Amount;
use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::{Outcome, Status};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{AppliedCharge, Commit, CounterRead, ReadRequest, RecordsRequest, Settled, Store};
use pollster::block_on;

use crate::support::*;

fn cost() -> CounterRead {
    CounterRead { counter: "cost".to_owned(), ..counter(Window::Day, Measure::Sum) }
}

fn count() -> CounterRead {
    CounterRead { counter: "count".to_owned(), ..counter(Window::Ever, Measure::Count) }
}

fn attempts() -> CounterRead {
    CounterRead { counter: "attempts".to_owned(), ..counter(Window::RollingMs(86_400_000), Measure::Count) }
}

fn counters() -> [CounterRead; 3] {
    [cost(), count(), attempts()]
}

fn asks(id: &str, seconds: i64) -> ReadRequest {
    request(id, at(seconds), &counters().iter().collect::<Vec<_>>())
}

/// A call that costs 500, as estimated, counts once, and is one attempt.
fn let_through(store: &dyn Store, request: &ReadRequest) {
    let attempt = AppliedCharge { permitted: false, ..AppliedCharge::to(&attempts(), 1, false) };
    let charges = vec![AppliedCharge::to(&cost(), 500, true), AppliedCharge::to(&count(), 1, false), attempt];
    let version = block_on(store.read(request.clone())).unwrap().version;
    block_on(store.commit(version, Commit::of(request, Verdict::Allow, charges, record()))).unwrap();
}

/// Cost, count and attempts, as another call reads them.
fn totals(store: &dyn Store, seconds: i64) -> [i64; 3] {
    let readings = readings(store, &asks("another call", seconds));
    [0, 1, 2].map(|index: usize| readings[index].unwrap())
}

fn spent(millionths: u64) -> Amount {
    Amount::from_millionths(millionths)
}

#[test]
fn an_outcome_changes_what_the_call_was_charged() {
    on_every_store(|store| {
        let mut before = [0, 0, 0];
        for (id, outcome, more) in [
            ("s", Outcome::succeeded().cost(spent(120)), [120, 1, 1]),
            ("o", Outcome::succeeded().cost(spent(9_000)), [9_000, 1, 1]),
            ("e", Outcome::succeeded(), [500, 1, 1]),
            ("f", Outcome::failed().cost(spent(0)), [0, 1, 1]),
            ("n", Outcome::not_started(), [0, 0, 1]),
            ("u", Outcome::unknown(), [500, 1, 1]),
        ] {
            let_through(store, &asks(id, 0));
            assert_eq!(totals(store, 0), [before[0] + 500, before[1] + 1, before[2] + 1], "{id}");
            assert!(matches!(settle(store, id, at(3), outcome), Settled::Done { .. }), "{id}");
            let after = totals(store, 0);
            assert_eq!([0, 1, 2].map(|index: usize| after[index] - before[index]), more, "{id}");
            before = after;
        }
    });
}

#[test]
fn a_settlement_changes_the_day_of_the_call_and_no_other() {
    on_every_store(|store| {
        let_through(store, &asks("yesterday", 0));
        // Half a day later it is another day.
        let_through(store, &asks("today", 43_200));
        assert_eq!(totals(store, 43_200)[0], 500);
        settle(store, "yesterday", at(43_260), Outcome::succeeded().cost(spent(1)));
        assert_eq!(totals(store, 43_260), [500, 2, 2]);
        // Where the day begins earlier, because the zone is another, the call of yesterday is one of today.
        let mut west = asks("another call", 43_260);
        west.zone = zone("America/New_York");
        assert_eq!(readings(store, &west)[0], Some(501));
    });
}

#[test]
fn settling_twice_changes_nothing_more() {
    on_every_store(|store| {
        let_through(store, &asks("c", 0));
        let Settled::Done { sequence } = settle(store, "c", at(1), Outcome::unknown()) else { panic!("settled") };
        assert_eq!(sequence, 2);
        assert_eq!(settle(store, "c", at(1), Outcome::unknown()), Settled::Before(Status::Unknown));
        let ran = Outcome::succeeded().cost(spent(7));
        assert_eq!(settle(store, "c", at(2), ran), Settled::Done { sequence: 3 }, "better known now");
        for again in [ran, Outcome::not_started(), Outcome::failed().cost(spent(0)), Outcome::unknown()] {
            assert_eq!(settle(store, "c", at(2), again), Settled::Before(Status::Succeeded));
        }
        assert_eq!(totals(store, 2), [7, 1, 1]);
        assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(3));
    });
}

#[test]
fn only_a_call_that_was_let_through_and_is_on_record_is_settled() {
    on_every_store(|store| {
        let_through(store, &asks("c", 0));
        evaluate(store, &asks("asked", 0), 1, false);
        let before = totals(store, 0);
        assert_eq!(settle(store, "no such call", at(0), Outcome::not_started()), Settled::Unknown);
        assert_eq!(settle(store, "asked", at(0), Outcome::not_started()), Settled::NotLetThrough);
        assert_eq!(settle(store, "c", at(86_401), Outcome::not_started()), Settled::Unknown);
        assert_eq!(totals(store, 0), before);
        assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(2), "nothing is recorded where nothing is done");
    });
}

#[test]
fn an_id_of_two_callers_settles_neither_unless_one_is_named() {
    on_every_store(|store| {
        let mut other = asks("c", 0);
        other.call.caller = Digest::of(b"another caller");
        let_through(store, &asks("c", 0));
        let_through(store, &other);
        assert_eq!(settle(store, "c", at(0), Outcome::not_started()), Settled::Ambiguous);
        assert_eq!(totals(store, 0), [1_000, 2, 2]);
        let settled = settle_of(store, "c", Some(other.call.caller), at(0), Outcome::not_started());
        assert!(matches!(settled, Settled::Done { .. }));
        assert_eq!(totals(store, 0), [500, 1, 2]);
    });
}

#[test]
fn a_call_that_did_not_run_is_judged_again_as_one_attempt() {
    on_every_store(|store| {
        let_through(store, &asks("c", 0));
        settle(store, "c", at(0), Outcome::not_started());
        let again = block_on(store.read(asks("c", 1))).unwrap();
        assert!(again.answered.is_some_and(|answered| answered.is_open() && answered.is_same_call));
        assert_eq!(again.readings, [Some(0), Some(0), Some(0)]);
        let_through(store, &asks("c", 1));
        assert_eq!(totals(store, 1), [500, 1, 1]);
        assert!(matches!(settle(store, "c", at(1), Outcome::succeeded()), Settled::Done { .. }));
    });
}

#[test]
fn the_record_of_a_settlement_tells_what_changed() {
    on_every_store(|store| {
        let_through(store, &asks("c", 0));
        settle(store, "c", at(4), Outcome::succeeded().cost(spent(7)));
        let page = RecordsRequest { tenant: TENANT.to_owned(), after: 1, most: 9 };
        let records = block_on(store.records(page)).unwrap();
        assert_eq!((records[0].kind.as_str(), records[0].at_ms), ("settlement", at(4).as_millis()));
        assert_eq!(records[0].body, r#"["record 1","cost:500:Some(7)"]"#);
    });
}

#[test]
fn who_read_before_a_settlement_meets_a_conflict() {
    on_every_store(|store| {
        let_through(store, &asks("c", 0));
        let reader = asks("d", 0);
        let version = block_on(store.read(reader.clone())).unwrap().version;
        settle(store, "c", at(0), Outcome::succeeded().cost(spent(7)));
        let commit = Commit::of(&reader, Verdict::Allow, Vec::new(), record());
        assert_eq!(block_on(store.commit(version, commit)).unwrap(), agenthalt_store::Committed::Conflict);
    });
}
