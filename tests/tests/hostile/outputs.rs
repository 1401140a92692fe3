//! Outputs of calls that ran: nothing is passed on that a guard withholds, that no guard could judge, or
//! that belongs to no call or to two.

use agenthalt::{Fault, MalformedCall, OutputEvaluation, PolicyEngine, Verdict};

use crate::guest::{GOOD, Guest, Place};
use crate::stage::{Stage, assert_never_serves, call};

/// Whether the call has run: its phase stands behind the other fields.
const HAS_RUN: &str = "(i32.load8_u offset=88 (local.get $call))";

/// A guest that judges both phases and does this to the output of a special call.
fn on_output(text: &str) -> Guest {
    Guest::default()
        .with(
            Place::Configure,
            "(i32.store8 (global.get $phases) (i32.const 3)) (i32.store8 (global.get $verdicts) (i32.const 0x0f))",
        )
        .with(Place::Special, format!("(if {HAS_RUN} (then {text}))"))
}

/// A guest that puts one text in the place of another as an output.
fn rewriter(from: &str, to: &str) -> Vec<u8> {
    let (size, new_size) = (from.len(), to.len());
    let rewrite = format!(
        "(if (call $is
            (i32.load offset=92 (local.get $call)) (i32.load offset=96 (local.get $call))
            (i32.const 1024) (i32.const {size}))
          (then
            (i32.store8 (global.get $verdict) (i32.const 1))
            (i32.store8 (global.get $has_replacement) (i32.const 1))
            (call $text (global.get $replacement) (i32.const 2048) (i32.const {new_size}))))"
    );
    on_output(&rewrite).text(1024, from).text(2048, to).component()
}

/// Lets a special call of this id run, and gives what is said of its output.
fn output(engine: &PolicyEngine, id: &str, output: &str) -> OutputEvaluation {
    let special = agenthalt::Call { id: Some(id.to_owned()), ..call("special", "{}") };
    assert!(engine.evaluate_blocking(&special).is_allowed());
    engine.evaluate_output_blocking(id, output)
}

fn assert_withheld(judged: &OutputEvaluation) {
    assert_eq!((judged.output.as_deref(), judged.evaluation.is_allowed()), (None, false), "{judged:?}");
    assert!(!judged.evaluation.reason().is_empty());
    assert!(judged.evaluation.sequence.is_some(), "it is recorded");
}

#[test]
fn an_output_that_a_guard_lets_through_is_passed_on_as_it_is() {
    let stage = Stage::new();
    let judged = output(&stage.engine(&[("judge", &on_output("").component(), "")]), "1", "any text\u{0}");
    assert_eq!((judged.evaluation.verdict, judged.output.as_deref()), (Verdict::Allow, Some("any text\u{0}")));
    // The call before was charged 1, and so is its output.
    assert_eq!(judged.evaluation.reason(), "spent 1");
}

#[test]
fn an_output_is_passed_on_as_guards_make_it_one_after_another() {
    let stage = Stage::new();
    let (first, second) = (rewriter("a secret", "[1]"), rewriter("[1]", "[2]"));
    let judged = output(&stage.engine(&[("second", &second, ""), ("first", &first, "")]), "1", "a secret");
    assert_eq!((judged.evaluation.verdict, judged.output.as_deref()), (Verdict::Modify, Some("[2]")));
    let steps: Vec<&str> = judged.evaluation.rewrites.iter().map(|rewrite| rewrite.guard.as_str()).collect();
    assert_eq!(steps, ["first", "second"]);
}

#[test]
fn guards_that_undo_each_others_output_withhold_it() {
    let stage = Stage::new();
    let engine = stage.engine(&[("one", &rewriter("a", "b"), ""), ("two", &rewriter("b", "a"), "")]);
    let judged = output(&engine, "1", "a");
    assert_withheld(&judged);
    let fault = judged.evaluation.fault();
    assert!(
        matches!(fault, Some(Fault::Oscillation(text)) if text.contains("`one`") && text.contains("`two`")),
        "{fault:?}"
    );
}

#[test]
fn a_guard_that_denies_asks_or_falls_withholds_the_output() {
    let stage = Stage::new();
    for (text, verdict) in [
        ("(i32.store8 (global.get $verdict) (i32.const 3))", Verdict::Deny),
        ("(i32.store8 (global.get $verdict) (i32.const 2))", Verdict::RequireApproval),
        ("unreachable", Verdict::Deny),
        ("(loop $forever (br $forever))", Verdict::Deny),
        // A modification that brings nothing, and one that brings too much.
        ("(i32.store8 (global.get $verdict) (i32.const 1))", Verdict::Deny),
        (
            "(i32.store8 (global.get $verdict) (i32.const 1)) (i32.store8 (global.get $has_replacement) (i32.const 1))
             (drop (memory.grow (i32.const 32)))
             (call $text (global.get $replacement) (i32.const 0) (i32.const 0x110000))",
            Verdict::Deny,
        ),
    ] {
        let engine = stage.engine(&[("judge", &on_output(text).component(), ""), ("good", &GOOD, "")]);
        let judged = output(&engine, "1", "x");
        assert_withheld(&judged);
        assert_eq!(judged.evaluation.verdict, verdict, "{text}");
        // Calls are judged as before.
        assert!(engine.evaluate_blocking(&call("plain", "{}")).is_allowed());
    }
}

#[test]
fn an_output_of_no_known_call_is_withheld() {
    let stage = Stage::new();
    let engine = stage.engine(&[("judge", &on_output("").component(), ""), ("good", &GOOD, "")]);
    let judged = engine.evaluate_output_blocking("nobody", "x");
    assert_withheld(&judged);
    assert_eq!(judged.evaluation.malformed, Some(MalformedCall::UnknownCall));
    // A call that was denied has no output.
    let denied = agenthalt::Call { id: Some("denied".to_owned()), ..call("plain", "[]") };
    assert!(!engine.evaluate_blocking(&denied).is_allowed());
    assert_withheld(&engine.evaluate_output_blocking("denied", "x"));
}

#[test]
fn an_output_of_one_of_two_calls_is_withheld() {
    let stage = Stage::new();
    let engine = stage.engine(&[("judge", &on_output("").component(), "")]);
    for agent in ["one", "two"] {
        assert!(engine.evaluate_blocking(&call("plain", "{}").id("1").agent(agent)).is_allowed());
    }
    let judged = engine.evaluate_output_blocking("1", "x");
    assert_withheld(&judged);
    assert_eq!(judged.evaluation.malformed, Some(MalformedCall::AmbiguousCall));
}

#[test]
fn an_output_that_is_too_long_is_withheld_before_any_guard() {
    let stage = Stage::new();
    std::fs::write(stage.path("judge.wasm"), on_output("").component()).unwrap();
    let engine = stage.engine_of("call: {max_size: 64B}\nguards: {judge: {component: judge.wasm}}\n").unwrap();
    assert!(output(&engine, "1", &"x".repeat(64)).output.is_some());
    let judged = output(&engine, "2", &"x".repeat(65));
    assert_withheld(&judged);
    assert_eq!(judged.evaluation.malformed, Some(MalformedCall::OutputTooLong(64)));
    assert_eq!(judged.evaluation.decisions, []);
}

#[test]
fn the_policy_says_in_which_phases_a_guard_is_wanted() {
    let stage = Stage::new();
    let denies = on_output("(i32.store8 (global.get $verdict) (i32.const 3))").component();
    let engine = stage.engine(&[("judge", &denies, "phases: [before]")]);
    assert_eq!(output(&engine, "1", "x").output.as_deref(), Some("x"));
    let engine = stage.engine(&[("judge", &denies, "phases: [after]"), ("good", &GOOD, "")]);
    assert_withheld(&output(&engine, "1", "x"));
    // A guard that does not judge what the policy wants judged cannot serve.
    assert_never_serves(&stage, &GOOD, "phases: [before, after]", |fault| matches!(fault, Fault::Incompatible(_)));
}

#[test]
fn a_guard_of_outputs_alone_is_no_judge_of_calls() {
    let only_after = Guest::default().with(Place::Configure, "(i32.store8 (global.get $phases) (i32.const 2))");
    let stage = Stage::new();
    std::fs::write(stage.path("after.wasm"), only_after.component()).unwrap();
    let policy = "guards: {after: {component: after.wasm}}\n";
    let engine = stage.engine_of(&format!("unmatched: deny\n{policy}")).unwrap();
    assert_eq!(engine.evaluate_blocking(&call("plain", "{}")).verdict, Verdict::Deny);
    let engine = stage.engine_of(policy).unwrap();
    let evaluation = engine.evaluate_blocking(&call("plain", "{}"));
    assert_eq!((evaluation.verdict, evaluation.decisions.len()), (Verdict::Allow, 0));
    assert!(engine.evaluate_output_blocking(&evaluation.call_id, "x").output.is_some());
}

#[test]
fn a_guard_in_the_shadow_withholds_nothing() {
    let stage = Stage::new();
    let denies = on_output("(i32.store8 (global.get $verdict) (i32.const 3))").component();
    let judged = output(&stage.engine(&[("judge", &denies, "mode: shadow")]), "1", "x");
    assert_eq!((judged.evaluation.verdict, judged.output.as_deref()), (Verdict::Allow, Some("x")));
    assert_eq!(judged.evaluation.decisions[0].verdict, Verdict::Deny);
    // Not even an output that it cannot see.
    let engine = stage.engine(&[("judge", &denies, "mode: shadow")]);
    let judged = engine.evaluate_output_blocking("nobody", "x");
    assert_eq!((judged.evaluation.verdict, judged.output.as_deref()), (Verdict::Allow, Some("x")));
    assert!(judged.evaluation.sequence.is_some(), "it is recorded");
}

#[test]
fn an_output_that_nobody_judges_is_passed_on_and_recorded() {
    let engine = Stage::new().engine(&[("good", &GOOD, "")]);
    let judged = engine.evaluate_output_blocking("nobody", "x");
    assert_eq!((judged.evaluation.verdict, judged.output.as_deref()), (Verdict::Allow, Some("x")));
    assert!(judged.evaluation.sequence.is_some(), "it is recorded");
}
