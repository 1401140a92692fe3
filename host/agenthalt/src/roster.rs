//! The guards of a policy, each in its seat, those that are switched off included. A guard that cannot
//! serve keeps its seat, and its fault denies every call; it judges nothing itself.

use agenthalt_core::description::Description;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::{GuardEntry, Mode, Policy};
use agenthalt_core::subject::Phase;
use agenthalt_sandbox::Guard;

use crate::approval::Redactor;

/// The loaded guards of a policy.
#[derive(Debug)]
pub(crate) struct Roster {
    pub(crate) policy: Policy,
    pub(crate) seats: Vec<Seat>,
    /// The digest of the policy with the components that serve it: what a human's yes is bound to.
    pub(crate) rules: Digest,
    pub(crate) redactor: Redactor,
}

impl Roster {
    pub(crate) fn new(policy: Policy, seats: Vec<Seat>) -> Self {
        let mut parts = vec![policy.digest.to_string()];
        for seat in &seats {
            let digest = seat.digest().map_or_else(|| "none".to_owned(), |digest| digest.to_string());
            parts.push(format!("{} {digest}", seat.name()));
        }
        Roster { rules: Digest::of(parts.join("\n").as_bytes()), policy, seats, redactor: Redactor::default() }
    }

    /// The guards that are asked in a phase, with their places.
    pub(crate) fn judging(&self, phase: Phase) -> impl Iterator<Item = (usize, &Seat)> {
        self.seats.iter().enumerate().filter(move |(_, seat)| seat.judges(phase))
    }

    /// The enabled guards.
    pub(crate) fn enabled(&self) -> impl Iterator<Item = &Seat> {
        self.seats.iter().filter(|seat| seat.entry.enabled)
    }

    /// The enabled guards that cannot serve, and why.
    pub(crate) fn faults(&self) -> Vec<(String, Fault)> {
        let fault = |seat: &Seat| seat.occupant.as_ref().err().map(|fault| (seat.name().to_owned(), fault.clone()));
        self.enabled().filter_map(fault).collect()
    }
}

/// One guard of a policy, whether it can serve or not.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) entry: GuardEntry,
    // INVARIANT: a fault stays in the seat; only a change of the policy takes a seat out of the roster.
    pub(crate) occupant: Result<Guard, Fault>,
}

impl Seat {
    pub(crate) fn name(&self) -> &str {
        &self.entry.name
    }

    pub(crate) fn enforces(&self) -> bool {
        self.entry.mode == Mode::Enforce
    }

    pub(crate) fn description(&self) -> Option<&Description> {
        self.occupant.as_ref().ok().map(Guard::description)
    }

    pub(crate) fn digest(&self) -> Option<Digest> {
        self.occupant.as_ref().ok().map(|guard| guard.component().digest())
    }

    /// Whether it is asked in a phase. One that cannot serve denies in every phase that the policy does
    /// not rule out.
    pub(crate) fn judges(&self, phase: Phase) -> bool {
        let is_wanted = self.entry.phases.is_none_or(|phases| phases.contains(phase));
        self.entry.enabled
            && is_wanted
            && self.description().is_none_or(|description| description.phases.contains(phase))
    }

    /// Whether its rewriting counts.
    pub(crate) fn rewrites(&self) -> bool {
        self.enforces() && self.description().is_some_and(|description| description.verdicts.modify)
    }

    pub(crate) fn is_slow(&self) -> bool {
        self.occupant.as_ref().is_ok_and(Guard::is_slow)
    }
}
