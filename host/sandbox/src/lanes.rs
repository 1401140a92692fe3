//! The threads that guards run on: a lane with a thread for each core, and a smaller one for slow
//! guards, so that they keep nobody else waiting. It never blocks the one who hands work over.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use agenthalt_core::fault::Fault;

/// How many jobs may wait in a lane.
const MOST_WAITING: usize = 1_024;
/// The stack of a thread that runs guards: far more than the 512 KiB that a guard may use, whatever
/// the environment says.
pub const STACK_BYTES: usize = 4 << 20;

/// Where a job runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// As many threads as cores.
    Fast,
    /// Half as many, at least one: for guards whose usual time exceeds 0.5 ms.
    Slow,
}

type Job = Box<dyn FnOnce() + Send>;

/// Both lanes; dropping them lets the waiting jobs finish.
pub(crate) struct Lanes {
    fast: Arc<Queue>,
    slow: Arc<Queue>,
}

struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

impl Lanes {
    pub(crate) fn start() -> std::io::Result<Lanes> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Lanes { fast: Queue::start("fast", cores)?, slow: Queue::start("slow", cores.div_ceil(2))? })
    }

    pub(crate) fn submit(&self, lane: Lane, job: Job) -> Result<(), Fault> {
        let queue = match lane {
            Lane::Fast => &self.fast,
            Lane::Slow => &self.slow,
        };
        let mut waiting = queue.lock();
        if waiting.jobs.len() >= MOST_WAITING {
            return Err(Fault::HostFull(format!("{MOST_WAITING} calls wait already")));
        }
        waiting.jobs.push_back(job);
        drop(waiting);
        queue.wake.notify_one();
        Ok(())
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
            waiting: Mutex::new(Waiting { jobs: VecDeque::new(), closed: false }),
            wake: Condvar::new(),
        });
        for number in 0..threads {
            let queue = queue.clone();
            let thread = std::thread::Builder::new().name(format!("agenthalt-{name}-{number}")).stack_size(STACK_BYTES);
            thread.spawn(move || queue.work())?;
        }
        Ok(queue)
    }

    fn work(&self) {
        while let Some(job) = self.next() {
            // What the job was to answer is dropped with it, and its owner sees that as a fault.
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a job of the sandbox panicked");
            }
        }
    }

    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // No job runs under the lock, so what it guards is whole even after a panic.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_job_that_panics_leaves_the_lane_working() {
        let lanes = Lanes::start().unwrap();
        for _ in 0..64 {
            lanes.submit(Lane::Fast, Box::new(|| panic!("on purpose"))).unwrap();
        }
        let (send, receive) = mpsc::channel();
        lanes.submit(Lane::Fast, Box::new(move || send.send(7).unwrap())).unwrap();
        assert_eq!(receive.recv().unwrap(), 7);
    }

    #[test]
    fn a_full_lane_says_so_and_the_other_goes_on() {
        let lanes = Lanes::start().unwrap();
        let gate = Arc::new(Mutex::new(()));
        let held = gate.lock().unwrap();
        let mut refused = None;
        for _ in 0..MOST_WAITING * 2 {
            let gate = gate.clone();
            if let Err(fault) = lanes.submit(Lane::Slow, Box::new(move || drop(gate.lock()))) {
                refused = Some(fault);
                break;
            }
        }
        assert!(matches!(refused, Some(Fault::HostFull(_))));
        let (send, receive) = mpsc::channel();
        lanes.submit(Lane::Fast, Box::new(move || send.send(()).unwrap())).unwrap();
        receive.recv().unwrap();
        drop(held);
    }
}
