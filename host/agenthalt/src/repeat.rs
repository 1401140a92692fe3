//! The answer to a call that was answered before: given again from its record, or not. Guards judge nothing here;
//! details and readings are not on record and so not given again.

use std::time::Duration;

use agenthalt_core::approval::ApprovalId;
use agenthalt_core::call::MalformedCall;
use agenthalt_core::counter::{Charge, ChargeWhen, Reading};
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::outcome::Status;
use agenthalt_core::policy::Mode;
use agenthalt_core::subject::Subject;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::{Granted, Risk, Verdict};
use agenthalt_json::{Json, Limits, Object};
use agenthalt_sandbox::Lane;
use agenthalt_store::{Answered, Commit, Committed};

use crate::evaluation::{Decision, Evaluation, Rewrite, Silence};
use crate::grant::Asking;
use crate::judge;
use crate::matter::Matter;
use crate::pipeline::{Bench, Stop, state};
use crate::record;

/// The most bytes of a record that is read.
const MOST_BYTES: usize = 64 << 20;

/// What becomes of a call that may have been answered before.
pub(crate) enum Again<'a> {
    /// It is judged.
    Judged,
    /// A human was asked; it depends on how the question stands.
    Asked(ApprovalId),
    /// It gets this answer again.
    Repeated(&'a Answered),
}

impl Bench {
    /// Whether a call that was answered before is judged again all the same: once a human has said yes, once the rules
    /// of the question are others, and where the call did not run.
    pub(crate) fn again<'a>(&self, answered: Option<&'a Answered>, asking: &Asking) -> Result<Again<'a>, Stop> {
        let Some(answered) = answered else { return Ok(Again::Judged) };
        if !answered.is_same_call {
            return Err(Stop::Malformed(MalformedCall::ReusedId));
        }
        if !answered.is_open() || asking.waits() {
            return Ok(Again::Repeated(answered));
        }
        if answered.verdict != Verdict::RequireApproval || asking.is_settled() {
            return Ok(Again::Judged);
        }
        let earlier = Earlier::read(answered)?;
        Ok(match earlier.approval {
            _ if earlier.policy != self.roster.policy.digest => Again::Judged,
            Some(id) => Again::Asked(id),
            None => Again::Repeated(answered),
        })
    }

    /// Gives the answer that the same call got before. Nothing is charged; that it was given again is recorded.
    // INVARIANT: what was let through is let through again only under the same policy, with the same arguments, and
    // where nobody knows that the call ran.
    pub(crate) async fn repeat(
        &self,
        matter: &Matter,
        answered: &Answered,
        readings: &[Vec<Reading>],
        evaluation: &mut Evaluation,
    ) -> Result<(), Stop> {
        let earlier = Earlier::read(answered)?;
        let mut arguments = matter.text.clone();
        if answered.verdict.lets_through() {
            let refused = |why: &str| Err(Fault::Repeat(why.to_owned()).into());
            if answered.outcome.is_some_and(Status::ran) {
                return refused("it ran; another call needs another id");
            }
            if earlier.policy != self.roster.policy.digest {
                return refused("other rules hold now; present it under another id");
            }
            if earlier.final_digest != matter.digest {
                let subject = self.rewrite(matter, readings, evaluation.at).await?;
                if earlier.final_digest != matter.digest_with(&subject, self.room.store.key()) {
                    return refused("its arguments are rewritten in another way now; present it under another id");
                }
                if let Subject::Arguments(rewritten) = subject {
                    arguments = rewritten.to_string();
                }
            }
            evaluation.final_arguments = arguments;
        }
        earlier.give(evaluation);
        let request = self.apart(evaluation, matter.digest);
        let snapshot = self.room.store.read(request.clone()).await.map_err(state)?;
        let commit = Commit::of(&request, evaluation.verdict, Vec::new(), record::of_repeat(evaluation, matter.digest));
        match self.room.store.commit(snapshot.version, commit).await.map_err(state)? {
            Committed::Done { .. } => Ok(()),
            Committed::Conflict | Committed::Open(_) => {
                Err(Fault::State("a commit without charges met a conflict".to_owned()).into())
            }
        }
    }

    /// Lets the guards rewrite and does not judge.
    async fn rewrite(&self, matter: &Matter, readings: &[Vec<Reading>], at: Timestamp) -> Result<Subject, Fault> {
        let case = self.case(matter, readings, at);
        let mut rewriting = self.roster.judging(matter.subject.phase()).filter(|(_, seat)| seat.rewrites());
        let lane = if rewriting.any(|(_, seat)| seat.is_slow()) { Lane::Slow } else { Lane::Fast };
        let (roster, original) = (self.roster.clone(), matter.subject.clone());
        self.run(lane, move || judge::rewrite(&roster, &case, &original).subject).await
    }
}

/// An answer that was given before.
#[derive(Debug)]
struct Earlier {
    /// The policy under which it was given.
    policy: Digest,
    /// The digest of the arguments that it let run.
    final_digest: Digest,
    verdict: Verdict,
    risk: Risk,
    decisions: Vec<Decision>,
    silent: Vec<Silence>,
    rewrites: Vec<Rewrite>,
    decided_by: Option<String>,
    granted: Granted,
    approval: Option<ApprovalId>,
    sequence: u64,
}

impl Earlier {
    /// Reads an answer's record.
    ///
    /// # Errors
    /// [`Fault::State`] where the record is none of an evaluation.
    fn read(answered: &Answered) -> Result<Self, Fault> {
        let read = || {
            let limits = Limits { bytes: MOST_BYTES, ..Limits::default() };
            let body = Json::parse_within(&answered.record.body, limits).ok()?;
            earlier(answered, body.as_object()?)
        };
        let unreadable = || {
            let sequence = answered.record.sequence;
            Fault::State(format!("the record {sequence} of the answer to this call cannot be read"))
        };
        read().ok_or_else(unreadable)
    }

    /// Puts the answer into an evaluation; its arguments are not touched.
    fn give(self, evaluation: &mut Evaluation) {
        let enforcing = self.decisions.iter().any(|decision| decision.mode == Mode::Enforce);
        evaluation.repeats = true;
        (evaluation.verdict, evaluation.risk) = (self.verdict, self.risk);
        (evaluation.decisions, evaluation.silent) = (self.decisions, self.silent);
        (evaluation.rewrites, evaluation.decided_by) = (self.rewrites, self.decided_by);
        (evaluation.policy, evaluation.final_digest) = (self.policy, self.final_digest);
        (evaluation.granted, evaluation.unmatched) = (self.granted, !enforcing);
        (evaluation.sequence, evaluation.approval) = (Some(self.sequence), self.approval);
    }
}

fn earlier(answered: &Answered, body: &Object) -> Option<Earlier> {
    let approval = match optional(body, "approval")? {
        None => None,
        Some(id) => Some(id.parse().ok()?),
    };
    let guards = list(body, "granted", |guard| guard.as_str().map(str::to_owned))?;
    Some(Earlier {
        policy: text(body, "policy")?.parse().ok()?,
        final_digest: text(body, "final")?.parse().ok()?,
        verdict: answered.verdict,
        risk: risk(body)?,
        decisions: objects(body, "decisions", decision)?,
        silent: objects(body, "silent", |it| {
            Some(Silence { guard: text(it, "guard")?, fuel: number(it, "fuel")?, elapsed: Duration::ZERO })
        })?,
        rewrites: objects(body, "rewrites", |it| {
            Some(Rewrite {
                guard: text(it, "guard")?,
                reason: text(it, "reason")?,
                details: None,
                fuel: number(it, "fuel")?,
            })
        })?,
        decided_by: optional(body, "decided_by")?,
        granted: Granted { guards: guards.into_iter().collect(), unmatched: flag(body, "granted_unmatched")? },
        approval,
        sequence: answered.record.sequence,
    })
}

fn decision(of: &Object) -> Option<Decision> {
    let fault = match optional(of, "fault")? {
        None => None,
        Some(code) => Some(Fault::recorded(&code)?),
    };
    let verdict = text(of, "verdict")?;
    let modes = [Mode::Enforce, Mode::Shadow];
    let mode = text(of, "mode")?;
    Some(Decision {
        guard: text(of, "guard")?,
        mode: modes.into_iter().find(|it| it.as_str() == mode)?,
        verdict: Verdict::ALL.into_iter().find(|it| it.as_str() == verdict)?,
        reason: text(of, "reason")?,
        risk: risk(of)?,
        details: None,
        charges: objects(of, "charges", charge)?,
        fuel: number(of, "fuel")?,
        elapsed: Duration::ZERO,
        fault,
    })
}

fn charge(of: &Object) -> Option<Charge> {
    let when = match text(of, "when")?.as_str() {
        "permitted" => ChargeWhen::Permitted,
        "always" => ChargeWhen::Always,
        _ => return None,
    };
    let amount = i64::try_from(number(of, "amount")?).ok()?;
    Some(Charge { counter: text(of, "counter")?, amount, when, settles: flag(of, "settles")? })
}

fn text(of: &Object, name: &str) -> Option<String> {
    of.get(name)?.as_str().map(str::to_owned)
}

/// A text or null; none where it is neither.
fn optional(of: &Object, name: &str) -> Option<Option<String>> {
    match of.get(name)? {
        Json::Null => Some(None),
        other => other.as_str().map(|text| Some(text.to_owned())),
    }
}

fn number(of: &Object, name: &str) -> Option<u64> {
    match of.get(name)? {
        Json::Number(number) => number.as_u64(),
        _ => None,
    }
}

fn flag(of: &Object, name: &str) -> Option<bool> {
    match of.get(name)? {
        Json::Bool(flag) => Some(*flag),
        _ => None,
    }
}

fn risk(of: &Object) -> Option<Risk> {
    match of.get("risk")? {
        Json::Number(number) => Risk::new(number.as_str().parse().ok()?),
        _ => None,
    }
}

fn list<T>(of: &Object, name: &str, item: impl Fn(&Json) -> Option<T>) -> Option<Vec<T>> {
    of.get(name)?.as_array()?.iter().map(item).collect()
}

fn objects<T>(of: &Object, name: &str, item: impl Fn(&Object) -> Option<T>) -> Option<Vec<T>> {
    list(of, name, |value| item(value.as_object()?))
}
