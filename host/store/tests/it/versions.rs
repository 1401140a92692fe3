//! What a version holds together, and what a commit refuses.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{AppliedCharge, Commit, Committed, CounterRead, ReadRequest, RecordsRequest, Store, StoreError};
use pollster::block_on;

use crate::support::*;

fn two() -> (CounterRead, CounterRead) {
    let day = counter(Window::Day, Measure::Sum);
    (CounterRead { partition: "1".to_owned(), ..day.clone() }, CounterRead { partition: "2".to_owned(), ..day })
}

fn begin(store: &dyn Store, request: &ReadRequest) -> agenthalt_store::Version {
    block_on(store.read(request.clone())).unwrap().version
}

fn end(store: &dyn Store, request: &ReadRequest, version: agenthalt_store::Version, amount: i64) -> Committed {
    let charges = request.counters.iter().map(|read| AppliedCharge::to(read, amount, false)).collect();
    block_on(store.commit(version, Commit::of(request, Verdict::Allow, charges, record()))).unwrap()
}

fn records(store: &dyn Store) -> usize {
    let page = RecordsRequest { tenant: TENANT.to_owned(), after: 0, most: 1_000 };
    block_on(store.records(page)).unwrap().len()
}

#[test]
fn a_conflict_changes_nothing() {
    on_every_store(|store| {
        let (one, _) = two();
        let (first, second) = (request("a", at(0), &[&one]), request("b", at(0), &[&one]));
        let (early, late) = (begin(store, &first), begin(store, &second));
        assert!(matches!(end(store, &first, early, 5), Committed::Done { sequence: 1, .. }));
        assert_eq!(end(store, &second, late, 100), Committed::Conflict);
        assert_eq!(read(store, at(0), &one), Some(5));
        assert_eq!(records(store), 1);
        let again = begin(store, &second);
        assert!(matches!(end(store, &second, again, 100), Committed::Done { sequence: 2, .. }));
    });
}

#[test]
fn a_counter_that_was_only_read_holds_too() {
    on_every_store(|store| {
        let (one, two) = two();
        let (reader, writer) = (request("a", at(0), &[&one, &two]), request("b", at(0), &[&two]));
        let version = begin(store, &reader);
        let written = begin(store, &writer);
        end(store, &writer, written, 1);
        let commit = Commit::of(&reader, Verdict::RequireApproval, Vec::new(), record());
        assert_eq!(block_on(store.commit(version, commit)).unwrap(), Committed::Conflict);
    });
}

#[test]
fn evaluations_of_other_counters_do_not_disturb() {
    on_every_store(|store| {
        let (one, two) = two();
        let (a, b) = (request("a", at(0), &[&one]), request("b", at(0), &[&two]));
        let other = ReadRequest { tenant: "other".to_owned(), ..request("c", at(0), &[&one]) };
        let versions = (begin(store, &a), begin(store, &b), begin(store, &other));
        assert!(matches!(end(store, &a, versions.0, 1), Committed::Done { sequence: 1, .. }));
        assert!(matches!(end(store, &b, versions.1, 2), Committed::Done { sequence: 2, .. }));
        assert!(matches!(end(store, &other, versions.2, 4), Committed::Done { sequence: 1, .. }));
        assert_eq!(readings(store, &request("d", at(0), &[&two, &one])), [Some(2), Some(1)]);
    });
}

#[test]
fn an_attempt_that_was_taken_back_is_a_change() {
    on_every_store(|store| {
        let (one, _) = two();
        let attempt = request("a", at(0), &[&one]);
        evaluate(store, &attempt, 1, false);
        let other = request("b", at(0), &[&one]);
        let version = begin(store, &other);
        let again = begin(store, &attempt);
        block_on(store.commit(again, Commit::of(&attempt, Verdict::RequireApproval, Vec::new(), record()))).unwrap();
        assert_eq!(end(store, &other, version, 1), Committed::Conflict);
    });
}

#[test]
fn a_commit_that_does_not_belong_to_its_version_is_refused_whole() {
    on_every_store(|store| {
        let (one, two) = two();
        let asked = request("a", at(0), &[&one]);
        let good = || vec![AppliedCharge::to(&one, 1, false)];
        let other_call = request("b", at(0), &[&one]);
        let mut other_digest = asked.clone();
        other_digest.call.digest = Digest::of(b"other");
        let other_tenant = ReadRequest { tenant: "other".to_owned(), ..asked.clone() };
        let other_time = request("a", at(1), &[&one]);
        let unread = [AppliedCharge::to(&one, 1, false), AppliedCharge::to(&two, 1, false)];
        let negative = [AppliedCharge::to(&one, 1, false), AppliedCharge::to(&one, -1, false)];
        for commit in [
            Commit::of(&other_call, Verdict::Allow, good(), record()),
            Commit::of(&other_digest, Verdict::Allow, good(), record()),
            Commit::of(&other_tenant, Verdict::Allow, good(), record()),
            Commit::of(&other_time, Verdict::Allow, good(), record()),
            Commit::of(&asked, Verdict::Allow, unread.to_vec(), record()),
            Commit::of(&asked, Verdict::Allow, negative.to_vec(), record()),
        ] {
            let version = begin(store, &asked);
            let refused = block_on(store.commit(version, commit));
            assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
        }
        assert_eq!(readings(store, &request("x", at(0), &[&one, &two])), [Some(0), Some(0)]);
        assert_eq!(records(store), 0);
    });
}

#[test]
fn who_reads_alone_meets_no_conflict() {
    on_every_store(|store| {
        let (one, _) = two();
        let (waits, alone) = (request("a", at(0), &[&one]), request("b", at(0), &[&one]));
        let early = begin(store, &waits);
        let held = block_on(store.read_alone(alone.clone())).unwrap().version;
        let charges = vec![AppliedCharge::to(&one, 1, false)];
        let queued = store.commit(early, Commit::of(&waits, Verdict::Allow, charges, record()));
        assert!(matches!(end(store, &alone, held, 5), Committed::Done { .. }));
        assert_eq!(block_on(queued).unwrap(), Committed::Conflict);
        assert_eq!(read(store, at(0), &one), Some(5));
    });
}

#[test]
fn a_version_that_is_dropped_holds_nobody_up() {
    on_every_store(|store| {
        let (one, _) = two();
        let asked = request("a", at(0), &[&one]);
        drop(block_on(store.read_alone(asked.clone())).unwrap());
        drop(store.read_alone(asked.clone()));
        charge(store, "b", at(0), &one, 3);
        assert_eq!(read(store, at(0), &one), Some(3));
    });
}

#[test]
fn one_counter_may_be_read_in_two_ways() {
    on_every_store(|store| {
        let (sum, _) = two();
        let count = CounterRead { measure: Measure::Count, ..sum.clone() };
        let asked = request("a", at(0), &[&sum, &count]);
        let version = begin(store, &asked);
        let commit = Commit::of(&asked, Verdict::Allow, vec![AppliedCharge::to(&sum, 5, true)], record());
        block_on(store.commit(version, commit)).unwrap();
        assert_eq!(readings(store, &request("b", at(0), &[&sum, &count])), [Some(5), Some(1)]);
    });
}

#[test]
fn state_outlives_its_store() {
    let folder = Folder::new();
    let (one, _) = two();
    let digest = {
        let store = folder.open();
        charge(&store, "a", at(0), &one, 5);
        store.key().digest(&[b"x"])
    };
    let store = folder.open();
    assert_eq!(read(&store, at(0), &one), Some(5));
    assert_eq!(store.key().digest(&[b"x"]), digest);
    assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(1));
}
