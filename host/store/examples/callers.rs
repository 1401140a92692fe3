//! How many evaluations callers get done at once, of one tenant and of many, at both levels of durability:
//! `cargo run --release -p agenthalt-store --example callers`. It measures and asserts nothing.
#![expect(clippy::unwrap_used, reason = "an example fails by panicking")]

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Durability;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    AppliedCharge, CallTag, Commit, Committed, CounterRead, NamedBy, ReadRequest, Record, SqliteStore, Store,
};
use pollster::block_on;

const FOR: Duration = Duration::from_secs(2);

fn main() {
    println!(
        "{:<8} {:<12} {:>7} {:>10} {:>11} {:>9}",
        "level", "tenants", "callers", "a second", "median us", "p99 us"
    );
    for (level, name) in [(Durability::Process, "process"), (Durability::Power, "power")] {
        for is_shared in [true, false] {
            for callers in [1, 2, 8, 64] {
                let folder = tempfile::tempdir().unwrap();
                let store = SqliteStore::open(&folder.path().join("state.db"), level).unwrap();
                let mut times = run(&store, callers, is_shared);
                times.sort_unstable();
                let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default().as_secs_f64();
                println!(
                    "{name:<8} {:<12} {callers:>7} {:>10.0} {:>11.1} {:>9.1}",
                    if is_shared { "one" } else { "one a caller" },
                    times.len() as f64 / FOR.as_secs_f64(),
                    at(50) * 1e6,
                    at(99) * 1e6,
                );
            }
        }
    }
}

/// How long each evaluation took that so many callers made; all charge one counter where the tenant is shared.
fn run(store: &SqliteStore, callers: usize, is_shared: bool) -> Vec<Duration> {
    let queue = Mutex::new(());
    let end = Instant::now() + FOR;
    thread::scope(|scope| {
        let callers: Vec<_> = (0..callers)
            .map(|caller| {
                let queue = &queue;
                let tenant = if is_shared { "default".to_owned() } else { caller.to_string() };
                scope.spawn(move || {
                    let mut times = Vec::new();
                    while Instant::now() < end {
                        let begun = Instant::now();
                        evaluate(store, &tenant, &format!("{caller}-{}", times.len()), queue);
                        times.push(begun.elapsed());
                    }
                    times
                })
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    })
}

/// One evaluation; where its readings do not hold, again behind the others of whom that is true, as engines do.
fn evaluate(store: &SqliteStore, tenant: &str, id: &str, queue: &Mutex<()>) {
    let counter = |window| CounterRead {
        counter: format!("budget/{window:?}"),
        partition: String::new(),
        window,
        measure: Measure::Sum,
        sequence: Digest::ZERO,
    };
    let request = ReadRequest {
        tenant: tenant.to_owned(),
        call: CallTag { id: id.to_owned(), caller: Digest::ZERO, digest: Digest::ZERO, named_by: NamedBy::Caller },
        at: Timestamp::from_millis(1_768_478_400_000).unwrap(),
        zone: TimeZone::utc(),
        remembered_ms: 1_000,
        counters: [Window::Day, Window::Month, Window::Ever].map(counter).to_vec(),
    };
    for attempt in 0.. {
        let turn = (attempt > 0 || queue.try_lock().is_err()).then(|| queue.lock().unwrap());
        let version = block_on(store.read(request.clone())).unwrap().version;
        let charges = request.counters.iter().map(|counter| AppliedCharge::to(counter, 10_000, false)).collect();
        let body = format!("{{\"text\":\"{}\"}}", "x".repeat(1_500));
        let record = Record { kind: "evaluation".to_owned(), verdict: "allow".to_owned(), body };
        let committed = store.commit(version, Commit::of(&request, Verdict::Allow, charges, record));
        drop(turn);
        if matches!(block_on(committed).unwrap(), Committed::Done { .. }) {
            break;
        }
    }
}
