//! Decides, before an AI agent's function call runs, whether it may: **allow**, **modify** (run with other
//! arguments), **require approval** (a human decides) or **deny**.
//!
//! Rules are settings of guards, never a prompt. Each guard, the built-in ones included, is a WebAssembly
//! component that imports nothing and has limits of fuel, memory and time; whatever goes wrong in one is a
//! denial. Limits are kept in SQLite, so that two calls at once never both take the last of one.
//!
//! ```
//! use agenthalt::settings::{Budget, Deletion, Purchase};
//! use agenthalt::{Call, PolicyEngine};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = PolicyEngine::builder()
//!     .guard(Budget { max_daily_spend: Some("10".parse()?), ..Default::default() })
//!     .guard(Deletion {
//!         allow_patterns: vec!["temp_*".into(), "draft_*".into()],
//!         protected_resources: vec!["inbox".into(), "sent".into()],
//!         ..Default::default()
//!     })
//!     .guard(Purchase {
//!         max_single_purchase: Some("100".parse()?),
//!         require_approval_above: Some("50".parse()?),
//!         ..Default::default()
//!     })
//!     .build()?;
//!
//! let call = Call::new("delete_email", r#"{"folder": "inbox", "email_id": "inbox/7"}"#).agent("assistant");
//! let evaluation = engine.evaluate_blocking(&call); // or `engine.evaluate(&call).await`
//! if evaluation.is_allowed() {
//!     // Run it, with these arguments and no others.
//!     println!("runs with {}", evaluation.final_arguments);
//! } else if evaluation.needs_approval() {
//!     println!("a human must decide: {}", evaluation.approval_reasons().join("; "));
//! } else {
//!     println!("denied: {}", evaluation.denial_reasons().join("; "));
//! }
//! # agenthalt::assert_denied!(evaluation, "deletion");
//! # Ok(())
//! # }
//! ```
//!
//! # What to do next
//!
//! | to | see |
//! |---|---|
//! | set the rules of the six built-in guards | [`settings`], or a YAML file and [`PolicyEngine::from_policy_file`] |
//! | keep limits beyond the end of the process | [`State::File`] |
//! | judge what a tool gives back, before the model sees it | [`PolicyEngine::evaluate_output`] |
//! | try a guard without effect | [`GuardSetup::shadow`] |
//! | load a guard of one's own, from a file or from bytes | [`PolicyEngineBuilder::component`] |
//! | pin such a guard, bound or watch it | [`GuardSetup::component`] with [`sha256`](GuardSetup::sha256) |
//! | change the rules of a running engine | [`PolicyEngine::replace_policy`] |
//! | add what the host knows to a call, or refuse it | [`PolicyEngineBuilder::pre_hook`] |
//! | answer what needs a human, and present the call again | [`PolicyEngine::approve`], [`PolicyEngine::evaluate_approved`] |
//! | hear of verdicts, questions and faults | [`PolicyEngine::listen`] |
//! | compile guards once for all starts | [`Sandbox::builder`] with a cache, and [`PolicyEngineBuilder::sandbox`] |
//! | test one's own program | [`testing`] |
//!
//! # What one can rely on
//!
//! - A call is denied where anything goes wrong: a guard that traps, runs out of fuel or time or memory,
//!   is missing or has another digest, state that cannot be written. No setting ignores a fault.
//! - Only [`Evaluation::final_arguments`] may run: every guard's word was given on these.
//! - What a call costs is charged in the transaction that writes its audit record, before the verdict is
//!   given out; a call that does not run spends nothing but what counts attempts.
//! - Without a state file, limits end with the engine: [`PolicyEngine::forgets`] says so.
//! - A question to a human outlives the process; a yes serves one call, the very one that was asked about, under the
//!   rules that asked, and only while nothing else denies it.
//! - A panic of a hook, a clock or the judging is a denial, except where the program aborts on panics.
//!
//! # What it takes
//!
//! Rust 1.95 and a C compiler. The six built-in guards are inside, as components of a megabyte together; the
//! first start compiles them in a second or two, with a cache the next one loads them in milliseconds. A guard
//! may burn 50 million fuel, use 16 MiB and take 250 ms in a call, unless its [limits](GuardLimits) say
//! otherwise. No HTTP server and no command line come with this crate.
//!
//! # Modules
//!
//! | module | what it holds |
//! |---|---|
//! | [`engine`](PolicyEngine) | the engine: judges; in `change`, its policy is changed |
//! | [`builder`](PolicyEngineBuilder) | sets up an engine |
//! | [`source`](PolicySource) | where a policy comes from: a file, a text, code |
//! | [`setup`](GuardSetup) | a guard as a program sets it up |
//! | [`settings`] | the settings of the six built-in guards, one type each |
//! | [`status`](GuardStatus) | how the guards of a policy are |
//! | [`evaluation`](Evaluation) | the full record of one run of the pipeline |
//! | [`settle`](CallRef) | what came of a call, told by the side that ran it |
//! | [`counters`](CounterStatus) | what is spent and counted, for people |
//! | [`limit`](CounterLimit) | which setting limits which counter |
//! | [`approval`](Approval) | questions to humans: asked, shown without secrets, answered |
//! | [`simulation`](Simulation) | many calls in order under their own stamps, state in memory |
//! | [`events`](Event) | what happens, for those who listen |
//! | [`clock`](Clock) | what stamps a call |
//! | [`testing`] | for tests of programs that embed the engine |
//! | [`inspect`](inspect::inspect) | what a component is and says of itself, and the schema of policies |
//! | `load` | from a policy's text to a roster of guards, each in its seat |
//! | `roster` | the guards of a policy; a guard that cannot serve keeps its seat |
//! | `judge` | rewriting and judging, synchronous, on the sandbox's threads |
//! | `matter` | what one evaluation is of: a call and its arguments, or its output |
//! | `pipeline` | the life of one call: read, judge, combine, commit |
//! | `attempts` | judging until what was judged is committed |
//! | `grant` | the yes that a call is judged under |
//! | `let_through` | the calls whose output may come to be judged |
//! | `spending` | which counters a call reads and which charges it makes |
//! | `hooks` | the host's own code before and after the judging |
//! | `trace` | spans for those who trace |
//! | `record` | what the audit log keeps of an evaluation |
//! | `repeat` | an answer that was given before, once more |

mod approval;
mod attempts;
mod builder;
mod clock;
mod counters;
mod engine;
mod error;
mod evaluation;
mod events;
mod grant;
mod hooks;
pub mod inspect;
mod judge;
mod let_through;
mod limit;
mod load;
mod matter;
mod pipeline;
mod printable;
mod record;
mod repeat;
mod roster;
pub mod settings;
mod settle;
mod setup;
mod simulation;
mod source;
mod spending;
mod status;
pub mod testing;
mod trace;

pub use agenthalt_core::amount::{Amount, AmountError};
pub use agenthalt_core::approval::{
    Answer, ApprovalId, ApprovalSetting, ArgumentTerm, BadTerm, Expiry, NotAnApprovalId, NotAnswered, Standing, Terms,
    Word,
};
pub use agenthalt_core::call::{Call, MalformedCall};
pub use agenthalt_core::counter::{Charge, ChargeWhen, Counter, Measure, Partition, Window};
pub use agenthalt_core::description::{Description, Phases, Verdicts};
pub use agenthalt_core::digest::{Digest, NotADigest};
pub use agenthalt_core::fault::Fault;
pub use agenthalt_core::limits::{GuardLimits, LimitError, parse_time_ms};
pub use agenthalt_core::outcome::{Outcome, Status, UnknownStatus};
pub use agenthalt_core::policy::{Mode, Position, Problem, Problems};
pub use agenthalt_core::subject::Phase;
pub use agenthalt_core::time::{NotATime, Timestamp};
pub use agenthalt_core::verdict::{Risk, Unmatched, Verdict};
pub use agenthalt_json::{Error as JsonError, Json, Limits as JsonLimits, Number, Object};
pub use agenthalt_sandbox::{
    CONTRACT_VERSION, CompileLimits, CompileLimitsError, CompilerProcess, ENGINE_VERSION, Sandbox, SandboxBuilder,
    SandboxError, run_as_child,
};

#[cfg(unix)]
pub use approval::ConsoleApprovalHandler;
pub use approval::{
    Approval, ApprovalFilter, ApprovalHandler, ApprovalRequest, ApprovalResponse, Approver, Asked, AutoApproveHandler,
    AutoDenyHandler, CallbackApprovalHandler, Change, Cost, HandlerError, Reason, StoredApprovalHandler,
};
#[cfg(feature = "webhook")]
pub use approval::{BadSignature, WebhookApprovalHandler, WebhookSecret};
pub use builder::{PolicyEngineBuilder, State};
pub use clock::Clock;
pub use counters::{CounterFilter, CounterStatus, Who};
pub use engine::PolicyEngine;
pub use error::{Error, ErrorKind};
pub use evaluation::{Decision, Evaluation, OutputEvaluation, Rewrite, Silence};
pub use events::{AnswerEvent, Event, Events, FaultEvent, PolicyEvent, SettlementEvent};
pub use limit::CounterLimit;
pub use load::{Progress, built_in_names};
pub use printable::printable;
pub use settle::{CallRef, Settled};
pub use setup::{ComponentSource, GuardSetup};
pub use simulation::{Human, Simulated, Simulation};
pub use source::PolicySource;
pub use status::GuardStatus;

/// The programs of the page about guards of one's own, tried.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/writing-guards.md")]
struct WritingGuards;

/// The programs of the project's first page, tried.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FirstPage;
