//! A component with one configuration. Every call gets a fresh instance, configured before it sees the
//! call or made from a proven snapshot, used once and dropped; nothing is kept from one call to the next
//! but how long calls usually take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agenthalt_core::answer::Answer;
use agenthalt_core::bounds::Bounds;
use agenthalt_core::counter::Reading;
use agenthalt_core::description::Description;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;

use crate::component::Component;
use crate::contract::{PreparedCall, answer, readings, wit};
use crate::fresh::Fresh;
use crate::snapshot::{Outcome, Slot, Snapshot, Turn, is_by_the_host};
use crate::trap::cut;

/// A guard whose usual time exceeds this runs in the slow lane.
const SLOW: Duration = Duration::from_micros(500);

/// What a guard says is wrong with its settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsProblem {
    /// A JSON pointer into the settings.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// A configured guard.
#[derive(Clone, Debug)]
pub struct Guard(pub(crate) Arc<Configured>);

/// What its instances are made of.
#[derive(Debug)]
pub(crate) struct Configured {
    component: Component,
    settings: String,
    uses: Uses,
    description: Description,
    raw: wit::Description,
    usual_nanos: AtomicU64,
    /// Where its snapshot is or will be, if its `configure` is worth one.
    pub(crate) slot: Option<Arc<Slot>>,
}

/// What a guard may use, and what its configuration used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uses {
    pub(crate) limits: GuardLimits,
    pub(crate) bounds: Bounds,
    pub(crate) configure_fuel: u64,
}

/// What came of one run of a guard.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The answer, none where the call is not the guard's business, or the fault.
    pub answer: Result<Option<Answer>, Fault>,
    /// The fuel that `evaluate` burnt; all of it where it ran out, none where it never began.
    pub fuel: u64,
    /// How long the caller waited. Where no instance was ready, making and configuring one is part of it.
    pub elapsed: Duration,
}

/// What [`Judged`] is made of, and how long the instance took to make where it was ready before.
struct Run {
    answer: Result<Option<Answer>, Fault>,
    fuel: u64,
    making: Duration,
    /// Whether it took about what other calls take.
    is_usual: bool,
}

impl Guard {
    pub(crate) fn new(
        component: Component,
        settings: &str,
        uses: Uses,
        description: Description,
        raw: wit::Description,
        slot: Option<Arc<Slot>>,
    ) -> Self {
        let (settings, usual_nanos) = (settings.to_owned(), AtomicU64::new(0));
        Guard(Arc::new(Configured { component, settings, uses, description, raw, usual_nanos, slot }))
    }

    /// What the guard says of itself under these settings.
    pub fn description(&self) -> &Description {
        &self.0.description
    }

    /// The component it is made of.
    pub fn component(&self) -> &Component {
        &self.0.component
    }

    /// What it may use.
    pub fn limits(&self) -> GuardLimits {
        self.0.uses.limits
    }

    /// The fuel that instantiating and `configure` burn.
    pub fn configure_fuel(&self) -> u64 {
        self.0.uses.configure_fuel
    }

    /// Whether its calls usually take more than 0.5 ms.
    pub fn is_slow(&self) -> bool {
        Duration::from_nanos(self.0.usual_nanos.load(Ordering::Relaxed)) > SLOW
    }

    /// Whether its instances are made from a snapshot of its configured state, and not by `configure`. Answers
    /// and fuel are the same either way.
    pub fn runs_from_snapshot(&self) -> bool {
        self.0.snapshot().is_some()
    }

    /// Judges one call. It takes up the thread it is called on, so call it on a lane of the sandbox, or
    /// with a permit: [`Sandbox::here`](crate::Sandbox::here).
    pub fn evaluate(&self, call: &PreparedCall, given: &[Reading]) -> Judged {
        let start = Instant::now();
        let Run { answer, fuel, making, is_usual } = self.run(call, given);
        let elapsed = start.elapsed();
        if is_usual {
            // What takes long to make is slow, although it may be ready: the next call may have to make its own.
            self.remember(elapsed + making);
        }
        Judged { answer, fuel, elapsed }
    }

    fn run(&self, call: &PreparedCall, given: &[Reading]) -> Run {
        let given = readings(given);
        match self.0.slot.as_ref().map_or(Turn::Configured, |slot| slot.turn()) {
            Turn::Configured => self.run_once(call, &given, None),
            Turn::Restored(snapshot) => self.run_once(call, &given, Some(&snapshot)),
            Turn::Compared { snapshot, is_serving } => self.run_twice(call, &given, &snapshot, is_serving),
        }
    }

    fn run_once(&self, call: &PreparedCall, given: &[wit::Reading], snapshot: Option<&Arc<Snapshot>>) -> Run {
        let ready = self.0.component.stock().take(&self.0);
        // INVARIANT: an instance that was ready has had what one made now has, and nothing of any call. What was
        // made from a snapshot that has gone since is not used.
        let made = match ready.filter(|(fresh, _)| fresh.is_of(None) || fresh.is_of(snapshot)) {
            Some((mut fresh, making)) => {
                fresh.resume(&self.0.uses.limits, making);
                Ok((fresh, making))
            }
            None => self.0.make_from(snapshot).map(|fresh| (fresh, Duration::ZERO)),
        };
        match made {
            Ok((fresh, making)) => {
                let (answer, fuel) = self.judge(fresh, call, given);
                Run { answer, fuel, making, is_usual: true }
            }
            Err(fault) => Run { answer: Err(fault), fuel: 0, making: Duration::ZERO, is_usual: true },
        }
    }

    /// Judges one call in a freshly configured instance, then in one of the snapshot, and holds both against
    /// each other.
    fn run_twice(
        &self,
        call: &PreparedCall,
        given: &[wit::Reading],
        snapshot: &Arc<Snapshot>,
        is_serving: bool,
    ) -> Run {
        let judge = |made: Result<Fresh, Fault>| match made {
            Ok(fresh) => self.judge(fresh, call, given),
            Err(fault) => (Err(fault), 0),
        };
        let configured = judge(self.0.configure());
        let holds = is_by_the_host(&configured) || {
            let restored = judge(Fresh::restore(snapshot, &self.0.uses.limits));
            self.0.slot.as_ref().is_none_or(|slot| slot.holds(snapshot, &configured, &restored))
        };
        let (answer, fuel) = configured;
        // INVARIANT: the freshly configured instance has the word. Where a snapshot that served differs from it,
        // earlier answers may have been wrong, so the difference denies and stands in the record.
        let answer = match holds || !is_serving {
            true => answer,
            false => Err(Fault::Host("a snapshot of the configured guard judged the call otherwise".to_owned())),
        };
        Run { answer, fuel, making: Duration::ZERO, is_usual: false }
    }

    fn judge(&self, fresh: Fresh, call: &PreparedCall, given: &[wit::Reading]) -> Outcome {
        let Configured { component, uses, description, .. } = &*self.0;
        let ((called, fuel), used) = fresh.evaluate(&call.0, given, &uses.limits);
        component.stock().give_back(&self.0, used);
        let answer = match called {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(decision))) => answer(decision).check(call.phase(), description, &uses.bounds).map(Some),
            Ok(Err(text)) => Err(Fault::GuestError(cut(&text))),
            Err(fault) => Err(fault),
        };
        (answer, fuel)
    }

    /// The same guard with other limits than it was loaded with.
    #[cfg(test)]
    pub(crate) fn with_limits(&self, limits: GuardLimits) -> Guard {
        let Configured { component, settings, uses, description, raw, .. } = &*self.0;
        Guard::new(component.clone(), settings, Uses { limits, ..*uses }, description.clone(), raw.clone(), None)
    }

    /// Keeps a moving average, in which one slow call weighs an eighth.
    fn remember(&self, elapsed: Duration) {
        let nanos = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let usual = self.0.usual_nanos.load(Ordering::Relaxed);
        let next = if usual == 0 { nanos.min(SLOW.as_nanos() as u64) } else { usual - usual / 8 + nanos / 8 };
        // Two threads may overwrite each other's figure; it only chooses a lane.
        self.0.usual_nanos.store(next, Ordering::Relaxed);
    }
}

impl Configured {
    /// The snapshot that its instances are made from, if any.
    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.slot.as_ref().and_then(|slot| slot.serving())
    }

    /// Makes an instance for one call, as its calls are judged now.
    ///
    /// # Errors
    /// Those of [`Fresh::make`].
    pub(crate) fn make(&self) -> Result<Fresh, Fault> {
        self.make_from(self.snapshot().as_ref())
    }

    fn make_from(&self, snapshot: Option<&Arc<Snapshot>>) -> Result<Fresh, Fault> {
        let (Some(slot), Some(snapshot)) = (&self.slot, snapshot) else { return self.configure() };
        match Fresh::restore(snapshot, &self.uses.limits) {
            Err(fault) if !matches!(fault, Fault::HostFull(_)) => {
                slot.give_up(snapshot, |name, _| {
                    format!("the snapshot of the guard `{name}` cannot be used: it {fault}")
                });
                self.configure()
            }
            made => made,
        }
    }

    /// Makes an instance by calling `configure`.
    fn configure(&self) -> Result<Fresh, Fault> {
        if let Some(slot) = &self.slot {
            slot.note_configured(self.uses.configure_fuel);
        }
        Fresh::make(&self.component, &self.settings, &self.uses.limits, &self.raw)
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        self.component.stock().forget(self);
    }
}
