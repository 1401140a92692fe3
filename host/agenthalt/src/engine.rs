//! The engine: a policy's guards, a state, a sandbox. It stamps each call once and never lets two policies
//! meet in one evaluation.

mod change;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use agenthalt_core::approval::ApprovalId;
use agenthalt_core::call::Call;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::subject::Phase;
use agenthalt_core::time::Timestamp;
use agenthalt_sandbox::Lane;
use agenthalt_store::NamedBy;
use tracing::Instrument;

use crate::approval::Handling;
use crate::builder::{Keeping, Parts, PolicyEngineBuilder};
use crate::clock::Clock;
use crate::error::Error;
use crate::evaluation::{Evaluation, OutputEvaluation};
use crate::events::{Events, Listeners};
use crate::grant::Under;
use crate::hooks::Hooks;
use crate::pipeline::{Bench, Presented, Room};
use crate::roster::Roster;
use crate::trace;

/// The tenant of an engine that serves one.
const DEFAULT_TENANT: &str = "default";
/// How many questions about one call are put to humans while it waits.
const MOST_QUESTIONS: usize = 3;

/// Judges calls under one policy. Cheap to clone; clones are one engine, of any number of threads.
///
/// ```
/// use agenthalt::{Call, PolicyEngine, settings::Scope};
///
/// let engine = PolicyEngine::builder().guard(Scope { read_only_mode: true, ..Scope::default() }).build()?;
/// let evaluation = engine.evaluate_blocking(&Call::new("drop_table", r#"{"table": "users"}"#));
/// assert!(!evaluation.is_allowed());
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone)]
pub struct PolicyEngine(Arc<Inner>);

struct Inner {
    room: Arc<Room>,
    // INVARIANT: an evaluation takes the roster once, so that no two policies meet in one.
    roster: RwLock<Arc<Roster>>,
    /// Held while the roster is changed: each change is made to what the last one left. It is the folder where
    /// the policy's relative paths start.
    changing: Mutex<PathBuf>,
    replaced: BTreeMap<String, Vec<u8>>,
    hooks: Hooks,
    clock: Arc<dyn Clock>,
    listeners: Listeners,
    handling: Handling,
    keeping: Keeping,
}

/// When a call came, or why that is not known.
pub(crate) type Stamp = Result<Timestamp, Fault>;

/// By which clock a call is stamped, each time that it is judged.
#[derive(Clone, Copy, Debug)]
pub(crate) enum When {
    /// The engine's.
    Now,
    /// The host's own.
    At(Timestamp),
}

/// Where guards are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// On the calling thread, where the sandbox has a permit for it.
    Here,
    /// On the sandbox's threads.
    Lane,
}

impl PolicyEngine {
    /// Sets up an engine.
    ///
    /// ```
    /// # use agenthalt::{PolicyEngine, settings::Budget};
    /// let engine = PolicyEngine::builder().guard(Budget::default()).build()?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn builder() -> PolicyEngineBuilder {
        PolicyEngineBuilder::default()
    }

    /// An engine with the policy in this file, which also says where state is kept.
    ///
    /// ```no_run
    /// let engine = agenthalt::PolicyEngine::from_policy_file("policy.yaml")?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`PolicyEngineBuilder::build`].
    pub fn from_policy_file(path: impl Into<PathBuf>) -> Result<Self, Error> {
        PolicyEngine::builder().policy_file(path).build()
    }

    pub(crate) fn new(parts: Parts, roster: Roster, keeping: Keeping) -> Self {
        let Parts { sandbox, store, replaced, hooks, clock, asks, handling, folder } = parts;
        let tenant = DEFAULT_TENANT.to_owned();
        let (let_through, queue) = Default::default();
        let room = Room { sandbox, store, tenant, let_through, queue, asks };
        PolicyEngine(Arc::new(Inner {
            room: Arc::new(room),
            roster: RwLock::new(Arc::new(roster)),
            changing: Mutex::new(folder),
            replaced,
            hooks,
            clock,
            listeners: Listeners::default(),
            handling,
            keeping,
        }))
    }

    /// Judges a call now. Where state cannot be used, or anything else goes wrong, the evaluation is a
    /// denial that says so. Needs no runtime: guards and state have threads of their own.
    ///
    /// Where the future is dropped before it is ready, the call must not run. It may have been judged, recorded
    /// and charged all the same: listeners hear of that.
    ///
    /// ```
    /// # async fn judge(engine: agenthalt::PolicyEngine) {
    /// use agenthalt::Call;
    /// let evaluation = engine.evaluate(&Call::new("send_mail", r#"{"to": "ada@example.org"}"#)).await;
    /// if evaluation.is_allowed() {
    ///     println!("run it with {}", evaluation.final_arguments);
    /// }
    /// # }
    /// ```
    pub async fn evaluate(&self, call: &Call) -> Evaluation {
        self.judge(call, None, When::Now, Under::Rules, Place::Lane).await
    }

    /// Judges a call now and waits for it; also inside a runtime, whose thread it takes up. This thread runs
    /// the guards itself where its stack has room for them (1 MiB) and not more threads than there are cores
    /// do so, which spares the two wake-ups of another thread.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// use agenthalt::Call;
    /// assert!(engine.evaluate_blocking(&Call::new("search", r#"{"for": "cats"}"#)).is_allowed());
    /// ```
    pub fn evaluate_blocking(&self, call: &Call) -> Evaluation {
        self.judge_blocking(call, None, When::Now, Under::Rules)
    }

    /// Judges a call under a stamp of the host's. A stamp that the agent could choose would let it
    /// choose its windows: never take one from a call.
    ///
    /// ```
    /// # async fn judge(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// use agenthalt::{Call, Timestamp};
    /// let received = Timestamp::from_rfc3339("2026-01-15T12:00:00Z")?;
    /// let evaluation = engine.evaluate_at(&Call::new("search", "{}"), received).await;
    /// assert_eq!(evaluation.at, received);
    /// # Ok(())
    /// # }
    /// ```
    pub async fn evaluate_at(&self, call: &Call, at: Timestamp) -> Evaluation {
        self.judge(call, None, When::At(at), Under::Rules, Place::Lane).await
    }

    /// Judges a call now under a human's yes to the question of this name. The call is presented as it was when the
    /// question was asked; all guards judge it again, and what denies now denies. A question that nobody answered yet
    /// changes nothing; one that was refused, has expired, was used or was asked about another call or under other
    /// rules denies.
    ///
    /// A yes also serves a call that is presented without its name: it must only be the same call.
    ///
    /// ```
    /// # async fn judge(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// use agenthalt::{Approver, Call};
    /// let call = Call::new("send_mail", r#"{"to": "ada@example.org"}"#).agent("assistant");
    /// let asked = engine.evaluate(&call).await;
    /// if let Some(question) = asked.approval {
    ///     // Later, and maybe in another process:
    ///     engine.approve(question, Approver::named("ann")).await?;
    ///     let judged = engine.evaluate_approved(&call, question).await;
    ///     assert!(judged.is_allowed());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn evaluate_approved(&self, call: &Call, approval: ApprovalId) -> Evaluation {
        self.judge(call, None, When::Now, Under::Approval(approval), Place::Lane).await
    }

    /// Judges a call now under a human's yes and waits for it; as [`evaluate_approved`](Self::evaluate_approved).
    ///
    /// ```
    /// # use agenthalt::{Approver, Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let call = Call::new("send_mail", "{}");
    /// let question = engine.evaluate_blocking(&call).approval.ok_or("a human must decide")?;
    /// engine.approve_blocking(question, Approver::named("ann"))?;
    /// assert!(engine.evaluate_approved_blocking(&call, question).is_allowed());
    /// assert!(!engine.evaluate_approved_blocking(&call, question).is_allowed(), "a yes serves once");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate_approved_blocking(&self, call: &Call, approval: ApprovalId) -> Evaluation {
        self.judge_blocking(call, None, When::Now, Under::Approval(approval))
    }

    /// Judges the output of a call that this engine let through, before anybody sees it. The call is
    /// named by its id, which the host should choose: an output of unknown origin, or of one of two calls
    /// of one id, is withheld. Calls are known in memory only: the 10,000 latest, of 64 MiB together.
    ///
    /// ```
    /// # async fn judge(engine: agenthalt::PolicyEngine) {
    /// let judged = engine.evaluate_output("call-7", "rows: 3").await;
    /// match judged.output {
    ///     Some(output) => println!("{output}"),
    ///     None => println!("withheld: {}", judged.evaluation.reason()),
    /// }
    /// # }
    /// ```
    pub async fn evaluate_output(&self, call_id: &str, output: &str) -> OutputEvaluation {
        self.judge_output(call_id, output, self.now(), Place::Lane).await
    }

    /// Judges an output now and waits for it, as [`evaluate_blocking`](Self::evaluate_blocking) for a call.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {sensitive_data: {scan_output: true, redact_on_modify: true}}");
    /// engine.evaluate_blocking(&Call::new("read_file", "{}").id("call-7"));
    /// let judged = engine.evaluate_output_blocking("call-7", "my card is 4111 1111 1111 1111");
    /// assert_eq!(judged.output.as_deref(), Some("my card is [REDACTED]"));
    /// ```
    pub fn evaluate_output_blocking(&self, call_id: &str, output: &str) -> OutputEvaluation {
        pollster::block_on(self.judge_output(call_id, output, self.now(), Place::Here))
    }

    /// Judges an output under a stamp of the host's, as [`evaluate_at`](Self::evaluate_at) a call.
    ///
    /// ```
    /// # async fn judge(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// let received = agenthalt::Timestamp::from_rfc3339("2026-01-15T12:00:00Z")?;
    /// let judged = engine.evaluate_output_at("call-7", "rows: 3", received).await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn evaluate_output_at(&self, call_id: &str, output: &str, at: Timestamp) -> OutputEvaluation {
        self.judge_output(call_id, output, Ok(at), Place::Lane).await
    }

    async fn judge_output(&self, call_id: &str, output: &str, at: Stamp, place: Place) -> OutputEvaluation {
        let span = trace::evaluation(Phase::After, call_id, None);
        let bench = self.bench();
        let stamp = at_or_epoch(&at);
        let judged = match at {
            Ok(at) => {
                let (engine, bench, id, text) = (self.clone(), bench.clone(), call_id.to_owned(), output.to_owned());
                let judging = async move {
                    let judged = bench.evaluate_output(&id, &text, at).await;
                    engine.tell(&judged.evaluation);
                    judged
                };
                self.run(place, judging.instrument(span.clone())).await
            }
            Err(fault) => Err(fault),
        };
        match judged {
            Ok(judged) => judged,
            Err(fault) => {
                let judged = bench.refuse_output(call_id, output, stamp, fault).instrument(span.clone()).await;
                span.in_scope(|| self.tell(&judged.evaluation));
                judged
            }
        }
    }

    /// Judges a call on this thread, where it may run guards, else on a lane.
    pub(crate) fn judge_blocking(&self, call: &Call, id: Option<CallId>, when: When, under: Under) -> Evaluation {
        pollster::block_on(self.judge(call, id, when, under, Place::Here))
    }

    /// Judges a call under an id of the host's, and again each time that a human has decided about it.
    async fn judge(&self, call: &Call, id: Option<CallId>, when: When, under: Under, place: Place) -> Evaluation {
        let hooked = self.0.hooks.before(call);
        let shown = hooked.as_ref().ok().and_then(Option::as_ref).unwrap_or(call);
        let (id, named_by) = id.unwrap_or_else(|| call_id(shown));
        let given = (shown.arguments != call.arguments).then(|| call.arguments.clone());
        let hooks = hooked.as_ref().map(|_| ()).map_err(Fault::clone);
        let stamp = self.stamp(when);
        let mut presented = Presented { call: shown.clone(), given, id, named_by, at: at_or_epoch(&stamp) };
        let mut evaluation = self.judge_once(&presented, stamp.map(|_| ()).and(hooks.clone()), under, place).await;
        for _ in 0..MOST_QUESTIONS {
            let question = evaluation.approval.filter(|_| evaluation.needs_approval());
            let Some(question) = question else { break };
            if !self.is_decided(question).await {
                break;
            }
            let stamp = self.stamp(when);
            (presented.at, presented.named_by) = (at_or_epoch(&stamp), named_by.again());
            let under = Under::Approval(question);
            evaluation = self.judge_once(&presented, stamp.map(|_| ()).and(hooks.clone()), under, place).await;
        }
        for fault in self.0.hooks.after(shown, &evaluation) {
            // Its text is the hook's own and may hold anything, so only listeners get it.
            tracing::error!(code = fault.code(), "a post-hook failed");
            self.0.listeners.hook_failed(&evaluation.call_id, fault);
        }
        evaluation
    }

    /// Judges a call as it is presented, unless something is wrong with its stamp or its hooks.
    async fn judge_once(
        &self,
        presented: &Presented,
        ready: Result<(), Fault>,
        under: Under,
        place: Place,
    ) -> Evaluation {
        let span = trace::evaluation(Phase::Before, &presented.id, Some(&presented.call));
        let bench = self.bench();
        let judged = match ready {
            Ok(()) => {
                let (engine, bench, presented) = (self.clone(), bench.clone(), presented.clone());
                let judging = async move {
                    let evaluation = bench.evaluate(presented, under).await;
                    // Here, so that who listens hears of it also where nobody waits for the answer any more.
                    engine.tell(&evaluation);
                    evaluation
                };
                self.run(place, judging.instrument(span.clone())).await
            }
            Err(fault) => Err(fault),
        };
        match judged {
            Ok(evaluation) => evaluation,
            Err(fault) => {
                let evaluation = bench.refuse(presented.clone(), fault).instrument(span.clone()).await;
                span.in_scope(|| self.tell(&evaluation));
                evaluation
            }
        }
    }

    /// Tells those who trace, inside the evaluation's span, and those who listen.
    fn tell(&self, evaluation: &Evaluation) {
        trace::evaluated(&tracing::Span::current(), evaluation);
        self.0.listeners.evaluated(evaluation);
    }

    /// The stamp of a call. What is not stamped is not judged.
    fn stamp(&self, when: When) -> Stamp {
        match when {
            When::Now => self.now(),
            When::At(at) => Ok(at),
        }
    }

    /// The instant by the engine's clock. A clock that fails stamps nothing.
    pub(crate) fn now(&self) -> Stamp {
        let caught = catch_unwind(AssertUnwindSafe(|| self.0.clock.now()));
        caught.map_err(|_| Fault::Host("the clock panicked".to_owned()))
    }

    /// Runs a whole evaluation: one wake-up there and one back, or none.
    ///
    /// # Errors
    /// A fault where the host has no room for it, and where it panics.
    async fn run<T: Send + 'static>(
        &self,
        place: Place,
        judging: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Fault> {
        let permit = match place {
            Place::Here => self.0.room.sandbox.here(),
            Place::Lane => None,
        };
        let Some(_permit) = permit else { return self.0.room.sandbox.spawn(Lane::Fast, judging).await };
        let caught = catch_unwind(AssertUnwindSafe(|| pollster::block_on(judging)));
        caught.map_err(|_| Fault::Host("the judging panicked".to_owned()))
    }

    /// Listens to what happens from now on. At least `capacity` events wait for the listener; what comes
    /// while so many wait is lost to it, and counted.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// let mut events = engine.listen(1_000);
    /// engine.disable_guard("scope")?;
    /// assert!(matches!(events.try_next(), Some(agenthalt::Event::Policy(_))));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn listen(&self, capacity: usize) -> Events {
        self.0.listeners.add(capacity)
    }

    /// Whether limits end with the engine, because its state is in memory.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// assert!(engine.forgets());
    /// ```
    pub fn forgets(&self) -> bool {
        self.0.keeping.place.is_none()
    }

    /// The digest of the policy: equal for policies that say the same, however they are written.
    ///
    /// ```
    /// # use agenthalt::{settings::Scope, testing};
    /// let written = testing::engine("guards: {scope: {read_only_mode: true}}");
    /// let engine = testing::engine("guards: {\n  scope: {'read_only_mode': true}}");
    /// assert_eq!(engine.policy_digest(), written.policy_digest());
    /// ```
    pub fn policy_digest(&self) -> Digest {
        self.roster().policy.digest
    }

    pub(crate) fn room(&self) -> &Room {
        &self.0.room
    }

    pub(crate) fn handling(&self) -> &Handling {
        &self.0.handling
    }

    pub(crate) fn listeners(&self) -> &Listeners {
        &self.0.listeners
    }

    pub(crate) fn roster(&self) -> Arc<Roster> {
        self.0.roster.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn bench(&self) -> Bench {
        Bench { roster: self.roster(), room: self.0.room.clone() }
    }
}

impl fmt::Debug for PolicyEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyEngine").field("policy", &self.policy_digest()).finish_non_exhaustive()
    }
}

/// The stamp, or the least one for a call that has none and is refused.
fn at_or_epoch(at: &Stamp) -> Timestamp {
    *at.as_ref().unwrap_or(&Timestamp::EPOCH)
}

/// A call's id, and who gave it.
pub(crate) type CallId = (String, NamedBy);

/// The call's id, or one of the host's for a call that has none.
pub(crate) fn call_id(call: &Call) -> CallId {
    match call.id.clone().filter(|id| !id.is_empty()) {
        Some(id) => (id, NamedBy::Caller),
        None => (new_call_id(), NamedBy::Host),
    }
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
