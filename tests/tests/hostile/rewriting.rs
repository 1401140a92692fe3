//! Guards that rewrite: what comes to rest is what runs, what does not is denied.

use agenthalt::{Approver, Fault, PolicyEngine, State, Verdict};

use crate::guest::{GOOD, Guest, Place};
use crate::stage::{Stage, assert_serves, call};

/// A guest that rewrites these arguments of a special call into those, and allows all others.
fn rewriter(from: &str, to: &str) -> Vec<u8> {
    let (size, new_size) = (from.len(), to.len());
    let rewrite = format!(
        "(if (call $is
            (i32.load offset=16 (local.get $call)) (i32.load offset=20 (local.get $call))
            (i32.const 1024) (i32.const {size}))
          (then
            (i32.store8 (global.get $verdict) (i32.const 1))
            (i32.store8 (global.get $has_replacement) (i32.const 1))
            (call $text (global.get $replacement) (i32.const 2048) (i32.const {new_size}))))"
    );
    Guest::default()
        .with(Place::Configure, "(i32.store8 (global.get $verdicts) (i32.const 0x0b))")
        .with(Place::Special, rewrite)
        .text(1024, from)
        .text(2048, to)
        .component()
}

#[test]
fn guards_that_undo_each_other_are_both_named_and_deny() {
    let (to_two, to_one) = (rewriter(r#"{"a":1}"#, r#"{"a":2}"#), rewriter(r#"{"a":2}"#, r#"{"a":1}"#));
    let stage = Stage::new();
    let engine = stage.engine(&[("two", &to_two, ""), ("watcher", &GOOD, ""), ("one", &to_one, "")]);
    let evaluation = engine.evaluate_blocking(&call("special", r#"{ "a": 1 }"#));
    assert_eq!(evaluation.verdict, Verdict::Deny);
    let Some(Fault::Oscillation(text)) = evaluation.fault() else { panic!("{:?}", evaluation.fault()) };
    assert!(text.contains("`two`") && text.contains("`one`") && !text.contains("watcher"), "{text}");
    let faulty: Vec<&str> =
        evaluation.decisions.iter().filter(|d| d.fault.is_some()).map(|d| d.guard.as_str()).collect();
    assert_eq!(faulty, ["two", "one"]);
    // Nothing runs, so what is shown is what was given.
    assert_eq!(evaluation.final_arguments, r#"{ "a": 1 }"#);
    assert_serves_all(&engine, 0);
}

#[test]
fn a_guard_that_rewrites_without_end_denies() {
    // Each time it finds the last letter before `"}` and puts the next one there.
    let next = "(memory.copy (i32.const 2048) (i32.load offset=16 (local.get $call)) (i32.const 9))
        (i32.store8 (i32.const 2054) (i32.add (i32.load8_u (i32.const 2054)) (i32.const 1)))
        (i32.store8 (global.get $verdict) (i32.const 1))
        (i32.store8 (global.get $has_replacement) (i32.const 1))
        (call $text (global.get $replacement) (i32.const 2048) (i32.const 9))";
    let guest = Guest::default()
        .with(Place::Configure, "(i32.store8 (global.get $verdicts) (i32.const 0x0b))")
        .with(Place::Special, next);
    let stage = Stage::new();
    let engine = stage.engine(&[("restless", &guest.component(), "")]);
    let evaluation = engine.evaluate_blocking(&call("special", r#"{"a":"a"}"#));
    assert_eq!(evaluation.verdict, Verdict::Deny);
    assert!(matches!(evaluation.fault(), Some(Fault::Oscillation(text)) if text.contains("`restless`")));
    assert_serves_all(&engine, 0);
    stage.assert_serves_others();
}

/// A guest that writes the last digit of its reading into the arguments of a special call: into `{"a":0}` as long as
/// nothing ran, then into `{"a":1}`, and so on.
fn wavering() -> Vec<u8> {
    let rewrite = "(i32.store8 (i32.const 2053) (i32.load8_u (global.get $digit)))
        (if (i32.eqz (call $is
            (i32.load offset=16 (local.get $call)) (i32.load offset=20 (local.get $call))
            (i32.const 2048) (i32.const 7)))
          (then
            (i32.store8 (global.get $verdict) (i32.const 1))
            (i32.store8 (global.get $has_replacement) (i32.const 1))
            (call $text (global.get $replacement) (i32.const 2048) (i32.const 7))))";
    let guest = Guest::default()
        .with(Place::Configure, "(i32.store8 (global.get $verdicts) (i32.const 0x0b))")
        .with(Place::Special, rewrite)
        .text(2048, r#"{"a":0}"#);
    guest.component()
}

#[test]
fn a_yes_to_other_final_arguments_serves_nothing() {
    let stage = Stage::new();
    std::fs::write(stage.path("wavering.wasm"), wavering()).unwrap();
    let policy = "guards: {wavering: {component: wavering.wasm}, scope: {require_approval_functions: [special]}}";
    let engine = stage.engine_of(policy).unwrap();
    let special = call("special", r#"{"a":7}"#).id("call-7");
    let asked = engine.evaluate_blocking(&special);
    assert_eq!((asked.verdict, asked.final_arguments.as_str()), (Verdict::RequireApproval, r#"{"a":0}"#));
    let first = asked.approval.unwrap();
    engine.approve_blocking(first, Approver::named("ann")).unwrap();
    assert!(engine.evaluate_blocking(&call("plain", "{}")).is_allowed());
    // Now other arguments would run, which nobody has seen.
    let again = engine.evaluate_blocking(&special);
    assert_eq!((again.verdict, again.final_arguments.as_str()), (Verdict::RequireApproval, r#"{"a":1}"#));
    assert_ne!(again.approval, Some(first));
    let named = engine.evaluate_approved_blocking(&special, first);
    assert!(named.reason().contains("asked about another call"), "{}", named.reason());
    engine.approve_blocking(again.approval.unwrap(), Approver::named("ann")).unwrap();
    let ran = engine.evaluate_blocking(&special);
    assert_eq!((ran.verdict, ran.final_arguments.as_str()), (Verdict::Modify, r#"{"a":1}"#));
}

#[test]
fn rewriting_guards_build_on_each_other_and_settle() {
    let (to_one, to_two) = (rewriter(r#"{"a":0}"#, r#"{"a":1}"#), rewriter(r#"{"a":1}"#, r#"{"a":2}"#));
    let stage = Stage::new();
    for seats in
        [[("first", &to_one[..], ""), ("second", &to_two[..], "")], [("second", &to_two, ""), ("first", &to_one, "")]]
    {
        let engine = stage.engine(&seats);
        let evaluation = engine.evaluate_blocking(&call("special", r#"{ "a" : 0 }"#));
        assert_eq!(evaluation.fault(), None);
        assert_eq!(evaluation.verdict, Verdict::Modify);
        assert_eq!(evaluation.original_arguments, r#"{ "a" : 0 }"#);
        assert_eq!(evaluation.final_arguments, r#"{"a":2}"#);
        let steps: Vec<&str> = evaluation.rewrites.iter().map(|rewrite| rewrite.guard.as_str()).collect();
        assert_eq!(steps, ["first", "second"]);
        // Rounds before the last charge nothing: each guard has charged once.
        assert_serves_all(&engine, 1);
    }
}

#[test]
fn arguments_that_nobody_rewrites_stay_the_callers_own_text() {
    let stage = Stage::new();
    let engine = stage.engine(&[("idle", &rewriter(r#"{"a":0}"#, r#"{"a":1}"#), "")]);
    let text = "{ \"b\" : 1.0e0,\n \"a\":\"\\u0041\" }";
    let evaluation = engine.evaluate_blocking(&call("special", text));
    assert_eq!((evaluation.verdict, evaluation.final_arguments.as_str()), (Verdict::Allow, text));
    assert_eq!(evaluation.rewrites, []);
}

#[test]
fn a_rewrite_into_what_stands_there_already_is_none() {
    let stage = Stage::new();
    let engine = stage.engine(&[("same", &rewriter(r#"{"a":1}"#, r#"{"a":1.0}"#), "")]);
    let evaluation = engine.evaluate_blocking(&call("special", r#"{"a": 1}"#));
    assert_eq!((evaluation.verdict, evaluation.final_arguments.as_str()), (Verdict::Allow, r#"{"a": 1}"#));
}

#[test]
fn other_guards_judge_the_final_arguments() {
    // The judge denies the arguments as given; it never sees them, only what is left of them.
    let deny = "(if (call $is
            (i32.load offset=16 (local.get $call)) (i32.load offset=20 (local.get $call))
            (i32.const 1024) (i32.const 9))
          (then (i32.store8 (global.get $verdict) (i32.const 3))))";
    let denies_bad = Guest::default().with(Place::Special, deny).text(1024, r#"{"a":"x"}"#).component();
    let cleans = rewriter(r#"{"a":"x"}"#, r#"{"a":"-"}"#);
    let stage = Stage::new();
    let engine = stage.engine(&[("judge", &denies_bad, ""), ("cleaner", &cleans, "")]);
    let evaluation = engine.evaluate_blocking(&call("special", r#"{"a":"x"}"#));
    assert_eq!((evaluation.verdict, evaluation.final_arguments.as_str()), (Verdict::Modify, r#"{"a":"-"}"#));
    // The other way round: what is rewritten into something forbidden is denied.
    let spoils = rewriter(r#"{"a":"-"}"#, r#"{"a":"x"}"#);
    let engine = stage.engine(&[("judge", &denies_bad, ""), ("spoiler", &spoils, "")]);
    let evaluation = engine.evaluate_blocking(&call("special", r#"{"a":"-"}"#));
    assert_eq!((evaluation.verdict, evaluation.decided_by.as_deref()), (Verdict::Deny, Some("judge")));
}

#[test]
fn a_rewriting_guard_in_the_shadow_changes_nothing() {
    let stage = Stage::new();
    let engine = stage.engine(&[("first", &rewriter(r#"{"a":0}"#, r#"{"a":1}"#), "mode: shadow"), ("good", &GOOD, "")]);
    let evaluation = engine.evaluate_blocking(&call("special", r#"{"a":0}"#));
    assert_eq!((evaluation.verdict, evaluation.final_arguments.as_str()), (Verdict::Allow, r#"{"a":0}"#));
    assert_eq!(evaluation.decisions[0].verdict, Verdict::Modify);
}

/// Asserts that every guard of the engine allows the next call on this reading.
fn assert_serves_all(engine: &agenthalt::PolicyEngine, spent: i64) {
    let evaluation = crate::stage::judge(engine, "plain");
    assert_eq!((evaluation.fault(), evaluation.verdict), (None, Verdict::Allow));
    for decision in &evaluation.decisions {
        assert_eq!(decision.reason, format!("spent {spent}"), "{}", decision.guard);
    }
    assert_serves(engine, spent + 1);
}

#[test]
fn a_call_that_would_be_rewritten_otherwise_now_does_not_get_its_answer_again() {
    let stage = Stage::new();
    let policy = "guards: {rewriter: {component: rewriter.wasm}}";
    let engine = |to: &str| {
        std::fs::write(stage.path("rewriter.wasm"), rewriter(r#"{"a":1}"#, to)).unwrap();
        let builder = PolicyEngine::builder().policy_text(policy, stage.path(".")).sandbox(stage.sandbox.clone());
        builder.state(State::File(stage.path("state.db"))).build().unwrap()
    };
    let call = call("special", r#"{"a":1}"#).id("one");
    assert_eq!(engine(r#"{"a":2}"#).evaluate_blocking(&call).final_arguments, r#"{"a":2}"#);
    let again = engine(r#"{"a":2}"#).evaluate_blocking(&call);
    assert!(again.repeats && again.final_arguments == r#"{"a":2}"#);
    let otherwise = engine(r#"{"a":3}"#).evaluate_blocking(&call);
    assert_eq!(otherwise.verdict, Verdict::Deny);
    assert!(matches!(otherwise.fault(), Some(Fault::Repeat(text)) if text.contains("rewritten in another way")));
    assert_eq!(otherwise.final_arguments, r#"{"a":1}"#);
}
