//! What a store remembers is never an answer when it does not hold any more.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{AppliedCharge, Commit, Committed, CounterRead, Record, Store, StoreError};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::*;

fn sums() -> [CounterRead; 2] {
    let named = |name: &str, window| CounterRead { counter: name.to_owned(), ..counter(window, Measure::Sum) };
    [named("day", Window::Day), named("rolling", Window::RollingMs(3_600_000))]
}

fn both(store: &dyn Store) -> Vec<Option<i64>> {
    let [day, rolling] = sums();
    readings(store, &request("x", at(0), &[&day, &rolling]))
}

#[test]
fn what_another_store_commits_in_between_is_a_conflict() {
    let folder = Folder::new();
    let (ours, theirs) = (folder.open(), folder.open());
    for round in 0..200 {
        let [day, rolling] = sums();
        let asked = request(&format!("ours {round}"), at(0), &[&day, &rolling]);
        let version = block_on(ours.read(asked.clone())).unwrap().version;
        charge(&theirs, &format!("theirs {round}"), at(0), if round % 2 == 0 { &day } else { &rolling }, 1);
        let charges = vec![AppliedCharge::to(&day, 100, false)];
        let commit = Commit::of(&asked, Verdict::Allow, charges, record());
        assert_eq!(block_on(ours.commit(version, commit)).unwrap(), Committed::Conflict);
        let theirs = i64::from(round) + 1;
        assert_eq!(both(&ours), [Some((theirs + 1) / 2), Some(theirs / 2)]);
    }
    assert_eq!(block_on(ours.verify(TENANT)).unwrap(), Ok(200));
}

#[test]
fn a_commit_that_fails_in_the_middle_is_forgotten() {
    let folder = Folder::new();
    let store = folder.open();
    spend(&store, "a", at(0), &sums()[0], 5);
    let raw = Connection::open(folder.file()).unwrap();
    let fails = "CREATE TRIGGER fails BEFORE INSERT ON audit WHEN new.kind = 'bad'
        BEGIN SELECT RAISE(ABORT, 'no'); END";
    raw.execute_batch(fails).unwrap();
    let [day, rolling] = sums();
    for call in 0..3 {
        // The second counter has no row before.
        let asked = request(&call.to_string(), at(0), &[&day, &rolling]);
        let version = block_on(store.read(asked.clone())).unwrap().version;
        let charges = [&day, &rolling].map(|counter| AppliedCharge::to(counter, 100, false)).to_vec();
        let record = Record { kind: "bad".to_owned(), ..record() };
        let commit = Commit::of(&asked, Verdict::RequireApproval, charges, record);
        let failed = block_on(store.commit(version, commit));
        assert!(matches!(failed, Err(StoreError::Damaged { .. })), "{failed:?}");
        assert_eq!(readings(&store, &asked), [Some(5), Some(0)]);
        assert_eq!(both(&store), [Some(5), Some(0)]);
    }
    spend(&store, "b", at(0), &rolling, 7);
    assert_eq!(both(&store), [Some(5), Some(7)]);
    assert_eq!(both(&folder.open()), [Some(5), Some(7)]);
    assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(2));
}

#[test]
fn a_window_with_more_charges_than_memory_takes_is_counted_whole() {
    let folder = Folder::new();
    let store = folder.open();
    let rolling = CounterRead { measure: Measure::Count, ..counter(Window::RollingMs(1_000_000), Measure::Count) };
    let charged = |index: i64, let_through: bool| {
        let asked = request(&index.to_string(), at(index), &[&rolling]);
        let version = block_on(store.read(asked.clone())).unwrap().version;
        let charges = vec![AppliedCharge::to(&rolling, 1, false); 100];
        block_on(store.commit(version, Commit::of(&asked, verdict(let_through), charges, record()))).unwrap();
    };
    charged(0, false);
    (1..230).for_each(|index| charged(index, true));
    let counted = |store: &dyn Store, call: &str, seconds| readings(store, &request(call, at(seconds), &[&rolling]));
    assert_eq!(counted(&store, "x", 230), [Some(23_000)]);
    assert_eq!(counted(&store, "0", 230), [Some(22_900)], "the first call does not see its own attempt");
    assert_eq!(counted(&folder.open(), "x", 230), [Some(23_000)], "nor from the file alone is it another");
    let again = request("0", at(230), &[&rolling]);
    let version = block_on(store.read(again.clone())).unwrap().version;
    block_on(store.commit(version, Commit::of(&again, Verdict::Allow, Vec::new(), record()))).unwrap();
    assert_eq!(counted(&store, "x", 230), [Some(22_900)]);
    assert_eq!(counted(&store, "x", 1_100), [Some(13_000)], "the window moves on");
    drop(store);
    assert_eq!(counted(&folder.open(), "x", 230), [Some(22_900)]);
}

#[test]
fn more_counters_than_memory_takes_read_the_same() {
    on_every_store(|store| {
        let named = |index: i64| CounterRead { partition: index.to_string(), ..counter(Window::Ever, Measure::Sum) };
        let page = |page: i64| (0..500).map(|index| named(page * 500 + index)).collect::<Vec<_>>();
        for round in 1..=2 {
            spend(store, &round.to_string(), at(0), &named(7), 5);
            for index in 0..42 {
                let counters = page(index);
                let expected = |counter: &CounterRead| Some(if counter.partition == "7" { round * 5 } else { 0 });
                let read = readings(store, &request("x", at(0), &counters.iter().collect::<Vec<_>>()));
                assert_eq!(read, counters.iter().map(expected).collect::<Vec<_>>());
            }
        }
        spend(store, "c", at(0), &named(20_999), 1);
        assert_eq!(readings(store, &request("x", at(0), &[&named(7), &named(20_999)])), [Some(10), Some(1)]);
    });
}

#[test]
fn what_is_pending_and_cannot_be_read_is_an_error_and_no_reading() {
    for damage in [
        "UPDATE pending SET entry = zeroblob(9)",
        "UPDATE pending SET entry = substr(entry, 1, length(entry) - 1)",
        "DELETE FROM pending WHERE place = 2",
        "UPDATE pending SET place = place + 7",
        "DELETE FROM counter",
    ] {
        let folder = Folder::new();
        let store = folder.open();
        for call in ["a", "b", "c"] {
            spend(&store, call, at(0), &sums()[0], 1);
        }
        let raw = Connection::open(folder.file()).unwrap();
        raw.execute_batch(damage).unwrap();
        let other = folder.open();
        let asked = request("d", at(0), &[&sums()[0]]);
        let read = block_on(other.read(asked.clone()));
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "{damage}: {read:?}");
        let alone = block_on(other.read_alone(asked));
        assert!(matches!(alone, Err(StoreError::Damaged { .. })), "{damage}: {alone:?}");
    }
}
