//! The yes of a human that a call is judged under, and the question that it waits for: found anew for each attempt,
//! since others may answer and use it meanwhile.

use agenthalt_core::approval::{ApprovalId, Standing, Word};
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::Granted;
use agenthalt_json::{Json, Limits as JsonLimits};
use agenthalt_store::{Approval, ApprovalsRequest, Approving, OpenQuestion};

use crate::evaluation::Evaluation;
use crate::pipeline::{Room, state};

/// A human's yes: to these questions, for exactly this call with these final arguments under exactly these rules.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub(crate) granted: Granted,
    pub(crate) digest: Digest,
    pub(crate) rules: Digest,
    /// The question that was answered; none where it was asked nobody, as in a simulation.
    pub(crate) id: Option<ApprovalId>,
}

impl Grant {
    fn of(approval: &Approval) -> Self {
        let Approval { id, digest, policy, asks, .. } = approval;
        Grant { granted: asks.clone(), digest: *digest, rules: *policy, id: Some(*id) }
    }
}

/// What a call is presented under.
#[derive(Clone, Debug)]
pub(crate) enum Under {
    /// The rules alone. A yes that waits for the call serves it all the same.
    Rules,
    /// A yes that nobody keeps.
    Grant(Grant),
    /// A yes that the caller names; nothing else serves the call.
    Approval(ApprovalId),
}

/// The question whose answer is meant.
#[derive(Clone, Copy)]
struct Named {
    id: ApprovalId,
    /// Whether the caller names it; else it is the one that was asked when the call came first.
    by_caller: bool,
    /// The digest of the call that it is about, once that is known.
    about: Option<Digest>,
}

/// What is known of questions about a call, from one attempt to the next.
pub(crate) struct Asking {
    named: Option<Named>,
    grant: Option<Grant>,
    /// The question that waits.
    pending: Option<ApprovalId>,
    /// Whether the question that was asked when the call came first went with its rules.
    is_over: bool,
    /// Whether it is known already which calls like this one were approved on terms.
    is_unlike: bool,
}

impl Asking {
    pub(crate) fn new(under: &Under) -> Self {
        let (named, grant) = match under {
            Under::Rules => (None, None),
            Under::Grant(grant) => (None, Some(grant.clone())),
            Under::Approval(id) => (Some(Named { id: *id, by_caller: true, about: None }), None),
        };
        Asking { named, grant, pending: None, is_over: false, is_unlike: false }
    }

    pub(crate) fn is_unlike(&self) -> bool {
        self.is_unlike
    }

    pub(crate) fn grant(&self) -> Option<&Grant> {
        self.grant.as_ref()
    }

    /// Whether it is known which answer is meant.
    pub(crate) fn is_settled(&self) -> bool {
        self.named.is_some() || self.grant.is_some() || self.is_over
    }

    /// Whether the recorded question, and no other, is the call's, and it waits.
    pub(crate) fn waits(&self) -> bool {
        self.named.is_some_and(|named| !named.by_caller && self.pending == Some(named.id))
    }

    /// The question that was asked when the call came first is meant.
    pub(crate) fn recorded(&mut self, id: ApprovalId) {
        self.named = Some(Named { id, by_caller: false, about: None });
    }

    /// Looks how the question stands whose answer is meant.
    ///
    /// # Errors
    /// [`Fault::Approval`] where its answer serves nothing.
    // INVARIANT: a yes serves only what it was given for, once, and in its time; whoever names one that does not serve
    // is denied.
    pub(crate) async fn look(&mut self, room: &Room, rules: Digest, at: Timestamp) -> Result<(), Fault> {
        let Some(Named { id, by_caller, .. }) = self.named else { return Ok(()) };
        let Some(approval) = find(room, id, at).await? else {
            return Err(Fault::Approval(format!("there is no question `{id}`")));
        };
        self.named = Some(Named { id, by_caller, about: Some(approval.digest) });
        if approval.policy != rules {
            if by_caller {
                return Err(Fault::Approval(format!("`{id}` was asked under other rules than hold now")));
            }
            // The question went with its rules; the call is judged anew.
            (self.named, self.is_over) = (None, true);
            return Ok(());
        }
        match approval.standing {
            Standing::Pending => self.pending = Some(id),
            Standing::Approved => self.grant = Some(Grant::of(&approval)),
            Standing::Denied | Standing::Revoked | Standing::Expired | Standing::Used => {
                return Err(Fault::Approval(closed(&approval)));
            }
        }
        Ok(())
    }

    /// What was found out at a commit.
    ///
    /// # Errors
    /// [`Fault::Approval`] where no question may be asked.
    pub(crate) fn found(&mut self, open: OpenQuestion, evaluation: &Evaluation) -> Result<(), Fault> {
        match open {
            OpenQuestion::Pending(id) => self.pending = Some(id),
            OpenQuestion::Approved(approval) => self.grant = Some(Grant::of(&approval)),
            OpenQuestion::Alike(approvals) => {
                // Whatever comes of it, it is looked for once.
                self.is_unlike = true;
                self.grant = serving(&approvals, evaluation).or(self.grant.take());
            }
            OpenQuestion::TooMany(most) => {
                let text = format!("a human would have to decide, and {most} questions of this agent wait already");
                return Err(Fault::Approval(text));
            }
        }
        Ok(())
    }

    /// What was found out holds no more.
    pub(crate) fn forget(&mut self, under: &Under) {
        (self.grant, self.pending, self.is_unlike) = (Asking::new(under).grant, None, false);
    }

    /// What a call that is let through with these final arguments does with its yes.
    pub(crate) fn uses(&self, digest: Digest) -> Option<Approving> {
        self.grant.as_ref().filter(|grant| grant.digest == digest).and_then(|grant| grant.id).map(Approving::Uses)
    }

    /// What a call about which a human must decide does where its question waits already. A question that waited
    /// before there was a yes asks for less than the call needs.
    pub(crate) fn joins(&self) -> Option<Approving> {
        self.pending.map(Approving::Joins)
    }

    /// Holds the digest of the final arguments against the yes that the caller named.
    ///
    /// # Errors
    /// [`Fault::Approval`] where it was given for others.
    pub(crate) fn fits(&self, digest: Digest) -> Result<(), Fault> {
        match self.named {
            Some(Named { id, by_caller: true, about }) if about != Some(digest) => Err(Fault::Approval(format!(
                "`{id}` was asked about another call: other arguments, another function or another caller"
            ))),
            _ => Ok(()),
        }
    }
}

/// The first yes whose terms the final arguments meet.
// INVARIANT: a yes on terms serves these very arguments from here on, and no others.
fn serving(approvals: &[Approval], evaluation: &Evaluation) -> Option<Grant> {
    let arguments = Json::parse_within(&evaluation.final_arguments, JsonLimits::default()).ok()?;
    let serves = |approval: &&Approval| approval.question.terms().is_some_and(|terms| terms.meets(&arguments));
    let approval = approvals.iter().find(serves)?;
    Some(Grant { digest: evaluation.final_digest, ..Grant::of(approval) })
}

/// The question of this name.
pub(crate) async fn find(room: &Room, id: ApprovalId, at: Timestamp) -> Result<Option<Approval>, Fault> {
    let request = ApprovalsRequest { tenant: room.tenant.clone(), at, id: Some(id), is_open: false, after: 0, most: 1 };
    Ok(room.store.approvals(request).await.map_err(state)?.into_iter().next())
}

/// Why a question serves nothing any more.
fn closed(approval: &Approval) -> String {
    let Approval { id, standing, question, .. } = approval;
    let said = |word: Word| {
        let answer = question.answers.iter().find(|answer| answer.word == word);
        answer.map_or_else(String::new, |answer| {
            let reason = answer.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            format!(" by `{}`{reason}", answer.by)
        })
    };
    match standing {
        Standing::Denied => format!("`{id}` was denied{}", said(Word::No)),
        Standing::Revoked => format!("`{id}` was revoked{}", said(Word::Revoke)),
        Standing::Expired => {
            let at = question.expires.map_or_else(String::new, |at| format!(" at {at}"));
            format!("`{id}` expired{at}")
        }
        Standing::Used => {
            let at = question.used.map_or_else(String::new, |at| format!(" at {at}"));
            match question.terms() {
                None => format!("`{id}` was used{at}, and a yes serves once"),
                Some(terms) => format!("`{id}` was used{at} for the last of {} calls", terms.times()),
            }
        }
        Standing::Pending | Standing::Approved => format!("`{id}` is {standing}"),
    }
}
