//! Keeps counters and the audit chain, atomic and durable. The only crate that names rusqlite, and no
//! type of rusqlite leaves it. It judges nothing, reads no clock and knows no guard.
//!
//! One evaluation reads its counters with a [`Version`], is judged, and commits its charges together
//! with its audit record, only if what it read still holds:
//!
//! ```
//! use agenthalt_core::counter::{Measure, Window};
//! use agenthalt_core::digest::Digest;
//! use agenthalt_core::time::{TimeZone, Timestamp};
//! use agenthalt_core::verdict::Verdict;
//! use agenthalt_store::{
//!     AppliedCharge, CallTag, Commit, Committed, CounterRead, NamedBy, ReadRequest, Record, SqliteStore, Store,
//! };
//!
//! let store = SqliteStore::in_memory()?;
//! let caller = Digest::of(b"agent and session");
//! let digest = Digest::of(b"the call");
//! let call = CallTag { id: "c1".to_owned(), caller, digest, named_by: NamedBy::Caller };
//! let (at, zone) = (Timestamp::from_millis(1_768_478_400_000)?, TimeZone::utc());
//! let counter = CounterRead {
//!     counter: "budget/daily/day".to_owned(),
//!     partition: String::new(),
//!     window: Window::Day,
//!     measure: Measure::Sum,
//!     sequence: Digest::of(b"function and arguments"),
//! };
//! let charge = AppliedCharge::to(&counter, 250_000, true);
//! let (tenant, counters) = ("default".to_owned(), vec![counter]);
//! let request = ReadRequest { tenant, call, at, zone, remembered_ms: 86_400_000, counters };
//! let record = Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body: "{}".to_owned() };
//! let commit = Commit::of(&request, Verdict::Allow, vec![charge], record);
//!
//! let snapshot = pollster::block_on(store.read(request))?;
//! assert_eq!(snapshot.readings, [Some(0)]);
//! let done = pollster::block_on(store.commit(snapshot.version, commit))?;
//! assert!(matches!(done, Committed::Done { sequence: 1, .. }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`store`](Store) | the trait: what any engine promises |
//! | [`request`](ReadRequest) | what is asked, read and committed |
//! | [`settlement`](Settlement) | what is asked beside evaluations: settling, listing, beginning anew |
//! | [`audit`](AuditRecord) | the chain of records, its pages and its proof |
//! | [`error`](StoreError) | what goes wrong, in sentences |
//! | [`sqlite`](SqliteStore) | the embedded engine: answers at once where nobody has to wait, else by its thread |
//! | `shared` | the database, for callers in line and for the thread |
//! | `turn` | whose turn it is at the database |
//! | `worker` | that thread: what waits for a lock or the disk, and tidying up |
//! | `checkpoint` | bringing the write-ahead log back into the file beside callers |
//! | `connection` | opening a state file, or refusing it untouched |
//! | `transaction` | beginning and ending one, with statements that are prepared once |
//! | `schema` | the tables and their numbered migrations |
//! | `key` | the secret beside the state file |
//! | `row` | a counter's row: its version, its clock, its running total |
//! | `charge` | the table of charges, the newest first |
//! | `call` | the calls whose answer is on record |
//! | `entry` | what one commit changes in counters, and its form in bytes |
//! | `cache` | what is known of counters while nobody else has written |
//! | `tail` | the newest charges of a counter in memory, so that a window is two sums |
//! | `approval` | what is asked of a store about questions to humans |
//! | `question` | the tables of questions and answers |
//! | `read` | from a counter to a reading |
//! | `commit` | charges, answer and audit record in one transaction, or none of it |
//! | `settle` | what came of a call, put to its charges |
//! | `reset` | which counters there are, and that some begin anew |
//! | `power` | answering once the disk has a commit |
//! | `group` | one sync for all who wait |
//! | `bytes` | numbers and digests, packed |
//! | `fold` | taking the entries of many commits into the tables, and pruning |
//!
//! A commit writes its audit record and one entry with all it changes in counters. The entry waits in a
//! table of its own until the thread takes it, with others, into the tables of counters and charges. So
//! the state of a counter is its row and charges together with the entries that wait; the cache has both.

mod approval;
mod audit;
mod bytes;
mod cache;
mod call;
mod charge;
mod checkpoint;
mod commit;
mod connection;
mod entry;
mod error;
mod fold;
mod group;
mod key;
mod power;
mod question;
mod read;
mod request;
mod reset;
mod row;
mod schema;
mod settle;
mod settlement;
mod shared;
mod sqlite;
mod store;
mod tail;
mod transaction;
mod turn;
mod worker;

/// The locks of `group` and `turn`; their proof puts others in their place.
mod locks {
    pub(crate) use std::sync::atomic::{AtomicBool, Ordering};
    pub(crate) use std::sync::{Arc, Condvar, Mutex, MutexGuard, TryLockError};
}

pub use approval::{
    AnswerRecord, Answering, Approval, ApprovalsRequest, Approving, NewAnswer, NewQuestion, OpenQuestion,
};
pub use audit::{AuditRecord, Broken};
pub use error::StoreError;
#[doc(hidden)]
pub use power::{Disk, SystemDisk};
pub use request::{
    Answered, AppliedCharge, CallTag, Commit, Committed, CounterRead, NamedBy, ReadRequest, Record, Snapshot, Version,
};
pub use settlement::{
    CounterPart, CountersRequest, RecordsRequest, Reset, Settled, SettledCall, SettledCharge, Settlement,
    SettlementRecord,
};
pub use sqlite::SqliteStore;
pub use store::{Store, StoreFuture};
