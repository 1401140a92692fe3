//! Policies of several guards: what a faulty or denying guard does to the others, what it spends, and
//! that code is compiled once for each component, whatever the policies say.

use agenthalt::{Fault, Sandbox, Verdict};

use crate::guest::{GOOD, Guest, Place};
use crate::stage::{Stage, assert_faulty, assert_serves, judge};

/// Traps when the function `special` is called.
fn trapping() -> Vec<u8> {
    Guest::special("(unreachable)").component()
}

/// Denies when the function `special` is called, and charges nothing then.
fn denying() -> Vec<u8> {
    let deny = "(i32.store8 (global.get $verdict) (i32.const 3))
        (call $text (global.get $reason) (i32.const 1024) (i32.const 24))
        (call $text (global.get $charges) (i32.const 0) (i32.const 0))";
    Guest::default().with(Place::Special, deny).text(1024, "no special call may run.").component()
}

/// Charges 1 whatever comes of the call.
fn counting_attempts() -> Vec<u8> {
    Guest::default().with(Place::Configure, "(i32.store8 (global.get $when) (i32.const 1))").component()
}

fn is_trap(fault: &Fault) -> bool {
    matches!(fault, Fault::Trap(_))
}

#[test]
fn a_faulty_guard_beside_a_good_one_denies_and_is_named() {
    let stage = Stage::new();
    for seats in
        [[("good", &GOOD[..], ""), ("bad", &trapping()[..], "")], [("bad", &trapping(), ""), ("good", &GOOD, "")]]
    {
        let engine = stage.engine(&seats);
        let evaluation = judge(&engine, "special");
        assert_faulty(&evaluation, "bad", is_trap);
        let good = evaluation.decisions.iter().find(|decision| decision.guard == "good").unwrap();
        assert_eq!((good.verdict, &good.fault), (Verdict::Allow, &None));
        assert_eq!(evaluation.denial_reasons().len(), 1);
        // The good guard's charge was for a call that did not run.
        assert_serves(&engine, 0);
    }
}

#[test]
fn a_fault_in_the_shadow_is_recorded_and_does_not_deny() {
    let stage = Stage::new();
    let engine = stage.engine(&[("bad", &trapping(), "mode: shadow"), ("good", &GOOD, "")]);
    let evaluation = judge(&engine, "special");
    assert_eq!((evaluation.verdict, evaluation.fault()), (Verdict::Allow, None));
    let shadow = &evaluation.decisions[0];
    assert_eq!(shadow.guard, "bad");
    assert!(matches!(shadow.fault, Some(Fault::Trap(_))));
    assert_eq!(evaluation.reason(), "spent 0");
}

#[test]
fn a_shadow_guard_that_cannot_serve_is_recorded_and_does_not_deny() {
    let stage = Stage::new();
    let engine = stage.engine(&[("bad", b"nonsense", "mode: shadow"), ("good", &GOOD, "")]);
    assert!(matches!(&engine.faults()[..], [(name, Fault::NotAComponent(_))] if name == "bad"));
    let evaluation = judge(&engine, "plain");
    assert_eq!((evaluation.verdict, evaluation.fault()), (Verdict::Allow, None));
    assert!(matches!(evaluation.decisions[0].fault, Some(Fault::NotAComponent(_))));
}

#[test]
fn a_shadow_guard_is_no_judge() {
    let stage = Stage::new();
    std::fs::write(stage.path("good.wasm"), &*GOOD).unwrap();
    let policy = "guards:\n  good: { component: good.wasm, mode: shadow }\nunmatched: deny\n";
    let engine = stage.engine_of(policy).unwrap();
    let evaluation = judge(&engine, "plain");
    assert_eq!((evaluation.verdict, evaluation.decided_by), (Verdict::Deny, None));
}

#[test]
fn every_guard_that_cannot_serve_keeps_its_seat() {
    let stage = Stage::new();
    let seats = [("first", &b"nonsense"[..], ""), ("good", &GOOD[..], ""), ("second", b"", "")];
    let engine = stage.engine(&seats);
    let names: Vec<String> = engine.faults().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["first", "second"]);
    let evaluation = judge(&engine, "plain");
    assert_faulty(&evaluation, "first", |fault| matches!(fault, Fault::NotAComponent(_)));
    assert_eq!(evaluation.denial_reasons().len(), 2);
    assert_eq!(evaluation.decisions.len(), 3);
}

#[test]
fn a_guard_that_is_switched_off_has_no_seat() {
    let stage = Stage::new();
    let engine = stage.engine(&[("bad", b"nonsense", "enabled: false"), ("good", &GOOD, "")]);
    assert_eq!(engine.faults(), []);
    assert_serves(&engine, 0);
}

#[test]
fn a_charge_of_a_denied_call_is_not_made() {
    let stage = Stage::new();
    let engine = stage.engine(&[("payer", &GOOD, ""), ("denier", &denying(), "")]);
    let evaluation = judge(&engine, "special");
    assert_eq!((evaluation.verdict, evaluation.fault()), (Verdict::Deny, None));
    assert_eq!(evaluation.denial_reasons(), ["no special call may run."]);
    assert_eq!(evaluation.decisions[0].charges.len(), 1);
    assert_serves(&engine, 0);
    assert_serves(&engine, 1);
}

#[test]
fn an_attempt_counts_although_the_call_is_denied() {
    let stage = Stage::new();
    for other in [denying(), trapping()] {
        let engine = stage.engine(&[("attempts", &counting_attempts(), ""), ("other", &other, "")]);
        assert_eq!(judge(&engine, "special").verdict, Verdict::Deny);
        assert_eq!(judge(&engine, "special").verdict, Verdict::Deny);
        assert_serves(&engine, 2);
    }
}

#[test]
fn the_same_call_gets_the_same_answer_for_the_same_fuel() {
    // Without a charge, so that the readings stay as they are.
    let guest = Guest::default().with(
        Place::Special,
        "(f64.store (global.get $risk) (f64.sqrt (f64.const 0.3)))
        (call $text (global.get $charges) (i32.const 0) (i32.const 0))",
    );
    let stage = Stage::new();
    let engine = stage.engine(&[("steady", &guest.component(), "")]);
    let again = Stage::new();
    let elsewhere = again.engine(&[("steady", &guest.component(), "")]);
    let first = judge(&engine, "special");
    assert!(first.fuel() > 0);
    for _ in 0..200 {
        for engine in [&engine, &elsewhere] {
            let next = judge(engine, "special");
            assert_eq!((next.verdict, next.reason(), next.risk), (first.verdict, first.reason(), first.risk));
            assert_eq!(next.fuel(), first.fuel());
        }
    }
}

/// A guest whose reason for a special call is its settings.
fn echoing() -> Vec<u8> {
    let echo = "(call $text (global.get $reason) (global.get $config) (global.get $config_size))";
    Guest::default().with(Place::Special, echo).component()
}

/// Loads 200 policies of the same two components, each with settings of its own.
fn load_two_hundred(stage: &Stage) {
    let (echoing, good) = (echoing(), &*GOOD);
    for number in 1..=200 {
        let config = format!("config: {{ n: {number} }}");
        let engine = stage.engine(&[("echo", &echoing, &config), ("good", good, &config)]);
        assert_eq!(engine.faults(), []);
        let evaluation = judge(&engine, "special");
        assert_eq!(evaluation.decisions[0].reason, format!("{{\"n\":{number}}}"));
    }
}

#[test]
fn two_hundred_policies_compile_each_component_once() {
    let stage = Stage::new();
    load_two_hundred(&stage);
    assert_eq!(stage.sandbox.compiled(), 2);
}

#[test]
fn two_hundred_policies_from_the_cache_compile_nothing() {
    let cache = tempfile::tempdir().unwrap();
    let stage = Stage::on(Sandbox::builder().cache(cache.path()).build().unwrap());
    load_two_hundred(&stage);
    assert_eq!(stage.sandbox.compiled(), 2);
    let later = Stage::on(Sandbox::builder().cache(cache.path()).build().unwrap());
    load_two_hundred(&later);
    assert_eq!(later.sandbox.compiled(), 0);
    assert_eq!(later.sandbox.take_notices(), Vec::<String>::new());
}
