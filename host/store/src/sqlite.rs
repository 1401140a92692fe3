//! The embedded engine: what is asked is done at once on the caller's thread where nobody has to wait, and
//! else by the store's own thread. It runs no statement itself.

use std::fmt;
use std::future;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use agenthalt_core::digest::Key;
use agenthalt_core::policy::Durability;
use futures_channel::oneshot;

use crate::approval::{Answering, Approval, ApprovalsRequest, NewAnswer};
use crate::audit::{self, AuditRecord, Broken, Page};
use crate::connection::{self, State};
use crate::error::StoreError;
use crate::power::{Disk, Power, SystemDisk};
use crate::read::Read;
use crate::request::{Commit, Committed, ReadRequest, Snapshot, Version};
use crate::settlement::{CounterPart, CountersRequest, RecordsRequest, Reset, Settled, Settlement};
use crate::shared::Shared;
use crate::store::{Store, StoreFuture};
use crate::worker::{Asked, HeldCommit, Job, Reply, Worker};

/// How many requests may wait; one more is refused.
const QUEUE: usize = 4_096;
/// How long a version that was read alone keeps others from writing.
const HOLD: Duration = Duration::from_secs(5);
/// How long whoever asks waits for another process that keeps the file locked: longer than any hold.
const PATIENCE: Duration = Duration::from_secs(10);

/// State in one SQLite file, or in memory with the very same code.
///
/// Several stores, also of several processes, may be open on one file. Dropping the store finishes the
/// work that waits and joins its thread; where a version that was read alone is still about, that takes
/// up to 5 seconds.
///
/// A reading or a commit is made on the caller's thread unless another thread or process has the state at that
/// moment; then the store's own thread does it. With [`Durability::Process`] the future is ready then; with
/// [`Durability::Power`] it becomes ready when the disk has the commit, and one sync serves everybody who waits. No
/// caller's thread waits for a lock. What the database itself
/// does is mostly a matter of microseconds; the first reading of a long window, one of more than 20,000 charges,
/// and the first commit behind a checkpoint take longer.
pub struct SqliteStore {
    key: Key,
    shared: Arc<Shared>,
    jobs: SyncSender<Asked>,
    thread: Option<JoinHandle<()>>,
    hold: Duration,
    /// Who waits for the disk; none where nobody does.
    power: Option<Power>,
}

impl SqliteStore {
    /// Opens a state file. Where there is none, it is created with a key beside it (`<file>.key`), both
    /// readable to their owner only.
    ///
    /// # Errors
    /// [`StoreError`] where the folder is missing, the file cannot be opened, is damaged, of a newer
    /// schema, no state of AgentHalt, or its key is missing or another's. Such a file stays as it is.
    pub fn open(path: &Path, durability: Durability) -> Result<Self, StoreError> {
        SqliteStore::open_on(path, durability, Arc::new(SystemDisk))
    }

    /// Opens a state file whose log comes to the disk in this way.
    #[doc(hidden)]
    pub fn open_on(path: &Path, durability: Durability, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let mut store = SqliteStore::start(connection::open_file(path, PATIENCE)?, HOLD)?;
        store.power = match durability {
            Durability::Process => None,
            Durability::Power => Some(Power::start(&store.shared.path, disk)?),
        };
        Ok(store)
    }

    /// State in memory, gone with the store, under a random key.
    ///
    /// # Errors
    /// [`StoreError::Io`] where the system gives no random bytes or no thread.
    pub fn in_memory() -> Result<Self, StoreError> {
        SqliteStore::start(connection::open_in_memory()?, HOLD)
    }

    fn start(state: State, hold: Duration) -> Result<Self, StoreError> {
        let (key, path) = (state.key.clone(), state.path.clone());
        let shared = Arc::new(Shared::new(state, PATIENCE)?);
        let (jobs, received) = mpsc::sync_channel(QUEUE);
        let worker = Worker::new(Arc::clone(&shared), received, hold);
        let thread = thread::Builder::new()
            .name("agenthalt-store".to_owned())
            .spawn(move || worker.run())
            .map_err(|source| StoreError::Io { path, source: Box::new(source) })?;
        Ok(SqliteStore { key, shared, jobs, thread: Some(thread), hold, power: None })
    }

    /// The same answer, as durable as it is to be.
    fn durable<T: Send + 'static>(&self, answer: StoreFuture<T>, has_written: fn(&T) -> bool) -> StoreFuture<T> {
        match &self.power {
            None => answer,
            Some(power) => power.after(answer, has_written),
        }
    }

    fn commit_read(&self, mut read: Read, commit: Commit) -> StoreFuture<Committed> {
        let Some(hold) = read.hold.take() else {
            let Some(answer) = self.shared.commit(&read, &commit) else {
                return ask(&self.jobs, |reply| Job::Commit(Box::new((read, commit)), reply));
            };
            self.tidy_up();
            return Box::pin(future::ready(answer));
        };
        let too_long = StoreError::HeldTooLong(self.hold.as_millis());
        let (reply, answer) = oneshot::channel();
        // The transaction listens for this one commit, or does not any more.
        let sent = hold.try_send(HeldCommit { read, commit, reply });
        Box::pin(async move {
            match sent {
                Ok(()) => answer.await.unwrap_or(Err(too_long)),
                Err(_) => Err(too_long),
            }
        })
    }

    fn tidy_up(&self) {
        if self.shared.asks() {
            // A thread that has so much to do tidies up behind each job anyway.
            let _ = self.jobs.try_send(Asked::now(Job::Tidy));
        }
    }
}

impl Store for SqliteStore {
    fn key(&self) -> &Key {
        &self.key
    }

    fn read(&self, request: ReadRequest) -> StoreFuture<Snapshot> {
        match self.shared.read(&request) {
            Some(answer) => Box::pin(future::ready(answer)),
            None => ask(&self.jobs, |reply| Job::Read(request, reply)),
        }
    }

    fn read_alone(&self, request: ReadRequest) -> StoreFuture<Snapshot> {
        ask(&self.jobs, |reply| Job::ReadAlone(request, reply))
    }

    fn commit(&self, version: Version, commit: Commit) -> StoreFuture<Committed> {
        let answer = match version.into_read::<Read>() {
            Some(read) => self.commit_read(read, commit),
            None => refused("it was read from another store"),
        };
        self.durable(answer, is_done)
    }

    fn settle(&self, settlement: Settlement) -> StoreFuture<Settled> {
        let answer: StoreFuture<Settled> = match self.shared.settle(&settlement) {
            Some(answer) => {
                self.tidy_up();
                Box::pin(future::ready(answer))
            }
            None => ask(&self.jobs, |reply| Job::Settle(Box::new(settlement), reply)),
        };
        self.durable(answer, |settled| matches!(settled, Settled::Done { .. }))
    }

    fn counters(&self, request: CountersRequest) -> StoreFuture<Vec<CounterPart>> {
        ask(&self.jobs, |reply| Job::Counters(request, reply))
    }

    fn reset(&self, reset: Reset) -> StoreFuture<Committed> {
        self.durable(ask(&self.jobs, |reply| Job::Reset(reset, reply)), is_done)
    }

    fn approvals(&self, request: ApprovalsRequest) -> StoreFuture<Vec<Approval>> {
        ask(&self.jobs, |reply| Job::Approvals(request, reply))
    }

    fn answer(&self, new: NewAnswer) -> StoreFuture<Answering> {
        let answer = ask(&self.jobs, |reply| Job::Answer(Box::new(new), reply));
        self.durable(answer, |answering| matches!(answering, Answering::Done { .. }))
    }

    fn records(&self, request: RecordsRequest) -> StoreFuture<Vec<AuditRecord>> {
        let page = page(&self.jobs, request);
        Box::pin(async move { Ok(page.await?.records) })
    }

    fn verify(&self, tenant: &str) -> StoreFuture<Result<u64, Broken>> {
        let jobs = self.jobs.clone();
        Box::pin(audit::verify(tenant.to_owned(), move |request| page(&jobs, request)))
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Behind everything that waits. A thread that has ended takes no more jobs, and none is needed.
        let _ = self.jobs.send(Asked::now(Job::Stop));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

fn page(jobs: &SyncSender<Asked>, request: RecordsRequest) -> StoreFuture<Page> {
    ask(jobs, |reply| Job::Page(request, reply))
}

fn is_done(committed: &Committed) -> bool {
    matches!(committed, Committed::Done { .. })
}

fn refused<T: Send + 'static>(why: &str) -> StoreFuture<T> {
    Box::pin(future::ready(Err(StoreError::Refused(why.to_owned()))))
}

/// Hands a job over now; the answer can be awaited with any executor.
fn ask<T: Send + 'static>(jobs: &SyncSender<Asked>, job: impl FnOnce(Reply<T>) -> Job) -> StoreFuture<T> {
    let (reply, answer) = oneshot::channel();
    let sent = jobs.try_send(Asked::now(job(reply)));
    Box::pin(async move {
        match sent {
            Ok(()) => answer.await.unwrap_or(Err(StoreError::Closed)),
            Err(TrySendError::Full(_)) => Err(StoreError::Overloaded(QUEUE)),
            Err(TrySendError::Disconnected(_)) => Err(StoreError::Closed),
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use agenthalt_core::counter::{Measure, Window};
    use agenthalt_core::digest::Digest;
    use agenthalt_core::time::{TimeZone, Timestamp};
    use agenthalt_core::verdict::Verdict;
    use pollster::block_on;

    use super::*;
    use crate::request::{AppliedCharge, CallTag, CounterRead, NamedBy, Record};

    fn tag() -> CallTag {
        CallTag { id: "c".to_owned(), caller: Digest::ZERO, digest: Digest::ZERO, named_by: NamedBy::Nobody }
    }

    fn request() -> ReadRequest {
        ReadRequest {
            tenant: "t".to_owned(),
            call: tag(),
            at: Timestamp::from_millis(0).unwrap(),
            zone: TimeZone::utc(),
            remembered_ms: 1_000,
            counters: Vec::new(),
        }
    }

    fn record() -> Record {
        Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body: "{}".to_owned() }
    }

    #[test]
    fn in_line_and_by_the_thread_answers_are_the_same() {
        let store = || SqliteStore::in_memory().unwrap();
        let (in_line, by_thread) = (store(), store());
        let windows = [Window::RollingMs(50), Window::Day, Window::Ever];
        let measures = [Measure::Sum, Measure::Count, Measure::LastTime, Measure::RunOfSame, Measure::RunOfTwo];
        for index in 0..300_u16 {
            let counters = windows.iter().flat_map(|window| measures.map(|measure| (*window, measure)));
            let counters = counters.map(|(window, measure)| CounterRead {
                counter: format!("{window:?} {measure:?}"),
                partition: String::new(),
                window,
                measure,
                sequence: Digest::of(&[u8::from(index % 7 == 0)]),
            });
            let asked = ReadRequest {
                call: CallTag { id: index.to_string(), ..tag() },
                at: Timestamp::from_millis(i64::from(index) * 10).unwrap(),
                counters: counters.collect(),
                ..request()
            };
            let one = block_on(in_line.read(asked.clone())).unwrap();
            let other = block_on(ask(&by_thread.jobs, |reply| Job::Read(asked.clone(), reply))).unwrap();
            assert_eq!(one.readings, other.readings, "{index}");
            let charges = asked.counters.iter().map(|counter| AppliedCharge::to(counter, 3, false)).collect();
            let verdict = if index % 3 == 0 { Verdict::RequireApproval } else { Verdict::Allow };
            let commit = Commit::of(&asked, verdict, charges, record());
            let work = Box::new((other.version.into_read().unwrap(), commit.clone()));
            let other = block_on(ask(&by_thread.jobs, |reply| Job::Commit(work, reply))).unwrap();
            assert_eq!(block_on(in_line.commit(one.version, commit)).unwrap(), other, "{index}");
        }
    }

    #[test]
    fn what_was_held_for_too_long_is_not_committed() {
        let hold = Duration::from_millis(1);
        let store = SqliteStore::start(connection::open_in_memory().unwrap(), hold).unwrap();
        let version = block_on(store.read_alone(request())).unwrap().version;
        // This is answered only when the hold is over.
        block_on(store.read(request())).unwrap();
        let late = block_on(store.commit(version, Commit::of(&request(), Verdict::Allow, Vec::new(), record())));
        assert!(matches!(late, Err(StoreError::HeldTooLong(1))));
        assert_eq!(block_on(store.verify("t")).unwrap(), Ok(0));
    }

    #[test]
    fn a_dropped_store_finishes_what_waits() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let store = SqliteStore::open(&path, Durability::Process).unwrap();
        let proof = store.verify("t");
        let mut answers = Vec::new();
        for _ in 0..100 {
            let version = block_on(store.read(request())).unwrap().version;
            answers.push(store.commit(version, Commit::of(&request(), Verdict::Allow, Vec::new(), record())));
        }
        drop(store);
        for answer in answers {
            assert!(matches!(block_on(answer), Ok(Committed::Done { .. })));
        }
        assert!(matches!(block_on(proof), Err(StoreError::Closed)));
        let store = SqliteStore::open(&path, Durability::Process).unwrap();
        assert_eq!(block_on(store.verify("t")).unwrap(), Ok(100));
    }
}
