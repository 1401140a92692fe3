//! Counters that begin anew: what is gone, and what stays.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::outcome::Outcome;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{Commit, Committed, CounterRead, CountersRequest, ReadRequest, Record, Reset, Store};
use pollster::block_on;

use crate::support::*;

const WINDOWS: [Window; 4] = [Window::RollingMs(60_000), Window::Day, Window::Month, Window::Ever];

fn part(window: Window, partition: &str) -> CounterRead {
    CounterRead { counter: format!("{window:?}"), partition: partition.to_owned(), ..counter(window, Measure::Sum) }
}

fn reset(store: &dyn Store, counters: &[&CounterRead]) {
    let record = Record { kind: "reset".to_owned(), verdict: String::new(), body: "{}".to_owned() };
    let counters = counters.iter().map(|it| (it.counter.clone(), it.partition.clone())).collect();
    let reset = Reset { tenant: TENANT.to_owned(), at: at(9), counters, record };
    assert!(matches!(block_on(store.reset(reset)).unwrap(), Committed::Done { .. }));
}

#[test]
fn a_part_that_is_reset_begins_at_nothing_and_others_stay() {
    on_every_store(|store| {
        for window in WINDOWS {
            let (one, two) = (part(window, "1"), part(window, "2"));
            charge(store, &format!("{window:?} 1"), at(0), &one, 5);
            charge(store, &format!("{window:?} 2"), at(0), &two, 7);
            reset(store, &[&one, &part(window, "no such part")]);
            assert_eq!((read(store, at(1), &one), read(store, at(1), &two)), (Some(0), Some(7)), "{window:?}");
            charge(store, &format!("{window:?} 3"), at(1), &one, 3);
            assert_eq!(read(store, at(1), &one), Some(3), "{window:?}");
        }
        assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(16), "each reset has its record");
    });
}

#[test]
fn a_charge_from_before_the_reset_takes_nothing_from_what_came_after() {
    on_every_store(|store| {
        for window in WINDOWS {
            let one = part(window, "1");
            let (ran, asked) = (format!("{window:?} ran"), format!("{window:?} asked"));
            charge(store, &ran, at(0), &one, 5);
            evaluate(store, &request(&asked, at(0), &[&one]), 11, false);
            reset(store, &[&one]);
            charge(store, &format!("{window:?} 2"), at(0), &one, 8);
            // What is known of counters is read anew after another reset.
            reset(store, &[&part(window, "another")]);
            settle(store, &ran, at(1), Outcome::not_started());
            assert_eq!(readings(store, &request(&asked, at(1), &[&one])), [Some(8)], "{window:?}");
            evaluate(store, &request(&asked, at(1), &[&one]), 1, true);
            assert_eq!(read(store, at(1), &one), Some(9), "{window:?}");
            // Where days begin later, the charges are counted one by one.
            let elsewhere = ReadRequest { zone: zone("America/New_York"), ..request("x", at(1), &[&one]) };
            assert_eq!(readings(store, &elsewhere), [Some(9)], "{window:?}");
        }
    });
}

#[test]
fn who_read_before_a_reset_meets_a_conflict() {
    on_every_store(|store| {
        let one = part(Window::Day, "1");
        charge(store, "a", at(0), &one, 5);
        let asked = request("b", at(0), &[&one]);
        let version = block_on(store.read(asked.clone())).unwrap().version;
        reset(store, &[&one]);
        let commit = Commit::of(&asked, Verdict::Allow, Vec::new(), record());
        assert_eq!(block_on(store.commit(version, commit)).unwrap(), Committed::Conflict);
    });
}

#[test]
fn a_reset_opens_no_window_that_has_passed() {
    on_every_store(|store| {
        let day = part(Window::Day, "1");
        charge(store, "a", at(86_400), &day, 5);
        reset(store, &[&day]);
        charge(store, "b", at(86_400), &day, 2);
        assert_eq!(read(store, at(0), &day), Some(2), "the clock of the counter stays");
    });
}

#[test]
fn other_stores_on_the_file_see_a_reset() {
    let folder = Folder::new();
    let (one, two) = (folder.open(), folder.open());
    let counter = part(Window::Ever, "1");
    charge(&one, "a", at(0), &counter, 5);
    charge(&two, "b", at(0), &counter, 5);
    reset(&one, &[&counter]);
    assert_eq!((read(&one, at(0), &counter), read(&two, at(0), &counter)), (Some(0), Some(0)));
    charge(&two, "c", at(0), &counter, 1);
    assert_eq!((read(&one, at(0), &counter), read(&folder.open(), at(0), &counter)), (Some(1), Some(1)));
}

#[test]
fn counters_are_listed_in_pages() {
    on_every_store(|store| {
        for (index, window) in (0..).zip(WINDOWS) {
            charge(store, &index.to_string(), at(index), &part(window, "1"), 1);
        }
        let page = |after, most| {
            let request = CountersRequest { tenant: TENANT.to_owned(), after, most };
            block_on(store.counters(request)).unwrap()
        };
        let all = page(0, 100);
        let names: Vec<&str> = all.iter().map(|part| part.counter.as_str()).collect();
        assert_eq!(names, WINDOWS.map(|window| format!("{window:?}")));
        assert_eq!((all[2].clock_ms, all[2].charges, all[2].partition.as_str()), (at(2).as_millis(), 1, "1"));
        assert_eq!([page(0, 3), page(all[2].place, 3)].concat(), all);
        assert!(
            block_on(store.counters(CountersRequest { tenant: "other".to_owned(), after: 0, most: 9 }))
                .unwrap()
                .is_empty()
        );
    });
}
