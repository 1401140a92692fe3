//! Guards that cannot be configured: what happens at load, before any call. A guard that falls keeps
//! its seat; one that names problems refuses the policy.

use agenthalt::{ErrorKind, Fault};

use crate::guest::{Guest, Place};
use crate::stage::{Stage, assert_never_serves};

fn failed(said: &str) -> impl Fn(&Fault) -> bool {
    move |fault| matches!(fault, Fault::FailedToConfigure(text) if text.contains(said))
}

/// Burns fuel faster than time, so that the fuel is what runs out.
const LOOP: &str = "(loop $again (memory.fill (i32.const 8192) (i32.const 0) (i32.const 50000)) (br $again))";

fn on_configure(text: &str) -> Vec<u8> {
    Guest::default().with(Place::Configure, text).component()
}

#[test]
fn a_configure_that_falls_keeps_its_seat() {
    for (text, said) in [
        (LOOP, "ran out of fuel"),
        ("(unreachable)", "trapped"),
        ("(loop $again (drop (memory.grow (i32.const 16))) (br $again))", "more memory"),
        ("(call $down)", "stack"),
        ("(i32.store8 (global.get $description) (i32.const 2))", "malformed"),
        ("(call $text (global.get $name) (i32.const -16) (i32.const 8))", "malformed"),
        ("(call $text (global.get $counters) (i32.const 65528) (i32.const 1))", "malformed"),
        ("(i32.store8 (global.get $window) (i32.const 4))", "malformed"),
    ] {
        let guest = Guest::default().with(Place::Configure, text).with(Place::Module, "(func $down (call $down))");
        assert_never_serves(&Stage::new(), &guest.component(), "", failed(said));
    }
}

#[test]
fn a_description_beyond_the_contract_keeps_its_seat() {
    for (text, said) in [
        ("(call $text (global.get $counters) (i32.const 4096) (i32.const 33))", "33 counters"),
        ("(i32.store offset=4 (global.get $counters) (i32.const 2))", "declared twice"),
        ("(i32.store offset=4 (global.get $counter) (i32.const 0))", "counter name ``"),
        ("(i32.store offset=4 (global.get $counter) (i32.const 65))", "counter name"),
        ("(i32.store8 (i32.const 512) (i32.const 0x53))", "counter name `Spend`"),
        ("(i32.store8 (i32.const 512) (i32.const 0x2f))", "counter name `/pend`"),
        ("(i32.store8 (global.get $window) (i32.const 0))", "window"),
        (
            "(i32.store8 (global.get $window) (i32.const 0)) (i64.store offset=8 (global.get $window) (i64.const -1))",
            "window",
        ),
        ("(i32.store offset=4 (global.get $name) (i32.const 0))", "name is blank"),
        ("(i32.store offset=4 (global.get $name) (i32.const 129))", "name is longer than 128"),
        ("(i32.store offset=12 (global.get $name) (i32.const 0))", "version is blank"),
    ] {
        let guest = Guest::default().with(Place::Configure, text);
        assert_never_serves(&Stage::new(), &guest.component(), "", failed(said));
    }
}

#[test]
fn a_guard_of_no_phase_cannot_serve() {
    let guest = on_configure("(i32.store8 (global.get $phases) (i32.const 0))");
    assert_never_serves(&Stage::new(), &guest, "", failed("judges no phase"));
}

#[test]
fn a_refusal_without_a_problem_keeps_its_seat() {
    let guest = on_configure(
        "(i32.store8 (global.get $description) (i32.const 1))
        (call $text (global.get $name) (i32.const 0) (i32.const 0))",
    );
    assert_never_serves(&Stage::new(), &guest, "", failed("without saying why"));
}

/// A guest that refuses its settings with one problem, at `/n`.
fn refusing(message: &str) -> Vec<u8> {
    let refuse = format!(
        "(i32.store8 (global.get $description) (i32.const 1))
        (call $text (global.get $name) (i32.const 4096) (i32.const 1))
        (call $text (i32.const 4096) (i32.const 1024) (i32.const 2))
        (call $text (i32.const 4104) (i32.const 1040) (i32.const {}))",
        message.len()
    );
    Guest::default().with(Place::Configure, refuse).text(1024, "/n").text(1040, message).component()
}

#[test]
fn a_refusal_with_problems_refuses_the_policy() {
    let stage = Stage::new();
    let error = stage.try_engine(&[("strict", &refusing("must be even"), "config: { n: 3 }")]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Policy);
    let text = error.to_string();
    assert!(text.contains("must be even") && text.contains("policy:2:"), "{text}");
    stage.assert_serves_others();
}

#[test]
fn a_problem_without_text_still_says_something() {
    let stage = Stage::new();
    for message in ["", " \n "] {
        let error = stage.try_engine(&[("strict", &refusing(message), "config: { n: 3 }")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Policy);
        assert!(error.to_string().contains("without saying why"), "{error}");
    }
}

#[test]
fn a_schema_that_cannot_be_had_keeps_its_seat() {
    let on_schema = |text: &str| Guest::default().with(Place::Schema, text);
    let stage = Stage::new();
    for (text, size) in [("{", 1), ("nonsense", 8), ("", 0), ("{\"a\":1,\"a\":2}", 13)] {
        let guest = on_schema(&format!("(call $text (global.get $schema) (i32.const 1024) (i32.const {size}))"));
        assert_never_serves(&stage, &guest.text(1024, text).component(), "", failed("schema"));
    }
    let endless = on_schema(LOOP).component();
    assert_never_serves(&stage, &endless, "", |fault| *fault == Fault::OutOfFuel(50_000_000));
    let trapping = on_schema("(unreachable)").component();
    assert_never_serves(&stage, &trapping, "", |fault| matches!(fault, Fault::Trap(_)));
    let large = on_schema("(call $text (global.get $schema) (i32.const 65536) (i32.const 300000))");
    let large = large.with(Place::Pages, "8").component();
    assert_never_serves(&stage, &large, "", |fault| matches!(fault, Fault::TooLarge(_)));
}

#[test]
fn a_start_function_that_never_ends_runs_out_of_fuel() {
    let guest = Guest::default().with(Place::Module, format!("(func $start {LOOP}) (start $start)"));
    // No policy was asked yet, so it is the ceiling that it runs into.
    assert_never_serves(&Stage::new(), &guest.component(), "", |fault| *fault == Fault::OutOfFuel(1_000_000_000));
}

#[test]
fn a_start_function_that_traps_is_a_trap() {
    let guest = Guest::default().with(Place::Module, "(func $start (unreachable)) (start $start)");
    assert_never_serves(&Stage::new(), &guest.component(), "", |fault| matches!(fault, Fault::Trap(_)));
}

#[test]
fn an_endless_realloc_fails_to_configure() {
    let guest = Guest::default().with(Place::Realloc, LOOP);
    assert_never_serves(&Stage::new(), &guest.component(), "", failed("ran out of fuel"));
}

#[test]
fn an_instance_remembers_nothing_of_the_one_before() {
    // Counts its configurations and calls in memory; every instance counts one of each.
    let guest = Guest::default()
        .with(Place::Module, "(global $configured (mut i32) (i32.const 0)) (global $evaluated (mut i32) (i32.const 0))")
        .with(
            Place::Configure,
            "(global.set $configured (i32.add (global.get $configured) (i32.const 1)))
            (if (i32.gt_u (global.get $configured) (i32.const 1)) (then (unreachable)))",
        )
        .with(
            Place::Special,
            "(global.set $evaluated (i32.add (global.get $evaluated) (i32.const 1)))
            (if (i32.gt_u (global.get $evaluated) (i32.const 1)) (then (unreachable)))",
        );
    let stage = Stage::new();
    let engine = stage.engine(&[("forgetful", &guest.component(), "")]);
    for spent in 0..5 {
        let evaluation = crate::stage::judge(&engine, "special");
        assert_eq!((evaluation.fault(), evaluation.reason()), (None, format!("spent {spent}")));
    }
}
