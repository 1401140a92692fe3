//! How long one evaluation's reading and commit take: `cargo run --release -p agenthalt-store --example latency`.
//! It measures and asserts nothing.
#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use std::time::Instant;

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{AppliedCharge, CallTag, Commit, CounterRead, NamedBy, ReadRequest, Record, SqliteStore, Store};
use pollster::block_on;

const EVALUATIONS: usize = 5_000;

/// Counters of a set: window, measure, and whether the call charges them.
type Counters = [(Window, Measure, bool)];

const BUDGET: [(Window, Measure, bool); 3] =
    [(Window::Ever, Measure::Sum, true), (Window::Day, Measure::Sum, true), (Window::Month, Measure::Sum, true)];
const RATE: [(Window, Measure, bool); 5] = [
    (Window::RollingMs(60_000), Measure::Count, true),
    (Window::RollingMs(60_000), Measure::Count, true),
    (Window::RollingMs(5_000), Measure::Count, true),
    (Window::Ever, Measure::RunOfSame, true),
    (Window::Ever, Measure::RunOfTwo, true),
];
/// What a budget, a rate limit, a purchase limit and a brake on deletions declare together, and what a
/// call that is none of a purchase and none of a deletion charges of it.
const SIX_GUARDS: [(Window, Measure, bool); 12] = [
    (Window::Day, Measure::Sum, true),
    (Window::Month, Measure::Sum, true),
    (Window::Ever, Measure::Sum, true),
    (Window::RollingMs(60_000), Measure::Count, true),
    (Window::RollingMs(60_000), Measure::Count, true),
    (Window::RollingMs(5_000), Measure::Count, true),
    (Window::Ever, Measure::RunOfSame, true),
    (Window::Ever, Measure::RunOfTwo, true),
    (Window::Day, Measure::Sum, false),
    (Window::Ever, Measure::Sum, false),
    (Window::Day, Measure::Count, false),
    (Window::Ever, Measure::LastTime, false),
];
/// One window in which thousands of charges stand.
const LONG: [(Window, Measure, bool); 1] = [(Window::RollingMs(40_000_000), Measure::Count, true)];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, durability| SqliteStore::open(&folder.path().join(name), durability).unwrap();
    println!("folder of the files: {}", folder.path().display());
    let sets: [(&str, &Counters); 5] = [
        ("none", &[]),
        ("3 of a budget", &BUDGET),
        ("5 of a rate limit", &RATE),
        ("12 of six guards", &SIX_GUARDS),
        ("1 over 4,000 calls", &LONG),
    ];
    let wanted = std::env::args().nth(1).unwrap_or_default();
    for (what, counters) in sets.into_iter().filter(|(what, _)| what.contains(&wanted)) {
        measure(&format!("memory, counters: {what}"), &SqliteStore::in_memory().unwrap(), counters);
        measure(&format!("process, counters: {what}"), &file(&format!("{what} n"), Durability::Process), counters);
        measure(&format!("power, counters: {what}"), &file(&format!("{what} f"), Durability::Power), counters);
    }
}

fn measure(name: &str, store: &dyn Store, windows: &Counters) {
    let mut times = (Vec::new(), Vec::new(), Vec::new());
    for index in 0..EVALUATIONS {
        let sequence = Digest::of(&index.to_be_bytes());
        let counters: Vec<CounterRead> = windows
            .iter()
            .enumerate()
            .map(|(place, (window, measure, _))| CounterRead {
                counter: format!("guard/{place}"),
                partition: "agent-1".to_owned(),
                window: *window,
                measure: *measure,
                sequence,
            })
            .collect();
        let (id, caller) = (format!("call-{index}"), Digest::ZERO);
        let call = CallTag { id, caller, digest: sequence, named_by: NamedBy::Caller };
        // One call in ten seconds: 6 charges stand in the rolling windows of the guards.
        let at = Timestamp::from_millis(1_768_478_400_000 + 10_000 * i64::try_from(index).unwrap()).unwrap();
        let charged = counters.iter().zip(windows).filter(|(_, (_, _, is_charged))| *is_charged);
        let charges = charged.map(|(counter, _)| AppliedCharge::to(counter, 10_000, false)).collect();
        let (tenant, zone) = ("default".to_owned(), TimeZone::utc());
        let request = ReadRequest { tenant, call, at, zone, remembered_ms: 86_400_000, counters };
        let body = format!("{{\"text\":\"{}\"}}", "x".repeat(1_500));
        let record = Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body };
        let commit = Commit::of(&request, Verdict::Allow, charges, record);
        let begun = Instant::now();
        let version = block_on(store.read(request)).unwrap().version;
        let read = begun.elapsed().as_secs_f64();
        block_on(store.commit(version, commit)).unwrap();
        let both = begun.elapsed().as_secs_f64();
        times.0.push(read);
        times.1.push(both - read);
        times.2.push(both);
    }
    let (read, commit) = (at_share(&mut times.0, 0.5), at_share(&mut times.1, 0.5));
    let (both, slow) = (at_share(&mut times.2, 0.5), at_share(&mut times.2, 0.99));
    println!(
        "{name:40} read {read:6.1} us, commit {commit:7.1} us, both {both:7.1} us, of 100 the slowest {slow:7.1} us"
    );
}

/// The time below which this share of them lies, in microseconds.
fn at_share(seconds: &mut [f64], share: f64) -> f64 {
    seconds.sort_by(f64::total_cmp);
    let place = (seconds.len() as f64 * share) as usize;
    seconds.get(place).copied().unwrap_or_default() * 1e6
}
