//! A component with one configuration. Every call gets a fresh instance, configured before it sees the
//! call, used once and dropped; nothing is kept from one call to the next but how long calls usually
//! take.

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
}

impl Guard {
    pub(crate) fn new(
        component: Component,
        settings: &str,
        uses: Uses,
        description: Description,
        raw: wit::Description,
    ) -> Self {
        let settings = settings.to_owned();
        Guard(Arc::new(Configured { component, settings, uses, description, raw, usual_nanos: AtomicU64::new(0) }))
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

    /// Judges one call. It takes up the thread it is called on, so call it on a lane of the sandbox, or
    /// with a permit: [`Sandbox::here`](crate::Sandbox::here).
    pub fn evaluate(&self, call: &PreparedCall, given: &[Reading]) -> Judged {
        let start = Instant::now();
        let Run { answer, fuel, making } = self.run(call, given);
        let elapsed = start.elapsed();
        // What takes long to make is slow, although it may be ready: the next call may have to make its own.
        self.remember(elapsed + making);
        Judged { answer, fuel, elapsed }
    }

    fn run(&self, call: &PreparedCall, given: &[Reading]) -> Run {
        let Configured { component, uses, description, .. } = &*self.0;
        let (limits, stock) = (&uses.limits, component.stock());
        // INVARIANT: an instance that was ready has had what one made now has, and nothing of any call.
        let (fresh, making) = match stock.take(&self.0) {
            Some((mut fresh, making)) => {
                fresh.resume(limits, making);
                (fresh, making)
            }
            None => match self.0.make() {
                Ok(fresh) => (fresh, Duration::ZERO),
                Err(fault) => return Run { answer: Err(fault), fuel: 0, making: Duration::ZERO },
            },
        };
        let ((called, fuel), used) = fresh.evaluate(&call.0, &readings(given), limits);
        stock.give_back(&self.0, used);
        let answer = match called {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(decision))) => answer(decision).check(call.phase(), description, &uses.bounds).map(Some),
            Ok(Err(text)) => Err(Fault::GuestError(cut(&text))),
            Err(fault) => Err(fault),
        };
        Run { answer, fuel, making }
    }

    /// The same guard with other limits than it was loaded with.
    #[cfg(test)]
    pub(crate) fn with_limits(&self, limits: GuardLimits) -> Guard {
        let Configured { component, settings, uses, description, raw, .. } = &*self.0;
        Guard::new(component.clone(), settings, Uses { limits, ..*uses }, description.clone(), raw.clone())
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
    /// Makes an instance for one call.
    ///
    /// # Errors
    /// Those of [`Fresh::make`].
    pub(crate) fn make(&self) -> Result<Fresh, Fault> {
        Fresh::make(&self.component, &self.settings, &self.uses.limits, &self.raw)
    }
}

impl Drop for Configured {
    fn drop(&mut self) {
        self.component.stock().forget(self);
    }
}
