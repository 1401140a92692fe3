//! Guards that take too much or fall: fuel, time, memory, tables, stack, traps, errors.

use agenthalt::Fault;

use crate::guest::{Guest, Place};
use crate::stage::{Stage, assert_denied_once, assert_faulty, assert_never_serves, assert_serves, call, judge};

/// More time than the fuel can last, on any machine.
const TIME: &str = "limits: { time: 2s }";

#[test]
fn the_template_is_judged_normally() {
    let stage = Stage::new();
    let guest = Guest::default().component();
    let engine = stage.engine(&[("good", &guest, "")]);
    assert_eq!(engine.faults(), []);
    for spent in 0..3 {
        assert_serves(&engine, spent);
    }
    assert_eq!(judge(&engine, "special").reason(), "spent 3");
    assert_eq!(stage.sandbox.compiled(), 1);
}

#[test]
fn an_endless_loop_runs_out_of_fuel() {
    let guest = Guest::special("(loop $again (br $again))");
    assert_denied_once(&guest, TIME, |fault| *fault == Fault::OutOfFuel(50_000_000));
}

#[test]
fn fuel_runs_out_in_one_long_instruction_too() {
    let fill = "(loop $again (memory.fill (i32.const 8192) (i32.const 0) (i32.const 50000)) (br $again))";
    assert_denied_once(&Guest::special(fill), "", |fault| *fault == Fault::OutOfFuel(50_000_000));
}

#[test]
fn slow_steps_run_past_the_deadline() {
    // Asking for no memory costs little fuel and much time, so the time is over long before the fuel.
    let guest = Guest::special("(loop $again (drop (memory.grow (i32.const 0))) (br $again))");
    let limits = "limits: { fuel: 1000000000, time: 50ms }";
    assert_denied_once(&guest, limits, |fault| *fault == Fault::Deadline(50));
}

#[test]
fn endless_recursion_overflows_the_stack() {
    let guest = Guest::special("(call $down)").with(Place::Module, "(func $down (call $down))");
    assert_denied_once(&guest, "", |fault| *fault == Fault::StackOverflow);
}

#[test]
fn a_memory_bomb_meets_the_ceiling() {
    let bomb = "(loop $again (drop (memory.grow (i32.const 16))) (br $again))";
    assert_denied_once(&Guest::special(bomb), "", |fault| *fault == Fault::Memory(16 << 20));
    let limits = "limits: { memory: 1MiB }";
    assert_denied_once(&Guest::special(bomb), limits, |fault| *fault == Fault::Memory(1 << 20));
}

#[test]
fn memory_in_pieces_counts_as_a_whole() {
    let guest = Guest::special("(drop (memory.grow $second (i32.const 200)))")
        .with(Place::Module, "(memory $second 1) (memory $third 100)");
    assert_denied_once(&guest, "", |fault| *fault == Fault::Memory(16 << 20));
}

#[test]
fn a_table_bomb_meets_the_ceiling() {
    let guest = Guest::special("(loop $again (drop (table.grow $t (ref.null func) (i32.const 100))) (br $again))")
        .with(Place::Module, "(table $t 1 funcref)");
    assert_denied_once(&guest, "", |fault| *fault == Fault::Table(10_000));
}

#[test]
fn memory_that_is_huge_from_the_start_is_refused_at_load() {
    for (pages, limit) in [("257", 16 << 20), ("513", 32 << 20), ("1000", 32 << 20), ("60000", 32 << 20)] {
        let guest = Guest::default().with(Place::Pages, pages).component();
        assert_never_serves(&Stage::new(), &guest, "", |fault| *fault == Fault::Memory(limit));
    }
}

#[test]
fn memory_that_the_policy_allows_is_no_fault() {
    let guest = Guest::default().with(Place::Pages, "300").component();
    let stage = Stage::new();
    let engine = stage.engine(&[("large", &guest, "limits: { memory: 32MiB }")]);
    assert_eq!(engine.faults(), []);
    assert_serves(&engine, 0);
    // The same component under the usual limits, beside it.
    assert_never_serves(&stage, &guest, "", |fault| *fault == Fault::Memory(16 << 20));
}

#[test]
fn a_table_that_is_huge_from_the_start_is_refused_at_load() {
    for elements in [10_001, 15_000, 1_000_000] {
        let guest = Guest::default().with(Place::Module, format!("(table {elements} funcref)")).component();
        assert_never_serves(&Stage::new(), &guest, "", |fault| *fault == Fault::Table(10_000));
    }
}

#[test]
fn more_instances_memories_and_tables_than_the_host_has_are_refused_at_load() {
    for (what, many) in [("(memory 1)", 6), ("(table 1 funcref)", 12)] {
        let guest = Guest::default().with(Place::Module, what.repeat(many)).component();
        assert_never_serves(&Stage::new(), &guest, "", |fault| {
            matches!(fault, Fault::Incompatible(_) | Fault::FailedToCompile(_) | Fault::NotAComponent(_))
        });
    }
}

#[test]
fn traps_are_faults() {
    for (what, said) in [
        ("(unreachable)", "unreachable"),
        ("(drop (i32.load (i32.const -4)))", "out of bounds"),
        ("(drop (i32.div_s (i32.const 1) (i32.const 0)))", "divide by zero"),
        ("(drop (i32.trunc_f64_s (f64.const nan)))", "invalid conversion"),
    ] {
        assert_denied_once(
            &Guest::special(what),
            "",
            |fault| matches!(fault, Fault::Trap(text) if text.contains(said)),
        );
    }
}

#[test]
fn an_error_of_the_guard_is_a_fault_with_its_text() {
    let error = "(i32.store8 (global.get $answer_is_error) (i32.const 1))
        (call $text (global.get $error) (i32.const 1024) (i32.const 30))";
    let guest = Guest::special(error).text(1024, "the exchange rate is not known");
    assert_denied_once(&guest, "", |fault| *fault == Fault::GuestError("the exchange rate is not known".to_owned()));
}

#[test]
fn an_error_of_the_guard_is_cut_and_brought_to_one_line() {
    let error = "(i32.store8 (global.get $answer_is_error) (i32.const 1))
        (memory.fill (i32.const 4096) (i32.const 0x0a) (i32.const 10))
        (memory.fill (i32.const 4106) (i32.const 0x78) (i32.const 8192))
        (call $text (global.get $error) (i32.const 4096) (i32.const 8000))";
    assert_denied_once(
        &Guest::special(error),
        "",
        |fault| matches!(fault, Fault::GuestError(text) if text.len() <= 1_024 && text.bytes().all(|byte| byte == b'x')),
    );
}

#[test]
fn what_the_host_hands_over_is_taken_under_the_limits() {
    let realloc = "(if (i32.gt_u (local.get $size) (i32.const 4096)) (then (loop $again (br $again))))";
    let guest = Guest::default().with(Place::Realloc, realloc).component();
    let stage = Stage::new();
    let engine = stage.engine(&[("hostile", &guest, TIME)]);
    let arguments = format!("{{\"text\":\"{}\"}}", "x".repeat(5_000));
    let evaluation = engine.evaluate_blocking(&call("plain", &arguments));
    assert_faulty(&evaluation, "hostile", |fault| *fault == Fault::OutOfFuel(50_000_000));
    assert_serves(&engine, 0);
    stage.assert_serves_others();
}

#[test]
fn memory_for_what_the_host_hands_over_lies_within_the_guest() {
    let realloc = "(if (i32.gt_u (local.get $size) (i32.const 4096)) (then (return (i32.const -8))))";
    let guest = Guest::default().with(Place::Realloc, realloc).component();
    let stage = Stage::new();
    let engine = stage.engine(&[("hostile", &guest, "")]);
    let arguments = format!("{{\"text\":\"{}\"}}", "x".repeat(5_000));
    let evaluation = engine.evaluate_blocking(&call("plain", &arguments));
    assert_faulty(&evaluation, "hostile", |fault| matches!(fault, Fault::MalformedAnswer(_)));
    assert_serves(&engine, 0);
    stage.assert_serves_others();
}
