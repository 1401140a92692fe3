//! A guard's snapshot: its configured state as a component of its own, so that `configure` need not run
//! in every instance. It is built behind the evaluations, serves after it has judged real calls as a
//! freshly configured instance does, and goes for good at the first difference. Without one, a guard
//! runs as ever; nothing waits for one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use agenthalt_core::answer::Answer;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use wasmtime::{Engine, Store};

use crate::ceiling::Ceiling;
use crate::component::instantiate;
use crate::contract::{Instance, Prepared, wit};
use crate::trap::cut;

mod builder;
mod make;

pub(crate) use builder::{Builder, Snapshots};

/// A guard whose `configure` burns more fuel than this at load may get a snapshot.
pub(crate) const HEAVY: u64 = 100_000;
/// The fuel that a guard's instances burn in `configure` before a snapshot is built. Building one costs as
/// much time as some thousand million fuel; a program that judges a few calls and ends builds none.
const WORTH: u64 = 200_000_000;
/// How many real calls both must judge equally before the snapshot serves.
const PROOFS: u32 = 3;
/// How many real calls may be judged twice to come to that: each costs its caller two runs.
const MOST_TRIES: u32 = 30;
/// How many calls a serving snapshot judges before it is compared again.
const COMPARED_EVERY: u64 = 1_000;
/// Instances that building takes, beside those of evaluations: one after another.
pub(crate) const AT_WORK: usize = 1;

/// What a snapshot is ordered for. Guards that agree in all of it share one.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) digest: Digest,
    pub(crate) settings: String,
    pub(crate) limits: GuardLimits,
    /// What the guard said of itself at load.
    pub(crate) described: wit::Description,
}

/// A configured instance as compiled code.
pub(crate) struct Snapshot {
    engine: Engine,
    prepared: Prepared<Ceiling>,
    code_bytes: usize,
}

/// What one run came to: the checked answer, and the fuel that `evaluate` burnt.
pub(crate) type Outcome = (Result<Option<Answer>, Fault>, u64);

/// Where the snapshot of an order stands.
pub(crate) struct Slot {
    order: Order,
    key: Digest,
    snapshots: Arc<Snapshots>,
    stage: Mutex<Stage>,
    burnt: AtomicU64,
    served: AtomicU64,
    /// When it was last used, in uses of all slots.
    used: AtomicU64,
}

enum Stage {
    /// Not yet worth it. The component's original bytes wait here.
    Idle(Arc<[u8]>),
    /// In the builder's queue or hands; the bytes are here until it begins.
    Ordered(Option<Arc<[u8]>>),
    /// Built, and compared so often.
    Proving(Arc<Snapshot>, Proof),
    /// Proven.
    Serving(Arc<Snapshot>),
    /// It cannot be made, was not equal, or had to make room.
    Gone,
}

/// How often both were compared, and how often they gave equal answers.
#[derive(Clone, Copy, Debug, Default)]
struct Proof {
    tries: u32,
    equal: u32,
}

/// How a call is judged.
pub(crate) enum Turn {
    /// In a freshly configured instance.
    Configured,
    /// In an instance of the snapshot.
    Restored(Arc<Snapshot>),
    /// In both. Where the snapshot does not serve yet, it has no word.
    Compared { snapshot: Arc<Snapshot>, is_serving: bool },
}

impl Snapshot {
    /// Makes an instance. Nothing of the guard runs while it is made: what its start function did is in the
    /// snapshot.
    ///
    /// # Errors
    /// What the engine runs into.
    pub(crate) fn instantiate(&self, limits: &GuardLimits) -> Result<(Store<Ceiling>, Instance), Fault> {
        instantiate(&self.engine, limits, |store| self.prepared.instantiate(store))
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("code_bytes", &self.code_bytes).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slot").field("component", &self.order.digest).finish_non_exhaustive()
    }
}

impl Slot {
    fn new(order: Order, key: Digest, snapshots: Arc<Snapshots>, bytes: Arc<[u8]>) -> Self {
        let stage = Mutex::new(Stage::Idle(bytes));
        let (burnt, served, used) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Slot { order, key, snapshots, stage, burnt, served, used }
    }

    /// How the next call is judged.
    pub(crate) fn turn(&self) -> Turn {
        let (snapshot, is_serving) = match &*self.stage() {
            Stage::Idle(_) | Stage::Ordered(_) | Stage::Gone => return Turn::Configured,
            Stage::Proving(snapshot, _) => (snapshot.clone(), false),
            Stage::Serving(snapshot) => (snapshot.clone(), true),
        };
        self.used.store(self.snapshots.now(), Ordering::Relaxed);
        if is_serving && !(self.served.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(COMPARED_EVERY) {
            return Turn::Restored(snapshot);
        }
        Turn::Compared { snapshot, is_serving }
    }

    /// The snapshot, where it serves.
    pub(crate) fn serving(&self) -> Option<Arc<Snapshot>> {
        match &*self.stage() {
            Stage::Serving(snapshot) => Some(snapshot.clone()),
            Stage::Idle(_) | Stage::Ordered(_) | Stage::Proving(..) | Stage::Gone => None,
        }
    }

    /// Notes that an instance was configured, and orders the snapshot once enough was burnt on that. Where
    /// too many wait to be built, a later call orders it.
    pub(crate) fn note_configured(self: &Arc<Self>, fuel: u64) {
        if self.burnt.fetch_add(fuel, Ordering::Relaxed).saturating_add(fuel) < WORTH {
            return;
        }
        let mut stage = self.stage();
        if let Stage::Idle(bytes) = &*stage {
            let ordered = Stage::Ordered(Some(bytes.clone()));
            if self.snapshots.order(self) {
                *stage = ordered;
            }
        }
    }

    /// Holds what both runs of one call came to against each other; false where they differ.
    pub(crate) fn holds(&self, snapshot: &Arc<Snapshot>, configured: &Outcome, restored: &Outcome) -> bool {
        // The clock and a full host are not the guard: what they end says nothing of it.
        let is_told = !is_by_the_host(configured) && !is_by_the_host(restored);
        // INVARIANT: a snapshot serves only while it gives the answers of a freshly configured instance, for
        // the same fuel.
        if is_told && configured != restored {
            self.give_up(snapshot, |name, digest| {
                format!(
                    "the guard `{name}` ({digest}) judged a call otherwise from a snapshot of its configured state; \
                     it is configured for every call again"
                )
            });
            return false;
        }
        // An equal fault proves little: both may have fallen before they looked at what was configured.
        self.count(snapshot, is_told && configured.0.is_ok());
        true
    }

    fn count(&self, snapshot: &Arc<Snapshot>, is_proof: bool) {
        let mut stage = self.stage();
        let Stage::Proving(own, proof) = &mut *stage else { return };
        if !Arc::ptr_eq(own, snapshot) {
            return;
        }
        proof.tries += 1;
        proof.equal += u32::from(is_proof);
        if proof.equal >= PROOFS {
            *stage = Stage::Serving(snapshot.clone());
        } else if proof.tries >= MOST_TRIES {
            *stage = Stage::Gone;
        }
    }

    /// Drops the snapshot for good, and tells the operator why, given the guard's name and component.
    pub(crate) fn give_up(&self, snapshot: &Arc<Snapshot>, why: impl FnOnce(&str, &Digest) -> String) {
        let mut stage = self.stage();
        let is_it = match &*stage {
            Stage::Proving(own, _) | Stage::Serving(own) => Arc::ptr_eq(own, snapshot),
            Stage::Idle(_) | Stage::Ordered(_) | Stage::Gone => false,
        };
        if is_it {
            let gone = std::mem::replace(&mut *stage, Stage::Gone);
            drop(stage);
            drop(gone);
            self.snapshots.refuse(self.key);
            self.snapshots.notice(why(&cut(&self.order.described.name), &self.order.digest));
        }
    }

    /// The bytes to build it from, given once.
    fn take_bytes(&self) -> Option<Arc<[u8]>> {
        match &mut *self.stage() {
            Stage::Ordered(bytes) => bytes.take(),
            Stage::Idle(_) | Stage::Proving(..) | Stage::Serving(_) | Stage::Gone => None,
        }
    }

    /// Takes what was built, or notes that nothing was.
    fn take_in(&self, built: Option<Snapshot>) {
        let next = built.map_or(Stage::Gone, |snapshot| Stage::Proving(Arc::new(snapshot), Proof::default()));
        let before = std::mem::replace(&mut *self.stage(), next);
        drop(before);
    }

    /// The bytes of code that it keeps, none where it keeps no snapshot.
    fn code_bytes(&self) -> Option<usize> {
        match &*self.stage() {
            Stage::Proving(snapshot, _) | Stage::Serving(snapshot) => Some(snapshot.code_bytes),
            Stage::Idle(_) | Stage::Ordered(_) | Stage::Gone => None,
        }
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        // Nothing that can panic runs under the lock, so what it guards is whole.
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it was the host that ended a run, and not what the guard is.
pub(crate) fn is_by_the_host((answer, _): &Outcome) -> bool {
    matches!(answer, Err(Fault::Deadline(_) | Fault::HostFull(_) | Fault::Host(_)))
}

#[cfg(test)]
mod tests;
