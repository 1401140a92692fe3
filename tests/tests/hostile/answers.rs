//! Answers that are none: too large, malformed, beyond what the guard declared of itself.

use agenthalt::Fault;

use crate::guest::{Guest, Place};
use crate::stage::assert_denied_once;

fn malformed(said: &str) -> impl Fn(&Fault) -> bool {
    move |fault| matches!(fault, Fault::MalformedAnswer(text) if text.contains(said))
}

/// What the sandbox finds while it reads an answer is told apart by nothing but a text of the engine's.
fn unreadable(fault: &Fault) -> bool {
    matches!(fault, Fault::MalformedAnswer(text) if !text.is_empty())
}

#[test]
fn a_reason_of_3_kilobytes_is_too_large() {
    let guest = Guest::special("(call $text (global.get $reason) (i32.const 4096) (i32.const 3000))");
    assert_denied_once(&guest, "", |fault| matches!(fault, Fault::TooLarge(text) if text.contains("2048 bytes")));
}

#[test]
fn details_of_17_kilobytes_are_too_large() {
    let guest = Guest::special("(call $text (global.get $details) (i32.const 32768) (i32.const 17000))");
    assert_denied_once(&guest, "", |fault| matches!(fault, Fault::TooLarge(text) if text.contains("details")));
}

#[test]
fn new_arguments_of_more_than_a_megabyte_are_too_large() {
    let guest = may_modify(
        "(i32.store8 (global.get $verdict) (i32.const 1))
        (i32.store8 (global.get $has_replacement) (i32.const 1))
        (call $text (global.get $replacement) (i32.const 65536) (i32.const 1100000))",
    );
    let guest = guest.with(Place::Pages, "20");
    assert_denied_once(&guest, "", |fault| matches!(fault, Fault::TooLarge(text) if text.contains("arguments")));
}

#[test]
fn a_text_of_2_megabytes_is_not_read() {
    let guest = Guest::special("(call $text (global.get $reason) (i32.const 65536) (i32.const 2000000))")
        .with(Place::Pages, "40");
    assert_denied_once(&guest, "", unreadable);
}

#[test]
fn many_texts_that_share_their_memory_are_not_read() {
    // 8 charges to counters whose names are the same half megabyte.
    let guest = Guest::special(
        "(local.set $call (i32.const 8192))
        (loop $next
            (call $text (local.get $call) (i32.const 65536) (i32.const 500000))
            (local.set $call (i32.add (local.get $call) (i32.const 24)))
            (br_if $next (i32.lt_u (local.get $call) (i32.const 8384))))
        (call $text (global.get $charges) (i32.const 8192) (i32.const 8))",
    );
    assert_denied_once(&guest.with(Place::Pages, "20"), "", unreadable);
}

#[test]
fn a_reason_that_is_no_utf_8_is_malformed() {
    for bytes in [&b"\xff\xfe"[..], b"\xc3\x28", b"\xed\xa0\x80", b"ok \xf0\x9f\x98"] {
        let size = bytes.len();
        let guest = Guest::special(&format!("(call $text (global.get $reason) (i32.const 1024) (i32.const {size}))"));
        assert_denied_once(&guest.text(1024, bytes), "", unreadable);
    }
}

#[test]
fn pointers_out_of_bounds_are_malformed() {
    for (what, at, size) in [
        ("$reason", -16, 8),
        ("$reason", 65530, 16),
        ("$reason", 8, -1),
        ("$details", 65537, 1),
        ("$charges", 65528, 1),
        ("$charges", 256, 0x0fff_ffff),
    ] {
        let guest = Guest::special(&format!("(call $text (global.get {what}) (i32.const {at}) (i32.const {size}))"));
        assert_denied_once(&guest, "", unreadable);
    }
}

#[test]
fn an_answer_out_of_bounds_or_out_of_line_is_malformed() {
    for at in ["-72", "65480", "65"] {
        assert_denied_once(&Guest::special(&format!("(return (i32.const {at}))")), "", unreadable);
    }
}

#[test]
fn a_list_out_of_line_is_malformed() {
    let guest = Guest::special("(call $text (global.get $charges) (i32.const 257) (i32.const 1))");
    assert_denied_once(&guest, "", unreadable);
}

#[test]
fn unknown_discriminants_are_malformed() {
    for what in ["$answer_is_error", "$is_decision", "$verdict", "$has_replacement", "$when"] {
        let guest = Guest::special(&format!("(i32.store8 (global.get {what}) (i32.const 9))"));
        assert_denied_once(&guest, "", unreadable);
    }
}

#[test]
fn details_that_are_no_json_object_are_malformed() {
    for details in ["{", "{}{}", "[]", "null", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}", "nonsense"] {
        let size = details.len();
        let guest = Guest::special(&format!("(call $text (global.get $details) (i32.const 1024) (i32.const {size}))"));
        assert_denied_once(&guest.text(1024, details), "", malformed("details"));
    }
}

#[test]
fn details_nested_without_end_are_malformed() {
    let guest = Guest::special(
        "(memory.fill (i32.const 4096) (i32.const 0x5b) (i32.const 16000))
        (call $text (global.get $details) (i32.const 4096) (i32.const 16000))",
    );
    assert_denied_once(&guest, "", malformed("details"));
}

#[test]
fn a_risk_that_is_no_number_from_0_to_1_is_malformed() {
    for risk in ["nan", "-nan", "nan:0x4000000000001", "inf", "-inf", "1.0000001", "-0.1", "1e300"] {
        let guest = Guest::special(&format!("(f64.store (global.get $risk) (f64.const {risk}))"));
        assert_denied_once(&guest, "", malformed("risk"));
    }
}

#[test]
fn more_charges_than_counters_are_malformed() {
    let guest = Guest::special("(i32.store offset=4 (global.get $charges) (i32.const 2))");
    assert_denied_once(&guest, "", malformed("2 charges"));
}

#[test]
fn one_counter_charged_twice_is_malformed() {
    // Two counters are declared, `spend` and `spene`, and the first is charged by both charges.
    let guest = Guest::special("(i32.store offset=4 (global.get $charges) (i32.const 2))")
        .with(
            Place::Configure,
            "(call $text (i32.const 360) (i32.const 1024) (i32.const 5))
            (i32.store offset=4 (global.get $counters) (i32.const 2))",
        )
        .text(1024, "spene");
    assert_denied_once(&guest, "", malformed("charged twice"));
}

#[test]
fn twenty_five_thousand_charges_are_malformed() {
    let guest = Guest::special("(call $text (global.get $charges) (i32.const 65536) (i32.const 25000))")
        .with(Place::Pages, "16");
    assert_denied_once(&guest, "", malformed("25000 charges"));
}

#[test]
fn a_charge_to_an_undeclared_counter_is_malformed() {
    let guest = Guest::special("(call $text (global.get $charge) (i32.const 1024) (i32.const 6))").text(1024, "budget");
    assert_denied_once(&guest, "", malformed("undeclared counter `budget`"));
}

#[test]
fn a_negative_charge_is_malformed() {
    for amount in ["-1", "-9223372036854775808"] {
        let guest = Guest::special(&format!("(i64.store (global.get $amount) (i64.const {amount}))"));
        assert_denied_once(&guest, "", malformed("below zero"));
    }
}

#[test]
fn an_undeclared_verdict_is_malformed() {
    for (verdict, name) in [(1, "modify"), (2, "require_approval")] {
        let guest = Guest::special(&format!(
            "(i32.store8 (global.get $verdict) (i32.const {verdict}))
            (i32.store8 (global.get $has_replacement) (i32.const {}))
            (call $text (global.get $replacement) (i32.const 560) (i32.const 2))",
            u8::from(verdict == 1)
        ));
        assert_denied_once(&guest, "", malformed(&format!("verdict `{name}` is not among")));
    }
}

/// A guest that declares that it may modify.
fn may_modify(special: &str) -> Guest {
    Guest::special(special).with(Place::Configure, "(i32.store8 (global.get $verdicts) (i32.const 0x0b))")
}

#[test]
fn a_rewrite_without_arguments_is_malformed() {
    let guest = may_modify("(i32.store8 (global.get $verdict) (i32.const 1))");
    assert_denied_once(&guest, "", malformed("without a replacement"));
}

#[test]
fn new_arguments_that_are_no_json_object_are_malformed() {
    for arguments in ["", "[]", "{\"a\":1,}", "{\"a\":NaN}", "{} {}"] {
        let size = arguments.len();
        let guest = may_modify(&format!(
            "(i32.store8 (global.get $verdict) (i32.const 1))
            (i32.store8 (global.get $has_replacement) (i32.const 1))
            (call $text (global.get $replacement) (i32.const 1024) (i32.const {size}))"
        ));
        assert_denied_once(&guest.text(1024, arguments), "", malformed("new arguments"));
    }
}

#[test]
fn new_arguments_beside_another_verdict_are_malformed() {
    let guest = may_modify(
        "(i32.store8 (global.get $has_replacement) (i32.const 1))
        (call $text (global.get $replacement) (i32.const 560) (i32.const 2))",
    );
    assert_denied_once(&guest, "", malformed("verdict `allow` comes with a replacement"));
}

#[test]
fn a_denial_without_a_reason_is_malformed() {
    for size in [0, 6] {
        let guest = Guest::special(&format!(
            "(i32.store8 (global.get $verdict) (i32.const 3))
            (call $text (global.get $reason) (i32.const 1024) (i32.const {size}))"
        ));
        assert_denied_once(&guest.text(1024, " \t\n\r  "), "", malformed("without a reason"));
    }
}
