//! The database behind its lock. Whoever holds the lock reads and commits, be it a caller in line or the
//! store's thread; the statements are the same. It never makes a caller wait for the lock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::audit::{self, Page};
use crate::checkpoint::Log;
use crate::connection::State;
use crate::error::{Failure, StoreError};
use crate::fold;
use crate::read::Read;
use crate::request::{Commit, Committed, ReadRequest, Snapshot};
use crate::settlement::{RecordsRequest, Settled, Settlement};
use crate::transaction::Transaction;
use crate::turn::{NoTurn, Turn};

/// What callers and the thread have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Turn<State>,
    patience: Duration,
    /// There is something for the thread to tidy up.
    is_untidy: AtomicBool,
    /// The thread was told so.
    is_told: AtomicBool,
    pub(crate) log: Log,
    /// The name that errors show.
    pub(crate) path: PathBuf,
}

impl Shared {
    /// `patience` is how long whoever asks waits for another process that keeps the file locked.
    pub(crate) fn new(mut state: State, patience: Duration) -> Result<Self, StoreError> {
        let path = state.path.clone();
        let prepared = Log::of(&mut state.connection).and_then(|log| {
            state.connection.busy_timeout(Duration::ZERO)?;
            Ok(log)
        });
        let log = prepared.map_err(|failure| failure.at(&path))?;
        let (is_untidy, is_told) = (AtomicBool::new(false), AtomicBool::new(false));
        let state = Turn::new(state);
        Ok(Shared { state, patience, is_untidy, is_told, log, path })
    }

    /// Reads on the caller's thread; none where that would have to wait.
    pub(crate) fn read(&self, request: &ReadRequest) -> Option<Result<Snapshot, StoreError>> {
        self.in_line(|state| state.read(request))
    }

    /// Commits on the caller's thread; none where that would have to wait. Then nothing has changed.
    pub(crate) fn commit(&self, read: &Read, commit: &Commit) -> Option<Result<Committed, StoreError>> {
        if self.log.is_overdue() {
            return None;
        }
        self.in_line(|state| state.commit(read, commit))
    }

    /// Settles on the caller's thread; none where that would have to wait. Then nothing has changed.
    pub(crate) fn settle(&self, settlement: &Settlement) -> Option<Result<Settled, StoreError>> {
        if self.log.is_overdue() {
            return None;
        }
        self.in_line(|state| state.settle(settlement))
    }

    // INVARIANT: nobody waits for another here. While a caller has its turn, the engine's own patience is zero; what
    // does not come at once is left to the thread.
    fn in_line<T>(&self, work: impl FnOnce(&mut State) -> Result<T, Failure>) -> Option<Result<T, StoreError>> {
        // The lock is given back within, so that a panic poisons it and ends the store for all.
        let worked = catch_unwind(AssertUnwindSafe(|| {
            let mut state = match self.state.at_once() {
                Ok(state) => state,
                Err(NoTurn::Taken) => return None,
                Err(NoTurn::Broken) => return Some(Err(StoreError::Failed)),
            };
            if state.cache.pending() >= fold::AT_MOST {
                return None;
            }
            let worked = work(&mut state);
            self.note(&state);
            match worked {
                Err(failure) if failure.is_busy() => None,
                result => Some(result.map_err(|failure| failure.at(&self.path))),
            }
        }));
        worked.unwrap_or(Some(Err(StoreError::Failed)))
    }

    /// Whether the thread is to be told to tidy up: once, until it does.
    pub(crate) fn asks(&self) -> bool {
        (self.is_untidy.load(Ordering::Relaxed) || self.log.has_grown()) && !self.is_told.swap(true, Ordering::Relaxed)
    }

    /// Whether more is to be tidied up.
    pub(crate) fn is_untidy(&self) -> bool {
        self.is_untidy.load(Ordering::Relaxed)
    }

    /// Takes a part of what is pending into its tables where there is enough of it.
    pub(crate) fn tidy(&self) -> Result<(), StoreError> {
        self.is_told.store(false, Ordering::Relaxed);
        if !self.is_untidy.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let mut idle = self.idle()?;
        let state = idle.state();
        let folded = state.fold(fold::AT_ONCE);
        let goes_on = folded.is_ok() && state.cache.pending() >= fold::AT_ONCE;
        drop(idle);
        // Where this fails, it is tried again when a caller notes it: a file that cannot be written now
        // keeps the thread from nothing.
        self.is_untidy.store(goes_on, Ordering::Relaxed);
        folded.map_err(|failure| failure.at(&self.path))
    }

    /// Takes what is pending into its tables, if nobody else keeps the file locked.
    pub(crate) fn end(&self) -> Result<(), StoreError> {
        let mut idle = self.idle()?;
        let state = idle.state();
        if state.cache.pending() == 0 {
            return Ok(());
        }
        state.fold(i64::MAX).map_err(|failure| failure.at(&self.path))
    }

    fn note(&self, state: &State) {
        if state.cache.pending() >= fold::SOON {
            self.is_untidy.store(true, Ordering::Relaxed);
        }
    }

    /// The lock, for what somebody asked of the thread at an instant: with what is left of the patience for other
    /// processes.
    pub(crate) fn patient(&self, asked: Instant) -> Result<Held<'_>, StoreError> {
        let held = self.idle()?;
        let waits = held.state.connection.busy_timeout(self.patience.saturating_sub(asked.elapsed()));
        waits.map_err(|error| Failure::from(error).at(&self.path))?;
        Ok(held)
    }

    /// The lock, for what nobody asks for: where another process keeps the file locked, it is left undone,
    /// so that nobody waits for the lock because of that.
    fn idle(&self) -> Result<Held<'_>, StoreError> {
        Ok(Held { shared: self, state: self.state.wait().map_err(|_| StoreError::Failed)? })
    }
}

/// The lock in the hands of the thread.
pub(crate) struct Held<'a> {
    shared: &'a Shared,
    state: MutexGuard<'a, State>,
}

impl Held<'_> {
    pub(crate) fn state(&mut self) -> &mut State {
        &mut self.state
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.shared.note(&self.state);
        // This sets a number in the connection and does not fail.
        let _ = self.state.connection.busy_timeout(Duration::ZERO);
    }
}

impl State {
    /// A page of the audit chain.
    pub(crate) fn page(&mut self, request: &RecordsRequest) -> Result<Page, Failure> {
        audit::page(&*Transaction::reading(&self.connection)?, request)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::connection;

    fn shared() -> Shared {
        Shared::new(connection::open_in_memory().unwrap(), Duration::ZERO).unwrap()
    }

    #[test]
    fn a_panic_in_line_is_an_error_then_and_ever_after() {
        let shared = shared();
        let fallen: Option<Result<(), _>> = shared.in_line(|_| std::panic::resume_unwind(Box::new("a fault")));
        assert!(matches!(fallen, Some(Err(StoreError::Failed))));
        assert!(matches!(shared.in_line(|_| Ok(())), Some(Err(StoreError::Failed))));
        assert!(matches!(shared.patient(Instant::now()).err(), Some(StoreError::Failed)));
    }

    #[test]
    fn a_caller_never_waits_for_the_lock() {
        let shared = shared();
        let held = shared.patient(Instant::now()).unwrap();
        assert!(shared.in_line(|_| Ok(())).is_none());
        drop(held);
        assert!(matches!(shared.in_line(|_| Ok(())), Some(Ok(()))));
    }

    #[test]
    fn what_cannot_be_taken_in_now_does_not_keep_the_thread_busy() {
        let shared = shared();
        shared.state.wait().unwrap().connection.execute_batch("DROP TABLE pending").unwrap();
        shared.is_untidy.store(true, Ordering::Relaxed);
        assert!(shared.tidy().is_err());
        assert!(!shared.is_untidy(), "it is tried again when a caller notes it");
    }
}
