//! The trait: what any engine that keeps state promises. It names no engine and assumes no single
//! machine.

use std::future::Future;
use std::pin::Pin;

use agenthalt_core::digest::Key;

use crate::audit::{AuditRecord, Broken};
use crate::error::StoreError;
use crate::request::{Commit, Committed, ReadRequest, RecordsRequest, Snapshot, Version};

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
/// # A call that is judged again
///
/// Charges of an evaluation that was not let through (such charges count attempts) are taken out of
/// the readings of a later evaluation of the same call, id and digest, and are replaced by its charges
/// when it is committed. Charges of an evaluation that was let through always stay.
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

    /// A page of a tenant's audit records, in order.
    fn records(&self, request: RecordsRequest) -> StoreFuture<Vec<AuditRecord>>;

    /// Follows a tenant's audit chain from its first record to its last and tells how many there are,
    /// or the place of the first that was changed, removed, inserted or moved.
    ///
    /// A chain proves itself to one who knows its last hash. Who may rewrite the whole file may also
    /// make a new chain: keep a hash elsewhere where that matters.
    fn verify(&self, tenant: &str) -> StoreFuture<Result<u64, Broken>>;
}
