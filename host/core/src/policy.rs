//! From the text of a policy to a checked one, with every problem at its place. It opens no file and
//! runs no guard: what a guard says of its settings is brought in by the caller.
//!
//! ```
//! use agenthalt_core::policy::PolicyDraft;
//! let draft = PolicyDraft::read("guards:\n  scope: {deny_functions: ['drop_*']}\n");
//! let policy = draft.finish()?;
//! assert_eq!(policy.guards[0].name, "scope");
//! # Ok::<(), agenthalt_core::policy::Problems>(())
//! ```

mod digest;
mod draft;
pub mod editor;
mod nearest;
mod number;
mod problem;
mod schema;
mod settings;
mod yaml;

use std::fmt;
use std::sync::Arc;

use crate::approval::{ApprovalPolicy, ApprovalSetting};
use crate::counter::{Measure, Window};
use crate::description::Phases;
use crate::digest::Digest;
use crate::limits::GuardLimits;
use crate::time::TimeZone;
use crate::verdict::Unmatched;

pub use draft::PolicyDraft;
pub use problem::{Position, Problem, Problems};
pub use settings::Settings;

use agenthalt_json::Limits as JsonLimits;

/// The names that stand for built-in guards.
pub const BUILT_IN_NAMES: [&str; 6] = ["budget", "purchase", "deletion", "rate_limit", "scope", "sensitive_data"];

/// A checked policy.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The guards in the order in which the policy names them, disabled ones included.
    pub guards: Vec<GuardEntry>,
    /// What a call gets that no guard judges.
    pub unmatched: Unmatched,
    /// Where days and months begin, and what guards see as civil time.
    pub time_zone: TimeZone,
    /// Where state is kept, if the policy says so.
    pub state: Option<StateSetting>,
    /// How large and how deep a call's arguments may be.
    pub call: JsonLimits,
    /// For how many milliseconds the answer to a call is on record: the same call under the same id gets it again,
    /// and what came of the call can be told.
    pub remembered_ms: u64,
    /// What is asked of those who approve calls.
    pub approval: ApprovalPolicy,
    /// The digest of all of it, however the text is written.
    pub digest: Digest,
}

/// Where state is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSetting {
    /// A path, relative to the policy's folder.
    pub path: String,
    /// What a commit waits for.
    pub durability: Durability,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Until the system has it: survives the end of the process at any instant, not a power cut.
    #[default]
    Process,
    /// Until the disk has it: survives a power cut.
    Power,
}

/// One guard of a policy.
#[derive(Clone, Debug)]
pub struct GuardEntry {
    /// The name under which the policy lists it.
    pub name: String,
    /// Where its component comes from.
    pub source: Source,
    /// What it is configured with.
    pub settings: Settings,
    /// Whether its word counts.
    pub mode: Mode,
    /// Whether it is run at all.
    pub enabled: bool,
    /// The phases in which the policy wants it; all that it judges, where silent.
    pub phases: Option<Phases>,
    /// What it may use.
    pub limits: GuardLimits,
    /// What is asked of those who approve calls about which it asks.
    pub approval: ApprovalSetting,
}

/// Where a guard's component comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Shipped with the host, by this name.
    BuiltIn(String),
    /// A file.
    Component {
        /// A path, relative to the policy's folder.
        path: String,
        /// The digest its bytes must have.
        sha256: Option<Digest>,
    },
    /// Bytes that the program which embeds the host brought.
    Given {
        /// The component.
        bytes: ComponentBytes,
        /// The digest the bytes must have.
        sha256: Option<Digest>,
    },
}

/// The bytes of a component. Shown by their number: they are long.
#[derive(Clone, PartialEq, Eq)]
pub struct ComponentBytes(pub Arc<[u8]>);

impl fmt::Debug for ComponentBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

/// Whether a guard's word counts.
///
/// ```
/// # use agenthalt_core::policy::Mode;
/// assert_eq!(Mode::default(), Mode::Enforce);
/// assert_eq!(Mode::Shadow.as_str(), "shadow");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// It counts.
    #[default]
    Enforce,
    /// It is judged and recorded without effect.
    Shadow,
}

impl Mode {
    /// The word in a policy: `enforce` or `shadow`.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        }
    }
}

impl GuardEntry {
    /// The name under which the host keeps one of the guard's counters. A window of another kind, a measure that
    /// looks at other things of a charge, and a guard that only watches, has a counter of its own.
    pub fn counter_key(&self, counter: &str, window: Window, measure: Measure) -> String {
        let kind = match window {
            Window::RollingMs(_) => "rolling",
            Window::Day => "day",
            Window::Month => "month",
            Window::Ever => "ever",
        };
        let mode = match self.mode {
            Mode::Enforce => "",
            Mode::Shadow => "shadow:",
        };
        let last = if measure.adds_up() { "" } else { "/last" };
        format!("{mode}{}/{counter}/{kind}{last}", self.name)
    }
}
