//! Claims about hooks, clocks and listeners: none of them lets a call through that was not judged, and none
//! delays a verdict.

use std::sync::atomic::Ordering;

use agenthalt::settings::Scope;
use agenthalt::testing::{self, Recorder};
use agenthalt::{
    Call, Evaluation, Event, Events, Fault, GuardSetup, PolicyEngine, Sandbox, Verdict, assert_allowed, assert_denied,
};

use crate::call;

#[test]
fn pre_hooks_run_in_order_and_what_they_change_is_judged_and_runs() {
    let recorder = Recorder::default();
    let engine = testing::builder("guards: {scope: {deny_by_agent: {robot: ['*']}, deny_functions: ['drop_*']}}")
        .pre_hook(|call: Call| Ok::<_, String>(Call { arguments: call.arguments.replace("one", "two"), ..call }))
        .pre_hook(|call: Call| Ok::<_, String>(Call { arguments: call.arguments.replace("two", "three"), ..call }))
        .pre_hook(|call: Call| {
            let is_robot = call.arguments.contains("robot");
            Ok::<_, String>(call.agent(if is_robot { "robot" } else { "person" }))
        })
        .post_hook(recorder.hook())
        .build()
        .unwrap();
    let evaluation = engine.evaluate_blocking(&Call::new("count", r#"{"to": "one"}"#));
    assert_eq!(evaluation.verdict, Verdict::Modify);
    assert_eq!(evaluation.original_arguments, r#"{"to": "one"}"#);
    assert_eq!(evaluation.final_arguments, r#"{"to": "three"}"#);
    assert_eq!(evaluation.reason(), "a pre-hook changed the arguments");
    assert_denied!(engine.evaluate_blocking(&Call::new("count", r#"{"as": "robot"}"#)), "scope");
    let untouched = engine.evaluate_blocking(&Call::new("count", r#"{ "to": "four" }"#));
    assert_eq!((untouched.verdict, untouched.final_arguments.as_str()), (Verdict::Allow, r#"{ "to": "four" }"#));
    let judged: Vec<String> = recorder.take().into_iter().map(|(call, _)| call.arguments).collect();
    assert_eq!(judged, [r#"{"to": "three"}"#, r#"{"as": "robot"}"#, r#"{ "to": "four" }"#]);
}

#[test]
fn a_pre_hook_that_writes_the_same_arguments_anew_changes_nothing() {
    let rewritten = |call: Call| Ok::<_, String>(Call { arguments: r#"{"a":1,"b":"x"}"#.to_owned(), ..call });
    let engine = testing::builder("guards: {scope: {}}").pre_hook(rewritten).build().unwrap();
    assert_eq!(engine.evaluate_blocking(&Call::new("f", r#"{ "b": "\u0078", "a": 1.0 }"#)).verdict, Verdict::Allow);
    assert_eq!(engine.evaluate_blocking(&Call::new("f", "not JSON at all")).verdict, Verdict::Modify);
}

#[test]
fn a_pre_hook_that_fails_or_panics_denies_with_its_text() {
    let engine = testing::builder("guards: {scope: {}}")
        .pre_hook(|call: Call| if call.function_name == "fail" { Err("the quota service is down") } else { Ok(call) })
        .pre_hook(|call: Call| {
            assert_ne!(call.function_name, "panic", "on purpose");
            Ok::<_, String>(call)
        })
        .build()
        .unwrap();
    for (name, text) in [("fail", "pre-hook 1: the quota service is down"), ("panic", "pre-hook 2: it panicked: ")] {
        let evaluation = engine.evaluate_blocking(&call(name));
        assert_eq!(evaluation.verdict, Verdict::Deny);
        assert!(evaluation.denial_reasons()[0].contains(text), "{:?}", evaluation.denial_reasons());
        assert_eq!(evaluation.fault().map(Fault::code), Some("hook"));
        assert!(evaluation.sequence.is_some(), "a refused call has its record too");
    }
    assert_allowed!(engine.evaluate_blocking(&call("get")));
}

#[test]
fn a_pre_hook_that_renames_the_function_denies() {
    let engine = testing::builder("guards: {scope: {deny_functions: ['drop_*']}}")
        .pre_hook(|call: Call| Ok::<_, String>(Call { function_name: "list_tables".to_owned(), ..call }))
        .build()
        .unwrap();
    let evaluation = engine.evaluate_blocking(&call("drop_tables"));
    assert_denied!(evaluation);
    assert!(evaluation.reason().contains("it changed the function's name"), "{}", evaluation.reason());
}

#[test]
fn a_pre_hook_that_varies_what_it_adds_hides_no_loop() {
    let turn = std::sync::atomic::AtomicU32::new(0);
    let engine = testing::builder("guards: {rate_limit: {max_identical_calls: 3}}")
        .pre_hook(move |call: Call| {
            let turn = turn.fetch_add(1, Ordering::Relaxed);
            Ok::<_, String>(Call { arguments: format!("{{\"trace\": {turn}}}"), ..call })
        })
        .build()
        .unwrap();
    let verdicts: Vec<_> = (0..5).map(|_| engine.evaluate_blocking(&call("poll")).verdict.as_str()).collect();
    assert_eq!(verdicts, ["modify", "modify", "modify", "deny", "deny"]);
}

#[test]
fn hooks_that_judge_calls_themselves_come_to_an_end() {
    let slot: std::sync::Arc<std::sync::OnceLock<PolicyEngine>> = std::sync::Arc::default();
    let (before, after) = (slot.clone(), slot.clone());
    let judge = |engine: &PolicyEngine, name: &str| engine.evaluate_blocking(&call(name)).is_allowed();
    let engine = testing::builder("guards: {scope: {}}")
        .pre_hook(move |call: Call| {
            let goes_round = call.function_name == "before" && !judge(before.get().unwrap(), "before");
            if goes_round { Err("round and round") } else { Ok(call) }
        })
        .post_hook(move |call: &Call, _: &Evaluation| {
            let goes_round = call.function_name == "after" && judge(after.get().unwrap(), "after");
            if goes_round { Ok(()) } else { Err("it ends") }
        })
        .build()
        .unwrap();
    assert!(slot.set(engine.clone()).is_ok());
    assert_denied!(engine.evaluate_blocking(&call("before")));
    assert_allowed!(engine.evaluate_blocking(&call("after")));
}

/// A clock that fails.
struct Broken;

impl agenthalt::Clock for Broken {
    fn now(&self) -> agenthalt::Timestamp {
        panic!("on purpose")
    }
}

#[test]
fn a_clock_that_panics_denies() {
    let engine = testing::builder("guards: {sensitive_data: {scan_output: true}}").clock(Broken).build().unwrap();
    let evaluation = engine.evaluate_blocking(&call("get"));
    assert_denied!(evaluation);
    assert!(evaluation.reason().contains("the clock panicked"), "{}", evaluation.reason());
    assert_eq!(engine.evaluate_output_blocking("x", "text").output, None);
}

#[test]
fn a_progress_that_panics_keeps_no_guard_from_its_seat() {
    let sandbox = Sandbox::builder().build().unwrap();
    let engine = PolicyEngine::builder()
        .sandbox(sandbox)
        .guard(Scope { deny_functions: vec!["drop_*".into()], ..Scope::default() })
        .progress(|_, _| panic!("on purpose"))
        .build()
        .unwrap();
    assert_denied!(engine.evaluate_blocking(&call("drop_it")), "scope");
    assert_allowed!(engine.evaluate_blocking(&call("get")));
}

#[tokio::test]
async fn who_listens_hears_of_an_evaluation_that_nobody_waits_for() {
    let engine = testing::engine("guards: {budget: {max_daily_spend: 1, default_cost: 0.6, warn_threshold: null}}");
    let mut events = engine.listen(10);
    let waited = tokio::time::timeout(std::time::Duration::ZERO, engine.evaluate(&call("get"))).await;
    if waited.is_err() {
        // Cancelled before it began, or judged all the same: then it is heard of. Either way the next one is
        // the next.
        let next = engine.evaluate(&call("get")).await;
        let heard = all(&mut events).into_iter().filter(|event| matches!(event, Event::Evaluation(_))).count();
        assert_eq!(next.is_allowed(), heard == 1, "{heard} were heard of");
    }
}

fn all(events: &mut Events) -> Vec<Event> {
    std::iter::from_fn(|| events.try_next()).collect()
}

/// So many events and no more.
fn heard<const N: usize>(events: &mut Events) -> [Event; N] {
    all(events).try_into().unwrap()
}

#[test]
fn a_post_hook_that_fails_is_an_event_and_changes_no_verdict() {
    let engine = testing::builder("guards: {scope: {deny_functions: ['drop_*']}}")
        .post_hook(|_: &Call, _: &Evaluation| Err("the log is full"))
        .post_hook(|_: &Call, evaluation: &Evaluation| -> Result<(), String> { panic!("{}", evaluation.verdict) })
        .build()
        .unwrap();
    let mut events = engine.listen(10);
    assert_allowed!(engine.evaluate_blocking(&call("get")));
    let faults: Vec<String> = all(&mut events)
        .into_iter()
        .filter_map(|event| if let Event::Fault(event) = event { Some(event.fault.to_string()) } else { None })
        .collect();
    assert_eq!(
        faults,
        ["a hook failed: post-hook 1: the log is full", "a hook failed: post-hook 2: it panicked: allow"]
    );
    assert_denied!(engine.evaluate_blocking(&call("drop_it")), "scope");
}

#[test]
fn listeners_hear_of_verdicts_questions_faults_and_policies() {
    let policy = "guards: {scope: {require_approval_functions: ['send_*']}}";
    let engine = testing::builder(policy)
        .pre_hook(|call: Call| if call.function_name.is_empty() { Err("no name") } else { Ok(call) });
    let engine = engine.build().unwrap();
    let mut events = engine.listen(10);
    engine.evaluate_blocking(&call("send_mail"));
    let [Event::Evaluation(evaluation), Event::Approval(question)] = heard(&mut events) else {
        panic!("an evaluation and a question")
    };
    assert!(evaluation.needs_approval() && evaluation.call_id == question.call_id);
    engine.evaluate_blocking(&call(""));
    let [Event::Evaluation(_), Event::Fault(fault)] = heard(&mut events) else { panic!("an evaluation and a fault") };
    assert_eq!((fault.guard, fault.fault.code()), (None, "hook"));
    engine.add_guard(GuardSetup::component("gone", "no-such.wasm")).unwrap();
    let [Event::Policy(change)] = heard(&mut events) else { panic!("a change of the policy") };
    assert_eq!((change.now, change.faults.len()), (engine.policy_digest(), 1));
    engine.evaluate_blocking(&call("get"));
    let [Event::Evaluation(_), Event::Fault(fault)] = heard(&mut events) else { panic!("an evaluation and a fault") };
    assert_eq!(fault.guard.as_deref(), Some("gone"));
    drop(engine);
    assert!(events.next_blocking().is_none(), "the engine is gone");
}

#[test]
fn a_listener_that_never_reads_delays_nothing_and_loses_what_it_has_no_room_for() {
    let engine = testing::engine("guards: {scope: {}}");
    let (mut never, mut reads) = (engine.listen(3), engine.listen(1_000));
    // Were handing over to wait for the one that never reads, this would not come to an end.
    for _ in 0..50 {
        assert_allowed!(engine.evaluate_blocking(&call("get")));
    }
    assert_eq!((all(&mut reads).len(), reads.lost()), (50, 0));
    let kept = all(&mut never).len() as u64;
    assert!((3..=5).contains(&kept) && kept + never.lost() == 50, "{kept} kept, {} lost", never.lost());
    drop(never);
    assert_allowed!(engine.evaluate_blocking(&call("get")));
}
