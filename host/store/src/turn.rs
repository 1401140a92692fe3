//! Whose turn it is at the database: a caller's, if it need not wait, or the thread's, which does. It knows no
//! database.

use super::locks::{AtomicBool, Mutex, MutexGuard, Ordering, TryLockError};

/// Something that one thread has at a time.
#[derive(Debug)]
pub(crate) struct Turn<T> {
    inner: Mutex<T>,
    /// The thread waits for its turn. Callers leave it alone then, so that it always gets one.
    is_wanted: AtomicBool,
}

/// Why there is no turn now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoTurn {
    /// Another has it, or the thread waits for it.
    Taken,
    /// Another fell over while it had it. What it left is not relied on.
    Broken,
}

impl<T> Turn<T> {
    pub(crate) fn new(inner: T) -> Self {
        Turn { inner: Mutex::new(inner), is_wanted: AtomicBool::new(false) }
    }

    /// A turn for a caller, if there is one at once.
    // INVARIANT: a caller waits for nobody.
    pub(crate) fn at_once(&self) -> Result<MutexGuard<'_, T>, NoTurn> {
        if self.is_wanted.load(Ordering::Acquire) {
            return Err(NoTurn::Taken);
        }
        self.inner.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => NoTurn::Taken,
            TryLockError::Poisoned(_) => NoTurn::Broken,
        })
    }

    /// A turn for the one thread that waits.
    pub(crate) fn wait(&self) -> Result<MutexGuard<'_, T>, NoTurn> {
        self.is_wanted.store(true, Ordering::Release);
        let locked = self.inner.lock();
        self.is_wanted.store(false, Ordering::Release);
        locked.map_err(|_| NoTurn::Broken)
    }
}
