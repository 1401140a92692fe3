//! The thread that owns the database: one connection, one job after another. It knows no caller.

use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use agenthalt_core::digest::Key;
use futures_channel::oneshot;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::audit::{self, Page};
use crate::commit;
use crate::connection::State;
use crate::error::{Failure, StoreError};
use crate::read;
use crate::request::{Commit, Committed, ReadRequest, RecordsRequest, Snapshot, Version};

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
pub(crate) enum Job {
    Read(ReadRequest, Reply<Snapshot>),
    ReadAlone(ReadRequest, Reply<Snapshot>),
    Commit(Box<(Version, Commit)>, Reply<Committed>),
    Page(RecordsRequest, Reply<Page>),
    Stop,
}

/// The commit of a version that was read alone; it goes straight to the transaction that waits for it.
#[derive(Debug)]
pub(crate) struct HeldCommit {
    pub(crate) version: Version,
    pub(crate) commit: Commit,
    pub(crate) reply: Reply<Committed>,
}

/// The thread's own side.
pub(crate) struct Worker {
    state: State,
    jobs: Receiver<Job>,
    hold: Duration,
}

impl Worker {
    /// `hold` is how long a version that was read alone keeps others from writing.
    pub(crate) fn new(state: State, jobs: Receiver<Job>, hold: Duration) -> Self {
        Worker { state, jobs, hold }
    }

    /// Works until it is told to stop, or until nobody is left who could ask.
    pub(crate) fn run(mut self) {
        while let Ok(job) = self.jobs.recv() {
            match job {
                // An answer that nobody waits for any more is dropped; what is done stays done.
                Job::Read(request, reply) => drop(reply.send(self.read(request))),
                Job::ReadAlone(request, reply) => self.read_alone(request, reply),
                Job::Commit(work, reply) => drop(reply.send(self.commit(&work.0, &work.1))),
                Job::Page(request, reply) => drop(reply.send(self.page(&request))),
                Job::Stop => break,
            }
        }
    }

    fn read(&mut self, request: ReadRequest) -> Result<Snapshot, StoreError> {
        let State { connection, key, path } = &mut self.state;
        // One transaction, so that all readings and versions are of one moment.
        let result = (|| read::snapshot(&*connection.transaction()?, key, request))();
        result.map_err(|failure| failure.at(path))
    }

    fn commit(&mut self, version: &Version, commit: &Commit) -> Result<Committed, StoreError> {
        let State { connection, key, path } = &mut self.state;
        let result = (|| finish(alone(connection)?, key, version, commit))();
        result.map_err(|failure| failure.at(path))
    }

    /// Reads under the write lock and keeps the lock until the commit comes, the version is dropped, or
    /// the time is over. Whatever else is asked meanwhile waits.
    fn read_alone(&mut self, request: ReadRequest, reply: Reply<Snapshot>) {
        let State { connection, key, path } = &mut self.state;
        let read = (|| {
            let transaction = alone(connection)?;
            let snapshot = read::snapshot(&transaction, key, request)?;
            Ok((transaction, snapshot))
        })();
        let (transaction, mut snapshot) = match read {
            Ok(read) => read,
            Err(failure) => return drop(reply.send(Err(Failure::at(failure, path)))),
        };
        let (holder, held) = mpsc::sync_channel(1);
        snapshot.version.hold = Some(holder);
        // Where nobody waits for the answer any more, it is dropped here, and the lock with it.
        drop(reply.send(Ok(snapshot)));
        // Everything but a commit in time rolls back: the transaction is dropped.
        if let Ok(HeldCommit { version, commit, reply }) = held.recv_timeout(self.hold) {
            let result = finish(transaction, key, &version, &commit);
            drop(reply.send(result.map_err(|failure| failure.at(path))));
        }
    }

    fn page(&mut self, request: &RecordsRequest) -> Result<Page, StoreError> {
        let State { connection, path, .. } = &mut self.state;
        let result = (|| audit::page(&*connection.transaction()?, request))();
        result.map_err(|failure: Failure| failure.at(path))
    }
}

/// Begins a transaction beside which nobody else writes, in no process.
fn alone(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

/// Applies a commit and ends the transaction.
// INVARIANT: only a commit that is done is kept; a conflict and every error roll back all of it.
fn finish(transaction: Transaction<'_>, key: &Key, version: &Version, commit: &Commit) -> Result<Committed, Failure> {
    let committed = commit::apply(&transaction, key, version, commit)?;
    match committed {
        Committed::Done { .. } => transaction.commit()?,
        Committed::Conflict => transaction.rollback()?,
    }
    Ok(committed)
}
