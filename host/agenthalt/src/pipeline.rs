//! The life of one call, and of its output: canonical form, readings, rewriting, judging, verdict,
//! commit. Whatever goes wrong on the way, what comes out is an evaluation, and a denial.

use std::sync::Arc;
use std::time::{Duration, Instant};

use agenthalt_core::call::{Call, JudgedCall, MalformedCall};
use agenthalt_core::counter::Reading;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::Mode;
use agenthalt_core::subject::{Phase, Subject};
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::{Combined, Granted, Risk, Unmatched, Verdict, Voice, combine};
use agenthalt_json::Json;
use agenthalt_sandbox::{GuestCall, Lane, PreparedCall, Sandbox};
use agenthalt_store::{CallTag, Commit, Committed, CounterRead, NamedBy, ReadRequest, Store, StoreError};
use tokio::sync::Mutex;
use tracing::Instrument;

use crate::evaluation::{Evaluation, OutputEvaluation};
use crate::grant::{Grant, Under};
use crate::judge::{self, Case, Rewritten, Word};
use crate::let_through::{LetThrough, Ran};
use crate::matter::Matter;
use crate::record::{self, Ids};
use crate::roster::{Roster, Seat};

/// What all evaluations of an engine share, whatever the policy.
pub(crate) struct Room {
    pub(crate) sandbox: Sandbox,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tenant: String,
    pub(crate) let_through: LetThrough,
    /// Those whose readings did not hold judge again one after another. It only spares work: what holds is decided
    /// by the store.
    pub(crate) queue: Mutex<()>,
    /// Whether humans are asked; in a simulation nobody is.
    pub(crate) asks: bool,
}

/// Everything a call is judged with; taken once, so that no evaluation mixes two policies.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) roster: Arc<Roster>,
    pub(crate) room: Arc<Room>,
}

/// A call as it comes to be judged.
#[derive(Clone)]
pub(crate) struct Presented {
    /// As the pre-hooks left it.
    pub(crate) call: Call,
    /// The arguments as the caller gave them, where a hook gave others.
    pub(crate) given: Option<String>,
    pub(crate) id: String,
    /// Who gave the call its id.
    pub(crate) named_by: NamedBy,
    pub(crate) at: Timestamp,
}

impl Bench {
    /// Judges one call at a stamp.
    pub(crate) async fn evaluate(&self, presented: Presented, under: Under) -> Evaluation {
        let start = Instant::now();
        let mut evaluation = Evaluation::of_call(&presented, &self.roster);
        let Presented { call, given, id, named_by, .. } = presented;
        let limits = self.roster.policy.call;
        let matter = JudgedCall::new(&call, id, self.room.tenant.clone(), limits);
        let mut matter = matter.map(|judged| Matter::of_call(judged, &call.arguments, self.room.store.key()));
        if let (Ok(matter), Some(text)) = (&mut matter, given) {
            let key = self.room.store.key();
            let given = Json::parse_within(&text, limits).ok();
            // INVARIANT: who gave other arguments than those that were judged is told so.
            evaluation.changed_by_hooks = given.as_ref() != Some(&matter.call.arguments);
            if evaluation.changed_by_hooks {
                evaluation.given_digest = Some(match &given {
                    Some(given) => matter.call.digest(given, key),
                    None => key.digest(&[b"given", text.as_bytes()]),
                });
            }
            // A hook that varies what it adds makes no new call of one that comes again.
            if let Some(given) = &given {
                matter.sequence = matter.call.sequence_digest(given, key);
            }
        }
        self.judge_or_refuse(matter, &call, named_by, &under, &mut evaluation).await;
        if evaluation.is_allowed() && self.judges_outputs() {
            let ran = Ran { call, arguments: evaluation.final_arguments.clone() };
            self.room.let_through.keep(&evaluation.call_id, ran);
        }
        evaluation.elapsed = start.elapsed();
        evaluation
    }

    /// Denies a call that is not judged at all.
    pub(crate) async fn refuse(&self, presented: Presented, fault: Fault) -> Evaluation {
        let start = Instant::now();
        let mut evaluation = Evaluation::of_call(&presented, &self.roster);
        self.refuse_and_record(&presented.call, &mut evaluation, fault).await;
        evaluation.elapsed = start.elapsed();
        evaluation
    }

    /// Judges the output of a call at a stamp.
    pub(crate) async fn evaluate_output(&self, id: &str, output: &str, at: Timestamp) -> OutputEvaluation {
        let start = Instant::now();
        let (limits, ran) = (self.roster.policy.call, self.room.let_through.end(id));
        let known = ran.as_ref().map(Arc::clone).unwrap_or_default();
        let named_by = NamedBy::Nobody;
        let presented = Presented { call: known.call.clone(), given: None, id: id.to_owned(), named_by, at };
        let mut evaluation = Evaluation::of_call(&presented, &self.roster);
        evaluation.phase = Phase::After;
        evaluation.final_arguments.clone_from(&known.arguments);
        output.clone_into(&mut evaluation.final_output);
        let matter = ran.and_then(|ran| {
            let call = JudgedCall::new(&ran.call, id.to_owned(), self.room.tenant.clone(), limits)?;
            Matter::of_output(call, &ran.arguments, output, limits, self.room.store.key())
        });
        let is_enforced = self.roster.judging(Phase::After).any(|(_, seat)| seat.enforces());
        if matter.is_err() && !is_enforced {
            // Where nobody judges outputs, nobody needs to know whose they are; and who only watches holds
            // nothing up.
            (evaluation.verdict, evaluation.risk) = (Verdict::Allow, Risk::NONE);
            if let Err(fault) = self.record_bare(&known.call, &mut evaluation).await {
                evaluation.refuse(fault);
            }
        } else {
            self.judge_or_refuse(matter, &known.call, named_by, &Under::Rules, &mut evaluation).await;
        }
        evaluation.elapsed = start.elapsed();
        OutputEvaluation { output: evaluation.is_allowed().then(|| evaluation.final_output.clone()), evaluation }
    }

    /// Withholds an output that is not judged at all.
    pub(crate) async fn refuse_output(&self, id: &str, output: &str, at: Timestamp, fault: Fault) -> OutputEvaluation {
        let named_by = NamedBy::Nobody;
        let presented = Presented { call: Call::default(), given: None, id: id.to_owned(), named_by, at };
        let mut evaluation = Evaluation::of_call(&presented, &self.roster);
        evaluation.phase = Phase::After;
        output.clone_into(&mut evaluation.final_output);
        self.refuse_and_record(&presented.call, &mut evaluation, fault).await;
        OutputEvaluation { output: None, evaluation }
    }

    fn judges_outputs(&self) -> bool {
        self.roster.judging(Phase::After).next().is_some()
    }

    /// Judges a matter; where there is none, or anything goes wrong, the evaluation is a denial, recorded
    /// where that can be.
    async fn judge_or_refuse(
        &self,
        matter: Result<Matter, MalformedCall>,
        call: &Call,
        named_by: NamedBy,
        under: &Under,
        evaluation: &mut Evaluation,
    ) {
        let judged = match matter {
            Ok(matter) => self.judge_until_it_holds(&matter, named_by, under, evaluation).await,
            Err(error) => Err(Stop::Malformed(error)),
        };
        let recorded = match judged {
            Ok(()) => Ok(()),
            Err(Stop::Malformed(error)) => {
                evaluation.malformed = Some(error);
                self.record_bare(call, evaluation).await
            }
            Err(Stop::Fault(fault)) => Err(fault),
        };
        if let Err(fault) = recorded {
            self.refuse_and_record(call, evaluation, fault).await;
        }
    }

    async fn refuse_and_record(&self, call: &Call, evaluation: &mut Evaluation, fault: Fault) {
        let is_of_state = matches!(fault, Fault::State(_));
        evaluation.refuse(fault.clone());
        // Where state itself fails, there is nowhere to keep a record.
        if !is_of_state && let Err(second) = self.record_bare(call, evaluation).await {
            let text = if let Fault::State(text) = second { text } else { second.to_string() };
            evaluation.refuse(Fault::State(format!("{text}; before that, {fault}")));
        }
    }

    /// Lets the guards rewrite and judge, and puts their words into the evaluation.
    pub(crate) async fn judge(
        &self,
        matter: &Matter,
        readings: &[Vec<Reading>],
        evaluation: &mut Evaluation,
    ) -> Result<(), Fault> {
        let case = self.case(matter, readings, evaluation.at);
        // Asked once: whether a guard is slow may change meanwhile, and each judges in one lane.
        let judging = self.roster.judging(matter.subject.phase());
        let (slow, fast): (Vec<_>, Vec<_>) = judging.partition(|(_, seat)| seat.is_slow());
        let rewrites_slowly = slow.iter().any(|(_, seat)| seat.rewrites());
        let places = |seats: Vec<(usize, &Seat)>| {
            let judges = seats.into_iter().filter(|(_, seat)| !seat.rewrites());
            judges.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let (fast, slow) = (places(fast), places(slow));
        let lane = if rewrites_slowly { Lane::Slow } else { Lane::Fast };
        let (roster, original, first) = (self.roster.clone(), matter.subject.clone(), case.clone());
        let (rewritten, mut words) = self
            .run(lane, move || {
                let mut case = first;
                let rewritten = judge::rewrite(&roster, &case, &original);
                case.call = case.call.with(&rewritten.subject);
                let words = judge::judge(&roster, &case, &fast);
                (rewritten, words)
            })
            .await?;
        let Rewritten { subject, rewrites, words: rewriters } = rewritten;
        words.extend(rewriters);
        if !slow.is_empty() {
            let roster = self.roster.clone();
            let case = Case { call: case.call.with(&subject), ..case };
            words.extend(self.run(Lane::Slow, move || judge::judge(&roster, &case, &slow)).await?);
        }
        words.sort_by_key(|(place, _)| *place);
        (evaluation.decisions, evaluation.silent) = (Vec::new(), Vec::new());
        for (_, word) in words {
            match word {
                Word::Spoken(decision) => evaluation.decisions.push(decision),
                Word::Silent(silence) => evaluation.silent.push(silence),
            }
        }
        evaluation.rewrites = rewrites;
        // The caller's own text runs where nothing was rewritten; nothing is lost on the way.
        let is_replaced = subject != matter.subject;
        let replaced = is_replaced.then(|| matter.digest_with(&subject, self.room.store.key()));
        evaluation.final_digest = replaced.unwrap_or(matter.digest);
        match subject {
            Subject::Arguments(arguments) if is_replaced => evaluation.final_arguments = arguments.to_string(),
            Subject::Arguments(_) => evaluation.final_arguments.clone_from(&matter.text),
            Subject::Output(output) => evaluation.final_output = output,
        }
        Ok(())
    }

    pub(crate) fn case(&self, matter: &Matter, readings: &[Vec<Reading>], at: Timestamp) -> Case {
        let Matter { call, subject, .. } = matter;
        let prepared = PreparedCall::before(GuestCall {
            id: &call.id,
            function_name: &call.function_name,
            arguments: &matter.arguments().to_string(),
            agent: call.agent.as_deref(),
            session: call.session.as_deref(),
            tenant: &call.tenant,
            at,
            civil: self.roster.policy.time_zone.civil(at),
            metadata: &call.metadata.to_string(),
        });
        let call = match subject {
            Subject::Arguments(_) => prepared,
            Subject::Output(_) => prepared.with(subject),
        };
        Case { call, readings: readings.to_vec() }
    }

    /// Runs guards: here, which is a thread that may run them, or on the lane of slow ones.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Fault> {
        match lane {
            Lane::Fast => Ok(job()),
            Lane::Slow => self.room.sandbox.spawn(Lane::Slow, async move { job() }.in_current_span()).await,
        }
    }

    /// Brings the words to a verdict.
    pub(crate) fn conclude(&self, matter: &Matter, grant: Option<&Grant>, evaluation: &mut Evaluation) {
        let modified = evaluation.final_digest != matter.digest || evaluation.changed_by_hooks;
        let enforcing = evaluation.decisions.iter().filter(|decision| decision.mode == Mode::Enforce);
        let voices: Vec<Voice<'_>> = enforcing
            .map(|decision| Voice { guard: &decision.guard, verdict: decision.verdict, risk: decision.risk })
            .collect();
        let none = Granted::default();
        // INVARIANT: a grant answers for exactly the call, the final arguments and the policy it was given for.
        let fits = |grant: &&Grant| grant.digest == evaluation.final_digest && grant.rules == self.roster.rules;
        let granted = grant.filter(fits).map_or(&none, |grant| &grant.granted);
        // What the policy says of calls that no guard judges, it says of calls.
        let unmatched = match matter.subject.phase() {
            Phase::Before => self.roster.policy.unmatched,
            Phase::After => Unmatched::Allow,
        };
        let Combined { verdict, risk, decided_by } = combine(&voices, unmatched, modified, granted);
        let decided_by = decided_by.and_then(|place| voices.get(place)).map(|voice| voice.guard.to_owned());
        let unmatched = voices.is_empty();
        evaluation.granted = granted.clone();
        (evaluation.verdict, evaluation.risk) = (verdict, risk);
        (evaluation.decided_by, evaluation.unmatched) = (decided_by, unmatched);
    }

    /// Records what no guard spoke to, without readings or charges.
    async fn record_bare(&self, call: &Call, evaluation: &mut Evaluation) -> Result<(), Fault> {
        let output = evaluation.final_output.as_bytes();
        let parts = [b"bare", call.function_name.as_bytes(), call.arguments.as_bytes(), output];
        let original = self.room.store.key().digest(&parts);
        let request = self.apart(evaluation, original);
        let snapshot = self.room.store.read(request.clone()).await.map_err(state)?;
        let ids = Ids { agent: call.agent_id.as_deref(), session: call.session_id.as_deref(), original };
        let record = record::of(evaluation, &self.roster, &self.room.tenant, ids);
        let commit = Commit::of(&request, evaluation.verdict, Vec::new(), record);
        match self.room.store.commit(snapshot.version, commit).await.map_err(state)? {
            Committed::Done { sequence, .. } => {
                evaluation.sequence = Some(sequence);
                Ok(())
            }
            Committed::Conflict | Committed::Open(_) => {
                Err(Fault::State("a commit without charges met a conflict".to_owned()))
            }
        }
    }

    /// What the store is asked for a call.
    pub(crate) fn request(&self, call: CallTag, at: Timestamp, counters: Vec<CounterRead>) -> ReadRequest {
        let zone = self.roster.policy.time_zone.clone();
        let remembered_ms = self.roster.policy.remembered_ms;
        ReadRequest { tenant: self.room.tenant.clone(), call, at, zone, remembered_ms, counters }
    }

    /// What the store is asked for what is recorded and no more.
    pub(crate) fn apart(&self, evaluation: &Evaluation, digest: Digest) -> ReadRequest {
        let id = record::shown(&evaluation.call_id).to_owned();
        let call = CallTag { id, caller: Digest::ZERO, digest, named_by: NamedBy::Nobody };
        self.request(call, evaluation.at, Vec::new())
    }
}

impl Evaluation {
    /// An evaluation of a call before anything was found: a denial.
    fn of_call(presented: &Presented, roster: &Roster) -> Self {
        let Presented { call, given, id, at, .. } = presented;
        let given = given.as_ref().unwrap_or(&call.arguments);
        Evaluation {
            phase: Phase::Before,
            call_id: id.clone(),
            function_name: call.function_name.clone(),
            at: *at,
            verdict: Verdict::Deny,
            risk: Risk::FULL,
            decisions: Vec::new(),
            silent: Vec::new(),
            rewrites: Vec::new(),
            original_arguments: given.clone(),
            final_arguments: given.clone(),
            changed_by_hooks: false,
            given_digest: None,
            refusal: None,
            malformed: None,
            decided_by: None,
            repeats: false,
            approval: None,
            policy: roster.policy.digest,
            sequence: None,
            elapsed: Duration::ZERO,
            unmatched: false,
            readings: Vec::new(),
            granted: Granted::default(),
            rules: roster.rules,
            final_digest: Digest::ZERO,
            final_output: String::new(),
        }
    }

    /// Turns the evaluation into a denial that no guard spoke.
    // INVARIANT: whatever was found before, a call whose record or charges cannot be kept is denied.
    fn refuse(&mut self, fault: Fault) {
        self.verdict = Verdict::Deny;
        self.risk = Risk::FULL;
        self.decided_by = None;
        self.refusal = Some(fault);
        // What an attempt found that was not committed is no part of the record.
        (self.decisions, self.silent, self.rewrites, self.readings) = Default::default();
        (self.unmatched, self.repeats, self.approval) = (false, false, None);
        if self.phase == Phase::Before {
            self.final_arguments.clone_from(&self.original_arguments);
        }
    }
}

/// Why a call is not judged to the end.
pub(crate) enum Stop {
    Fault(Fault),
    Malformed(MalformedCall),
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Stop::Fault(fault)
    }
}

pub(crate) fn state(error: StoreError) -> Fault {
    Fault::State(error.to_string())
}
