//! Compiled code, once per component, and the order in which a component is loaded, with a fault for
//! each step. It holds no settings.

use std::sync::Arc;
use std::time::Duration;

use agenthalt_core::bounds::Bounds;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use wasmtime::component::{Component as Code, InstancePre, Linker};
use wasmtime::{Engine, Store};

use crate::ceiling::Ceiling;
use crate::contract::{INTERFACE, Instance, Prepared, description, wit};
use crate::engine::TICK;
use crate::guard::{Guard, SettingsProblem, Uses};
use crate::ready::Stock;
use crate::snapshot::{HEAVY, Order, Snapshots};
use crate::trap::{During, cut, fault};

/// Bytes of text and lists that may come out of one call of a guest: the largest new arguments, and
/// something beside them.
const MOST_LIFTED_BYTES: usize = (1 << 20) + (256 << 10);
/// The largest schema in bytes.
const MOST_SCHEMA_BYTES: usize = 256 << 10;
/// The most problems of one configuration that are shown.
const MOST_PROBLEMS: usize = 64;

/// A component that can serve.
#[derive(Clone)]
pub struct Component {
    loaded: Arc<Loaded>,
    source: Option<Source>,
}

/// What a snapshot is made of. Only what [`Sandbox::load`](crate::Sandbox::load) gives out carries it, not
/// the sandbox's own copy or a guard's, so that the bytes stay no longer than somebody needs them.
#[derive(Clone)]
struct Source {
    bytes: Arc<[u8]>,
    snapshots: Arc<Snapshots>,
}

struct Loaded {
    digest: Digest,
    size: usize,
    engine: Engine,
    stock: Arc<Stock>,
    prepared: Prepared<Ceiling>,
    extra_exports: Vec<String>,
}

/// What is known of a component without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: usize,
    /// What it exports beside the contract; never called.
    pub extra_exports: Vec<String>,
}

impl Component {
    /// Takes compiled code into service.
    ///
    /// # Errors
    /// [`Fault::ForbiddenImport`], [`Fault::Incompatible`], and what a trial instance runs into.
    pub(crate) fn prepare(
        engine: &Engine,
        stock: &Arc<Stock>,
        code: &Code,
        digest: Digest,
        size: usize,
    ) -> Result<Component, Fault> {
        let kind = code.component_type();
        // INVARIANT: a guard imports nothing; the linker is empty and stays so.
        let imports: Vec<String> = kind.imports(engine).map(|(name, _)| format!("`{name}`")).collect();
        if !imports.is_empty() {
            return Err(Fault::ForbiddenImport(cut(&imports.join(", "))));
        }
        let exports: Vec<String> = kind.exports(engine).map(|(name, _)| name.to_owned()).collect();
        let extra_exports = exports.into_iter().filter(|name| name != INTERFACE).collect();
        let incompatible = |error: wasmtime::Error| Fault::Incompatible(cut(&format!("{error:#}")));
        let prepared = link(engine, code).and_then(Prepared::new).map_err(incompatible)?;
        let (engine, stock) = (engine.clone(), stock.clone());
        let loaded = Arc::new(Loaded { digest, size, engine, stock, prepared, extra_exports });
        let component = Component { loaded, source: None };
        // Types are checked when an instance is made, and not before. What policies allow is asked later:
        // what fails under the ceiling can serve under none.
        component.instantiate(&GuardLimits::CEILING)?;
        Ok(component)
    }

    /// What is known of the component without asking it.
    pub fn inspect(&self) -> Inspection {
        let Loaded { digest, size, extra_exports, .. } = &*self.loaded;
        Inspection { digest: *digest, size: *size, extra_exports: extra_exports.clone() }
    }

    /// The digest of the component's bytes.
    pub fn digest(&self) -> Digest {
        self.loaded.digest
    }

    /// The same component with the bytes that it was loaded from, and the place where snapshots are made.
    pub(crate) fn with_source(&self, bytes: &[u8], snapshots: &Arc<Snapshots>) -> Component {
        let source = snapshots.are_possible().then(|| Source { bytes: bytes.into(), snapshots: snapshots.clone() });
        Component { loaded: self.loaded.clone(), source }
    }

    /// Where its guards' instances wait.
    pub(crate) fn stock(&self) -> &Arc<Stock> {
        &self.loaded.stock
    }

    /// Whether anyone but the sandbox holds it.
    pub(crate) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.loaded) > 1
    }

    /// Asks a fresh instance for the JSON Schema of its settings.
    ///
    /// # Errors
    /// What the instance runs into.
    pub fn schema(&self, limits: &GuardLimits) -> Result<String, Fault> {
        let limits = &limits.at_load();
        let (mut store, instance) = self.instantiate(limits)?;
        let called = instance.agenthalt_guard_judge().call_schema(&mut store);
        let schema = called.map_err(|error| fault(&error, During::Call, limits))?;
        if schema.len() > MOST_SCHEMA_BYTES {
            return Err(Fault::TooLarge(format!("the schema is longer than {MOST_SCHEMA_BYTES} bytes")));
        }
        Ok(schema)
    }

    /// Configures a fresh instance, to learn what the guard is with these settings. The inner error
    /// is the guard's own word on the settings.
    ///
    /// # Errors
    /// [`Fault::FailedToConfigure`] with what the instance ran into.
    pub fn configure(
        &self,
        settings: &str,
        limits: GuardLimits,
        bounds: Bounds,
    ) -> Result<Result<Guard, Vec<SettingsProblem>>, Fault> {
        let failed = |fault: Fault| Fault::FailedToConfigure(fault.to_string());
        let at_load = &limits.at_load();
        let (mut store, instance) = self.instantiate(at_load).map_err(failed)?;
        let called = instance.agenthalt_guard_judge().call_configure(&mut store, settings);
        match called.map_err(|error| failed(fault(&error, During::Call, at_load)))? {
            Ok(raw) => {
                let fuel = burnt(&store, at_load);
                let described = description(raw.clone()).check(&bounds);
                let described = described.map_err(|why| failed(Fault::MalformedAnswer(why)))?;
                let uses = Uses { limits, bounds, configure_fuel: fuel };
                let slot = self.source.as_ref().filter(|_| fuel > HEAVY).and_then(|Source { bytes, snapshots }| {
                    let (digest, settings) = (self.digest(), settings.to_owned());
                    let order = Order { digest, settings, limits, described: raw.clone() };
                    snapshots.slot(order, bytes.clone())
                });
                let component = Component { source: None, ..self.clone() };
                Ok(Ok(Guard::new(component, settings, uses, described, raw, slot)))
            }
            Err(problems) => Ok(Err(checked(problems)?)),
        }
    }

    /// A fresh instance in a store of its own, with fuel, memory and time set for `configure`.
    pub(crate) fn instantiate(&self, limits: &GuardLimits) -> Result<(Store<Ceiling>, Instance), Fault> {
        instantiate(&self.loaded.engine, limits, |store| self.loaded.prepared.instantiate(store))
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Component").field(&self.loaded.digest).finish()
    }
}

/// Joins code with a linker that has nothing to give.
pub(crate) fn link(engine: &Engine, code: &Code) -> wasmtime::Result<InstancePre<Ceiling>> {
    Linker::new(engine).instantiate_pre(code)
}

/// Makes an instance in a store of its own, with fuel, memory and time set.
pub(crate) fn instantiate<I>(
    engine: &Engine,
    limits: &GuardLimits,
    make: impl FnOnce(&mut Store<Ceiling>) -> wasmtime::Result<I>,
) -> Result<(Store<Ceiling>, I), Fault> {
    let mut store = Store::new(engine, Ceiling::new(limits.memory_bytes()));
    store.limiter(|ceiling| ceiling);
    refuel(&mut store, limits)?;
    store.set_hostcall_fuel(MOST_LIFTED_BYTES);
    store.set_max_component_handles(64);
    // Set last, right before the guest runs: nothing else may use up its time.
    set_deadline(&mut store, limits.time());
    let instance = make(&mut store).map_err(|error| fault(&error, During::Instantiate, limits))?;
    Ok((store, instance))
}

/// Sets the clock: from now on the guest has this time, and never less than one whole tick.
pub(crate) fn set_deadline(store: &mut Store<Ceiling>, time: Duration) {
    // The tick under way counts as one, however little of it is left.
    let ticks = time.as_millis().div_ceil(TICK.as_millis()).max(1) + 1;
    store.set_epoch_deadline(u64::try_from(ticks).unwrap_or(2));
}

/// Fills the fuel up to the limit.
pub(crate) fn refuel(store: &mut Store<Ceiling>, limits: &GuardLimits) -> Result<(), Fault> {
    store.set_fuel(limits.fuel()).map_err(|error| Fault::Host(cut(&error.to_string())))
}

/// The fuel that was burnt since it was filled up.
pub(crate) fn burnt(store: &Store<Ceiling>, limits: &GuardLimits) -> u64 {
    limits.fuel().saturating_sub(store.get_fuel().unwrap_or(0))
}

fn checked(problems: Vec<wit::Problem>) -> Result<Vec<SettingsProblem>, Fault> {
    if problems.is_empty() {
        return Err(Fault::FailedToConfigure("it refuses its settings without saying why".to_owned()));
    }
    let shown = problems.into_iter().take(MOST_PROBLEMS);
    Ok(shown
        .map(|problem| SettingsProblem { pointer: cut(&problem.pointer), message: said(&problem.message) })
        .collect())
}

/// A guard's sentence about its settings; a blank one would leave a line without a word.
fn said(message: &str) -> String {
    match cut(message) {
        blank if blank.is_empty() => "the guard refuses this without saying why".to_owned(),
        message => message,
    }
}
