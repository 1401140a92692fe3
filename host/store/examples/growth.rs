//! How large a state file becomes over a million evaluations of an agent that calls as often as its rate limit lets it:
//! `cargo run --release -p agenthalt-store --example growth`. It asserts nothing.
#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{AppliedCharge, CallTag, Commit, CounterRead, NamedBy, ReadRequest, Record, SqliteStore, Store};
use pollster::block_on;
use rusqlite::Connection;

const EVALUATIONS: i64 = 1_000_000;
/// Thirty calls a minute.
const PACE_MS: i64 = 2_000;
/// For how long answers are on record: a day.
const REMEMBERED_MS: u64 = 86_400_000;
/// What a rate limit declares.
const COUNTERS: [(&str, Window, Measure); 6] = [
    ("minute", Window::RollingMs(60_000), Measure::Count),
    ("function", Window::RollingMs(60_000), Measure::Count),
    ("burst", Window::RollingMs(5_000), Measure::Count),
    ("session", Window::Ever, Measure::Count),
    ("identical", Window::Ever, Measure::RunOfSame),
    ("cooldown", Window::Ever, Measure::LastTime),
];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, Durability::Process).unwrap();
    println!(
        "{:>11} {:>12} {:>13} {:>15} {:>14}",
        "evaluations", "counters KB", "answers KB", "all but log KB", "audit log KB"
    );
    for index in 1..=EVALUATIONS {
        let sequence = Digest::of(&index.to_be_bytes());
        let counter = |(name, window, measure): (&str, _, _)| {
            let (counter, partition) = (format!("rate_limit/{name}"), "agent".to_owned());
            CounterRead { counter, partition, window, measure, sequence }
        };
        let request = ReadRequest {
            tenant: "default".to_owned(),
            call: CallTag {
                id: format!("call-{index}"),
                caller: Digest::ZERO,
                digest: sequence,
                named_by: NamedBy::Caller,
            },
            at: Timestamp::from_millis(1_768_478_400_000 + PACE_MS * index).unwrap(),
            zone: TimeZone::utc(),
            remembered_ms: REMEMBERED_MS,
            counters: COUNTERS.map(counter).to_vec(),
        };
        let charges = request.counters.iter().map(|counter| AppliedCharge::to(counter, 1, false)).collect();
        let body = format!("{{\"text\":\"{}\"}}", "x".repeat(1_500));
        let record = Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body };
        let version = block_on(store.read(request.clone())).unwrap().version;
        block_on(store.commit(version, Commit::of(&request, Verdict::Allow, charges, record))).unwrap();
        if index == 1_000 || index % (EVALUATIONS / 10) == 0 {
            let [counters, answers, log] = sizes(&Connection::open(&path).unwrap());
            println!("{index:>11} {counters:>12} {answers:>13} {:>15} {log:>14}", counters + answers);
        }
    }
}

/// The kilobytes of what is counted, of the answers on record, and of the audit log.
fn sizes(connection: &Connection) -> [i64; 3] {
    let of = |names: &str| {
        let question =
            format!("SELECT coalesce(sum(pgsize), 0) / 1024 FROM dbstat WHERE aggregate = TRUE AND name IN ({names})");
        connection.query_row(&question, (), |row| row.get(0)).unwrap()
    };
    [
        of("'counter', 'sqlite_autoindex_counter_1', 'charge', 'pending', 'state', 'chain'"),
        of("'call', 'call_by_id', 'call_by_end'"),
        of("'audit', 'sqlite_autoindex_audit_1'"),
    ]
}
