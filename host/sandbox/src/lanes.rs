//! The threads that guards run on: a lane with a thread for each core, and a smaller one for slow
//! guards, so that they keep nobody else waiting. A lane polls futures; one that waits leaves its
//! thread to others. It never blocks the one who hands work over.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use agenthalt_core::fault::Fault;
use async_task::{FallibleTask, Runnable};

/// How many futures may wait in a lane before it takes no new one.
const MOST_WAITING: usize = 1_024;
/// The stack of a thread that runs guards: far more than the 512 KiB that a guard may use, whatever
/// the environment says.
pub const STACK_BYTES: usize = 4 << 20;

/// Where work runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// As many threads as cores.
    Fast,
    /// Half as many, at least one: for guards whose usual time exceeds 0.5 ms.
    Slow,
}

/// Work on a lane: a future of its answer, or of the fault that kept it from one. Dropping it cancels
/// the work, at the latest where it next waits.
#[derive(Debug)]
#[must_use = "work that nobody holds is cancelled"]
pub struct Work<T>(State<T>);

#[derive(Debug)]
enum State<T> {
    Taken(FallibleTask<T>),
    Refused(Fault),
}

impl<T> Work<T> {
    /// Lets the work go on although nobody waits for its answer.
    ///
    /// # Errors
    /// The fault where the lane has not taken it.
    pub fn detach(self) -> Result<(), Fault> {
        match self.0 {
            State::Taken(task) => {
                task.detach();
                Ok(())
            }
            State::Refused(fault) => Err(fault),
        }
    }
}

impl<T> Future for Work<T> {
    type Output = Result<T, Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            // Without an answer it panicked, or its lane is no more.
            State::Taken(task) => Pin::new(task)
                .poll(context)
                .map(|answer| answer.ok_or_else(|| Fault::Host("the judging thread failed".to_owned()))),
            State::Refused(fault) => Poll::Ready(Err(fault.clone())),
        }
    }
}

/// How many cores there are to run guards on.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Both lanes. Dropping them lets what waits in a lane finish; what waits for something else is cancelled
/// when that comes.
pub(crate) struct Lanes {
    fast: Arc<Queue>,
    slow: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

struct Waiting {
    runnables: VecDeque<Runnable>,
    closed: bool,
}

impl Lanes {
    pub(crate) fn start() -> std::io::Result<Lanes> {
        let cores = cores();
        Ok(Lanes { fast: Queue::start("fast", cores)?, slow: Queue::start("slow", cores.div_ceil(2))? })
    }

    /// Polls a future on the threads of a lane, from now on.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        lane: Lane,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Work<T> {
        let queue = match lane {
            Lane::Fast => &self.fast,
            Lane::Slow => &self.slow,
        };
        let resumed = queue.clone();
        let (runnable, task) = async_task::spawn(future, move |runnable| resumed.resume(runnable));
        Work(match queue.admit(runnable) {
            Ok(()) => State::Taken(task.fallible()),
            Err(fault) => State::Refused(fault),
        })
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for queue in [&self.fast, &self.slow] {
            queue.lock().closed = true;
            queue.wake.notify_all();
        }
    }
}

impl Queue {
    fn start(name: &str, threads: usize) -> std::io::Result<Arc<Queue>> {
        let queue = Arc::new(Queue {
            waiting: Mutex::new(Waiting { runnables: VecDeque::new(), closed: false }),
            wake: Condvar::new(),
        });
        for number in 0..threads {
            let queue = queue.clone();
            let thread = std::thread::Builder::new().name(format!("agenthalt-{name}-{number}")).stack_size(STACK_BYTES);
            thread.spawn(move || queue.work())?;
        }
        Ok(queue)
    }

    /// Takes in a new future, unless too many wait already.
    fn admit(&self, runnable: Runnable) -> Result<(), Fault> {
        let mut waiting = self.lock();
        if waiting.runnables.len() >= MOST_WAITING {
            drop(waiting);
            return Err(Fault::HostFull(format!("{MOST_WAITING} calls wait already")));
        }
        waiting.runnables.push_back(runnable);
        drop(waiting);
        self.wake.notify_one();
        Ok(())
    }

    /// Takes back a future that waited for something. It is never refused: half a call is no call.
    fn resume(&self, runnable: Runnable) {
        let mut waiting = self.lock();
        if waiting.closed {
            // No thread may be left to poll it. Dropped, it gives its owner a fault; dropping it may drop
            // whatever it holds, so not under the lock.
            drop(waiting);
            drop(runnable);
            return;
        }
        waiting.runnables.push_back(runnable);
        drop(waiting);
        self.wake.notify_one();
    }

    fn work(&self) {
        while let Some(runnable) = self.next() {
            // Its owner gets a fault instead of an answer.
            if catch_unwind(AssertUnwindSafe(|| runnable.run())).is_err() {
                tracing::error!("work on a lane of the sandbox panicked");
            }
        }
    }

    fn next(&self) -> Option<Runnable> {
        let mut waiting = self.lock();
        loop {
            if let Some(runnable) = waiting.runnables.pop_front() {
                return Some(runnable);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is polled or dropped under the lock, so what it guards is whole even after a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
