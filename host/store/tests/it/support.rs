//! Short words for the tests. It asserts nothing itself.

use std::path::PathBuf;

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::Outcome;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    AppliedCharge, CallTag, Commit, Committed, CounterRead, NamedBy, ReadRequest, Record, Settled, SettledCall,
    Settlement, SqliteStore, Store, StoreError,
};
use pollster::block_on;

use crate::plain::PlainStore;

/// For how long answers are on record, unless a claim says otherwise.
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

pub(crate) const TENANT: &str = "default";

/// Runs a claim on every store: the plain one, and SQLite's in memory and in a file. This is the contract's suite: a
/// new store is put here.
pub(crate) fn on_every_store(claim: impl Fn(&dyn Store)) {
    claim(&PlainStore::new());
    claim(&SqliteStore::in_memory().unwrap());
    let folder = Folder::new();
    claim(&folder.open());
}

/// A folder with a state file, gone when the test is over.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    pub(crate) fn key_file(&self) -> PathBuf {
        self.0.path().join("state.db.key")
    }

    pub(crate) fn open(&self) -> SqliteStore {
        self.try_open().unwrap()
    }

    pub(crate) fn try_open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.file(), Durability::Process)
    }
}

/// So many seconds after 2026-01-15T12:00:00Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((1_768_478_400 + seconds) * 1_000).unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::from_rfc3339(text).unwrap()
}

pub(crate) fn zone(name: &str) -> TimeZone {
    name.parse().unwrap()
}

pub(crate) fn counter(window: Window, measure: Measure) -> CounterRead {
    CounterRead {
        counter: "guard/counter".to_owned(),
        partition: String::new(),
        window,
        measure,
        sequence: Digest::of(b"a"),
    }
}

/// The same counter, read for a call that is told apart by `sequence`.
pub(crate) fn of_sequence(counter: &CounterRead, sequence: &str) -> CounterRead {
    CounterRead { sequence: Digest::of(sequence.as_bytes()), ..counter.clone() }
}

/// A call, its time and zone: what an evaluation begins with.
pub(crate) fn request(call: &str, at: Timestamp, counters: &[&CounterRead]) -> ReadRequest {
    ReadRequest {
        tenant: TENANT.to_owned(),
        call: CallTag {
            id: call.to_owned(),
            caller: Digest::of(b"caller"),
            digest: Digest::of(b"call"),
            named_by: NamedBy::Caller,
        },
        at,
        zone: TimeZone::utc(),
        remembered_ms: DAY_MS,
        counters: counters.iter().map(|counter| (*counter).clone()).collect(),
    }
}

pub(crate) fn record() -> Record {
    Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body: "{\"a\":1}".to_owned() }
}

pub(crate) fn readings(store: &dyn Store, request: &ReadRequest) -> Vec<Option<i64>> {
    block_on(store.read(request.clone())).unwrap().readings
}

/// What one counter reads for a new call.
pub(crate) fn read(store: &dyn Store, at: Timestamp, counter: &CounterRead) -> Option<i64> {
    readings(store, &request("some other call", at, &[counter]))[0]
}

/// One whole evaluation that charges `amount` to every counter of the request.
pub(crate) fn evaluate(store: &dyn Store, request: &ReadRequest, amount: i64, let_through: bool) -> Committed {
    let version = block_on(store.read(request.clone())).unwrap().version;
    let charges = request.counters.iter().map(|read| AppliedCharge::to(read, amount, false)).collect();
    block_on(store.commit(version, Commit::of(request, verdict(let_through), charges, record()))).unwrap()
}

/// A call that is let through and charged.
pub(crate) fn charge(store: &dyn Store, call: &str, at: Timestamp, counter: &CounterRead, amount: i64) {
    let committed = evaluate(store, &request(call, at, &[counter]), amount, true);
    assert!(matches!(committed, Committed::Done { .. }));
}

/// An amount that nobody asks for again, so that ids may be used twice.
pub(crate) fn spend(store: &dyn Store, call: &str, at: Timestamp, counter: &CounterRead, amount: i64) {
    let mut request = request(call, at, &[counter]);
    request.call.named_by = NamedBy::Nobody;
    assert!(matches!(evaluate(store, &request, amount, true), Committed::Done { .. }));
}

/// What an evaluation came to: let through, or a human was asked.
pub(crate) fn verdict(let_through: bool) -> Verdict {
    if let_through { Verdict::Allow } else { Verdict::RequireApproval }
}

/// Settles a call whoever called.
pub(crate) fn settle(store: &dyn Store, id: &str, at: Timestamp, outcome: Outcome) -> Settled {
    settle_of(store, id, None, at, outcome)
}

/// Settles a call of a caller. Its record tells what changed.
pub(crate) fn settle_of(
    store: &dyn Store,
    id: &str,
    caller: Option<Digest>,
    at: Timestamp,
    outcome: Outcome,
) -> Settled {
    let record = |call: &SettledCall| {
        let changes = call.changes.iter().map(|it| format!(",\"{}:{}:{:?}\"", it.counter, it.before, it.after));
        let body = format!("[\"record {}\"{}]", call.sequence, changes.collect::<String>());
        Record { kind: "settlement".to_owned(), verdict: String::new(), body }
    };
    let (tenant, call_id) = (TENANT.to_owned(), id.to_owned());
    block_on(store.settle(Settlement { tenant, call_id, caller, at, outcome, record: Box::new(record) })).unwrap()
}
