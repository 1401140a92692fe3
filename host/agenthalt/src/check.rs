//! Whether a policy can serve, with everything that is wrong. It opens no state and judges no call.

use agenthalt_core::fault::Fault;

use crate::engine::{PolicyEngineBuilder, faults};
use crate::error::Error;

/// What a policy's guards are like; the text itself is in order.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// The guards that can serve, in the policy's order.
    pub guards: Vec<Checked>,
    /// The guards whose component cannot serve, and why.
    pub faults: Vec<(String, Fault)>,
    /// Whether one of these enforces, so that every call is denied.
    pub denies_every_call: bool,
    /// The guards that are switched off.
    pub disabled: Vec<String>,
}

/// One guard that can serve.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The guard's name in the policy.
    pub name: String,
    /// `enforce` or `shadow`.
    pub mode: &'static str,
    /// The name and version that its component gives itself.
    pub component: String,
    /// The digest of its component.
    pub digest: String,
    /// The fuel that instantiating and configuring it burns.
    pub configure_fuel: u64,
}

/// Loads a policy as an engine would and tells how that went.
///
/// # Errors
/// [`Error`] where the text is refused or cannot be read.
pub fn check(builder: &PolicyEngineBuilder) -> Result<Report, Error> {
    let roster = builder.load()?.roster;
    let guards = roster.seats.iter().filter_map(|seat| {
        let guard = seat.occupant.as_ref().ok()?;
        let description = guard.description();
        Some(Checked {
            name: seat.name().to_owned(),
            mode: seat.entry.mode.as_str(),
            component: format!("{} {}", description.name, description.version),
            digest: guard.component().digest().to_string(),
            configure_fuel: guard.configure_fuel(),
        })
    });
    let guards = guards.collect();
    let disabled = roster.policy.guards.iter().filter(|entry| !entry.enabled).map(|entry| entry.name.clone());
    let denies_every_call = roster.seats.iter().any(|seat| seat.enforces() && seat.occupant.is_err());
    Ok(Report { guards, denies_every_call, faults: faults(&roster), disabled: disabled.collect() })
}
