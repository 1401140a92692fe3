//! Claims about the engine as a program has it: typed settings, guards that come and go, policies replaced
//! at once, custom guards by path and by bytes.
//!
//! | module | what it holds |
//! |---|---|
//! | `hooks` | hooks, clocks, and those who listen |
//! | `retries` | a call that comes again under its id |
//! | `settling` | what came of a call |

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod hooks;
mod retries;
mod settling;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use agenthalt::settings::{Budget, Deletion, Purchase, RateLimit, Scope, SensitiveData};
use agenthalt::testing::{self, FixedClock};
use agenthalt::{
    Call, Digest, ErrorKind, Evaluation, Fault, GuardSetup, Mode, PolicyEngine, PolicyEngineBuilder, PolicySource,
    Unmatched, Verdict, assert_allowed, assert_denied, assert_needs_approval,
};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A builder without a policy, in the sandbox of all tests.
fn builder() -> PolicyEngineBuilder {
    PolicyEngine::builder().sandbox(testing::sandbox())
}

fn call(function_name: &str) -> Call {
    Call::new(function_name, "{}")
}

/// Asserts that a call is denied, and that the reason says so.
fn denied_for(evaluation: &Evaluation, text: &str) {
    assert!(evaluation.verdict == Verdict::Deny && evaluation.reason().contains(text), "{}", evaluation.reason());
}

fn is_send_and_sync<T: Clone + Send + Sync + 'static>() {}

#[test]
fn an_engine_goes_to_any_thread() {
    is_send_and_sync::<PolicyEngine>();
}

#[test]
fn settings_in_code_are_those_of_the_schema_with_its_defaults() {
    let of_code: [(&str, &str, GuardSetup); 6] = [
        ("budget", "budget", Budget::default().into()),
        ("deletion", "deletion", Deletion::default().into()),
        ("purchase", "purchase", Purchase::default().into()),
        ("rate_limit", "rate-limit", RateLimit::default().into()),
        ("scope", "scope", Scope::default().into()),
        ("sensitive_data", "sensitive-data", SensitiveData::default().into()),
    ];
    for (name, folder, setup) in of_code {
        let schema = std::fs::read_to_string(root().join("guards").join(folder).join("schema.json")).unwrap();
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let defaults: serde_json::Map<String, Value> =
            properties.iter().map(|(name, property)| (name.clone(), property["default"].clone())).collect();
        assert!(defaults.len() > 3, "{name}");
        let written = testing::engine(&json!({ "guards": { name: defaults } }).to_string());
        let engine = builder().guard(setup).build().unwrap();
        assert_eq!(engine.faults(), [], "{name}");
        assert_eq!(engine.policy_digest(), written.policy_digest(), "{name}");
    }
}

#[test]
fn typed_settings_decide_as_the_text_does() {
    let engine = builder()
        .guard(Budget { max_daily_spend: Some("0.03".parse().unwrap()), warn_threshold: None, ..Budget::default() })
        .guard(Deletion { protected_resources: vec!["inbox".into()], ..Deletion::default() })
        .guard(Purchase { require_approval_above: Some(50.into()), ..Purchase::default() })
        .guard(RateLimit::default())
        .guard(Scope { deny_functions: vec!["drop_*".into()], ..Scope::default() })
        .guard(SensitiveData::default())
        .build()
        .unwrap();
    assert_allowed!(engine.evaluate_blocking(&call("search")));
    assert_denied!(engine.evaluate_blocking(&Call::new("delete_email", r#"{"id": "inbox/7"}"#)), "deletion");
    assert_needs_approval!(engine.evaluate_blocking(&Call::new("buy_book", r#"{"amount": 60}"#)));
    assert_denied!(engine.evaluate_blocking(&call("drop_table")), "scope");
    assert_denied!(engine.evaluate_blocking(&Call::new("post", r#"{"password": "hunter2"}"#)), "sensitive_data");
    assert_allowed!(engine.evaluate_blocking(&call("search")));
    assert_allowed!(engine.evaluate_blocking(&call("search")));
    assert_denied!(engine.evaluate_blocking(&call("search")), "budget");
}

#[test]
fn what_is_wrong_in_code_is_told_all_at_once() {
    let wrong = builder()
        .guard(Scope { deny_functions: vec!["a[".into(), "fine".into()], ..Scope::default() })
        .guard(Scope::default())
        .guard(GuardSetup::from(Budget::default()).sha256(Digest::of(b"")))
        .component("scoped guard", "hours.wasm", ())
        .component("listed", "hours.wasm", ["no", "object"])
        .time_zone("Atlantis/Capital")
        .build();
    let error = wrong.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Policy);
    let told = error.to_string();
    for part in [
        "guard `scope`, setting `deny_functions / 0`",
        "there is a guard `scope` already",
        "guard `budget`: a built-in guard is pinned by the host",
        "`scoped guard`: a guard's name is",
        "guard `listed`: its settings are a list, not an object",
        "`Atlantis/Capital`",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(builder().build().unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn guards_of_text_and_code_judge_together() {
    let engine = testing::builder("unmatched: allow\nguards: {scope: {deny_functions: ['drop_*']}}")
        .guard(GuardSetup::from(Budget { max_call_cost: Some(0.into()), ..Budget::default() }).shadow())
        .unmatched(Unmatched::Deny)
        .build()
        .unwrap();
    let names: Vec<(String, Mode)> = engine.guards().into_iter().map(|guard| (guard.name, guard.mode)).collect();
    assert_eq!(names, [("scope".to_owned(), Mode::Enforce), ("budget".to_owned(), Mode::Shadow)]);
    assert_denied!(engine.evaluate_blocking(&call("drop_it")), "scope");
    let watched = engine.evaluate_blocking(&call("get_it"));
    assert_eq!(watched.decisions.iter().find(|it| it.guard == "budget").unwrap().verdict, Verdict::Deny);
}

#[test]
fn guards_come_and_go_while_the_engine_runs() {
    let engine = testing::engine("guards: {budget: {max_session_spend: 0.02, warn_threshold: null}}");
    let begun = engine.policy_digest();
    assert_allowed!(engine.evaluate_blocking(&call("drop_table")));
    engine.add_guard(Scope { deny_functions: vec!["drop_*".into()], ..Scope::default() }).unwrap();
    assert_denied!(engine.evaluate_blocking(&call("drop_table")), "scope");
    engine.disable_guard("scope").unwrap();
    assert!(!engine.guard("scope").unwrap().enabled);
    assert_allowed!(engine.evaluate_blocking(&call("drop_table")));
    engine.enable_guard("scope").unwrap();
    assert_denied!(engine.evaluate_blocking(&call("drop_table")), "scope");
    engine.remove_guard("scope").unwrap();
    assert_eq!((engine.guards().len(), engine.policy_digest()), (1, begun));
    // What budget counted before all this still counts.
    assert_denied!(engine.evaluate_blocking(&call("drop_table")), "budget");
    for refused in [engine.remove_guard("scope"), engine.enable_guard("x"), engine.disable_guard("")] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Usage);
    }
    let double = engine.add_guard(Budget::default()).unwrap_err();
    assert_eq!((double.kind(), engine.guards().len()), (ErrorKind::Policy, 1));
}

#[test]
fn a_replaced_policy_keeps_what_was_spent_and_a_refused_one_changes_nothing() {
    let spent = "guards: {budget: {max_daily_spend: 0.02, warn_threshold: null}}";
    let engine = testing::builder(spent).clock(FixedClock::at("2026-01-15T12:00:00Z")).build().unwrap();
    assert_allowed!(engine.evaluate_blocking(&call("search")));
    let before = engine.policy_digest();
    for (wrong, kind) in [
        (PolicySource::text("guards: {budget: {max_daily: 1}}"), ErrorKind::Policy),
        (PolicySource::file("no-such-policy.yaml"), ErrorKind::Io),
        (PolicySource::in_code(), ErrorKind::Usage),
    ] {
        assert_eq!(engine.replace_policy(wrong).unwrap_err().kind(), kind);
        assert_eq!(engine.policy_digest(), before);
    }
    engine
        .replace_policy(PolicySource::text("guards: {budget: {max_daily_spend: 0.015, warn_threshold: null}}"))
        .unwrap();
    assert_denied!(engine.evaluate_blocking(&call("search")), "budget");
}

#[test]
fn a_policy_that_keeps_its_state_elsewhere_does_not_replace_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, "state: one.db\nguards: {scope: {}}").unwrap();
    let engine = PolicyEngine::from_policy_file(&path).unwrap();
    let refused = engine.replace_policy(PolicySource::text_in("state: two.db\nguards: {scope: {}}", folder.path()));
    assert!(refused.unwrap_err().to_string().contains("a running engine keeps the state that it has"));
    let same = "state: one.db\nguards: {scope: {read_only_mode: true}}";
    // The same words in another folder are another place, and so is another durability in the same one.
    let durable = "state: {path: one.db, durability: power}\nguards: {scope: {}}";
    for elsewhere in [PolicySource::text(same), PolicySource::text_in(durable, folder.path())] {
        assert_eq!(engine.replace_policy(elsewhere).unwrap_err().kind(), ErrorKind::Usage);
    }
    engine.replace_policy(PolicySource::text_in(same, folder.path())).unwrap();
    assert_denied!(engine.evaluate_blocking(&call("drop_it")), "scope");
    // What is added later starts at the policy's folder, too.
    std::fs::write(folder.path().join("no.wasm"), "no component").unwrap();
    engine.add_guard(GuardSetup::component("own", "no.wasm")).unwrap();
    assert_eq!(engine.faults()[0].1.code(), "not_a_component");
}

#[test]
fn a_policy_beside_guards_in_code_loses_none_of_them() {
    let engine = builder()
        .guard(Scope { read_only_mode: true, ..Scope::default() })
        .unmatched(Unmatched::Deny)
        .policy(PolicySource::text("guards: {budget: {}}"))
        .build()
        .unwrap();
    assert_denied!(engine.evaluate_blocking(&call("drop_table")), "scope");
    assert_eq!(engine.guards().len(), 2);
}

/// The guards that spoke or were silent, and the policy.
fn asked(evaluation: &Evaluation) -> (Vec<&str>, Digest) {
    let spoke = evaluation.decisions.iter().map(|decision| decision.guard.as_str());
    let mut names: Vec<&str> = spoke.chain(evaluation.silent.iter().map(|silence| silence.guard.as_str())).collect();
    names.sort_unstable();
    (names, evaluation.policy)
}

#[test]
fn two_policies_never_meet_in_one_evaluation() {
    let one = "guards: {budget: {default_cost: 0}, scope: {deny_functions: ['*one*']}, rate_limit: {max_calls_per_session: 1000000, max_calls_per_minute: 1000000, burst_threshold: null, max_identical_calls: null}}";
    let two = "guards: {deletion: {}, scope: {deny_functions: ['*two*']}, purchase: {}}";
    let digests = [one, two].map(|text| testing::engine(text).policy_digest());
    let expected = [["budget", "rate_limit", "scope"], ["deletion", "purchase", "scope"]];
    let engine = testing::engine(one);
    let done = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let judging: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut seen = [0, 0];
                    while !done.load(Ordering::Relaxed) {
                        let evaluation = engine.evaluate_blocking(&call("one_two"));
                        let (names, policy) = asked(&evaluation);
                        let place = digests.iter().position(|digest| *digest == policy).unwrap();
                        assert_eq!(names, expected[place]);
                        let words = ["*one*", "*two*"].map(|pattern| evaluation.reason().contains(pattern));
                        assert_eq!(words, [place == 0, place == 1], "{}", evaluation.reason());
                        seen[place] += 1;
                    }
                    seen
                })
            })
            .collect();
        for turn in 0..100 {
            engine.replace_policy(PolicySource::text([two, one][turn % 2])).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        judging.into_iter().map(|thread| thread.join().unwrap()).fold([0, 0], |a, b| [a[0] + b[0], a[1] + b[1]])
    });
    assert!(seen[0] > 0 && seen[1] > 0, "both policies judged: {seen:?}");
}

/// The example guard, as `cargo xtask guards example` builds it.
fn business_hours() -> Option<PathBuf> {
    if std::env::var_os("AGENTHALT_WITHOUT_EXAMPLES").is_some() {
        println!("LEFT OUT: the example guard cannot be built here, `cargo xtask test` says why");
        return None;
    }
    let path = root().join("target/guests/examples/business-hours.wasm");
    assert!(path.is_file(), "`{}` is missing; run `cargo xtask guards example`", path.display());
    Some(path)
}

#[test]
fn a_custom_guard_comes_by_path_or_by_bytes_and_pinned() {
    let Some(path) = business_hours() else { return };
    let bytes = std::fs::read(&path).unwrap();
    let digest = Digest::of(&bytes);
    for setup in [
        GuardSetup::component("hours", path.clone()),
        GuardSetup::component("hours", bytes.clone()),
        GuardSetup::component("hours", path.clone()).sha256(digest),
        GuardSetup::component("hours", bytes.as_slice()).sha256(digest),
    ] {
        let night = FixedClock::at("2026-07-15T23:00:00Z");
        let engine = builder().guard(setup.settings(json!({}))).clock(night).build().unwrap();
        assert_eq!(engine.guard("hours").unwrap().digest, Some(digest));
        assert_needs_approval!(engine.evaluate_blocking(&call("send_email")));
    }
}

#[test]
fn a_component_with_another_digest_keeps_its_seat_and_denies() {
    let Some(path) = business_hours() else { return };
    let bytes = std::fs::read(&path).unwrap();
    for setup in [GuardSetup::component("hours", path), GuardSetup::component("hours", bytes)] {
        let setup = setup.sha256(Digest::of(b"what was vetted"));
        let engine = builder().guard(Scope::default()).guard(setup).build().unwrap();
        let evaluation = engine.evaluate_blocking(&call("read_email"));
        assert_denied!(evaluation, "hours");
        assert_eq!(evaluation.fault().map(Fault::code), Some("wrong_digest"));
        assert!(engine.guard("hours").unwrap().denies_every_call());
        // Out of the way it is not taken by itself, only by who set it up.
        engine.disable_guard("hours").unwrap();
        assert_allowed!(engine.evaluate_blocking(&call("read_email")));
    }
}

#[test]
fn the_example_embeds_a_guard_of_its_own() {
    let Some(path) = business_hours() else { return };
    // Beside this test: `target/debug/deps/embedding-…` and `target/debug/examples/embed`.
    let program = std::env::current_exe().unwrap().parent().unwrap().with_file_name("examples").join("embed");
    assert!(program.is_file(), "`{}` is missing; run `cargo build --workspace --examples`", program.display());
    let ran = std::process::Command::new(program).arg(path).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for line in [
        "own: business-hours 0.1.0",
        "list_tables: allow ",
        "drop_table: deny the function `drop_table` meets `drop_*` of deny_functions",
    ] {
        assert!(said.lines().any(|told| told == line), "{line}: {said}");
    }
}
