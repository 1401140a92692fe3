//! What is asked of a store beside evaluations: what came of a call, which counters there are, and that they
//! begin anew. Plain words without a database.

use std::fmt;

use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::{Outcome, Status};
use agenthalt_core::time::Timestamp;

use crate::request::Record;

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

/// What came of a call that was let through.
pub struct Settlement {
    /// Whose call.
    pub tenant: String,
    /// The call's id, by whomever it was given.
    pub call_id: String,
    /// Who called, where several may have used the id.
    pub caller: Option<Digest>,
    /// When this is told. The charges stay at the time at which they were made.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
    /// What the audit chain keeps of it. Asked within the transaction, maybe more than once.
    pub record: SettlementRecord,
}

/// Writes the record of a settlement.
pub type SettlementRecord = Box<dyn Fn(&SettledCall) -> Record + Send>;

impl fmt::Debug for Settlement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settlement").field("call_id", &self.call_id).finish_non_exhaustive()
    }
}

/// A call as it is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledCall {
    /// The record of the evaluation that let it through.
    pub sequence: u64,
    /// The charges that become others.
    pub changes: Vec<SettledCharge>,
}

/// A charge that becomes another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledCharge {
    /// The host's name of the counter.
    pub counter: String,
    /// Which part of it.
    pub partition: String,
    /// The amount so far.
    pub before: i64,
    /// The amount from now on; none where the charge is given back.
    pub after: Option<i64>,
}

/// What came of a settlement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The charges are changed and the record is written.
    Done {
        /// The record's place in the tenant's chain.
        sequence: u64,
    },
    /// It was settled before, as this; nothing has changed.
    Before(Status),
    /// No call of this id is on record; nothing has changed.
    Unknown,
    /// The call was not let through, so nothing can have come of it; nothing has changed.
    NotLetThrough,
    /// Several callers had a call of this id let through, and it is not said whose is meant; nothing has changed.
    Ambiguous,
}

/// Which counters are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountersRequest {
    /// Whose.
    pub tenant: String,
    /// The place after which the page begins; 0 for the first page.
    pub after: u64,
    /// The most counters to give.
    pub most: u32,
}

/// One part of a counter, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CounterPart {
    /// Its place among all counters.
    pub place: u64,
    /// The host's name of the counter.
    pub counter: String,
    /// Which part of it.
    pub partition: String,
    /// The latest stamp at which it was charged: milliseconds since 1970-01-01T00:00:00Z.
    pub clock_ms: i64,
    /// How many charges were ever made, those given back included.
    pub charges: u64,
}

/// Counters that begin anew.
#[derive(Clone, Debug)]
pub struct Reset {
    /// Whose.
    pub tenant: String,
    /// When this is done.
    pub at: Timestamp,
    /// The counters, each with its part.
    pub counters: Vec<(String, String)>,
    /// What the audit chain keeps of it.
    pub record: Record,
}
