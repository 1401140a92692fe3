//! What is asked of a store about questions to humans: that one is asked, answered, used. Plain words without a
//! database.

use std::fmt;

use agenthalt_core::approval::{Answer, ApprovalId, ApprovalRules, NotAnswered, Question, Standing};
use agenthalt_core::digest::Digest;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::Granted;

use crate::request::Record;

/// What an evaluation does with a question, in the transaction of its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Approving {
    /// It asks a human, unless the same is asked already.
    Asks(Box<NewQuestion>),
    /// It waits for the answer to a question that was asked before.
    Joins(ApprovalId),
    /// It uses a yes; where that has no terms, with it those to earlier questions about the same. The call is let through with it, and
    /// nobody else is.
    Uses(ApprovalId),
}

impl Approving {
    /// The question.
    pub fn id(&self) -> ApprovalId {
        match self {
            Approving::Asks(question) => question.id,
            Approving::Joins(id) | Approving::Uses(id) => *id,
        }
    }
}

/// A question that is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewQuestion {
    /// Its name.
    pub id: ApprovalId,
    /// The keyed digest of the call with its final arguments: what a yes is bound to.
    pub digest: Digest,
    /// The policy that asks: what a yes is bound to, too.
    pub policy: Digest,
    /// The keyed digest of what calls like it share: what a yes with terms is bound to.
    pub kind: Digest,
    /// The keyed digest of the session.
    pub session: Digest,
    /// The keyed digest of the agent, whose questions are bounded.
    pub asker: Digest,
    /// How many questions of this agent may wait.
    pub most_pending: u32,
    /// A yes that does not do, where there is one: neither this one nor one to an earlier question keeps the question
    /// from being asked.
    pub beside: Option<ApprovalId>,
    /// Whether no yes with terms serves the call: those keep the question from being asked no more.
    pub is_unlike: bool,
    /// Whose questions it puts.
    pub asks: Granted,
    /// What is asked of those who answer.
    pub rules: ApprovalRules,
    /// Who asks for the call.
    pub requesters: Vec<String>,
    /// What people are shown: one JSON object. It holds no secret in clear.
    pub shown: String,
}

/// What keeps a question from being asked. Nothing was written then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenQuestion {
    /// The same is asked already, and waits.
    Pending(ApprovalId),
    /// The same was asked and approved, and the yes is not used yet.
    Approved(Box<Approval>),
    /// Calls like it were approved on terms; whether one of these serves the call, the arguments tell.
    Alike(Vec<Approval>),
    /// So many questions of this agent wait already.
    TooMany(u32),
}

/// A question as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Its place among all.
    pub place: u64,
    /// Its name.
    pub id: ApprovalId,
    /// The keyed digest of the call with its final arguments.
    pub digest: Digest,
    /// The policy that asked.
    pub policy: Digest,
    /// Whose questions a yes answers.
    pub asks: Granted,
    /// The question and its answers.
    pub question: Question,
    /// How it stands, by the latest stamp that the store has seen.
    pub standing: Standing,
    /// What people are shown: one JSON object.
    pub shown: String,
}

/// Which questions are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalsRequest {
    /// Whose.
    pub tenant: String,
    /// The time: what is over then is shown so.
    pub at: Timestamp,
    /// One alone.
    pub id: Option<ApprovalId>,
    /// Only those that may still be answered or used.
    pub is_open: bool,
    /// The place after which the page begins; 0 for the first page.
    pub after: u64,
    /// The most to give.
    pub most: u32,
}

/// An answer to a question.
pub struct NewAnswer {
    /// Whose question.
    pub tenant: String,
    /// Which.
    pub id: ApprovalId,
    /// The answer; its time is the later one of its own and of the latest stamp that the store has seen.
    pub answer: Answer,
    /// What the audit chain keeps of it, by how the question stands then.
    pub record: AnswerRecord,
}

/// Writes the record of an answer. Asked within the transaction, maybe more than once.
pub type AnswerRecord = Box<dyn Fn(Standing) -> Record + Send>;

impl fmt::Debug for NewAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAnswer").field("id", &self.id).field("answer", &self.answer).finish_non_exhaustive()
    }
}

/// What came of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answering {
    /// It counts.
    Done {
        /// How the question stands now.
        standing: Standing,
        /// The record's place in the tenant's chain.
        sequence: u64,
    },
    /// It does not count; nothing has changed.
    Refused(NotAnswered),
    /// There is no such question; nothing has changed.
    Unknown,
}
