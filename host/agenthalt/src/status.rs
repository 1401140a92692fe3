//! How the guards of a policy are: which can serve, what they are, and what is wrong with the others. It
//! judges nothing.

use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::Mode;
use agenthalt_sandbox::Guard;

use crate::roster::Seat;

/// One guard of a policy in its seat.
///
/// ```
/// # let engine = agenthalt::testing::engine("guards: {budget: {max_daily_spend: 10}}");
/// let budget = engine.guard("budget").unwrap();
/// assert!(budget.enabled && budget.fault.is_none());
/// assert_eq!(budget.component.as_deref(), Some("budget 0.1.0"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GuardStatus {
    /// The guard's name in the policy.
    pub name: String,
    /// Whether its word counts.
    pub mode: Mode,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// The name and version that its component gives itself; none where it cannot serve.
    pub component: Option<String>,
    /// The digest of its component; none where it cannot serve.
    pub digest: Option<Digest>,
    /// The fuel that instantiating and configuring it burn.
    pub configure_fuel: u64,
    /// Why it cannot serve. While it enforces and is enabled, every call is denied.
    pub fault: Option<Fault>,
}

impl GuardStatus {
    pub(crate) fn of(seat: &Seat) -> Self {
        let description = seat.description();
        GuardStatus {
            name: seat.name().to_owned(),
            mode: seat.entry.mode,
            enabled: seat.entry.enabled,
            component: description.map(|description| format!("{} {}", description.name, description.version)),
            digest: seat.digest(),
            configure_fuel: seat.occupant.as_ref().map_or(0, Guard::configure_fuel),
            fault: seat.occupant.as_ref().err().cloned(),
        }
    }

    /// Whether this guard lets no call through, because it cannot serve.
    ///
    /// ```
    /// let engine = agenthalt::PolicyEngine::builder().component("hours", "missing.wasm", ()).build()?;
    /// assert!(engine.guards()[0].denies_every_call());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn denies_every_call(&self) -> bool {
        self.enabled && self.mode == Mode::Enforce && self.fault.is_some()
    }
}
