//! How long the engine takes: whole evaluations, loading of policies, many custom patterns, many callers at
//! once. It measures and asserts only that the calls are judged as meant.
//!
//! `cargo bench -p agenthalt`

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fmt::Write;
use std::hint::black_box;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use agenthalt::{Call, Clock, PolicyEngine, PolicyEngineBuilder, Sandbox, State, Timestamp};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// The settings that the pages of the guards begin with, wide enough to let every call through.
const SIX: &str = "
state: {path: unused.db, durability: process}
guards:
  budget: {max_daily_spend: 1000000}
  deletion: {allow_patterns: ['temp_*', 'draft_*'], protected_resources: [inbox, sent]}
  purchase: {max_single_purchase: 100, require_approval_above: 50}
  rate_limit: {max_calls_per_minute: 30, max_calls_per_session: 1000000000, max_identical_calls: null}
  scope: {deny_functions: ['drop_*']}
  sensitive_data: {blocked_patterns: [ssn, credit_card, api_key]}
";
const SCOPE: &str = "{state: {path: unused.db, durability: process}, guards: {scope: {deny_functions: ['drop_*']}}}";

/// A clock that is ten seconds on with each call, so that what is counted by the minute never fills.
#[derive(Debug)]
struct Paced(AtomicI64);

impl Clock for Paced {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(10_000, Ordering::Relaxed)).unwrap()
    }
}

fn builder(sandbox: &Sandbox, policy: &str) -> PolicyEngineBuilder {
    let clock = Paced(AtomicI64::new(1_768_478_400_000));
    PolicyEngine::builder().sandbox(sandbox.clone()).policy_text(policy, "").state(State::InMemory).clock(clock)
}

/// A call whose text has about so many bytes.
fn call(bytes: usize) -> Call {
    let mut body = "All is green today. ".repeat(bytes.div_ceil(20));
    body.truncate(bytes);
    let arguments = serde_json::json!({ "to": "dev@example.org", "subject": "status", "body": body });
    Call::new("send_email", arguments).agent("assistant").session("today")
}

fn judge(engine: &PolicyEngine, call: &Call) {
    let evaluation = engine.evaluate_blocking(black_box(call));
    assert!(evaluation.is_allowed(), "{}", evaluation.reason());
}

fn evaluations(criterion: &mut Criterion) {
    let sandbox = Sandbox::builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("evaluate");
    for (guards, policy) in [("six", SIX), ("scope", SCOPE)] {
        for (size, bytes) in [("small", 20), ("10 KB", 10_000)] {
            let call = call(bytes);
            let file = State::File(folder.path().join(format!("{guards}-{bytes}.db")));
            for (name, state) in [("memory", State::InMemory), ("file", file)] {
                let engine = builder(&sandbox, policy).state(state).build().unwrap();
                group.bench_function(format!("{guards}/{size}/{name}"), |bencher| {
                    bencher.iter(|| judge(&engine, &call))
                });
            }
        }
    }
    group.finish();
}

fn callers(criterion: &mut Criterion) {
    let sandbox = Sandbox::builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("callers");
    group.throughput(Throughput::Elements(1));
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    for level in ["process", "power"] {
        for (counters, per) in [("one budget", "tenant"), ("each its own", "agent")] {
            let policy = SIX.replace("process", level).replace("{max_daily", &format!("{{per: {per}, max_daily"));
            for callers in [1_usize, 2, 8, 64] {
                let name = format!("{level}/{counters}/{callers}");
                let state = State::File(folder.path().join(name.replace('/', "-")));
                let engine = builder(&sandbox, &policy).state(state).build().unwrap();
                group.bench_function(name, |bencher| {
                    bencher.iter_custom(|times| at_once(&engine, callers, times));
                });
            }
        }
    }
    group.finish();
}

/// The time that so many calls take when so many callers share them.
fn at_once(engine: &PolicyEngine, callers: usize, times: u64) -> Duration {
    let next = AtomicI64::new(i64::try_from(times).unwrap());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for caller in 0..callers {
            let (engine, next) = (engine.clone(), &next);
            scope.spawn(move || {
                let call = call(20).agent(format!("agent {caller}")).session(format!("session {caller}"));
                while next.fetch_sub(1, Ordering::Relaxed) > 0 {
                    judge(&engine, &call);
                }
            });
        }
    });
    start.elapsed()
}

fn loading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    let folder = tempfile::tempdir().unwrap();
    group.bench_function("first start", |bencher| {
        bencher.iter_with_large_drop(|| builder(&Sandbox::builder().build().unwrap(), SIX).build().unwrap());
    });
    let cached = || Sandbox::builder().cache(folder.path()).build().unwrap();
    drop(builder(&cached(), SIX).build().unwrap());
    group.bench_function("cached start", |bencher| {
        bencher.iter_with_large_drop(|| {
            let sandbox = cached();
            let engine = builder(&sandbox, SIX).build().unwrap();
            assert_eq!(sandbox.compiled(), 0);
            engine
        });
    });
    let sandbox = cached();
    let known = builder(&sandbox, SIX).build().unwrap();
    group.bench_function("other settings for known guards", |bencher| {
        bencher.iter_with_large_drop(|| builder(&sandbox, SIX).time_zone("Europe/Berlin").build().unwrap());
    });
    group.finish();
    drop(known);
}

fn custom_patterns(criterion: &mut Criterion) {
    let sandbox = Sandbox::builder().build().unwrap();
    let mut group = criterion.benchmark_group("custom patterns");
    let call = call(20);
    for count in [0, 10, 100] {
        let mut patterns = String::new();
        for number in 0..count {
            write!(patterns, "p{number}: 'TICKET-{number}-[A-Z]{{2}}[0-9]{{4,8}}', ").unwrap();
        }
        let policy = format!("guards: {{sensitive_data: {{custom_patterns: {{{patterns}}}}}}}");
        let engine = builder(&sandbox, &policy).build().unwrap();
        let fuel = engine.guard("sensitive_data").map_or(0, |guard| guard.configure_fuel);
        println!("custom patterns/{count}: configure burns {fuel} fuel");
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| bencher.iter(|| judge(&engine, &call)));
    }
    group.finish();
}

criterion_group!(benches, evaluations, callers, loading, custom_patterns);
criterion_main!(benches);
