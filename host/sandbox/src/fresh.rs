//! One instance of a guard in a store of its own, configured by `configure` or made from a snapshot, from
//! the moment it is made to its one evaluation. It is made before it sees a call, and never serves a
//! second one.

use std::sync::Arc;
use std::time::Duration;

use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use wasmtime::Store;

use crate::ceiling::Ceiling;
use crate::component::{Component, burnt, refuel, set_deadline};
use crate::contract::{Instance, wit};
use crate::snapshot::Snapshot;
use crate::trap::{During, fault};

/// An instance that is ready for its one call.
pub(crate) struct Fresh {
    store: Store<Ceiling>,
    instance: Instance,
    snapshot: Option<Arc<Snapshot>>,
}

/// An instance that had its call; nothing is left to do but to drop it.
pub(crate) struct Used(Store<Ceiling>);

/// What came over the border, or the fault instead, and the fuel that `evaluate` burnt.
pub(crate) type Called = (Result<Result<Option<wit::Decision>, String>, Fault>, u64);

impl Fresh {
    /// Makes an instance, configures it, and holds what it says of itself against what it said at load.
    ///
    /// # Errors
    /// [`Fault::HostFull`], and [`Fault::FailedToConfigure`] with what the instance ran into.
    pub(crate) fn make(
        component: &Component,
        settings: &str,
        limits: &GuardLimits,
        at_load: &wit::Description,
    ) -> Result<Fresh, Fault> {
        let failed = |fault: Fault| Fault::FailedToConfigure(fault.to_string());
        let malformed = |text: &str| Err(failed(Fault::MalformedAnswer(text.to_owned())));
        let (mut store, instance) = component.instantiate(limits).map_err(|fault| match fault {
            full @ Fault::HostFull(_) => full,
            other => failed(other),
        })?;
        match instance.agenthalt_guard_judge().call_configure(&mut store, settings) {
            Ok(Ok(now)) if now == *at_load => {}
            Ok(Ok(_)) => return malformed("its description changed since it was loaded"),
            Ok(Err(_)) => return malformed("it now refuses the settings it was loaded with"),
            Err(error) => return Err(failed(fault(&error, During::Call, limits))),
        }
        refuel(&mut store, limits)?;
        Ok(Fresh { store, instance, snapshot: None })
    }

    /// Makes an instance from a snapshot, as it would be after `configure`.
    ///
    /// # Errors
    /// What the instance runs into while it is made; nothing of the guard runs then.
    pub(crate) fn restore(snapshot: &Arc<Snapshot>, limits: &GuardLimits) -> Result<Fresh, Fault> {
        let (mut store, instance) = snapshot.instantiate(limits)?;
        refuel(&mut store, limits)?;
        Ok(Fresh { store, instance, snapshot: Some(snapshot.clone()) })
    }

    /// Whether it was made from exactly this snapshot, or from none where none is given.
    pub(crate) fn is_of(&self, snapshot: Option<&Arc<Snapshot>>) -> bool {
        match (&self.snapshot, snapshot) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Sets the clock anew for an instance that has waited: `configure` and `evaluate` have their time
    /// together, the waiting between them has none.
    pub(crate) fn resume(&mut self, limits: &GuardLimits, making: Duration) {
        set_deadline(&mut self.store, limits.time().saturating_sub(making));
    }

    /// Lets the instance judge its call.
    pub(crate) fn evaluate(
        mut self,
        call: &wit::Call,
        readings: &[wit::Reading],
        limits: &GuardLimits,
    ) -> (Called, Used) {
        let called = self.instance.agenthalt_guard_judge().call_evaluate(&mut self.store, call, readings);
        let answer = called.map_err(|error| fault(&error, During::Call, limits));
        let fuel = burnt(&self.store, limits);
        ((answer, fuel), Used(self.store))
    }

    /// The bytes of its linear memories.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes()
    }
}

impl Used {
    /// The bytes of its linear memories.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.0.data().memory_bytes()
    }
}
