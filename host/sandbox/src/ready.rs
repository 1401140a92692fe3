//! Instances that are made before a call needs them, and used ones that are still to be dropped, with
//! the thread that does both, so that neither is on a caller's way. No evaluation ever waits for it:
//! where nothing is ready, or the stock is busy, an evaluation makes its own instance.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::{Duration, Instant};

use crate::fresh::{Fresh, Used};
use crate::guard::Configured;
use crate::lanes::STACK_BYTES;

/// How many instances of one guard wait: as many as two calls at once take.
const MOST_PER_GUARD: usize = 2;
/// How many guards may ask for an instance before the maker comes to them.
const MOST_WANTED: usize = 64;
/// The room of a sandbox. Beside the linear memories, an instance holds at most 80 KiB of tables, and
/// what the maker has in hand is at most two instances at their own ceilings.
pub(crate) const ROOM: Room = Room { ready: 64, used: 32, bytes: 64 << 20 };

/// What a stock may hold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Instances that wait for a call.
    pub(crate) ready: usize,
    /// Instances that had theirs and wait to be dropped.
    pub(crate) used: usize,
    /// Bytes of linear memory of all of them together.
    pub(crate) bytes: usize,
}

impl Room {
    /// The most instances that exist because of the stock: what it holds, and what the maker has in hand.
    pub(crate) const fn instances(&self) -> usize {
        self.ready + self.used + 2
    }
}

/// The instances that wait, of all guards of a sandbox.
pub(crate) struct Stock {
    room: Room,
    shelves: Mutex<Shelves>,
    wake: Condvar,
}

#[derive(Default)]
struct Shelves {
    /// The oldest first.
    ready: VecDeque<Ready>,
    used: Vec<Used>,
    /// Guards that used an instance and get another.
    wanted: VecDeque<Weak<Configured>>,
    /// Bytes of linear memory of what is ready and used.
    bytes: usize,
    /// The maker waits to be woken.
    asleep: bool,
    closed: bool,
}

/// An instance that waits for a call of its guard; it has never seen one.
struct Ready {
    guard: Weak<Configured>,
    fresh: Fresh,
    making: Duration,
}

/// What the maker does next.
struct Errand {
    used: Option<Used>,
    wanted: Option<Weak<Configured>>,
}

impl Stock {
    pub(crate) fn new(room: Room) -> Arc<Stock> {
        Arc::new(Stock { room, shelves: Mutex::default(), wake: Condvar::new() })
    }

    /// Takes an instance of the guard if one is ready, and says how long it took to make.
    pub(crate) fn take(&self, guard: &Arc<Configured>) -> Option<(Fresh, Duration)> {
        let mut shelves = self.try_lock()?;
        let place = shelves.ready.iter().position(|ready| ready.is_of(Arc::as_ptr(guard)))?;
        let Ready { fresh, making, .. } = shelves.ready.remove(place)?;
        shelves.bytes = shelves.bytes.saturating_sub(fresh.memory_bytes());
        Some((fresh, making))
    }

    /// Takes back what the guard has used, and notes that it may want another one. Where the maker is
    /// behind, the caller drops it here.
    pub(crate) fn give_back(&self, guard: &Arc<Configured>, used: Used) {
        let Some(mut shelves) = self.try_lock() else { return };
        if shelves.closed {
            return;
        }
        if shelves.wanted.len() < MOST_WANTED {
            shelves.wanted.push_back(Arc::downgrade(guard));
        }
        let bytes = shelves.bytes.saturating_add(used.memory_bytes());
        let left = if shelves.used.len() < self.room.used && bytes <= self.room.bytes {
            shelves.bytes = bytes;
            shelves.used.push(used);
            None
        } else {
            Some(used)
        };
        // Waking costs a call of the system; a maker that is at work looks again before it sleeps.
        let is_asleep = std::mem::take(&mut shelves.asleep);
        drop(shelves);
        if is_asleep {
            self.wake.notify_one();
        }
        drop(left);
    }

    /// Drops what is ready for a guard that is no more.
    pub(crate) fn forget(&self, guard: *const Configured) {
        let mut shelves = self.lock();
        let ready = std::mem::take(&mut shelves.ready).into_iter();
        let (gone, kept): (VecDeque<_>, VecDeque<_>) = ready.partition(|ready| ready.is_of(guard));
        shelves.ready = kept;
        let bytes: usize = gone.iter().map(|ready| ready.fresh.memory_bytes()).sum();
        shelves.bytes = shelves.bytes.saturating_sub(bytes);
        drop(shelves);
        drop(gone);
    }

    /// Drops what is used, then makes what is wanted, in the memory that came free. It holds no lock while
    /// it does.
    fn run(&self, Errand { used, wanted }: Errand) {
        drop(used);
        let Some(guard) = wanted.as_ref().and_then(Weak::upgrade) else { return };
        let start = Instant::now();
        // A fault is not kept: the next evaluation makes its own instance, and meets the fault itself.
        if let (Ok(fresh), Some(weak)) = (guard.make(), wanted) {
            self.keep(Ready { guard: weak, fresh, making: start.elapsed() });
        }
    }

    /// Keeps an instance; the oldest go where there is no room.
    fn keep(&self, ready: Ready) {
        let mut shelves = self.lock();
        if shelves.closed {
            return;
        }
        shelves.bytes = shelves.bytes.saturating_add(ready.fresh.memory_bytes());
        shelves.ready.push_back(ready);
        let mut gone = Vec::new();
        // INVARIANT: what waits is bounded in number, so that it never takes the slot of an evaluation, and in
        // memory.
        while shelves.ready.len() > self.room.ready || shelves.bytes > self.room.bytes {
            let Some(oldest) = shelves.ready.pop_front() else { break };
            shelves.bytes = shelves.bytes.saturating_sub(oldest.fresh.memory_bytes());
            gone.push(oldest);
        }
        drop(shelves);
        drop(gone);
    }

    fn work(&self) {
        while let Some(errand) = self.wait() {
            if catch_unwind(AssertUnwindSafe(|| self.run(errand))).is_err() {
                tracing::error!("making an instance ahead panicked");
            }
        }
    }

    /// Waits for something to do; none where the sandbox is no more.
    fn wait(&self) -> Option<Errand> {
        let mut shelves = self.lock();
        loop {
            if shelves.closed {
                return None;
            }
            if let Some(errand) = shelves.next() {
                return Some(errand);
            }
            shelves.asleep = true;
            shelves = self.wake.wait(shelves).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        let mut shelves = self.lock();
        let left = std::mem::take(&mut *shelves);
        shelves.closed = true;
        drop(shelves);
        self.wake.notify_all();
        drop(left);
    }

    /// For evaluations: they do without the stock rather than wait for it.
    fn try_lock(&self) -> Option<MutexGuard<'_, Shelves>> {
        match self.shelves.try_lock() {
            Ok(shelves) => Some(shelves),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shelves> {
        // No instance is made or dropped under the lock, so what it guards is whole even after a panic.
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    /// Takes off what is to be done, if anything is.
    fn next(&mut self) -> Option<Errand> {
        let used = self.used.pop();
        self.bytes = self.bytes.saturating_sub(used.as_ref().map_or(0, Used::memory_bytes));
        let mut wanted = None;
        while let Some(guard) = self.wanted.pop_front() {
            let waiting = self.ready.iter().filter(|ready| ready.is_of(guard.as_ptr())).count();
            if waiting < MOST_PER_GUARD {
                wanted = Some(guard);
                break;
            }
        }
        (used.is_some() || wanted.is_some()).then_some(Errand { used, wanted })
    }
}

impl Ready {
    fn is_of(&self, guard: *const Configured) -> bool {
        // The weak pointer keeps the address from being given to another guard.
        std::ptr::eq(self.guard.as_ptr(), guard)
    }
}

/// The thread that makes and drops; it ends when this is dropped, and the stock with it.
pub(crate) struct Maker(Arc<Stock>);

impl Maker {
    pub(crate) fn start(room: Room) -> std::io::Result<Maker> {
        let stock = Stock::new(room);
        let works = stock.clone();
        let thread = std::thread::Builder::new().name("agenthalt-ready".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || {
            give_way();
            works.work();
        })?;
        Ok(Maker(stock))
    }

    pub(crate) fn stock(&self) -> &Arc<Stock> {
        &self.0
    }
}

impl Drop for Maker {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Lets evaluations have the cores first: where all are busy, an instance made in line is soonest ready.
pub(crate) fn give_way() {
    // Elsewhere than on Linux this would slow down the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!("a thread behind the evaluations does not give way to them: {error}");
    }
}

#[cfg(test)]
mod tests;
