//! Sets up an engine: its policy, its state, its sandbox, its hooks. It judges nothing.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use agenthalt_core::call::Call;
use agenthalt_core::policy::Durability;
use agenthalt_core::verdict::Unmatched;
use agenthalt_sandbox::Sandbox;
use agenthalt_store::{SqliteStore, Store};
use serde::Serialize;

use crate::approval::{ApprovalHandler, Handling};
use crate::clock::{Clock, SystemClock};
use crate::engine::PolicyEngine;
use crate::error::{Cause, Error};
use crate::evaluation::Evaluation;
use crate::hooks::Hooks;
use crate::load::{Loader, Progress, built_in_names};
use crate::roster::Roster;
use crate::setup::{ComponentSource, GuardSetup};
use crate::source::PolicySource;
use crate::status::GuardStatus;

/// Where state is kept: what is spent and counted, and the audit log.
///
/// ```
/// # use agenthalt::{PolicyEngine, State, settings::Budget};
/// let folder = std::env::temp_dir().join(format!("agenthalt-example-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// let state = State::File(folder.join("state.db"));
/// let engine = PolicyEngine::builder().guard(Budget::default()).state(state).build()?;
/// assert!(!engine.forgets());
/// # drop(engine);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Where the policy says; in memory where it says nothing.
    #[default]
    AsThePolicySays,
    /// In this file, made where it is missing. What a commit waits for is as the policy says.
    File(PathBuf),
    /// In memory: limits last as long as the engine.
    InMemory,
}

/// Sets up an engine; begun by [`PolicyEngine::builder`].
///
/// ```
/// use agenthalt::settings::{Budget, Deletion};
/// use agenthalt::{PolicyEngine, State};
///
/// let engine = PolicyEngine::builder()
///     .guard(Budget { max_daily_spend: Some("10".parse()?), ..Budget::default() })
///     .guard(Deletion { protected_resources: vec!["inbox".into()], ..Deletion::default() })
///     .state(State::InMemory)
///     .build()?;
/// assert!(engine.faults().is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PolicyEngineBuilder {
    policy: PolicySource,
    state: State,
    sandbox: Option<Sandbox>,
    replaced: BTreeMap<String, Vec<u8>>,
    progress: Option<Progress>,
    hooks: Hooks,
    clock: Arc<dyn Clock>,
    asks: bool,
    handling: Handling,
    /// What is wrong with the handler.
    handler: Result<(), Error>,
}

impl Default for PolicyEngineBuilder {
    fn default() -> Self {
        PolicyEngineBuilder {
            policy: PolicySource::default(),
            state: State::default(),
            sandbox: None,
            replaced: BTreeMap::new(),
            progress: None,
            hooks: Hooks::default(),
            clock: Arc::new(SystemClock),
            asks: true,
            handling: Handling::default(),
            handler: Ok(()),
        }
    }
}

impl PolicyEngineBuilder {
    /// Puts this policy to what was said before: its text, if it has one, takes the place of another; its
    /// guards stand behind the others.
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, PolicySource, settings::Scope};
    /// let engine = PolicyEngine::builder().policy(PolicySource::in_code().guard(Scope::default())).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn policy(mut self, policy: PolicySource) -> Self {
        self.policy.add(policy);
        self
    }

    /// Takes the policy's text from a file; its relative paths start at the file's folder. Guards that code
    /// adds stand behind those of the file.
    ///
    /// ```no_run
    /// # use agenthalt::PolicyEngine;
    /// let engine = PolicyEngine::builder().policy_file("policy.yaml").build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.policy.add(PolicySource::file(path));
        self
    }

    /// Takes the policy's text from here; its relative paths start at `folder`.
    ///
    /// ```
    /// # use agenthalt::PolicyEngine;
    /// let engine = PolicyEngine::builder().policy_text("guards: {scope: {read_only_mode: true}}", ".").build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn policy_text(mut self, text: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.policy.add(PolicySource::text_in(text, folder));
        self
    }

    /// Adds a guard: the settings of a built-in one, or a [`GuardSetup`].
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, settings::Scope};
    /// let engine = PolicyEngine::builder().guard(Scope { read_only_mode: true, ..Scope::default() }).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn guard(mut self, guard: impl Into<GuardSetup>) -> Self {
        self.policy = self.policy.guard(guard);
        self
    }

    /// Adds a guard of one's own, from a path or from bytes, with settings that serialise to a JSON object.
    ///
    /// ```
    /// # use agenthalt::PolicyEngine;
    /// let settings = serde_json::json!({ "from": 9, "to": 17 });
    /// let engine = PolicyEngine::builder().component("hours", "missing.wasm", settings).build()?;
    /// // A component that cannot serve keeps its seat, and every call is denied.
    /// assert_eq!(engine.faults().len(), 1);
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn component(
        mut self,
        name: impl Into<String>,
        component: impl Into<ComponentSource>,
        settings: impl Serialize,
    ) -> Self {
        self.policy = self.policy.component(name, component, settings);
        self
    }

    /// What a call gets that no guard judges; without this, as the policy's text says, else it is allowed.
    ///
    /// ```
    /// # use agenthalt::{Call, PolicyEngine, Unmatched};
    /// let engine = PolicyEngine::builder().unmatched(Unmatched::Deny).build()?;
    /// assert!(!engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn unmatched(mut self, unmatched: Unmatched) -> Self {
        self.policy = self.policy.unmatched(unmatched);
        self
    }

    /// Where days and months begin, as `Europe/Berlin`; without this, as the policy's text says, else UTC.
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, settings::Budget};
    /// let engine = PolicyEngine::builder().guard(Budget::default()).time_zone("Europe/Berlin").build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.policy = self.policy.time_zone(name);
        self
    }

    /// Keeps state there.
    ///
    /// ```no_run
    /// # use agenthalt::{PolicyEngine, State, settings::Budget};
    /// let state = State::File("agenthalt.db".into());
    /// let engine = PolicyEngine::builder().guard(Budget::default()).state(state).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// Runs guards in this sandbox, which engines may share; without one, in a sandbox of its own
    /// without a cache.
    ///
    /// ```no_run
    /// # use agenthalt::{PolicyEngine, Sandbox, settings::Budget};
    /// let sandbox = Sandbox::builder().cache("/var/cache/agenthalt").build()?;
    /// let engine = PolicyEngine::builder().guard(Budget::default()).sandbox(sandbox).build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn sandbox(mut self, sandbox: Sandbox) -> Self {
        self.sandbox = Some(sandbox);
        self
    }

    /// Puts another component in the place of a built-in guard's: for those who build their own.
    ///
    /// ```no_run
    /// # use agenthalt::{PolicyEngine, settings::Budget};
    /// let engine = PolicyEngine::builder()
    ///     .guard(Budget::default())
    ///     .built_in("budget", std::fs::read("target/budget.wasm")?)
    ///     .build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn built_in(mut self, name: impl Into<String>, component: impl Into<Vec<u8>>) -> Self {
        self.replaced.insert(name.into(), component.into());
        self
    }

    /// Is told while components are compiled: how many are done, of how many.
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, settings::Budget};
    /// let engine = PolicyEngine::builder()
    ///     .guard(Budget::default())
    ///     .progress(|done, of| eprintln!("compiled {done} of {of} guards"))
    ///     .build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn progress(mut self, progress: impl Fn(usize, usize) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Adds a hook that each call passes before it is judged, in the order of adding; it runs on the
    /// caller's thread. What it gives back is what is judged: where the arguments differ from the caller's, the
    /// verdict is modify. It may not change the function's name. Where it fails or panics, the call is denied
    /// with its text. Outputs pass no hook.
    ///
    /// It should give the same for the same call: one that adds a number that varies makes each call a new one.
    /// A hook that judges calls itself must come to an end: below the fourth, hooks are refused.
    ///
    /// ```
    /// # use agenthalt::{Call, PolicyEngine, settings::Scope};
    /// let engine = PolicyEngine::builder()
    ///     .guard(Scope::default())
    ///     .pre_hook(|call: Call| match call.agent_id {
    ///         Some(_) => Ok(call),
    ///         None => Err("a call must name its agent"),
    ///     })
    ///     .build()?;
    /// assert!(!engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn pre_hook<E: fmt::Display>(mut self, hook: impl Fn(Call) -> Result<Call, E> + Send + Sync + 'static) -> Self {
        self.hooks.add_pre(hook);
        self
    }

    /// Adds a hook that sees each call as it was judged, and its evaluation, after the commit and before the
    /// caller; it runs on the caller's thread. It changes nothing: where it fails or panics, that is an
    /// event.
    ///
    /// ```
    /// # use agenthalt::{Call, Evaluation, PolicyEngine, settings::Scope};
    /// let engine = PolicyEngine::builder()
    ///     .guard(Scope::default())
    ///     .post_hook(|call: &Call, evaluation: &Evaluation| {
    ///         println!("{}: {}", call.function_name, evaluation.verdict);
    ///         Ok::<(), std::io::Error>(())
    ///     })
    ///     .build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn post_hook<E: fmt::Display>(
        mut self,
        hook: impl Fn(&Call, &Evaluation) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        self.hooks.add_post(hook);
        self
    }

    /// Stamps calls by this clock instead of the machine's: for tests and for replays.
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, settings::Budget, testing::FixedClock};
    /// let noon = FixedClock::at("2026-01-15T12:00:00Z");
    /// let engine = PolicyEngine::builder().guard(Budget::default()).clock(noon).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Lets a handler put questions to humans while their calls wait; as
    /// [`set_approval_handler`](PolicyEngine::set_approval_handler), whose error comes from [`build`](Self::build).
    ///
    /// ```
    /// # use agenthalt::{AutoDenyHandler, PolicyEngine, settings::Budget};
    /// let handler = AutoDenyHandler::new("nobody is here at night");
    /// let engine = PolicyEngine::builder().guard(Budget::default()).approval_handler(handler).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn approval_handler(mut self, handler: impl ApprovalHandler + 'static) -> Self {
        self.handler = self.handling.set(handler).map_err(Error::from);
        self
    }

    /// Allows handlers that say yes without asking anybody: for tests of programs. Say it before the handler.
    ///
    /// ```
    /// # use agenthalt::{AutoApproveHandler, PolicyEngine, settings::Budget};
    /// let builder = PolicyEngine::builder().guard(Budget::default()).allow_automatic_approval();
    /// let engine = builder.approval_handler(AutoApproveHandler::new()).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    #[must_use]
    pub fn allow_automatic_approval(mut self) -> Self {
        self.handling.allows_automatic = true;
        self
    }

    /// Asks no human: what needs one does not run.
    pub(crate) fn asks_nobody(self) -> Self {
        PolicyEngineBuilder { asks: false, ..self }
    }

    /// Makes the engine. A guard whose component cannot serve does not stop it: that guard keeps its
    /// seat, and every call is denied with its fault.
    ///
    /// ```
    /// # use agenthalt::{ErrorKind, PolicyEngine};
    /// let refused = PolicyEngine::builder().policy_text("guards: {budget: {max_daily_spent: 10}}", ".").build();
    /// let error = refused.unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Policy);
    /// assert!(error.to_string().contains("did you mean `max_daily_spend`?"));
    /// ```
    ///
    /// # Errors
    /// [`Error`] where the policy is refused or cannot be read, where state cannot be used, and where the
    /// sandbox cannot be made.
    pub fn build(self) -> Result<PolicyEngine, Error> {
        let Loaded { roster, sandbox, folder } = self.load()?;
        let store = match state_file(&self.state, &roster, &folder) {
            Some((path, durability)) => SqliteStore::open(&path, durability),
            None => SqliteStore::in_memory(),
        };
        let keeping = Keeping::of(self.state, &roster, &folder);
        let store: Arc<dyn Store> = Arc::new(store.map_err(Cause::State)?);
        let PolicyEngineBuilder { replaced, hooks, clock, asks, handling, handler, .. } = self;
        handler?;
        let parts = Parts { sandbox, store, replaced, hooks, clock, asks, handling, folder };
        Ok(PolicyEngine::new(parts, roster, keeping))
    }

    /// Loads the policy as [`build`](Self::build) would and tells how its guards are. It opens no state.
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, settings::Budget};
    /// let guards = PolicyEngine::builder().guard(Budget::default()).check()?;
    /// assert!(guards.iter().all(|guard| guard.fault.is_none()));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where the policy is refused or cannot be read.
    pub fn check(&self) -> Result<Vec<GuardStatus>, Error> {
        Ok(self.load()?.roster.seats.iter().map(GuardStatus::of).collect())
    }

    /// Everything but the state.
    pub(crate) fn load(&self) -> Result<Loaded, Error> {
        let read = self.policy.read()?;
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
            folder: &read.folder,
            replaced: &self.replaced,
            progress: self.progress.as_ref(),
        };
        let loaded = loader.load(read.draft, &[]);
        let roster = loaded.map_err(|problems| Cause::Policy { file: read.file, problems })?;
        Ok(Loaded { roster, sandbox, folder: read.folder })
    }
}

impl fmt::Debug for PolicyEngineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyEngineBuilder")
            .field("policy", &self.policy)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// A loaded policy without a state.
pub(crate) struct Loaded {
    pub(crate) roster: Roster,
    sandbox: Sandbox,
    folder: PathBuf,
}

/// What an engine has that no policy changes.
pub(crate) struct Parts {
    pub(crate) sandbox: Sandbox,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) replaced: BTreeMap<String, Vec<u8>>,
    pub(crate) hooks: Hooks,
    pub(crate) clock: Arc<dyn Clock>,
    /// Whether humans are asked.
    pub(crate) asks: bool,
    pub(crate) handling: Handling,
    /// Where the policy's relative paths start.
    pub(crate) folder: PathBuf,
}

/// How an engine keeps its state.
#[derive(Debug)]
pub(crate) struct Keeping {
    state: State,
    /// The file by its absolute path, and what a commit waits for; none in memory, where limits end with the
    /// engine.
    pub(crate) place: Option<(PathBuf, Durability)>,
}

impl Keeping {
    fn of(state: State, roster: &Roster, folder: &Path) -> Self {
        let file = state_file(&state, roster, folder);
        let place = file.map(|(path, durability)| (std::path::absolute(&path).unwrap_or(path), durability));
        Keeping { state, place }
    }

    /// Whether another policy, whose relative paths start at `folder`, keeps state in the same way.
    pub(crate) fn is_kept_by(&self, roster: &Roster, folder: &Path) -> bool {
        Keeping::of(self.state.clone(), roster, folder).place == self.place
    }
}

/// The state file as it is said, and what a commit waits for; none for state in memory.
fn state_file(state: &State, roster: &Roster, folder: &Path) -> Option<(PathBuf, Durability)> {
    let setting = roster.policy.state.as_ref();
    let path = match state {
        State::File(path) => path.clone(),
        State::AsThePolicySays => folder.join(&setting?.path),
        State::InMemory => return None,
    };
    Some((path, setting.map_or(Durability::default(), |setting| setting.durability)))
}
