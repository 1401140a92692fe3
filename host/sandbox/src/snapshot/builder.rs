//! The thread that builds snapshots, one after another, with its queue and the bound on what is built. It
//! keeps neither evaluations nor loading waiting, and ends with its sandbox.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use agenthalt_core::digest::Digest;

use super::make::{Instrumented, make};
use super::{Order, Slot};
use crate::lanes::STACK_BYTES;
use crate::ready::give_way;
use crate::workshop::Workshop;

/// How many snapshots may wait to be built.
const MOST_WAITING: usize = 8;
/// How many orders are remembered that came to nothing, so that loading a policy anew does not build them
/// again; beyond, no new ones are taken.
const MOST_REFUSED: usize = 4_096;
/// How many snapshots a sandbox keeps, and how many bytes of code of them together.
const ROOM: Room = Room { snapshots: 32, code_bytes: 128 << 20 };

/// What snapshots may take of a sandbox.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) snapshots: usize,
    pub(super) code_bytes: usize,
}

/// All snapshots of a sandbox, and those that are to come.
pub(crate) struct Snapshots {
    workshop: Arc<Workshop>,
    pub(super) room: Room,
    queue: Mutex<Queue>,
    wake: Condvar,
    idle: Condvar,
    uses: AtomicU64,
}

#[derive(Default)]
struct Queue {
    /// The slots of guards that live, by component, settings and limits.
    slots: HashMap<Digest, Weak<Slot>>,
    waiting: VecDeque<Weak<Slot>>,
    built: Vec<Weak<Slot>>,
    refused: HashSet<Digest>,
    is_building: bool,
    is_closed: bool,
}

impl Snapshots {
    pub(super) fn new(workshop: Arc<Workshop>, room: Room) -> Arc<Snapshots> {
        let (wake, idle) = (Condvar::new(), Condvar::new());
        Arc::new(Snapshots { workshop, room, queue: Mutex::default(), wake, idle, uses: AtomicU64::new(0) })
    }

    /// Whether this program can build any.
    // INVARIANT: a foreign component cannot end the host: where a panic is not caught, no snapshot is built.
    pub(crate) fn are_possible(&self) -> bool {
        cfg!(panic = "unwind")
    }

    /// The slot for an order, shared with every living guard of the same one; none for what came to nothing
    /// before.
    pub(crate) fn slot(self: &Arc<Self>, order: Order, bytes: Arc<[u8]>) -> Option<Arc<Slot>> {
        let key = key(&order);
        let mut queue = self.queue();
        if queue.refused.contains(&key) || queue.refused.len() >= MOST_REFUSED {
            return None;
        }
        if let Some(slot) = queue.slots.get(&key).and_then(Weak::upgrade) {
            return Some(slot);
        }
        let slot = Arc::new(Slot::new(order, key, self.clone(), bytes));
        queue.slots.retain(|_, slot| slot.strong_count() > 0);
        queue.slots.insert(key, Arc::downgrade(&slot));
        Some(slot)
    }

    /// Takes no order of this key again.
    pub(super) fn refuse(&self, key: Digest) {
        self.queue().refused.insert(key);
    }

    /// Puts a slot in the queue; false where too many wait, or the sandbox is no more.
    pub(super) fn order(&self, slot: &Arc<Slot>) -> bool {
        let mut queue = self.queue();
        if queue.is_closed || queue.waiting.len() >= MOST_WAITING {
            return false;
        }
        queue.waiting.push_back(Arc::downgrade(slot));
        drop(queue);
        self.wake.notify_one();
        true
    }

    pub(super) fn notice(&self, text: String) {
        self.workshop.notice(text);
    }

    /// The next number in the order of uses.
    pub(super) fn now(&self) -> u64 {
        self.uses.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until nothing is being built or waits for it.
    pub(crate) fn wait_until_idle(&self) {
        let mut queue = self.queue();
        while !queue.is_closed && (queue.is_building || !queue.waiting.is_empty()) {
            queue = self.idle.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn work(&self) {
        // Kept while there is more to build, so that guards of one component share it.
        let mut instrumented = None;
        while let Some(slot) = self.wait(&mut instrumented) {
            if let Some(slot) = slot.upgrade() {
                self.build(&slot, &mut instrumented);
            }
        }
    }

    pub(super) fn build(&self, slot: &Arc<Slot>, instrumented: &mut Option<Instrumented>) {
        let Some(bytes) = slot.take_bytes() else { return };
        let go_on = || !self.queue().is_closed;
        let built = make(&self.workshop, &slot.order, &bytes, instrumented, &go_on)
            .inspect_err(|why| tracing::debug!("a guard goes without a snapshot: {why}"))
            .ok();
        match built {
            Some(snapshot) => {
                slot.take_in(Some(snapshot));
                self.make_room(slot);
            }
            None => {
                slot.take_in(None);
                self.refuse(slot.key);
            }
        }
    }

    /// Drops what was not used for longest, until all that is built fits the room.
    fn make_room(&self, newest: &Arc<Slot>) {
        newest.used.store(self.now(), Ordering::Relaxed);
        let mut built: Vec<Arc<Slot>> =
            std::mem::take(&mut self.queue().built).iter().filter_map(Weak::upgrade).collect();
        built.push(newest.clone());
        built.retain(|slot| slot.code_bytes().is_some());
        built.sort_by_key(|slot| std::cmp::Reverse(slot.used.load(Ordering::Relaxed)));
        // INVARIANT: what snapshots take of memory is bounded, however many guards there are.
        let bytes = |slots: &[Arc<Slot>]| slots.iter().filter_map(|slot| slot.code_bytes()).sum::<usize>();
        while built.len() > self.room.snapshots || bytes(&built) > self.room.code_bytes {
            let Some(oldest) = built.pop() else { break };
            // Its guard is configured for every call again; it gets another one when it is loaded anew.
            oldest.take_in(None);
        }
        self.queue().built = built.iter().map(Arc::downgrade).collect();
    }

    /// Waits for something to build; none where the sandbox is no more.
    fn wait(&self, instrumented: &mut Option<Instrumented>) -> Option<Weak<Slot>> {
        let mut queue = self.queue();
        queue.is_building = false;
        loop {
            if queue.is_closed {
                return None;
            }
            if let Some(slot) = queue.waiting.pop_front() {
                queue.is_building = true;
                return Some(slot);
            }
            *instrumented = None;
            self.idle.notify_all();
            queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        let left = std::mem::take(&mut queue.waiting);
        drop(queue);
        drop(left);
        self.wake.notify_all();
        self.idle.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing is built or dropped under the lock, so what it guards is whole even after a panic.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(order: &Order) -> Digest {
    let Order { digest, settings, limits, described: _ } = order;
    let limits = [limits.fuel(), limits.memory_bytes(), limits.time_ms()];
    let limits: Vec<u8> = limits.iter().flat_map(|limit| limit.to_be_bytes()).collect();
    // The first two parts have a fixed length, so no two orders have one text.
    Digest::of(&[digest.as_bytes(), limits.as_slice(), settings.as_bytes()].concat())
}

/// The thread that builds. Dropping this ends it after the step that it is at.
pub(crate) struct Builder(Arc<Snapshots>);

impl Builder {
    pub(crate) fn start(workshop: Arc<Workshop>) -> std::io::Result<Builder> {
        let snapshots = Snapshots::new(workshop, ROOM);
        let works = snapshots.clone();
        let thread = std::thread::Builder::new().name("agenthalt-snapshot".to_owned()).stack_size(STACK_BYTES);
        thread.spawn(move || {
            give_way();
            works.work();
        })?;
        Ok(Builder(snapshots))
    }

    pub(crate) fn snapshots(&self) -> &Arc<Snapshots> {
        &self.0
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        self.0.close();
    }
}
