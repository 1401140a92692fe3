//! Compiling within limits. A foreign component is compiled in a child process where the host has
//! one, and in this process only after a look at its structure. It runs nothing.

use agenthalt_core::fault::Fault;
use wasmparser::Parser;
use wasmtime::Engine;

use crate::child::{CompileLimits, CompilerProcess};
use crate::structure;

/// How components are compiled.
#[derive(Clone, Debug)]
pub(crate) enum Compiler {
    /// In a child process with limits on time and memory.
    Child(CompilerProcess, CompileLimits),
    /// In this process, after a look at the structure.
    InProcess,
}

impl Compiler {
    /// Compiles a component to code for this engine.
    ///
    /// # Errors
    /// [`Fault::NotAComponent`], [`Fault::FailedToCompile`], and what begins larger than it may.
    pub(crate) fn compile(&self, engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        if Parser::is_component(bytes) {
            structure::check_sizes(bytes)?;
        }
        // INVARIANT: no foreign component reaches Cranelift without a bound on what it may cost.
        match self {
            Compiler::Child(process, limits) => process.compile(bytes, *limits),
            Compiler::InProcess => {
                structure::check(bytes)?;
                engine
                    .precompile_component(bytes)
                    .map_err(|error| Fault::NotAComponent(crate::trap::cut(&format!("{error:#}"))))
            }
        }
    }
}
