//! Permits to run guards on the calling thread: as many as there are cores, and only where the thread's
//! stack is large enough. Without one, guards run on a lane.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The stack that must be left: 512 KiB that a guard may use, and as much for the host's frames.
const LEAST_STACK: usize = 1 << 20;

/// A permit to run guards on this thread; dropping it gives it back. It stays on its thread, whose
/// stack was looked at.
#[derive(Debug)]
#[must_use = "the permit ends when it is dropped"]
pub struct Here {
    places: Places,
    on_this_thread: PhantomData<*const ()>,
}

/// How many threads run guards by a permit.
#[derive(Clone, Debug)]
pub(crate) struct Places(Arc<AtomicUsize>);

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        Places(Arc::new(AtomicUsize::new(most)))
    }

    /// A permit for this thread, if it may run guards and not too many do.
    pub(crate) fn take(&self) -> Option<Here> {
        // INVARIANT: a guard that uses all of its stack stays within the thread's; unknown is too little.
        if stacker::remaining_stack().is_none_or(|left| left < LEAST_STACK) {
            return None;
        }
        let free = self.0.fetch_update(Ordering::AcqRel, Ordering::Relaxed, |free| free.checked_sub(1));
        free.ok().map(|_| Here { places: self.clone(), on_this_thread: PhantomData })
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.places.0.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    /// Asks on a thread with this much stack.
    fn on_a_thread(stack: usize, places: &Places) -> bool {
        let places = places.clone();
        let thread = std::thread::Builder::new().stack_size(stack).spawn(move || places.take().is_some());
        thread.unwrap().join().unwrap()
    }

    #[test]
    fn a_thread_with_a_small_stack_gets_no_permit() {
        let places = Places::new(4);
        assert!(!on_a_thread(256 << 10, &places));
        assert!(on_a_thread(2 << 20, &places));
    }

    #[test]
    fn there_are_no_more_permits_than_places_and_a_dropped_one_comes_back() {
        let places = Places::new(2);
        let (first, second) = (places.take(), places.take());
        assert!(first.is_some() && second.is_some());
        assert!(places.take().is_none() && !on_a_thread(2 << 20, &places));
        drop(first);
        assert!(on_a_thread(2 << 20, &places));
        assert!(places.take().is_some());
    }

    #[test]
    fn a_small_stack_takes_no_place() {
        let places = Places::new(1);
        assert!(!on_a_thread(256 << 10, &places));
        assert!(places.take().is_some());
    }
}
