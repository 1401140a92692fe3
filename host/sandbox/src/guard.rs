//! A component with one configuration. Every call gets a fresh instance, configured in it, used once
//! and dropped; nothing is kept from one call to the next but how long calls usually take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use agenthalt_core::answer::Answer;
use agenthalt_core::bounds::Bounds;
use agenthalt_core::counter::Reading;
use agenthalt_core::description::Description;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;

use crate::component::{Component, burnt, refuel};
use crate::contract::{PreparedCall, answer, readings, wit};
use crate::trap::{During, cut, fault};

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
pub struct Guard(Arc<Configured>);

#[derive(Debug)]
struct Configured {
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
    /// How long the whole run took, instance and configuration included.
    pub elapsed: Duration,
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

    /// Judges one call. It takes up the thread it is called on, so call it on a lane of the sandbox.
    pub fn evaluate(&self, call: &PreparedCall, given: &[Reading]) -> Judged {
        let start = Instant::now();
        let (answer, fuel) = self.run(call, given);
        let elapsed = start.elapsed();
        self.remember(elapsed);
        Judged { answer, fuel, elapsed }
    }

    fn run(&self, call: &PreparedCall, given: &[Reading]) -> (Result<Option<Answer>, Fault>, u64) {
        let Configured { component, settings, uses, description, raw, .. } = &*self.0;
        let limits = &uses.limits;
        let configure_failed = |fault: Fault| (Err(Fault::FailedToConfigure(fault.to_string())), 0);
        let (mut store, instance) = match component.instantiate(limits) {
            Ok(made) => made,
            Err(fault @ Fault::HostFull(_)) => return (Err(fault), 0),
            Err(fault) => return configure_failed(fault),
        };
        let judge = instance.agenthalt_guard_judge();
        match judge.call_configure(&mut store, settings) {
            Ok(Ok(now)) if now == *raw => {}
            Ok(Ok(_)) => {
                return configure_failed(Fault::MalformedAnswer(
                    "its description changed since it was loaded".to_owned(),
                ));
            }
            Ok(Err(_)) => {
                return configure_failed(Fault::MalformedAnswer(
                    "it now refuses the settings it was loaded with".to_owned(),
                ));
            }
            Err(error) => return configure_failed(fault(&error, During::Call, limits)),
        }
        if let Err(fault) = refuel(&mut store, limits) {
            return (Err(fault), 0);
        }
        let called = judge.call_evaluate(&mut store, &call.0, &readings(given));
        let fuel = burnt(&store, limits);
        let answer = match called {
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(decision))) => answer(decision).check(call.phase(), description, &uses.bounds).map(Some),
            Ok(Err(text)) => Err(Fault::GuestError(cut(&text))),
            Err(error) => Err(fault(&error, During::Call, limits)),
        };
        (answer, fuel)
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
