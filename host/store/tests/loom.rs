//! The store's own types for waiting, in every order in which threads can run: whose turn it is at the database, and
//! the sync that serves all who wait. Their very source is compiled here, with locks that try all orders.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

#[path = "../src/group.rs"]
mod group;
#[path = "../src/turn.rs"]
mod turn;

mod locks {
    pub(crate) use std::sync::{Arc, TryLockError};

    pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
}

use std::sync::Arc;

use group::{Group, NotSynced};
use loom::future::block_on;
use loom::sync::Mutex;
use loom::thread;
use turn::{NoTurn, Turn};

/// Tries all orders in which threads are interrupted at most twice where they could go on; all orders without that
/// bound take hours.
fn in_every_order(claim: impl Fn() + Send + Sync + 'static) {
    let mut orders = loom::model::Builder::new();
    orders.preemption_bound = Some(2);
    orders.check(claim);
}

/// A counter with its version, as rows have it, and a limit of one.
#[derive(Default)]
struct Row {
    version: u64,
    spent: u64,
}

/// One evaluation at the protocol's pace: read, judge, commit if what was read still holds, else again. Where it is
/// not this caller's turn, it waits as the thread does for it.
fn evaluate(turn: &Turn<Row>, waits: bool) -> bool {
    loop {
        let at = |turn: &Turn<Row>| (turn.at_once().ok().map(|row| (row.version, row.spent)), ());
        let read = match at(turn) {
            (Some(read), ()) => read,
            (None, ()) if waits => {
                let row = turn.wait().unwrap();
                (row.version, row.spent)
            }
            (None, ()) => return false,
        };
        if read.1 >= 1 {
            return false;
        }
        let committed = match turn.at_once() {
            Ok(row) => Some(row),
            Err(NoTurn::Taken) if waits => Some(turn.wait().unwrap()),
            Err(_) => None,
        };
        let Some(mut row) = committed else { return false };
        if row.version == read.0 {
            (row.version, row.spent) = (row.version + 1, row.spent + 1);
            return true;
        }
    }
}

#[test]
fn two_callers_and_the_thread_never_spend_more_than_the_limit() {
    in_every_order(|| {
        let turn = Arc::new(Turn::new(Row::default()));
        let (one, two) = (Arc::clone(&turn), Arc::clone(&turn));
        let callers = [thread::spawn(move || evaluate(&one, false)), thread::spawn(move || evaluate(&two, false))];
        let by_thread = evaluate(&turn, true);
        let spent = callers.into_iter().map(|caller| u64::from(caller.join().unwrap())).sum::<u64>();
        let row = turn.wait().unwrap();
        assert_eq!(row.spent, spent + u64::from(by_thread));
        assert_eq!(row.spent, 1, "the thread always gets its turn, so somebody spends it");
    });
}

/// Writers that wait for the disk, and what the disk has. The disk fails at the given sync.
fn write_and_wait(writers: usize, fails_at: Option<usize>) {
    in_every_order(move || {
        let group = Arc::new(Group::default());
        let (written, on_disk) =
            (Arc::new(Mutex::new(vec![false; writers])), Arc::new(Mutex::new(vec![false; writers])));
        let syncs = {
            let (group, written, on_disk) = (Arc::clone(&group), Arc::clone(&written), Arc::clone(&on_disk));
            thread::spawn(move || {
                let mut syncs = 0;
                group.run(|| {
                    syncs += 1;
                    if fails_at == Some(syncs) {
                        return Err("no space".to_owned());
                    }
                    // What a sync finds written when it begins is on the disk when it ends.
                    let found = written.lock().unwrap().clone();
                    thread::yield_now();
                    *on_disk.lock().unwrap() = found;
                    Ok(())
                });
                syncs
            })
        };
        let write = |writer: usize| {
            let (group, written, on_disk) = (Arc::clone(&group), Arc::clone(&written), Arc::clone(&on_disk));
            move || {
                written.lock().unwrap()[writer] = true;
                let reached = block_on(group.reach());
                assert!(reached.is_err() || on_disk.lock().unwrap()[writer], "answered before the disk has it");
                reached
            }
        };
        let others: Vec<_> = (1..writers).map(|writer| thread::spawn(write(writer))).collect();
        let mut answers = vec![write(0)()];
        answers.extend(others.into_iter().map(|other| other.join().unwrap()));
        group.close();
        let syncs = syncs.join().unwrap();
        assert!(syncs <= writers, "no sync without somebody who waits");
        match fails_at {
            None => assert!(answers.iter().all(Result::is_ok)),
            Some(_) => assert!(answers.contains(&Err(NotSynced("no space".to_owned())))),
        }
    });
}

#[test]
fn nobody_is_answered_before_the_disk_has_what_was_written_and_everybody_is() {
    write_and_wait(2, None);
}

#[test]
fn a_sync_that_fails_answers_nobody_then_and_after() {
    write_and_wait(2, Some(1));
    write_and_wait(1, Some(1));
}

#[test]
fn who_comes_after_the_end_is_told_so() {
    in_every_order(|| {
        let group = Arc::new(Group::default());
        let waiting = Arc::clone(&group);
        let thread = thread::spawn(move || waiting.run(|| Ok(())));
        group.close();
        thread.join().unwrap();
        assert!(block_on(group.reach()).is_err());
    });
}
