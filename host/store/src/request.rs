//! What is asked of a store, what it reads, and what is committed. Plain words without a database.

use std::any::Any;
use std::fmt;

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::Status;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;

use crate::approval::{Approving, OpenQuestion};
use crate::audit::AuditRecord;

/// What tells one call from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTag {
    /// The call's id.
    pub id: String,
    /// Who calls: the keyed digest of agent and session. An id names one call of one caller.
    pub caller: Digest,
    /// The digest of the whole call.
    pub digest: Digest,
    /// Who gave the call its id.
    pub named_by: NamedBy,
}

/// Who gave a call its id, and so whether it meets an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedBy {
    /// The caller: it is the call that was answered under this id, if there is one on record.
    Caller,
    /// The host, just now: it meets no earlier call.
    Host,
    /// The host, when the call was first judged; now it is judged again.
    HostBefore,
    /// Nobody: what is recorded but never comes again, as an output or a refusal.
    Nobody,
}

impl NamedBy {
    /// Who gives the name when the same call comes again.
    #[must_use]
    pub fn again(self) -> Self {
        match self {
            NamedBy::Caller | NamedBy::Nobody => self,
            NamedBy::Host | NamedBy::HostBefore => NamedBy::HostBefore,
        }
    }
}

/// What an evaluation wants to know.
#[derive(Clone, Debug)]
pub struct ReadRequest {
    /// Whose counters.
    pub tenant: String,
    /// The call that is judged.
    pub call: CallTag,
    /// The call's stamp.
    pub at: Timestamp,
    /// Where days and months begin.
    pub zone: TimeZone,
    /// For how many milliseconds the answer will be on record.
    pub remembered_ms: u64,
    /// The counters, in the order in which readings are wanted.
    pub counters: Vec<CounterRead>,
}

/// One counter to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterRead {
    /// The host's name of the counter.
    pub counter: String,
    /// Which part of it: an agent, a session, a function; empty for a counter that is not kept apart.
    pub partition: String,
    /// Which charges count.
    pub window: Window,
    /// What the reading tells.
    pub measure: Measure,
    /// What tells calls of other functions or arguments apart, for runs.
    pub sequence: Digest,
}

/// Readings that belong together, and what they were read from.
#[derive(Debug)]
pub struct Snapshot {
    /// The values in the order in which they were asked for; none only for the time of the last charge
    /// where there is no charge. Never above `i64::MAX`: a sum beyond it stands there.
    pub readings: Vec<Option<i64>>,
    /// The answer on record under the call's id, if there is one.
    pub answered: Option<Answered>,
    /// What a commit is held against.
    pub version: Version,
}

/// An answer on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether it was given to this very call, and not to another one of the same id.
    pub is_same_call: bool,
    /// What the evaluation came to.
    pub verdict: Verdict,
    /// What is known to have come of the call.
    pub outcome: Option<Status>,
    /// The record of the evaluation.
    pub record: AuditRecord,
}

impl Answered {
    /// Whether the call may be judged again: a human is asked about it, or it was let through and did not run.
    pub fn is_open(&self) -> bool {
        is_open(self.verdict, self.outcome)
    }
}

/// Whether a call may be judged again after an answer.
// INVARIANT: a call that was let through and may have run is not judged, and so not charged, a second time.
pub(crate) fn is_open(verdict: Verdict, outcome: Option<Status>) -> bool {
    match verdict {
        Verdict::RequireApproval => true,
        Verdict::Allow | Verdict::Modify => outcome == Some(Status::NotStarted),
        Verdict::Deny => false,
    }
}

/// The state that was read, as the store that read it knows it. Committed once; when it is dropped, nothing has
/// happened.
pub struct Version(Box<dyn Any + Send>);

impl Version {
    /// What a store will know again.
    pub fn new(read: impl Any + Send) -> Self {
        Version(Box::new(read))
    }

    /// What the store put in; none where it is another store's.
    pub fn into_read<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|read| *read)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Version").finish_non_exhaustive()
    }
}

/// What an evaluation comes to.
#[derive(Clone, Debug)]
pub struct Commit {
    /// Whose counters and chain: the tenant of the request.
    pub tenant: String,
    /// The call: that of the request.
    pub call: CallTag,
    /// What the evaluation came to. Charges of a call that may not run are those that count attempts.
    pub verdict: Verdict,
    /// The call's stamp: that of the request.
    pub at: Timestamp,
    /// Where days and months begin.
    pub zone: TimeZone,
    /// For how many milliseconds the answer is on record.
    pub remembered_ms: u64,
    /// The charges, each to a counter that was read.
    pub charges: Vec<AppliedCharge>,
    /// What it does with a question to humans.
    pub approving: Option<Approving>,
    /// What the audit chain keeps of it.
    pub record: Record,
}

impl Commit {
    /// The end of the evaluation that began with `request`.
    pub fn of(request: &ReadRequest, verdict: Verdict, charges: Vec<AppliedCharge>, record: Record) -> Self {
        Commit {
            tenant: request.tenant.clone(),
            call: request.call.clone(),
            verdict,
            at: request.at,
            zone: request.zone.clone(),
            remembered_ms: request.remembered_ms,
            charges,
            approving: None,
            record,
        }
    }
}

/// An amount that is added to a counter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedCharge {
    /// The host's name of the counter.
    pub counter: String,
    /// Which part of it.
    pub partition: String,
    /// The counter's window.
    pub window: Window,
    /// The counter's measure.
    pub measure: Measure,
    /// What tells calls of other functions or arguments apart.
    pub sequence: Digest,
    /// Zero or more; money in millionths of the unit.
    pub amount: i64,
    /// Whether it is given back where the call does not run; what counts attempts is not.
    pub permitted: bool,
    /// Whether the settled cost of the call replaces the amount.
    pub settles: bool,
}

impl AppliedCharge {
    /// An amount for a counter that was read, of a call that is let through.
    pub fn to(read: &CounterRead, amount: i64, settles: bool) -> Self {
        AppliedCharge {
            counter: read.counter.clone(),
            partition: read.partition.clone(),
            window: read.window,
            measure: read.measure,
            sequence: read.sequence,
            amount,
            permitted: true,
            settles,
        }
    }
}

/// What the audit chain keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What was done, such as `evaluation`.
    pub kind: String,
    /// What came of it.
    pub verdict: String,
    /// Everything else: one JSON object in canonical form. It holds no secret in clear.
    pub body: String,
}

/// What came of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Charges and record are kept.
    Done {
        /// The record's place in the tenant's chain, from 1.
        sequence: u64,
        /// The record's hash.
        hash: Digest,
    },
    /// What was read does not hold any more; nothing has changed.
    Conflict,
    /// The question that the commit asks is not asked; nothing has changed.
    Open(OpenQuestion),
}
