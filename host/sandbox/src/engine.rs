//! The engine's settings, none of which is an option: they make a run repeatable and bounded.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use agenthalt_core::digest::Digest;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OperatorCost, PoolingAllocationConfig};

use crate::lanes::cores;
use crate::ready::ROOM;
use crate::snapshot::AT_WORK;

/// How often the clock's tick comes; a deadline is kept to within two of them.
pub(crate) const TICK: Duration = Duration::from_millis(5);
/// The pool's largest memory. The ceiling of every guard is below it, always: where the pool itself
/// refused growth, a guard would see another answer than on an engine without a pool.
const POOL_MEMORY_BYTES: usize = 64 << 20;
/// The pool's largest table; the ceiling of every guard is below it.
const POOL_TABLE_ELEMENTS: usize = 20_000;
/// The most elements that all tables of an instance may have.
pub(crate) const MOST_TABLE_ELEMENTS: usize = 10_000;
/// Instances that may be at work at once for each core: in both lanes, on threads with a permit, and
/// while components are loaded.
const INSTANCES_PER_CORE: usize = 5;
/// What one component instance may be made of.
pub(crate) const MOST_CORE_INSTANCES: u32 = 16;
pub(crate) const MOST_MEMORIES: u32 = 4;
pub(crate) const MOST_TABLES: u32 = 8;

/// How instances get their memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allocation {
    /// From slots that are reserved at the start: fast.
    Pooled,
    /// When needed: for a compiler, and where the address space is too small for a pool.
    OnDemand,
}

/// How many instances may be at work at once.
// INVARIANT: those that wait in the stock, and the builder's, come on top, so that they take no slot that an
// evaluation needs.
pub(crate) fn most_at_work() -> usize {
    (cores() * INSTANCES_PER_CORE).max(20)
}

/// Makes an engine.
pub(crate) fn new(allocation: Allocation) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    // INVARIANT: these make a run repeatable. None of them can be set from outside.
    config.consume_fuel(true).epoch_interruption(true).concurrency_support(false);
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true).wasm_relaxed_simd(false);
    config.wasm_memory64(false).max_wasm_stack(512 << 10).wasm_backtrace_max_frames(None);
    config.memory_reservation(POOL_MEMORY_BYTES as u64).operator_cost(OperatorCost::default());
    config.wasm_component_model(true);
    if allocation == Allocation::Pooled {
        let instances = u32::try_from(most_at_work() + ROOM.instances() + AT_WORK).unwrap_or(u32::MAX / 64);
        let mut pool = PoolingAllocationConfig::default();
        pool.max_memory_size(POOL_MEMORY_BYTES).linear_memory_keep_resident(256 << 10);
        pool.table_elements(POOL_TABLE_ELEMENTS).table_keep_resident(64 << 10).pagemap_scan(Enabled::Auto);
        pool.max_core_instances_per_component(MOST_CORE_INSTANCES);
        pool.max_memories_per_component(MOST_MEMORIES).max_memories_per_module(MOST_MEMORIES);
        pool.max_tables_per_component(MOST_TABLES).max_tables_per_module(MOST_TABLES);
        // However many parts a guard is made of, it takes no slot that another thread's guard needs.
        pool.total_component_instances(instances).total_core_instances(instances * MOST_CORE_INSTANCES);
        pool.total_memories(instances * MOST_MEMORIES).total_tables(instances * MOST_TABLES);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    Engine::new(&config)
}

/// What compiled code must agree with to run on this engine.
pub(crate) fn digest(engine: &Engine) -> Digest {
    let mut hasher = Collect(crate::ENGINE_VERSION.as_bytes().to_vec());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    Digest::of(&hasher.0)
}

/// Gathers what is hashed, so that the digest is the same in every process.
struct Collect(Vec<u8>);

impl Hasher for Collect {
    fn finish(&self) -> u64 {
        0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Starts the clock's tick; it ends when the engine is gone.
///
/// # Errors
/// Where the system gives no thread.
pub(crate) fn start_ticking(engine: &Engine) -> std::io::Result<()> {
    let weak = engine.weak();
    std::thread::Builder::new().name("agenthalt-tick".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match weak.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_the_compiler_runs_on_the_pool() {
        let (Ok(pooled), Ok(on_demand)) = (new(Allocation::Pooled), new(Allocation::OnDemand)) else {
            panic!("both engines can be made here");
        };
        assert_eq!(digest(&pooled), digest(&on_demand));
    }
}
