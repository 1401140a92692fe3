//! How long one evaluation's reading and commit take: `cargo run --release -p agenthalt-store --example latency`.
//! It measures and asserts nothing.
#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use std::time::Instant;

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{AppliedCharge, CallTag, Commit, CounterRead, ReadRequest, Record, SqliteStore, Store};
use pollster::block_on;

const EVALUATIONS: usize = 5_000;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, durability| SqliteStore::open(&folder.path().join(name), durability).unwrap();
    println!("folder of the files: {}", folder.path().display());
    let spend = [(Window::Ever, Measure::Sum), (Window::Day, Measure::Sum), (Window::Month, Measure::Sum)];
    let rate = [
        (Window::RollingMs(60_000), Measure::Count),
        (Window::RollingMs(60_000), Measure::Count),
        (Window::RollingMs(5_000), Measure::Count),
        (Window::Ever, Measure::RunOfSame),
        (Window::Ever, Measure::RunOfTwo),
    ];
    for (what, counters) in [("none", &[][..]), ("3 of a budget", &spend), ("5 of a rate limit", &rate)] {
        measure(&format!("memory, counters: {what}"), &SqliteStore::in_memory().unwrap(), counters);
        measure(&format!("process, counters: {what}"), &file(&format!("{what} n"), Durability::Normal), counters);
        measure(&format!("power, counters: {what}"), &file(&format!("{what} f"), Durability::Full), counters);
    }
}

fn measure(name: &str, store: &dyn Store, windows: &[(Window, Measure)]) {
    let mut reads = Vec::with_capacity(EVALUATIONS);
    let mut commits = Vec::with_capacity(EVALUATIONS);
    for index in 0..EVALUATIONS {
        let sequence = Digest::of(&index.to_be_bytes());
        let counters: Vec<CounterRead> = windows
            .iter()
            .enumerate()
            .map(|(place, (window, measure))| CounterRead {
                counter: format!("guard/{place}"),
                partition: "agent-1".to_owned(),
                window: *window,
                measure: *measure,
                sequence,
            })
            .collect();
        let call = CallTag { id: format!("call-{index}"), digest: sequence };
        // One call a second: 60 charges stand in the longest rolling window.
        let at = Timestamp::from_millis(1_768_478_400_000 + 1_000 * i64::try_from(index).unwrap()).unwrap();
        let charges = counters.iter().map(|counter| AppliedCharge::to(counter, 10_000, false)).collect();
        let request = ReadRequest { tenant: "default".to_owned(), call, at, zone: TimeZone::utc(), counters };
        let body = format!("{{\"text\":\"{}\"}}", "x".repeat(1_500));
        let record = Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body };
        let commit = Commit::of(&request, Verdict::Allow, charges, record);
        let begun = Instant::now();
        let version = block_on(store.read(request)).unwrap().version;
        reads.push(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        block_on(store.commit(version, commit)).unwrap();
        commits.push(begun.elapsed().as_secs_f64());
    }
    let (read, commit) = (median(reads), median(commits));
    println!("{name:40} read {read:7.1} us, commit {commit:8.1} us");
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default() * 1e6
}
