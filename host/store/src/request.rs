//! What is asked of a store, what it reads, and what is committed. Plain words without a database.

use std::sync::mpsc::SyncSender;

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;

use crate::charge::ChargedCall;
use crate::worker::HeldCommit;

/// What tells one call from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTag {
    /// The call's id.
    pub id: String,
    /// The digest of the whole call.
    pub digest: Digest,
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
    /// What a commit is held against.
    pub version: Version,
}

/// The state that was read. Committed once; when it is dropped, nothing has happened.
#[derive(Debug)]
pub struct Version {
    pub(crate) tenant: String,
    pub(crate) call: CallTag,
    /// The call as charges remember it.
    pub(crate) charged: ChargedCall,
    pub(crate) at: Timestamp,
    pub(crate) rows: Vec<RowVersion>,
    /// The way to the transaction that [`read_alone`](crate::Store::read_alone) keeps open.
    pub(crate) hold: Option<SyncSender<HeldCommit>>,
}

/// The version of one counter's row; 0 where there is none. Every change raises it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowVersion {
    pub(crate) counter: String,
    pub(crate) partition: String,
    pub(crate) version: i64,
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
    /// The charges, each to a counter that was read.
    pub charges: Vec<AppliedCharge>,
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
            charges,
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
    /// Whether the settled cost of the call replaces the amount.
    pub settles: bool,
}

impl AppliedCharge {
    /// An amount for a counter that was read.
    pub fn to(read: &CounterRead, amount: i64, settles: bool) -> Self {
        AppliedCharge {
            counter: read.counter.clone(),
            partition: read.partition.clone(),
            window: read.window,
            measure: read.measure,
            sequence: read.sequence,
            amount,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

/// Which audit records are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordsRequest {
    /// Whose chain.
    pub tenant: String,
    /// The place after which the page begins; 0 for the first page.
    pub after: u64,
    /// The most records to give.
    pub most: u32,
}
