//! The trait: what any engine that keeps state promises. It names no engine and assumes no single
//! machine.

use std::future::Future;
use std::pin::Pin;

use agenthalt_core::digest::Key;

use crate::approval::{Answering, Approval, ApprovalsRequest, NewAnswer};
use crate::audit::{AuditRecord, Broken};
use crate::error::StoreError;
use crate::request::{Commit, Committed, ReadRequest, Snapshot, Version};
use crate::settlement::{CounterPart, CountersRequest, RecordsRequest, Reset, Settled, Settlement};

/// What a store answers with. The work is handed over when the method is called; a future that is
/// dropped undoes nothing.
pub type StoreFuture<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

/// Keeps the counters and the audit chain of tenants.
///
/// # The protocol
///
/// [`read`](Store::read), judge, [`commit`](Store::commit); on [`Committed::Conflict`] again, a few
/// times, and then once with [`read_alone`](Store::read_alone). Two evaluations whose readings do not
/// hold together are never both committed, be they of one process or of several.
///
/// # Time
///
/// A counter's clock is the latest stamp at which it was charged. A call is judged and charged at the
/// later one of its own stamp and that clock, so that time that runs backwards opens no window again.
///
/// # A call on record
///
/// A commit puts the answer on record, under the call's id and its caller, for as long as the request says, by the
/// latest stamp of anything that was committed. A read under that id finds it. It stands: a commit under the id is
/// refused, unless the answer is still open, because a human is asked or because the call was let through and did
/// not run. Then, for the same call, its earlier charges are left out of the readings and are replaced by the new
/// ones. Two calls of one id at once are told apart like two of one counter: by a conflict.
///
/// A settlement tells what came of a call that was let through. It changes the charges where they were made, in the
/// windows of that time; a call is settled once.
///
/// # Questions to humans
///
/// A commit may ask one, wait for one, or use the yes to one ([`Approving`](crate::Approving)). The same call is asked
/// about once: while its question waits, or its yes is not used, a commit that asks is answered with that one. What an
/// answer means is decided by [`Question`](agenthalt_core::approval::Question), in a transaction of its own. A yes is used
/// once, in the transaction of the commit that lets its call through; a commit whose question stands in another way
/// than it says is a conflict.
///
/// # Counters
///
/// A counter is charged and read with one kind of window, of any length where it rolls, and with one kind of
/// measure: those that add up, or those that look at the last charges.
pub trait Store: Send + Sync {
    /// The secret of this state, for keyed digests.
    fn key(&self) -> &Key;

    /// Reads counters.
    fn read(&self, request: ReadRequest) -> StoreFuture<Snapshot>;

    /// Reads counters and keeps all others from writing until the version is committed or dropped, or
    /// until the store's patience ends: then the commit fails with [`StoreError::HeldTooLong`] and
    /// nothing has changed.
    fn read_alone(&self, request: ReadRequest) -> StoreFuture<Snapshot>;

    /// Applies charges and appends the record, in one transaction, if what was read still holds.
    fn commit(&self, version: Version, commit: Commit) -> StoreFuture<Committed>;

    /// Settles a call, in one transaction with the record of it.
    fn settle(&self, settlement: Settlement) -> StoreFuture<Settled>;

    /// A page of a tenant's counters, in the order in which they were first charged.
    fn counters(&self, request: CountersRequest) -> StoreFuture<Vec<CounterPart>>;

    /// Lets counters begin anew, in one transaction with the record of it. Their clocks stay. A conflict means that
    /// others charge meanwhile: ask again.
    fn reset(&self, reset: Reset) -> StoreFuture<Committed>;

    /// A page of a tenant's questions to humans, in the order in which they were asked.
    fn approvals(&self, request: ApprovalsRequest) -> StoreFuture<Vec<Approval>>;

    /// Takes an answer to a question, in one transaction with the record of it.
    fn answer(&self, new: NewAnswer) -> StoreFuture<Answering>;

    /// A page of a tenant's audit records, in order.
    fn records(&self, request: RecordsRequest) -> StoreFuture<Vec<AuditRecord>>;

    /// Follows a tenant's audit chain from its first record to its last and tells how many there are,
    /// or the place of the first that was changed, removed, inserted or moved.
    ///
    /// A chain proves itself to one who knows its last hash. Who may rewrite the whole file may also
    /// make a new chain: keep a hash elsewhere where that matters.
    fn verify(&self, tenant: &str) -> StoreFuture<Result<u64, Broken>>;
}
