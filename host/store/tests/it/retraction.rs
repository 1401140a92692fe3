//! A call that is judged again: which of its own charges it sees.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{Commit, ReadRequest, Store};
use pollster::block_on;

use crate::support::*;

const WINDOWS: [Window; 4] = [Window::RollingMs(60_000), Window::Day, Window::Month, Window::Ever];

fn count_in(window: Window) -> agenthalt_store::CounterRead {
    agenthalt_store::CounterRead { counter: format!("{window:?}"), ..counter(window, Measure::Count) }
}

fn without_charges(store: &dyn Store, request: &ReadRequest, let_through: bool) {
    let version = block_on(store.read(request.clone())).unwrap().version;
    block_on(store.commit(version, Commit::of(request, verdict(let_through), Vec::new(), record()))).unwrap();
}

#[test]
fn a_call_does_not_see_the_attempt_that_it_made_itself() {
    on_every_store(|store| {
        for window in WINDOWS {
            let counter = count_in(window);
            let again = request("c", at(1), &[&counter]);
            evaluate(store, &request("c", at(0), &[&counter]), 1, false);
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
            let counter = count_in(window);
            let call = request("c", at(0), &[&counter]);
            evaluate(store, &call, 1, true);
            assert_eq!(readings(store, &call), [Some(1)], "{window:?}");
            evaluate(store, &call, 1, true);
            assert_eq!(readings(store, &call), [Some(2)], "{window:?}");
            evaluate(store, &call, 1, false);
            assert_eq!(readings(store, &call), [Some(2)], "only the refused evaluation is left out");
        }
    });
}

#[test]
fn another_call_of_the_same_id_takes_nothing_back() {
    on_every_store(|store| {
        let counter = count_in(Window::Day);
        evaluate(store, &request("c", at(0), &[&counter]), 1, false);
        let mut other = request("c", at(0), &[&counter]);
        other.call.digest = Digest::of(b"another call");
        assert_eq!(readings(store, &other), [Some(1)]);
        let tenant = ReadRequest { tenant: "other".to_owned(), ..request("c", at(0), &[&counter]) };
        assert_eq!(readings(store, &tenant), [Some(0)]);
        evaluate(store, &tenant, 1, false);
        evaluate(store, &other, 1, true);
        assert_eq!(read(store, at(0), &counter), Some(2));
    });
}

#[test]
fn an_attempt_that_counts_no_more_is_taken_back() {
    on_every_store(|store| {
        for window in WINDOWS {
            let counter = count_in(window);
            let call = request("c", at(0), &[&counter]);
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
fn the_time_of_a_denial_stays_when_its_call_comes_again() {
    // Otherwise the call that began a cooldown would end it.
    on_every_store(|store| {
        for (ending, seen) in [(Verdict::Deny, Some(at(5).as_millis())), (Verdict::RequireApproval, None)] {
            let name = format!("{ending}");
            let last =
                agenthalt_store::CounterRead { counter: name.clone(), ..counter(Window::Ever, Measure::LastTime) };
            let attempts =
                agenthalt_store::CounterRead { counter: name + " count", ..counter(Window::Ever, Measure::Count) };
            let call = request("c", at(5), &[&last, &attempts]);
            let version = block_on(store.read(call.clone())).unwrap().version;
            let charges = [&last, &attempts].map(|counter| agenthalt_store::AppliedCharge::to(counter, 1, false));
            block_on(store.commit(version, Commit::of(&call, ending, charges.to_vec(), record()))).unwrap();
            let again = request("c", at(9), &[&last, &attempts]);
            assert_eq!(readings(store, &again), [seen, Some(0)], "{ending}");
        }
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
