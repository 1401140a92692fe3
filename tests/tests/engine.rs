//! Claims about the engine as those see it who embed it: limits under threads and restarts, the audit
//! chain, custom guards by path.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use agenthalt::{Call, Evaluation, Json, PolicyEngine, Sandbox, State, Timestamp, Verdict};
use agenthalt_core::policy::Durability;
use agenthalt_store::{RecordsRequest, SqliteStore, Store};

/// One sandbox for all tests of this file: its guards are compiled once.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::builder().build().unwrap());

fn engine(policy: &str, state: State) -> PolicyEngine {
    let builder = PolicyEngine::builder().sandbox(SANDBOX.clone()).policy_text(policy, ".").state(state);
    let engine = builder.build().unwrap();
    assert_eq!(engine.faults(), []);
    engine
}

fn call(function_name: &str, arguments: &str) -> Call {
    Call { function_name: function_name.to_owned(), arguments: arguments.to_owned(), ..Call::default() }
}

fn at(engine: &PolicyEngine, call: &Call, stamp: &str) -> Evaluation {
    pollster::block_on(engine.evaluate_at(call, Timestamp::from_rfc3339(stamp).unwrap()))
}

#[test]
fn threads_never_take_more_than_the_limit_together() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "guards: {budget: {max_daily_spend: 1.0, default_cost: 0.1, warn_threshold: null}}";
    for state in [State::InMemory, State::File(folder.path().join("state.db"))] {
        let engine = engine(policy, state);
        let allowed: usize = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    let engine = engine.clone();
                    scope.spawn(move || {
                        (0..5).filter(|_| at(&engine, &call("f", "{}"), "2026-01-15T12:00:00Z").is_allowed()).count()
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(allowed, 10);
    }
}

#[test]
fn limits_outlive_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "guards: {budget: {max_session_spend: 1.0, default_cost: 0.6, warn_threshold: null}}";
    let state = State::File(folder.path().join("state.db"));
    assert!(engine(policy, state.clone()).evaluate_blocking(&call("f", "{}")).is_allowed());
    let denied = engine(policy, state).evaluate_blocking(&call("f", "{}"));
    assert_eq!(denied.verdict, Verdict::Deny);
    assert!(denied.denial_reasons().join(" ").contains("max_session_spend"));
}

#[test]
fn a_state_that_can_no_longer_be_read_denies_and_the_engine_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let engine = engine("guards: {budget: {max_daily_spend: 9, warn_threshold: null}}", State::File(path.clone()));
    assert!(engine.evaluate_blocking(&call("f", "{}")).is_allowed());
    for file in ["state.db", "state.db-wal", "state.db-shm"] {
        let path = folder.path().join(file);
        let length = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
        std::fs::write(&path, vec![0xa5; length]).unwrap();
    }
    for _ in 0..2 {
        let evaluation = engine.evaluate_blocking(&call("f", "{}"));
        assert_eq!(evaluation.verdict, Verdict::Deny);
        assert_eq!(evaluation.fault().unwrap().code(), "state");
        assert_eq!(evaluation.sequence, None);
    }
}

#[test]
fn every_verdict_has_its_record_and_none_shows_an_argument() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let evaluations = {
        let policy = "guards: {sensitive_data: {redact_on_modify: true}, scope: {deny_functions: ['drop_*']}, \
                      rate_limit: {}, budget: {max_daily_spend: 9, mode: shadow}}";
        let engine = engine(policy, State::File(path.clone()));
        let secret = r#"{"password":"hunter2-in-the-clear","estimated_cost":"x"}"#;
        let calls = [call("get", secret), call("drop_it", secret), call("", secret), call("get", "{\"a\":1,\"a\":2}")];
        calls.map(|call| engine.evaluate_blocking(&call))
    };
    assert_eq!(evaluations.map(|evaluation| evaluation.sequence), [Some(1), Some(2), Some(3), Some(4)]);
    let store = SqliteStore::open(&path, Durability::Process).unwrap();
    let request = RecordsRequest { tenant: "default".to_owned(), after: 0, most: 10 };
    let records = pollster::block_on(store.records(request)).unwrap();
    assert_eq!(records.len(), 4);
    assert!(records.iter().all(|record| !record.body.contains("hunter2")));
    assert!(records.iter().all(|record| Json::parse(&record.body).unwrap().to_string() == record.body), "canonical");
    let verdicts: Vec<&str> = records.iter().map(|record| record.verdict.as_str()).collect();
    assert_eq!(verdicts, ["modify", "deny", "deny", "deny"]);
    assert_eq!(pollster::block_on(store.verify("default")).unwrap(), Ok(4));
}

#[test]
fn the_callers_own_text_runs_where_nothing_was_rewritten() {
    let engine = engine("guards: {scope: {}}", State::InMemory);
    let text = r#"{ "b": 1.0, "a": 12345678901234567890, "c": "\u0041" }"#;
    let evaluation = engine.evaluate_blocking(&call("f", text));
    assert_eq!((evaluation.verdict, evaluation.final_arguments.as_str()), (Verdict::Allow, text));
}

#[test]
fn what_no_guard_judges_gets_what_the_policy_says() {
    for (unmatched, verdict) in
        [("allow", Verdict::Allow), ("require_approval", Verdict::RequireApproval), ("deny", Verdict::Deny)]
    {
        let engine = engine(&format!("unmatched: {unmatched}\nguards: {{}}"), State::InMemory);
        let evaluation = engine.evaluate_blocking(&call("f", "{}"));
        assert_eq!(evaluation.verdict, verdict);
        assert_eq!(evaluation.reason().contains("unmatched"), verdict != Verdict::Allow);
    }
}

#[test]
fn a_guard_that_only_watches_changes_nothing_and_counts_for_itself() {
    let policy = "unmatched: require_approval\nguards:\n  scope: {mode: shadow, deny_functions: ['*']}\n  \
                  budget: {mode: shadow, max_daily_spend: 1, default_cost: 0.6, warn_threshold: null}\n";
    let engine = engine(policy, State::InMemory);
    let said = [0, 1].map(|_| at(&engine, &call("f", "{}"), "2026-01-15T12:00:00Z"));
    assert!(said.iter().all(|evaluation| evaluation.verdict == Verdict::RequireApproval));
    let budget = said.map(|evaluation| evaluation.decisions.iter().find(|d| d.guard == "budget").unwrap().verdict);
    assert_eq!(budget, [Verdict::Allow, Verdict::Deny]);
}

#[test]
fn days_end_where_the_policys_clock_says() {
    let policy =
        "time_zone: America/New_York\nguards: {budget: {max_daily_spend: 1, default_cost: 0.6, warn_threshold: null}}";
    let engine = engine(policy, State::InMemory);
    let verdict = |stamp| at(&engine, &call("f", "{}"), stamp).verdict;
    assert_eq!(verdict("2026-03-08T04:59:59Z"), Verdict::Allow);
    // Midnight in New York; the day on which its clocks go forward has 23 hours.
    assert_eq!(verdict("2026-03-08T05:00:00Z"), Verdict::Allow);
    assert_eq!(verdict("2026-03-09T03:59:59Z"), Verdict::Deny);
    assert_eq!(verdict("2026-03-09T04:00:00Z"), Verdict::Allow);
}

#[tokio::test]
async fn an_engine_serves_inside_a_runtime_blocking_or_not() {
    let engine = engine("guards: {scope: {deny_functions: ['drop_*']}}", State::InMemory);
    assert!(engine.evaluate(&call("get", "{}")).await.is_allowed());
    assert!(!engine.evaluate_blocking(&call("drop_it", "{}")).is_allowed());
}

/// The example guard, as `cargo xtask guards example` builds it.
fn business_hours() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let path = root.join("target/guests/examples/business-hours.wasm");
    if std::env::var_os("AGENTHALT_WITHOUT_EXAMPLES").is_some() {
        println!("LEFT OUT: the example guard cannot be built here, `cargo xtask test` says why");
        return None;
    }
    assert!(path.is_file(), "`{}` is missing; run `cargo xtask guards example`", path.display());
    Some(path)
}

#[test]
fn a_custom_guard_is_loaded_by_path_and_decides() {
    let Some(path) = business_hours() else { return };
    let policy = format!("time_zone: Europe/Berlin\nguards:\n  hours:\n    component: {}\n", path.display());
    let engine = engine(&policy, State::InMemory);
    let verdict = |function, stamp| at(&engine, &call(function, "{}"), stamp).verdict;
    assert_eq!(verdict("send_email", "2026-07-15T15:59:59+02:00"), Verdict::Allow);
    assert_eq!(verdict("send_email", "2026-07-15T17:00:00+02:00"), Verdict::RequireApproval);
    assert_eq!(verdict("bank.makePayment", "2026-07-18T12:00:00+02:00"), Verdict::RequireApproval);
    assert_eq!(verdict("read_email", "2026-07-18T12:00:00+02:00"), Verdict::Allow);
}

#[test]
fn a_custom_guard_with_another_digest_than_pinned_denies_every_call() {
    let Some(path) = business_hours() else { return };
    let pinned = "0".repeat(64);
    let policy = format!("guards: {{hours: {{component: '{}', sha256: '{pinned}'}}}}", path.display());
    let builder = PolicyEngine::builder().sandbox(SANDBOX.clone()).policy_text(policy, ".").state(State::InMemory);
    let evaluation = builder.build().unwrap().evaluate_blocking(&call("read_email", "{}"));
    assert_eq!(evaluation.verdict, Verdict::Deny);
    assert_eq!(evaluation.fault().unwrap().code(), "wrong_digest");
}
