//! Waiting for the disk together: one sync serves everybody who waits when it begins. Nobody waits for others to
//! come, and it knows no file.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::locks::{Arc, Condvar, Mutex};

/// Those who wait for the disk, and the thread that syncs.
#[derive(Debug, Default)]
pub(crate) struct Group {
    waiting: Mutex<Waiting>,
    asked: Condvar,
}

/// The sync failed, or nobody syncs any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotSynced(pub(crate) String);

#[derive(Debug, Default)]
struct Waiting {
    /// The last number that was given out.
    newest: u64,
    /// Everybody up to this number is served.
    synced: u64,
    wakers: Vec<(u64, Waker)>,
    /// Why nobody is served any more.
    end: Option<NotSynced>,
    is_closed: bool,
}

impl Group {
    /// Waits for a sync that begins from now on. What was written before is on the disk then.
    pub(crate) fn reach(self: &Arc<Self>) -> Reach {
        let mut waiting = self.lock();
        waiting.newest += 1;
        let number = waiting.newest;
        drop(waiting);
        self.asked.notify_one();
        Reach { group: Arc::clone(self), number }
    }

    /// Syncs whenever somebody waits, until the group is closed and nobody does.
    // INVARIANT: who is served came before the sync began, and a sync that failed serves nobody, then and ever after:
    // the system may have dropped what it could not write, and would call the next sync a success.
    pub(crate) fn run(&self, mut sync: impl FnMut() -> Result<(), String>) {
        loop {
            let mut waiting = self.lock();
            while waiting.newest == waiting.synced && !waiting.is_closed {
                waiting = self.asked.wait(waiting).unwrap_or_else(|poisoned| poisoned.into_inner());
            }
            if waiting.newest == waiting.synced {
                drop(waiting);
                return self.end("the store is closed");
            }
            let number = waiting.newest;
            drop(waiting);
            if let Err(reason) = sync() {
                return self.end(&reason);
            }
            let mut waiting = self.lock();
            waiting.synced = number;
            let (served, left) = waiting.wakers.drain(..).partition(|(waits, _)| *waits <= number);
            waiting.wakers = left;
            drop(waiting);
            wake(served);
        }
    }

    /// Lets the thread end once everybody who waits is served.
    pub(crate) fn close(&self) {
        self.lock().is_closed = true;
        self.asked.notify_one();
    }

    fn end(&self, reason: &str) {
        let mut waiting = self.lock();
        waiting.end = Some(NotSynced(reason.to_owned()));
        let left = std::mem::take(&mut waiting.wakers);
        drop(waiting);
        wake(left);
    }

    // What is behind the lock is whole at every moment, so a panic of another leaves it usable.
    fn lock(&self) -> super::locks::MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

fn wake(wakers: Vec<(u64, Waker)>) {
    wakers.into_iter().for_each(|(_, waker)| waker.wake());
}

/// Ready when the disk has everything that was written before it was made.
#[derive(Debug)]
pub(crate) struct Reach {
    group: Arc<Group>,
    number: u64,
}

impl Future for Reach {
    type Output = Result<(), NotSynced>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut waiting = self.group.lock();
        if waiting.synced >= self.number {
            return Poll::Ready(Ok(()));
        }
        if let Some(end) = &waiting.end {
            return Poll::Ready(Err(end.clone()));
        }
        waiting.wakers.push((self.number, context.waker().clone()));
        Poll::Pending
    }
}
