//! The full record of one run of the pipeline. Tracing, events and the audit log read it; nothing
//! else is told of a call.

use std::time::Duration;

use agenthalt_core::approval::ApprovalId;
use agenthalt_core::call::MalformedCall;
use agenthalt_core::counter::{Charge, Reading};
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::Mode;
use agenthalt_core::subject::Phase;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::{Granted, Risk, Verdict};
use agenthalt_json::Json;

use crate::grant::Grant;

/// What one guard says of one call.
///
/// ```
/// # use agenthalt::{Call, Verdict, testing};
/// let engine = testing::engine("guards: {scope: {deny_functions: ['drop_*']}}");
/// let evaluation = engine.evaluate_blocking(&Call::new("drop_table", "{}"));
/// let decision = &evaluation.decisions[0];
/// assert_eq!((decision.guard.as_str(), decision.verdict), ("scope", Verdict::Deny));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Decision {
    /// The guard's name in the policy.
    pub guard: String,
    /// Whether its word counts.
    pub mode: Mode,
    /// What it says of the final arguments, or of the final output.
    pub verdict: Verdict,
    /// Why, in one sentence; may be empty where it allows.
    pub reason: String,
    /// How much harm it sees.
    pub risk: Risk,
    /// More for people and programs: an object.
    pub details: Option<Json>,
    /// What it proposes to charge.
    pub charges: Vec<Charge>,
    /// The fuel that `evaluate` burnt.
    pub fuel: u64,
    /// How long it took, with its fresh instance.
    pub elapsed: Duration,
    /// What went wrong, where the decision is a fault's denial.
    pub fault: Option<Fault>,
}

/// A guard that said the call is not its business.
///
/// ```
/// # use agenthalt::{Call, testing};
/// let engine = testing::engine("guards: {deletion: {}}");
/// let evaluation = engine.evaluate_blocking(&Call::new("search", "{}"));
/// assert_eq!(evaluation.silent[0].guard, "deletion");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Silence {
    /// The guard's name in the policy.
    pub guard: String,
    /// The fuel that `evaluate` burnt.
    pub fuel: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// One step on the way from the original to the final arguments, or output.
///
/// ```
/// # use agenthalt::{Call, testing};
/// let engine = testing::engine("guards: {sensitive_data: {redact_on_modify: true}}");
/// let call = Call::new("send_mail", r#"{"text": "my card is 4111 1111 1111 1111"}"#);
/// let evaluation = engine.evaluate_blocking(&call);
/// assert_eq!(evaluation.rewrites[0].guard, "sensitive_data");
/// assert_eq!(evaluation.final_arguments, r#"{"text":"my card is [REDACTED]"}"#);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rewrite {
    /// The guard that rewrote.
    pub guard: String,
    /// Why.
    pub reason: String,
    /// More for people and programs: an object.
    pub details: Option<Json>,
    /// The fuel that `evaluate` burnt.
    pub fuel: u64,
}

/// One run of the whole pipeline.
///
/// What to do with a call, by its verdict:
///
/// - `Allow` and `Modify`: run it, with [`final_arguments`](Self::final_arguments) and no others.
/// - `RequireApproval`: do not run it. A human is asked; the question is named by [`approval`](Self::approval). Once
///   it is answered, present the same call again: see [`evaluate_approved`](crate::PolicyEngine::evaluate_approved).
/// - `Deny`: do not run it, and say why: [`denial_reasons`](Self::denial_reasons).
///
/// ```
/// # use agenthalt::{Call, Verdict, testing};
/// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// let evaluation = engine.evaluate_blocking(&Call::new("send_mail", "{}"));
/// let answer = match evaluation.verdict {
///     Verdict::Allow | Verdict::Modify => format!("runs with {}", evaluation.final_arguments),
///     Verdict::RequireApproval | Verdict::Deny => format!("does not run: {}", evaluation.reason()),
/// };
/// assert!(answer.starts_with("does not run: "));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Evaluation {
    /// Whether the call itself is judged, or its output.
    pub phase: Phase,
    /// Names the call.
    pub call_id: String,
    /// The function's name.
    pub function_name: String,
    /// When the call was stamped.
    pub at: Timestamp,
    /// What all decisions come to.
    pub verdict: Verdict,
    /// The largest risk that an enforcing guard sees.
    pub risk: Risk,
    /// What the guards say of the final arguments, or of the final output, in the policy's order.
    pub decisions: Vec<Decision>,
    /// Guards that said the call is not their business.
    pub silent: Vec<Silence>,
    /// The steps from the original to the final arguments, or output.
    pub rewrites: Vec<Rewrite>,
    /// The arguments as they were given, before any hook.
    pub original_arguments: String,
    /// The arguments that every counted decision was given on: the caller's own text unless a hook or a
    /// guard rewrote it. These, and no others, may run; where an output is judged, these ran.
    pub final_arguments: String,
    /// Whether pre-hooks changed the arguments.
    pub changed_by_hooks: bool,
    /// Why the call is denied without a guard's word: a hook failed, or state is unusable.
    pub refusal: Option<Fault>,
    /// Why the call could not be read as one.
    pub malformed: Option<MalformedCall>,
    /// The guard whose word decides; none where no guard's does.
    pub decided_by: Option<String>,
    /// Whether this is the answer that the same call under the same id got before. Nothing is charged again, and the
    /// call may have run already: who runs it should know whether it did.
    pub repeats: bool,
    /// The question to a human that waits for an answer, where the verdict is that one must decide; where the call
    /// may run, the one whose yes it used.
    pub approval: Option<ApprovalId>,
    /// The policy's digest.
    pub policy: Digest,
    /// The record's number in the tenant's audit chain; none where no record could be written.
    pub sequence: Option<u64>,
    /// How long it all took.
    pub elapsed: Duration,
    /// The keyed digest of the arguments as they were given, where pre-hooks changed them.
    pub(crate) given_digest: Option<Digest>,
    pub(crate) unmatched: bool,
    pub(crate) readings: Vec<(String, Vec<Reading>)>,
    pub(crate) granted: Granted,
    /// The digest of the policy with the components that serve it.
    pub(crate) rules: Digest,
    pub(crate) final_digest: Digest,
    pub(crate) final_output: String,
}

/// What came of judging the output of a call.
///
/// ```
/// # use agenthalt::{Call, Verdict, testing};
/// let engine = testing::engine("guards: {sensitive_data: {scan_output: true, redact_on_modify: true}}");
/// engine.evaluate_blocking(&Call::new("read_file", "{}").id("call-7"));
/// let judged = engine.evaluate_output_blocking("call-7", "my card is 4111 1111 1111 1111");
/// assert_eq!(judged.output.as_deref(), Some("my card is [REDACTED]"));
/// assert_eq!(judged.evaluation.verdict, Verdict::Modify);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutputEvaluation {
    /// What may be passed on: the output, or what guards made of it. None where it is withheld.
    pub output: Option<String>,
    /// The full record. Its verdict allows or modifies where the output may be passed on.
    pub evaluation: Evaluation,
}

impl Evaluation {
    /// Whether the call may run now, with the final arguments.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {deny_functions: ['drop_*']}}");
    /// assert!(engine.evaluate_blocking(&Call::new("list_tables", "{}")).is_allowed());
    /// assert!(!engine.evaluate_blocking(&Call::new("drop_table", "{}")).is_allowed());
    /// ```
    pub fn is_allowed(&self) -> bool {
        self.verdict.lets_through()
    }

    /// Whether a human must decide.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let evaluation = engine.evaluate_blocking(&Call::new("send_mail", "{}"));
    /// assert!(evaluation.needs_approval() && !evaluation.is_allowed());
    /// ```
    pub fn needs_approval(&self) -> bool {
        self.verdict == Verdict::RequireApproval
    }

    /// The enforcing guards that deny; empty where none does.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {deny_functions: ['drop_*']}, rate_limit: {}}");
    /// assert_eq!(engine.evaluate_blocking(&Call::new("drop_table", "{}")).denied_by(), ["scope"]);
    /// ```
    pub fn denied_by(&self) -> Vec<&str> {
        let denying = self.decisions.iter().filter(|it| it.mode == Mode::Enforce && it.verdict == Verdict::Deny);
        denying.map(|decision| decision.guard.as_str()).collect()
    }

    /// Why the call is denied; empty where it is not.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {deny_functions: ['drop_*']}}");
    /// let evaluation = engine.evaluate_blocking(&Call::new("drop_table", "{}"));
    /// assert_eq!((evaluation.denial_reasons().len(), evaluation.approval_reasons().len()), (1, 0));
    /// ```
    pub fn denial_reasons(&self) -> Vec<String> {
        self.reasons(Verdict::Deny)
    }

    /// Why a human must decide; empty where none must.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let evaluation = engine.evaluate_blocking(&Call::new("send_mail", "{}"));
    /// assert_eq!((evaluation.approval_reasons().len(), evaluation.denial_reasons().len()), (1, 0));
    /// ```
    pub fn approval_reasons(&self) -> Vec<String> {
        self.reasons(Verdict::RequireApproval)
    }

    /// The reason that decides, for one line.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {deny_functions: ['drop_*']}}");
    /// let evaluation = engine.evaluate_blocking(&Call::new("drop_table", "{}"));
    /// assert_eq!(evaluation.reason(), evaluation.denial_reasons()[0]);
    /// ```
    pub fn reason(&self) -> String {
        self.reasons(self.verdict).into_iter().next().unwrap_or_default()
    }

    /// Fuel of all decisions, silences and rewrites.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {}}");
    /// let evaluation = engine.evaluate_blocking(&Call::new("search", "{}"));
    /// assert_eq!(evaluation.fuel(), evaluation.decisions[0].fuel);
    /// ```
    pub fn fuel(&self) -> u64 {
        let decided: u64 = self.decisions.iter().map(|decision| decision.fuel).sum();
        let silent: u64 = self.silent.iter().map(|silence| silence.fuel).sum();
        let rewritten: u64 = self.rewrites.iter().map(|rewrite| rewrite.fuel).sum();
        decided + silent + rewritten
    }

    /// What went wrong first, if anything did.
    ///
    /// ```
    /// # use agenthalt::{Call, Fault, testing};
    /// let engine = testing::builder("guards: {}").pre_hook(|_| Err::<Call, _>("the directory is down")).build()?;
    /// let evaluation = engine.evaluate_blocking(&Call::new("search", "{}"));
    /// assert_eq!(evaluation.fault().map(Fault::code), Some("hook"));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn fault(&self) -> Option<&Fault> {
        let enforcing = self.decisions.iter().filter(|decision| decision.mode == Mode::Enforce);
        self.refusal.as_ref().or_else(|| enforcing.filter_map(|decision| decision.fault.as_ref()).next())
    }

    /// What a yes to the question of this evaluation would be.
    pub(crate) fn grant(&self) -> Grant {
        let asking = self
            .decisions
            .iter()
            .filter(|decision| decision.mode == Mode::Enforce && decision.verdict == Verdict::RequireApproval);
        let granted = Granted { guards: asking.map(|d| d.guard.clone()).collect(), unmatched: self.unmatched };
        Grant { granted, digest: self.final_digest, rules: self.rules, id: None }
    }

    fn reasons(&self, verdict: Verdict) -> Vec<String> {
        if self.verdict != verdict {
            return Vec::new();
        }
        let refused = match self.phase {
            Phase::Before => "the call cannot be judged, so it is denied",
            Phase::After => "the output cannot be judged, so it is withheld",
        };
        if let Some(error) = &self.malformed {
            return vec![format!("{refused}: {error}")];
        }
        if let Some(fault @ Fault::Approval(_)) = &self.refusal {
            return vec![fault.to_string()];
        }
        if let Some(fault) = &self.refusal {
            return vec![format!("{refused}: {fault}")];
        }
        if self.unmatched && verdict >= Verdict::RequireApproval {
            return vec![format!("no guard judges this call, and the policy says `unmatched: {verdict}`")];
        }
        if verdict == Verdict::Modify {
            let by_hooks = self.changed_by_hooks.then(|| "a pre-hook changed the arguments".to_owned());
            return by_hooks.into_iter().chain(self.rewrites.iter().map(|rewrite| rewrite.reason.clone())).collect();
        }
        let enforcing = self.decisions.iter().filter(|decision| decision.mode == Mode::Enforce);
        let answered =
            |decision: &Decision| verdict == Verdict::RequireApproval && self.granted.guards.contains(&decision.guard);
        enforcing
            .filter(|decision| decision.verdict == verdict && !answered(decision) && !decision.reason.is_empty())
            .map(|decision| decision.reason.clone())
            .collect()
    }
}
