//! AgentHalt decides, before an AI agent's function call runs, whether it may: allow, modify, require
//! approval, deny. Rules live in a policy, guards run in a sandbox, and any fault is a denial.
//!
//! ```no_run
//! use agenthalt::{Call, PolicyEngine};
//!
//! # fn main() -> Result<(), agenthalt::Error> {
//! let engine = PolicyEngine::builder().policy_file("policy.yaml").build()?;
//! let call = Call {
//!     function_name: "drop_table".into(),
//!     arguments: r#"{"table":"users"}"#.into(),
//!     ..Call::default()
//! };
//! let evaluation = engine.evaluate_blocking(&call);
//! if !evaluation.is_allowed() {
//!     println!("{}", evaluation.denial_reasons().join("; "));
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`](PolicyEngine) | the engine and its builder |
//! | [`evaluation`](Evaluation) | the full record of one run of the pipeline |
//! | [`simulation`](Simulation) | many calls in order under their own stamps, state in memory |
//! | [`check`](check::check) | whether a policy can serve, with everything that is wrong |
//! | [`inspect`](inspect::inspect) | what a component is and says of itself, and the schema of policies |
//! | `load` | from a policy's text to a roster of guards, each in its seat |
//! | `roster` | the guards of a policy; a guard that cannot serve keeps its seat |
//! | `judge` | rewriting and judging, synchronous, on the sandbox's threads |
//! | `matter` | what one evaluation is of: a call and its arguments, or its output |
//! | `pipeline` | the life of one call: read, judge, combine, commit |
//! | `let_through` | the calls whose output may come to be judged |
//! | `spending` | which counters a call reads and which charges it makes |
//! | `record` | what the audit log keeps of an evaluation |

pub mod check;
mod engine;
mod error;
mod evaluation;
pub mod inspect;
mod judge;
mod let_through;
mod load;
mod matter;
mod pipeline;
mod record;
mod roster;
mod simulation;
mod spending;

pub use agenthalt_core::call::{Call, MalformedCall};
pub use agenthalt_core::counter::{Counter, Measure, Partition, Window};
pub use agenthalt_core::description::{Description, Phases, Verdicts};
pub use agenthalt_core::digest::Digest;
pub use agenthalt_core::fault::Fault;
pub use agenthalt_core::policy::{Mode, Problem, Problems};
pub use agenthalt_core::subject::Phase;
pub use agenthalt_core::time::Timestamp;
pub use agenthalt_core::verdict::{Risk, Verdict};
pub use agenthalt_json::Json;
pub use agenthalt_sandbox::{
    CONTRACT_VERSION, CompileLimits, CompileLimitsError, CompilerProcess, ENGINE_VERSION, Sandbox, run_as_child,
};

pub use engine::{PolicyEngine, PolicyEngineBuilder, State};
pub use error::{Error, ErrorKind};
pub use evaluation::{Decision, Evaluation, OutputEvaluation, Rewrite, Silence};
pub use load::{Progress, built_in_names};
pub use simulation::{Human, Simulated, Simulation};
