//! Runs guards as WebAssembly components: isolated, limited, repeatable. The only crate that names
//! wasmtime, and no type of wasmtime leaves it. It decides nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | [`sandbox`](Sandbox) | the sandbox itself: built once, loads components, hands work to its threads |
//! | [`component`](Component) | compiled code, once per component; the loading order with a fault for each step |
//! | [`guard`](Guard) | a component with one configuration; a fresh instance for every call |
//! | `fresh` | that instance: made and configured, then its one evaluation |
//! | `ready` | instances made before a call needs them, and the thread that makes and drops them |
//! | `snapshot` | configured instances kept as components: wanted, built, proven equal, served, dropped |
//! | `engine` | the settings that make a run repeatable, and the clock's tick |
//! | `ceiling` | memory and tables that an instance may take |
//! | `contract` | the generated bindings and the way to and from the core's words |
//! | `trap` | from wasmtime's errors to faults |
//! | `workshop` | from bytes to code: the cache or the compiler, and what an operator should know |
//! | `compile` | compiling within limits: in a child process, or after a look at the structure |
//! | `structure` | that look |
//! | `child` | the child process, both sides |
//! | `cache` | compiled code on disk, under a keyed digest |
//! | [`lanes`](Work) | the threads that guards run on |
//! | [`here`](Here) | permits to run guards on the calling thread |

mod cache;
mod ceiling;
mod child;
mod compile;
mod component;
mod contract;
mod engine;
mod fresh;
mod guard;
mod here;
mod lanes;
mod ready;
mod sandbox;
mod snapshot;
mod structure;
mod trap;
mod workshop;

pub use child::{CompileLimits, CompileLimitsError, CompilerProcess, run_as_child};
pub use component::{Component, Inspection};
pub use contract::{CONTRACT_VERSION, GuestCall, PreparedCall};
pub use guard::{Guard, Judged, SettingsProblem};
pub use here::Here;
pub use lanes::{Lane, STACK_BYTES, Work};
pub use sandbox::{MOST_COMPONENT_BYTES, Sandbox, SandboxBuilder, SandboxError};

/// The exact release of wasmtime that runs guards; fuel figures hold for this one.
///
/// ```
/// # use agenthalt_sandbox::ENGINE_VERSION;
/// assert_eq!(ENGINE_VERSION.split('.').count(), 3);
/// ```
pub const ENGINE_VERSION: &str = wasmtime_environ::VERSION;
