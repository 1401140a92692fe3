//! Calls on record: which answer a call finds, and which of its own charges it does not see.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::Outcome;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    AppliedCharge, Commit, Committed, CounterRead, NamedBy, ReadRequest, Snapshot, Store, StoreError,
};
use pollster::block_on;

use crate::support::*;

const WINDOWS: [Window; 4] = [Window::RollingMs(60_000), Window::Day, Window::Month, Window::Ever];

fn count_in(window: Window) -> CounterRead {
    CounterRead { counter: format!("{window:?}"), ..counter(window, Measure::Count) }
}

fn snapshot(store: &dyn Store, request: &ReadRequest) -> Snapshot {
    block_on(store.read(request.clone())).unwrap()
}

fn without_charges(store: &dyn Store, request: &ReadRequest, let_through: bool) {
    let version = snapshot(store, request).version;
    block_on(store.commit(version, Commit::of(request, verdict(let_through), Vec::new(), record()))).unwrap();
}

/// Tries to commit once more what has its answer already.
fn is_refused(store: &dyn Store, request: &ReadRequest) -> bool {
    let version = snapshot(store, request).version;
    let commit = Commit::of(request, Verdict::Allow, Vec::new(), record());
    matches!(block_on(store.commit(version, commit)), Err(StoreError::Refused(_)))
}

#[test]
fn a_call_finds_the_answer_that_it_got() {
    on_every_store(|store| {
        let counter = count_in(Window::Day);
        for (id, ending) in
            [("a", Verdict::Allow), ("m", Verdict::Modify), ("d", Verdict::Deny), ("q", Verdict::RequireApproval)]
        {
            let call = request(id, at(0), &[&counter]);
            let first = snapshot(store, &call);
            assert_eq!(first.answered, None);
            block_on(store.commit(first.version, Commit::of(&call, ending, Vec::new(), record()))).unwrap();
            let again = snapshot(store, &request(id, at(7), &[&counter])).answered.unwrap();
            assert!(again.is_same_call && again.verdict == ending && again.outcome.is_none());
            assert_eq!((again.record.call_id.as_str(), again.record.body.as_str()), (id, record().body.as_str()));
            assert_eq!(again.is_open(), ending == Verdict::RequireApproval);
        }
    });
}

#[test]
fn an_answer_stands_and_is_charged_once() {
    on_every_store(|store| {
        let counter = count_in(Window::Ever);
        for (id, ending) in [("a", Verdict::Allow), ("d", Verdict::Deny)] {
            let call = request(id, at(0), &[&counter]);
            let version = snapshot(store, &call).version;
            let charges = vec![AppliedCharge::to(&counter, 1, false)];
            block_on(store.commit(version, Commit::of(&call, ending, charges, record()))).unwrap();
            let before = read(store, at(0), &counter);
            assert!(is_refused(store, &call), "{id}");
            assert_eq!(read(store, at(0), &counter), before);
        }
    });
}

#[test]
fn an_id_names_one_call_of_one_caller() {
    on_every_store(|store| {
        let counter = count_in(Window::Day);
        evaluate(store, &request("c", at(0), &[&counter]), 1, false);
        let mut other = request("c", at(0), &[&counter]);
        other.call.digest = Digest::of(b"another call");
        let found = snapshot(store, &other);
        assert!(!found.answered.unwrap().is_same_call);
        assert_eq!(found.readings, [Some(1)], "another call sees what the first was charged");
        assert!(is_refused(store, &other), "though the answer of the first is still open");
        let mut caller = request("c", at(0), &[&counter]);
        caller.call.caller = Digest::of(b"another caller");
        assert_eq!(snapshot(store, &caller).answered, None);
        let tenant = ReadRequest { tenant: "other".to_owned(), ..request("c", at(0), &[&counter]) };
        assert_eq!(snapshot(store, &tenant).answered, None);
        evaluate(store, &tenant, 1, true);
        evaluate(store, &caller, 1, true);
        assert_eq!(read(store, at(0), &counter), Some(2));
    });
}

#[test]
fn an_id_of_the_hosts_is_no_callers() {
    on_every_store(|store| {
        let counter = count_in(Window::Day);
        let by = |named_by| {
            let mut call = request("c", at(0), &[&counter]);
            call.call.named_by = named_by;
            call
        };
        evaluate(store, &by(NamedBy::Host), 1, false);
        assert_eq!(snapshot(store, &by(NamedBy::Caller)).answered, None, "a call that names it does not meet it");
        assert_eq!(snapshot(store, &by(NamedBy::Host)).answered, None, "nor does one that is named anew");
        assert_eq!(snapshot(store, &by(NamedBy::Nobody)).answered, None);
        let again = snapshot(store, &by(NamedBy::HostBefore));
        assert!(again.answered.unwrap().is_open());
        assert_eq!(again.readings, [Some(0)]);
        evaluate(store, &by(NamedBy::HostBefore), 1, true);
        assert!(is_refused(store, &by(NamedBy::HostBefore)));
        evaluate(store, &by(NamedBy::Nobody), 1, true);
        evaluate(store, &by(NamedBy::Nobody), 1, true);
        assert_eq!(read(store, at(0), &counter), Some(3));
    });
}

#[test]
fn two_calls_of_one_id_at_once_get_one_answer() {
    on_every_store(|store| {
        let counter = count_in(Window::Day);
        let call = request("c", at(0), &[]);
        let (one, two) = (snapshot(store, &call).version, snapshot(store, &call).version);
        let commit = || Commit::of(&call, Verdict::Allow, Vec::new(), record());
        assert!(matches!(block_on(store.commit(one, commit())).unwrap(), Committed::Done { .. }));
        assert_eq!(block_on(store.commit(two, commit())).unwrap(), Committed::Conflict);
        assert!(snapshot(store, &request("c", at(0), &[&counter])).answered.is_some());
    });
}

#[test]
fn an_answer_is_on_record_for_so_long_and_time_that_runs_back_brings_none_back() {
    on_every_store(|store| {
        let counter = count_in(Window::Ever);
        let call = |id: &str, seconds| ReadRequest { remembered_ms: 60_000, ..request(id, at(seconds), &[&counter]) };
        let is_found = |seconds| snapshot(store, &call("c", seconds)).answered.is_some();
        evaluate(store, &call("c", 0), 1, false);
        assert!(is_found(60), "one exactly as old is still found");
        assert!(!is_found(61));
        evaluate(store, &call("later", 61), 1, true);
        assert!(!is_found(0));
        assert_eq!(readings(store, &call("c", 0)), [Some(2)], "what has expired stays charged");
        evaluate(store, &call("c", 62), 1, true);
        assert!(is_found(0) && is_found(122) && !is_found(123));
    });
}

#[test]
fn a_call_does_not_see_the_attempt_that_it_made_itself() {
    on_every_store(|store| {
        for window in WINDOWS {
            let (counter, id) = (count_in(window), format!("{window:?}"));
            let again = request(&id, at(1), &[&counter]);
            evaluate(store, &request(&id, at(0), &[&counter]), 1, false);
            assert_eq!(readings(store, &again), [Some(0)], "{window:?}");
            assert_eq!(read(store, at(1), &counter), Some(1), "others see it");
            evaluate(store, &again, 1, false);
            evaluate(store, &again, 1, true);
            assert_eq!(read(store, at(2), &counter), Some(1), "three evaluations are one attempt");
        }
    });
}

#[test]
fn a_used_call_id_sees_what_it_has_spent() {
    // Otherwise an id that is used again would spend twice for one charge.
    on_every_store(|store| {
        for window in WINDOWS {
            let (counter, id) = (count_in(window), format!("{window:?}"));
            let call = request(&id, at(0), &[&counter]);
            evaluate(store, &call, 1, true);
            assert_eq!(readings(store, &call), [Some(1)], "{window:?}");
            settle(store, &id, at(0), Outcome::unknown());
            assert_eq!(readings(store, &call), [Some(1)], "{window:?}");
            settle(store, &id, at(0), Outcome::failed());
            assert_eq!(readings(store, &call), [Some(1)], "{window:?}");
        }
    });
}

#[test]
fn an_attempt_that_counts_no_more_is_taken_back() {
    on_every_store(|store| {
        for window in WINDOWS {
            let counter = count_in(window);
            let call = request(&format!("{window:?}"), at(0), &[&counter]);
            evaluate(store, &call, 1, false);
            without_charges(store, &call, false);
            assert_eq!(read(store, at(0), &counter), Some(0), "{window:?}");
        }
    });
}

#[test]
fn a_counter_that_is_not_read_keeps_the_attempt() {
    on_every_store(|store| {
        let (day, month) = (count_in(Window::Day), count_in(Window::Month));
        evaluate(store, &request("c", at(0), &[&day, &month]), 1, false);
        without_charges(store, &request("c", at(0), &[&day]), false);
        assert_eq!(read(store, at(0), &day), Some(0));
        assert_eq!(read(store, at(0), &month), Some(1));
        // It is the call's own all the same.
        assert_eq!(readings(store, &request("c", at(0), &[&month])), [Some(0)]);
        without_charges(store, &request("c", at(0), &[&month]), true);
        assert_eq!(read(store, at(0), &month), Some(0));
    });
}

#[test]
fn runs_and_last_times_leave_the_own_attempt_out() {
    on_every_store(|store| {
        let last = counter(Window::Ever, Measure::LastTime);
        let run = counter(Window::Ever, Measure::RunOfSame);
        charge(store, "earlier", at(0), &last, 0);
        evaluate(store, &request("c", at(5), &[&last]), 0, false);
        assert_eq!(readings(store, &request("c", at(9), &[&last, &run])), [Some(at(0).as_millis()), Some(1)]);
        assert_eq!(readings(store, &request("d", at(9), &[&last, &run])), [Some(at(5).as_millis()), Some(2)]);
    });
}

#[test]
fn amounts_that_are_taken_back_leave_the_sum_exact() {
    on_every_store(|store| {
        let sum = counter(Window::Day, Measure::Sum);
        charge(store, "a", at(0), &sum, i64::MAX);
        evaluate(store, &request("c", at(0), &[&sum]), i64::MAX, false);
        assert_eq!(readings(store, &request("c", at(0), &[&sum])), [Some(i64::MAX)]);
        without_charges(store, &request("c", at(0), &[&sum]), false);
        evaluate(store, &request("d", at(0), &[&sum]), 7, false);
        assert_eq!(read(store, at(0), &sum), Some(i64::MAX));
        // A new day begins at nothing, whatever is taken back from the day before.
        without_charges(store, &request("d", at(43_200), &[&sum]), false);
        charge(store, "e", at(43_200), &sum, 3);
        assert_eq!(read(store, at(43_200), &sum), Some(3));
    });
}

#[test]
fn answers_outlive_their_store_and_are_seen_by_others() {
    let folder = Folder::new();
    let counter = count_in(Window::Day);
    let (one, two) = (folder.open(), folder.open());
    evaluate(&one, &request("c", at(0), &[&counter]), 1, false);
    assert!(snapshot(&two, &request("c", at(0), &[&counter])).answered.is_some());
    evaluate(&two, &request("c", at(0), &[&counter]), 1, true);
    assert_eq!(snapshot(&one, &request("c", at(0), &[&counter])).answered.unwrap().verdict, Verdict::Allow);
    drop((one, two));
    let again = folder.open();
    assert!(is_refused(&again, &request("c", at(0), &[&counter])));
    assert_eq!(read(&again, at(0), &counter), Some(1));
}
