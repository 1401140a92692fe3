//! Makes one snapshot: a component that reads out its own state is compiled, configured and read, and the
//! original is written anew with that state in it. All of it may meet a hostile component, so every step
//! is bounded and none ends the host.

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use wasmparser::{CanonicalFunction, Parser, Payload};
use wasmtime::Store;
use wasmtime::component::{Component as Code, Instance as Raw, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use super::{Order, Snapshot};
use crate::ceiling::Ceiling;
use crate::component::{instantiate, link, refuel, set_deadline};
use crate::contract::{Instance, Prepared};
use crate::engine::MOST_MEMORIES;
use crate::trap::{During, cut, fault};
use crate::workshop::Workshop;

/// The largest snapshot in bytes, before it is compiled.
const MOST_BYTES: usize = 8 << 20;
/// What reading a memory out adds to it, twice for each memory.
const READ_BYTES: usize = 64 << 10;

/// Why a guard gets no snapshot.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotMade {
    #[error("it has state beside its memories and globals")]
    OtherState,
    #[error("it has memories or globals that cannot be read out")]
    Unreadable,
    #[error("its structure is not supported: {0}")]
    Unsupported(String),
    #[error("it {0}")]
    Fell(#[from] Fault),
    #[error("it describes itself otherwise than at load, or refuses its settings")]
    OtherDescription,
    #[error("it would have {0} bytes")]
    TooLarge(usize),
    #[error("the rewriting panicked")]
    Panicked,
    #[error("the sandbox is no more")]
    Closed,
}

/// The code of a component that reads out its own state; it depends on no settings.
pub(super) struct Instrumented {
    original: Digest,
    code: Code,
}

/// Makes the snapshot of an order from the component's original bytes.
///
/// # Errors
/// [`NotMade`].
pub(super) fn make(
    workshop: &Workshop,
    order: &Order,
    original: &[u8],
    instrumented: &mut Option<Instrumented>,
    go_on: &dyn Fn() -> bool,
) -> Result<Snapshot, NotMade> {
    check(original)?;
    let bytes = caught(|| write(workshop, order, original, instrumented, go_on))?;
    if bytes.len() > MOST_BYTES {
        return Err(NotMade::TooLarge(bytes.len()));
    }
    if !go_on() {
        return Err(NotMade::Closed);
    }
    // INVARIANT: a snapshot is as foreign as what it is made of, and compiled within the same limits. It is
    // not kept on disk: it holds the settings, and every change of them would leave one behind.
    let (code, code_bytes) = workshop.compile(&bytes)?;
    let engine = workshop.engine.clone();
    let prepared = link(&engine, &code).and_then(Prepared::new).map_err(incompatible)?;
    let snapshot = Snapshot { engine, prepared, code_bytes };
    snapshot.instantiate(&order.limits.at_load())?;
    Ok(snapshot)
}

/// Refuses a component whose state is not all in memories and globals that can be read out. What it has of
/// tables and segments that change is refused by the rewriting itself.
pub(super) fn check(original: &[u8]) -> Result<(), NotMade> {
    let (mut is_module, mut has_state, mut has_exports) = (false, false, false);
    for payload in Parser::new(0).parse_all(original) {
        match payload.map_err(unsupported)? {
            Payload::ModuleSection { .. } => (is_module, has_state, has_exports) = (true, false, false),
            Payload::MemorySection(section) => has_state |= section.count() > 0,
            Payload::GlobalSection(section) => {
                has_state |= section.into_iter().flatten().any(|global| global.ty.mutable);
            }
            // The way out is written into this section, and nowhere where there is none.
            Payload::ExportSection(_) => has_exports = true,
            Payload::End(_) if std::mem::take(&mut is_module) && has_state && !has_exports => {
                return Err(NotMade::Unreadable);
            }
            // Anything but lifting, as resources, keeps state where it cannot be read.
            Payload::ComponentCanonicalSection(section) => {
                let is_lift = |function: &CanonicalFunction| matches!(function, CanonicalFunction::Lift { .. });
                if !section.into_iter().flatten().all(|function| is_lift(&function)) {
                    return Err(NotMade::OtherState);
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Writes the original anew with its configured state.
pub(super) fn write(
    workshop: &Workshop,
    order: &Order,
    original: &[u8],
    instrumented: &mut Option<Instrumented>,
    go_on: &dyn Fn() -> bool,
) -> Result<Vec<u8>, NotMade> {
    let mut wizer = Wizer::new();
    // Exports of this name would go otherwise, whatever they are.
    wizer.keep_init_func(true);
    let (context, bytes) = wizer.instrument_component(original).map_err(unsupported)?;
    let code = match instrumented {
        Some(kept) if kept.original == order.digest => kept.code.clone(),
        other => {
            // The cache keeps it as any other component: it holds no settings.
            let code = workshop.code(&Digest::of(&bytes), &bytes)?;
            *other = Some(Instrumented { original: order.digest, code: code.clone() });
            code
        }
    };
    if !go_on() {
        return Err(NotMade::Closed);
    }
    let (mut store, instance) = configured(workshop, order, &code)?;
    // Reading out grows each memory, twice; what the guard itself may take is as ever.
    store.data_mut().allow_more(MOST_MEMORIES as usize * 2 * READ_BYTES);
    refuel(&mut store, &GuardLimits::CEILING)?;
    store.set_hostcall_fuel(usize::try_from(GuardLimits::CEILING.memory_bytes()).unwrap_or(0) * 2);
    set_deadline(&mut store, GuardLimits::CEILING.time());
    let mut reader = Reader { store: &mut store, instance };
    let mut written = pin!(wizer.snapshot_component(&context, &mut reader));
    match written.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(written) => written.map_err(unsupported),
        Poll::Pending => Err(NotMade::Unreadable),
    }
}

/// An instance of the instrumented code, configured within the guard's own limits.
fn configured(workshop: &Workshop, order: &Order, code: &Code) -> Result<(Store<Ceiling>, Raw), NotMade> {
    let limits = &order.limits.at_load();
    let linked = link(&workshop.engine, code).map_err(incompatible)?;
    let (mut store, raw) = instantiate(&workshop.engine, limits, |store| linked.instantiate(store))?;
    let instance = Instance::new(&mut store, &raw).map_err(incompatible)?;
    let called = instance.agenthalt_guard_judge().call_configure(&mut store, &order.settings);
    match called.map_err(|error| fault(&error, During::Call, limits))? {
        Ok(described) if described == order.described => Ok((store, raw)),
        Ok(_) | Err(_) => Err(NotMade::OtherDescription),
    }
}

/// Reads the state of an instance. The trait has no word for a failure: where it cannot be read, the
/// future that asked never ends, and whoever polls it once sees that.
struct Reader<'a> {
    store: &'a mut Store<Ceiling>,
    instance: Raw,
}

impl Reader<'_> {
    fn call<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, function: &str) -> Option<R> {
        let (_, inner) = self.instance.get_export(&mut *self.store, None, instance)?;
        let (_, export) = self.instance.get_export(&mut *self.store, Some(&inner), function)?;
        let function = self.instance.get_typed_func::<(), (R,)>(&mut *self.store, export).ok()?;
        function.call(&mut *self.store, ()).ok().map(|(value,)| value)
    }

    async fn read<R: Lift + Send + Sync + 'static>(&mut self, instance: &str, function: &str) -> R {
        match self.call(instance, function) {
            Some(value) => value,
            None => pending().await,
        }
    }
}

impl ComponentInstanceState for Reader<'_> {
    async fn call_func_ret_list_u8(&mut self, instance: &str, func: &str, contents: impl FnOnce(&[u8]) + Send) {
        let list: WasmList<u8> = self.read(instance, func).await;
        contents(list.as_le_slice(&*self.store));
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.read(instance, func).await
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.read(instance, func).await
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.read::<f32>(instance, func).await.to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.read::<f64>(instance, func).await.to_bits()
    }
}

/// Runs what a hostile component may make panic.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T, NotMade>) -> Result<T, NotMade> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(NotMade::Panicked))
}

fn unsupported(error: impl std::fmt::Display) -> NotMade {
    NotMade::Unsupported(cut(&format!("{error:#}")))
}

fn incompatible(error: wasmtime::Error) -> NotMade {
    NotMade::Fell(Fault::Incompatible(cut(&format!("{error:#}"))))
}
