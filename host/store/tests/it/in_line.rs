//! Who is answered at once, and who has to wait.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::policy::Durability;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    AppliedCharge, Commit, Committed, CounterRead, ReadRequest, Record, SqliteStore, Store, StoreFuture,
};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::*;

fn day() -> CounterRead {
    counter(Window::Day, Measure::Sum)
}

/// What a future holds already.
fn at_once<T>(future: &mut StoreFuture<T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer.unwrap()),
        Poll::Pending => None,
    }
}

fn one(request: &ReadRequest) -> Commit {
    Commit::of(request, Verdict::Allow, vec![AppliedCharge::to(&day(), 1, false)], record())
}

#[test]
fn who_is_alone_is_answered_at_once() {
    on_every_store(|store| {
        for call in ["a", "b", "c"] {
            let asked = request(call, at(0), &[&day()]);
            let snapshot = at_once(&mut store.read(asked.clone())).unwrap();
            let committed = at_once(&mut store.commit(snapshot.version, one(&asked))).unwrap();
            assert!(matches!(committed, Committed::Done { .. }));
        }
        assert_eq!(read(store, at(0), &day()), Some(3));
    });
}

#[test]
fn a_commit_that_waits_for_the_disk_is_done_all_the_same() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.file(), Durability::Power).unwrap();
    for call in 0..20 {
        charge(&store, &call.to_string(), at(0), &day(), 1);
    }
    assert!(at_once(&mut store.read(request("x", at(0), &[&day()]))).is_some(), "a reading waits for no disk");
    assert_eq!(read(&store, at(0), &day()), Some(20));
    assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(20));
}

#[test]
fn a_reader_waits_for_who_reads_alone() {
    let folder = Folder::new();
    for store in [&SqliteStore::in_memory().unwrap(), &folder.open()] {
        let (alone, reader) = (request("a", at(0), &[&day()]), request("b", at(0), &[&day()]));
        let held = block_on(store.read_alone(alone.clone())).unwrap().version;
        let mut waiting = store.read(reader.clone());
        assert!(at_once(&mut waiting).is_none());
        block_on(store.commit(held, one(&alone))).unwrap();
        let snapshot = block_on(waiting).unwrap();
        assert_eq!(snapshot.readings, [Some(1)]);
        assert!(matches!(block_on(store.commit(snapshot.version, one(&reader))).unwrap(), Committed::Done { .. }));
    }
}

#[test]
fn a_file_that_another_keeps_locked_holds_no_caller_up() {
    let folder = Folder::new();
    let store = folder.open();
    charge(&store, "earlier", at(0), &day(), 1);
    let asked = request("a", at(0), &[&day()]);
    let other = Connection::open(folder.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let snapshot = at_once(&mut store.read(asked.clone())).unwrap();
    assert_eq!(snapshot.readings, [Some(1)]);
    let mut waiting = store.commit(snapshot.version, one(&asked));
    assert!(at_once(&mut waiting).is_none());
    other.execute_batch("ROLLBACK").unwrap();
    assert!(matches!(block_on(waiting).unwrap(), Committed::Done { sequence: 2, .. }));
    assert_eq!(read(&store, at(0), &day()), Some(2));
}

#[test]
fn the_log_stays_bounded() {
    let folder = Folder::new();
    let store = folder.open();
    let log = folder.file().with_file_name("state.db-wal");
    let body = format!("{{\"text\":\"{}\"}}", "x".repeat(20_000));
    let mut longest = 0;
    for index in 0..4_000 {
        let asked = request(&index.to_string(), at(index), &[&day()]);
        let version = block_on(store.read(asked.clone())).unwrap().version;
        let record = Record { body: body.clone(), ..record() };
        block_on(store.commit(version, Commit { record, ..one(&asked) })).unwrap();
        if index % 100 == 0 {
            longest = longest.max(std::fs::metadata(&log).unwrap().len());
        }
    }
    assert_eq!(read(&store, at(4_000), &day()), Some(4_000));
    // What is written comes to far more than 100 MB.
    assert!(longest < 45_000_000, "{longest} bytes");
}
