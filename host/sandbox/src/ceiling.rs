//! What an instance may take of memory and tables. Growth beyond it ends the run at once; a guest
//! never sees a refused `memory.grow`.

use agenthalt_core::fault::Fault;
use wasmtime::ResourceLimiter;

use crate::engine::{MOST_CORE_INSTANCES, MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};

/// Counts what an instance takes.
pub(crate) struct Ceiling {
    memory_limit: usize,
    memory_taken: usize,
    table_taken: usize,
}

impl Ceiling {
    pub(crate) fn new(memory_limit: u64) -> Self {
        Ceiling { memory_limit: usize::try_from(memory_limit).unwrap_or(0), memory_taken: 0, table_taken: 0 }
    }

    /// Lets the instance take so many bytes of memory more than it has.
    pub(crate) fn allow_more(&mut self, bytes: usize) {
        self.memory_limit = self.memory_taken.saturating_add(bytes);
    }

    /// The bytes of linear memory that the instance has taken.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_taken
    }
}

/// Ends a run that wants too much; carries the fault through wasmtime.
#[derive(Debug)]
pub(crate) struct TooMuch(pub(crate) Fault);

impl std::fmt::Display for TooMuch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for TooMuch {}

impl ResourceLimiter for Ceiling {
    fn memory_growing(&mut self, current: usize, desired: usize, own_most: Option<usize>) -> wasmtime::Result<bool> {
        // Beyond the memory's own maximum the growth fails all the same, and nothing is taken.
        if own_most.is_some_and(|most| desired > most) {
            return Ok(true);
        }
        let taken = self.memory_taken.saturating_add(desired.saturating_sub(current));
        if taken > self.memory_limit {
            return Err(TooMuch(Fault::Memory(self.memory_limit as u64)).into());
        }
        self.memory_taken = taken;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, own_most: Option<usize>) -> wasmtime::Result<bool> {
        if own_most.is_some_and(|most| desired > most) {
            return Ok(true);
        }
        let taken = self.table_taken.saturating_add(desired.saturating_sub(current));
        if taken > MOST_TABLE_ELEMENTS {
            return Err(TooMuch(Fault::Table(MOST_TABLE_ELEMENTS as u64)).into());
        }
        self.table_taken = taken;
        Ok(true)
    }

    fn instances(&self) -> usize {
        MOST_CORE_INSTANCES as usize
    }

    fn tables(&self) -> usize {
        MOST_TABLES as usize
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES as usize
    }
}
