//! The engine and its builder: a policy's guards, a state, a sandbox. It reads the clock, once for
//! each call.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use agenthalt_core::call::Call;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::Timestamp;
use agenthalt_sandbox::Sandbox;
use agenthalt_store::{SqliteStore, Store};

use crate::error::{Cause, Error};
use crate::evaluation::{Evaluation, OutputEvaluation};
use crate::load::{Loader, Progress, built_in_names};
use crate::pipeline::{Bench, Grant};
use crate::roster::Roster;

/// The tenant of an engine that serves one.
const DEFAULT_TENANT: &str = "default";
/// More than a policy may have in bytes.
const MOST_POLICY_BYTES: u64 = 2 << 20;

/// Where state is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Where the policy says; in memory where it says nothing.
    #[default]
    AsThePolicySays,
    /// In this file, made where it is missing. What a commit waits for is as the policy says.
    File(PathBuf),
    /// In memory: limits last as long as the engine.
    InMemory,
}

/// Sets up an engine.
#[derive(Default)]
pub struct PolicyEngineBuilder {
    policy: Option<PolicySource>,
    state: State,
    sandbox: Option<Sandbox>,
    replaced: BTreeMap<String, Vec<u8>>,
    progress: Option<Progress>,
}

enum PolicySource {
    File(PathBuf),
    Text { text: String, folder: PathBuf },
}

impl PolicyEngineBuilder {
    /// Takes the policy from a file; its relative paths start at the file's folder.
    #[must_use]
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.policy = Some(PolicySource::File(path.into()));
        self
    }

    /// Takes the policy as text; its relative paths start at `folder`.
    #[must_use]
    pub fn policy_text(mut self, text: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.policy = Some(PolicySource::Text { text: text.into(), folder: folder.into() });
        self
    }

    /// Keeps state there.
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Runs guards in this sandbox, which engines may share; without one, in a sandbox of its own
    /// without a cache.
    #[must_use]
    pub fn sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// Puts another component in the place of a built-in guard's: for those who build their own.
    #[must_use]
    pub fn built_in(mut self, name: impl Into<String>, component: impl Into<Vec<u8>>) -> Self {
        self.replaced.insert(name.into(), component.into());
        self
    }

    /// Is told while components are compiled.
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Makes the engine. A guard whose component cannot serve does not stop it: that guard keeps its
    /// seat, and every call is denied with its fault.
    ///
    /// # Errors
    /// [`Error`] where the policy's text is refused or cannot be read, where state cannot be used, and
    /// where the sandbox cannot be made.
    pub fn build(self) -> Result<PolicyEngine, Error> {
        let loaded = self.load()?;
        let setting = loaded.roster.policy.state.as_ref();
        let path = match (self.state, setting) {
            (State::File(path), _) => Some(path),
            (State::AsThePolicySays, Some(setting)) => Some(loaded.folder.join(&setting.path)),
            (State::AsThePolicySays, None) | (State::InMemory, _) => None,
        };
        let durability = setting.map_or(Durability::default(), |setting| setting.durability);
        let forgets = path.is_none();
        let store = match path {
            Some(path) => SqliteStore::open(&path, durability),
            None => SqliteStore::in_memory(),
        };
        let store: Arc<dyn Store> = Arc::new(store.map_err(Cause::State)?);
        Ok(PolicyEngine {
            forgets,
            bench: Bench {
                roster: Arc::new(loaded.roster),
                sandbox: loaded.sandbox,
                store,
                tenant: DEFAULT_TENANT.into(),
                let_through: Arc::default(),
            },
        })
    }

    /// Everything but the state.
    pub(crate) fn load(&self) -> Result<Loaded, Error> {
        let (file, text, folder) = match self.policy.as_ref().ok_or(Cause::NoPolicy)? {
            PolicySource::File(path) => {
                let text = read_text(path).map_err(|error| Error::cannot_read(path, error))?;
                let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                (path.display().to_string(), text, folder)
            }
            PolicySource::Text { text, folder } => ("policy".to_owned(), text.clone(), folder.clone()),
        };
        if let Some(name) = self.replaced.keys().find(|name| !built_in_names().contains(&name.as_str())) {
            return Err(Cause::NoSuchBuiltIn(name.clone()).into());
        }
        let sandbox = match &self.sandbox {
            Some(sandbox) => sandbox.clone(),
            None => Sandbox::builder().build().map_err(Cause::Sandbox)?,
        };
        let loader = Loader {
            sandbox: &sandbox,
            built_in: agenthalt_builtins::BUILTINS,
            folder: &folder,
            replaced: &self.replaced,
            progress: self.progress.as_ref(),
        };
        let roster = loader.load(&text).map_err(|problems| Cause::Policy { file, problems })?;
        Ok(Loaded { roster, sandbox, folder })
    }
}

impl std::fmt::Debug for PolicyEngineBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyEngineBuilder").field("state", &self.state).finish_non_exhaustive()
    }
}

/// A loaded policy without a state.
pub(crate) struct Loaded {
    pub(crate) roster: Roster,
    sandbox: Sandbox,
    folder: PathBuf,
}

/// Judges calls under one policy. Cheap to clone; clones share state and guards.
#[derive(Clone)]
pub struct PolicyEngine {
    bench: Bench,
    forgets: bool,
}

impl PolicyEngine {
    /// Sets up an engine.
    pub fn builder() -> PolicyEngineBuilder {
        PolicyEngineBuilder::default()
    }

    /// Judges a call now. Where state cannot be used, or anything else goes wrong, the evaluation is a
    /// denial that says so. Needs no runtime: guards and state have threads of their own.
    pub async fn evaluate(&self, call: &Call) -> Evaluation {
        self.evaluate_at(call, now()).await
    }

    /// Judges a call now and waits for it; also inside a runtime, whose thread it takes up.
    pub fn evaluate_blocking(&self, call: &Call) -> Evaluation {
        pollster::block_on(self.evaluate(call))
    }

    /// Judges a call under a stamp of the host's. A stamp that the agent could choose would let it
    /// choose its windows: never take one from a call.
    pub async fn evaluate_at(&self, call: &Call, at: Timestamp) -> Evaluation {
        self.judge(call, call_id(call), at, None).await
    }

    /// Judges the output of a call that this engine let through, before anybody sees it. The call is
    /// named by its id, which the host should choose: an output of unknown origin, or of one of two calls
    /// of one id, is withheld. Calls are known in memory only: the 10,000 latest, of 64 MiB together.
    pub async fn evaluate_output(&self, call_id: &str, output: &str) -> OutputEvaluation {
        self.evaluate_output_at(call_id, output, now()).await
    }

    /// Judges an output now and waits for it; also inside a runtime, whose thread it takes up.
    pub fn evaluate_output_blocking(&self, call_id: &str, output: &str) -> OutputEvaluation {
        pollster::block_on(self.evaluate_output(call_id, output))
    }

    /// Judges an output under a stamp of the host's, as [`evaluate_at`](Self::evaluate_at) a call.
    pub async fn evaluate_output_at(&self, call_id: &str, output: &str, at: Timestamp) -> OutputEvaluation {
        let judged = self.bench.evaluate_output(call_id, output, at).await;
        tracing::debug!(call = %call_id, verdict = %judged.evaluation.verdict, "output");
        judged
    }

    pub(crate) async fn judge(&self, call: &Call, id: String, at: Timestamp, grant: Option<Grant>) -> Evaluation {
        let evaluation = self.bench.evaluate(call, id, at, grant).await;
        tracing::debug!(call = %evaluation.call_id, verdict = %evaluation.verdict, "evaluation");
        evaluation
    }

    /// Whether limits end with the engine, because nothing says where state is kept.
    pub fn forgets(&self) -> bool {
        self.forgets
    }

    /// The digest of the policy.
    pub fn policy_digest(&self) -> Digest {
        self.bench.roster.policy.digest
    }

    /// The guards that cannot serve, with what is wrong. While one of them enforces, every call is
    /// denied.
    pub fn faults(&self) -> Vec<(String, Fault)> {
        faults(&self.bench.roster)
    }
}

impl std::fmt::Debug for PolicyEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PolicyEngine").field("policy", &self.policy_digest()).finish_non_exhaustive()
    }
}

pub(crate) fn faults(roster: &Roster) -> Vec<(String, Fault)> {
    let faults = roster
        .seats
        .iter()
        .filter_map(|seat| seat.occupant.as_ref().err().map(|fault| (seat.name().to_owned(), fault.clone())));
    faults.collect()
}

/// Reads a policy's text; what is behind the largest one is left, and makes it too large.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_POLICY_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// The call's name, or one for a call that has none.
pub(crate) fn call_id(call: &Call) -> String {
    call.id.clone().filter(|id| !id.is_empty()).unwrap_or_else(new_call_id)
}

fn new_call_id() -> String {
    let mut bytes = [0; 16];
    // Without randomness the name is still one; uniqueness then rests on the clock.
    if getrandom::fill(&mut bytes).is_err() {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        bytes = nanos.to_le_bytes();
    }
    bytes.iter().fold("call-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// The host's clock. One that stands before 1970 or beyond the year 9999 is taken as 1970, where no
/// counter's own clock follows it.
fn now() -> Timestamp {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millis(millis).ok()).unwrap_or(Timestamp::EPOCH)
}
