//! The thread that does what no caller may wait for: what is asked while the database is taken, what waits
//! for the disk, and what nobody asks for. It knows no caller.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::{Duration, Instant};

use futures_channel::oneshot;

use crate::approval::{Answering, Approval, ApprovalsRequest, NewAnswer};
use crate::audit::Page;
use crate::checkpoint::{self, Checkpoint};
use crate::connection::State;
use crate::error::{Failure, StoreError};
use crate::read::Read;
use crate::request::{Commit, Committed, ReadRequest, Snapshot};
use crate::settlement::{CounterPart, CountersRequest, RecordsRequest, Reset, Settled, Settlement};
use crate::shared::Shared;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the thread is asked to do.
pub(crate) enum Job {
    Read(ReadRequest, Reply<Snapshot>),
    ReadAlone(ReadRequest, Reply<Snapshot>),
    Commit(Box<(Read, Commit)>, Reply<Committed>),
    Settle(Box<Settlement>, Reply<Settled>),
    Counters(CountersRequest, Reply<Vec<CounterPart>>),
    Reset(Reset, Reply<Committed>),
    Approvals(ApprovalsRequest, Reply<Vec<Approval>>),
    Answer(Box<NewAnswer>, Reply<Answering>),
    Page(RecordsRequest, Reply<Page>),
    /// Nobody waits for this.
    Tidy,
    Stop,
}

/// A job, and when it was asked for: the thread's patience with other processes is counted from there, so that those who
/// wait behind each other do not wait one after another.
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) job: Job,
}

impl Asked {
    pub(crate) fn now(job: Job) -> Self {
        Asked { at: Instant::now(), job }
    }
}

/// The commit of a version that was read alone; it goes straight to the transaction that waits for it.
#[derive(Debug)]
pub(crate) struct HeldCommit {
    pub(crate) read: Read,
    pub(crate) commit: Commit,
    pub(crate) reply: Reply<Committed>,
}

/// The thread's own side.
pub(crate) struct Worker {
    shared: Arc<Shared>,
    jobs: Receiver<Asked>,
    hold: Duration,
    checkpoint: Checkpoint,
}

impl Worker {
    /// `hold` is how long a version that was read alone keeps others from writing.
    pub(crate) fn new(shared: Arc<Shared>, jobs: Receiver<Asked>, hold: Duration) -> Self {
        Worker { shared, jobs, hold, checkpoint: Checkpoint::default() }
    }

    /// Works until it is told to stop, or until nobody is left who could ask.
    pub(crate) fn run(mut self) {
        loop {
            // Whoever asks comes before what nobody waits for.
            let Asked { at, job } = match self.jobs.try_recv() {
                Err(TryRecvError::Empty) if self.shared.is_untidy() => Asked::now(Job::Tidy),
                Err(TryRecvError::Empty) => match self.jobs.recv() {
                    Ok(asked) => asked,
                    Err(_) => break,
                },
                Err(TryRecvError::Disconnected) => break,
                Ok(asked) => asked,
            };
            match job {
                // An answer that nobody waits for any more is dropped; what is done stays done.
                Job::Read(request, reply) => drop(reply.send(self.work(at, |state| state.read(&request)))),
                Job::ReadAlone(request, reply) => self.read_alone(at, &request, reply),
                Job::Commit(work, reply) => drop(reply.send(self.work(at, |state| state.commit(&work.0, &work.1)))),
                Job::Settle(settlement, reply) => drop(reply.send(self.work(at, |state| state.settle(&settlement)))),
                Job::Counters(request, reply) => drop(reply.send(self.work(at, |state| state.counters(&request)))),
                Job::Reset(reset, reply) => drop(reply.send(self.work(at, |state| state.reset(&reset)))),
                Job::Approvals(request, reply) => drop(reply.send(self.work(at, |state| state.approvals(&request)))),
                Job::Answer(new, reply) => drop(reply.send(self.work(at, |state| state.answer(&new)))),
                Job::Page(request, reply) => drop(reply.send(self.work(at, |state| state.page(&request)))),
                Job::Tidy => {}
                Job::Stop => break,
            }
            self.tidy();
        }
        // INVARIANT: nothing is lost where this fails: what is pending is committed, and whoever opens the
        // file next knows it.
        let _ = self.shared.end();
    }

    fn work<T>(&self, at: Instant, work: impl FnOnce(&mut State) -> Result<T, Failure>) -> Result<T, StoreError> {
        let mut patient = self.shared.patient(at)?;
        work(patient.state()).map_err(|failure| failure.at(&self.shared.path))
    }

    /// Reads under the write lock and keeps the lock until the commit comes, the version is dropped, or
    /// the time is over. Whatever else is asked meanwhile waits.
    fn read_alone(&self, at: Instant, request: &ReadRequest, reply: Reply<Snapshot>) {
        let failed = |failure: Failure| failure.at(&self.shared.path);
        let mut patient = match self.shared.patient(at) {
            Ok(patient) => patient,
            Err(error) => return drop(reply.send(Err(error))),
        };
        let (alone, mut read) = match patient.state().read_alone(request) {
            Ok(read) => read,
            Err(failure) => return drop(reply.send(Err(failed(failure)))),
        };
        let (holder, held) = mpsc::sync_channel(1);
        read.read.hold = Some(holder);
        // Where nobody waits for the answer any more, it is dropped here, and the lock with it.
        drop(reply.send(Ok(read.into_snapshot())));
        // Everything but a commit in time rolls back: the transaction is dropped.
        if let Ok(HeldCommit { read, commit, reply }) = held.recv_timeout(self.hold) {
            drop(reply.send(alone.finish(&read, &commit).map_err(failed)));
        }
    }

    /// Does what callers are spared.
    fn tidy(&mut self) {
        // What cannot be taken in now stays pending, and a commit takes it in once there is too much of it.
        let _ = self.shared.tidy();
        // A log that cannot be brought back now is tried again after the next commits, and a file that
        // cannot be written shows in the commits themselves.
        let shared = &self.shared;
        let alone = || match shared.patient(Instant::now()) {
            Ok(mut patient) => checkpoint::passive(&patient.state().connection),
            // A store that has failed writes no more, so its log does not grow.
            Err(_) => Ok(()),
        };
        let _ = self.checkpoint.run(&shared.path, &shared.log, alone);
    }
}
