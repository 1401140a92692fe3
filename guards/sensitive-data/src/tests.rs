//! Worked examples of the rules, each through the whole guard; it never looks into a module.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
use crate::SensitiveData;
use agenthalt_guard::Verdict::{self, Allow, Deny, Modify};
use agenthalt_guard::testing::{TestCall, TestGuard};
use agenthalt_guard::{Decision, Guard, Json, Phases, read_settings};

const CARD: &str = "4111111111111111";

fn judge(settings: &str, call: &TestCall) -> Option<Decision> {
    TestGuard::<SensitiveData>::new(settings).unwrap().judge(call).unwrap()
}

fn verdict(settings: &str, call: TestCall) -> Verdict {
    judge(settings, &call).map_or(Allow, |decision| decision.verdict())
}

fn carrying(arguments: &str) -> TestCall {
    TestCall::new("f").arguments(arguments)
}

/// The arguments that run after redaction; a second round finds nothing more.
fn redacted(settings: &str, arguments: &str) -> String {
    let settings = settings.replacen('{', r#"{"redact_on_modify":true,"#, 1).replace(",}", "}");
    let decision = judge(&settings, &carrying(arguments)).unwrap();
    assert_eq!(decision.verdict(), Modify, "{arguments}: {}", decision.reason());
    let rest = Json::Object(decision.new_arguments().unwrap().clone()).to_string();
    assert_eq!(verdict(&settings, carrying(&rest)), Allow, "{rest}");
    rest
}

#[test]
fn texts_numbers_keys_and_metadata_are_scanned() {
    for arguments in [
        r#"{"t":"123-45-6789"}"#,
        r#"{"t":4111111111111111}"#,
        r#"{"t":4111111111111111.0}"#,
        r#"{"t":4.111111111111111e15}"#,
        r#"{"t":41111111111111110e-1}"#,
        r#"{"t":[[[["123-45-6789"]]]]}"#,
        r#"{"a":{"b":[{"c":"x 123-45-6789"}]}}"#,
        r#"{"m":{"123-45-6789":"x"}}"#,
        r#"{"4111111111111111":"x"}"#,
        r#"{"t":"MTIzLTQ1LTY3ODk="}"#,
    ] {
        assert_eq!(verdict("{}", carrying(arguments)), Deny, "{arguments}");
    }
    assert_eq!(verdict("{}", TestCall::new("f").metadata(r#"{"n":"123-45-6789"}"#)), Deny);
    assert_eq!(verdict("{}", TestCall::new("f").metadata(r#"{"n":{"123-45-6789":1}}"#)), Deny);
    assert_eq!(verdict("{}", TestCall::new("f").metadata(r#"{"n":{"password":1}}"#)), Deny);
    assert_eq!(verdict("{}", TestCall::new("f").metadata(r#"{"token":"x","123-45-6789":1}"#)), Allow);
    assert_eq!(verdict("{}", TestCall::new("send_123-45-6789")), Allow);
}

#[test]
fn harmless_calls_pass() {
    for arguments in [
        "{}",
        r#"{"q":"hello","n":5,"b":true,"z":null,"l":[1,2],"o":{"k":"v"}}"#,
        r#"{"at":1768478400000,"id":"1234567890123456789","order":"4155552671","n":123456789}"#,
        r#"{"sha":"e83c5163316f89bfbde7d9ab23ca2e25604af290","uuid":"550e8400-e29b-41d4-a716-446655440000"}"#,
        r#"{"max_tokens":4096,"page_token":"abc","tokenizer":"bpe","className":"a b","usage":{"token_count":1}}"#,
        r#"{"img":"data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="}"#,
        r#"{"vector":[0.4471946839437215,-0.5105105105105100,4.111111111111111]}"#,
        r#"{"url":"https://example.com/a%20b?q=caf%C3%A9&n=100%25","path":"src/main/java/com/example/Application.java"}"#,
        r#"{"t":"100% of 5 % , call 911, v1.2.3.4, 2026-01-15T12:00:00Z"}"#,
        r#"{"t":"漢字かな交じり文、１２３４５ 個"}"#,
        r#"{"password":"[REDACTED]","t":"[REDACTED] and [REDACTED]"}"#,
    ] {
        assert_eq!(verdict("{}", carrying(arguments)), Allow, "{arguments}");
    }
}

#[test]
fn sensitive_fields_deny_whatever_their_value() {
    for value in ["null", "\"\"", "\"x\"", "0", "false", "[]", "{}", "[1]", r#"{"a":1}"#] {
        assert_eq!(verdict("{}", carrying(&format!(r#"{{"a":{{"apiKey":{value}}}}}"#))), Deny, "{value}");
        let rest = redacted("{}", &format!(r#"{{"a":{{"apiKey":{value},"b":1}}}}"#));
        assert_eq!(rest, r#"{"a":{"apiKey":"[REDACTED]","b":1}}"#);
    }
}

#[test]
fn redaction_leaves_what_stands_around() {
    for (arguments, rest) in [
        (r#"{"t":"ssn 123-45-6789","ok":"hi"}"#, r#"{"ok":"hi","t":"ssn [REDACTED]"}"#),
        (r#"{"a.b":"123-45-6789"}"#, r#"{"a.b":"[REDACTED]"}"#),
        (r#"{"n":4111111111111111,"m":12345678901234567890}"#, r#"{"m":12345678901234567890,"n":"[REDACTED]"}"#),
        (r#"{"l":["a",{"b":["123-45-6789 x"]},1.50]}"#, r#"{"l":["a",{"b":["[REDACTED] x"]},1.5]}"#),
        (r#"{"password":{"123-45-6789":1},"u":"u"}"#, r#"{"password":"[REDACTED]","u":"u"}"#),
        (r#"{"x":"q=MTIzLTQ1LTY3ODk= y"}"#, r#"{"x":"q=[REDACTED] y"}"#),
        (r#"{"t":"123-45-6789 123-45-6789"}"#, r#"{"t":"[REDACTED] [REDACTED]"}"#),
        (
            r#"{"a":[null,true,"123-45-6789"],"secret":[1,[2]],"z":"123-45-6789"}"#,
            r#"{"a":[null,true,"[REDACTED]"],"secret":"[REDACTED]","z":"[REDACTED]"}"#,
        ),
    ] {
        assert_eq!(redacted("{}", arguments), rest);
    }
}

#[test]
fn what_no_rewriting_reaches_denies() {
    let settings = r#"{"redact_on_modify":true}"#;
    for call in [
        carrying(r#"{"m":{"123-45-6789":"x"}}"#),
        carrying(r#"{"t":"123-45-6789","m":{"a MTIzLTQ1LTY3ODk=":"x"}}"#),
        TestCall::new("f").metadata(r#"{"n":"123-45-6789"}"#),
        carrying(r#"{"t":"123-45-6789"}"#).metadata(r#"{"n":{"password":1}}"#),
    ] {
        let decision = judge(settings, &call).unwrap();
        assert_eq!(decision.verdict(), Deny, "{call:?}");
        assert!(decision.reason().contains("cannot be redacted"), "{}", decision.reason());
    }
}

#[test]
fn what_lies_too_deep_is_denied_and_not_skipped() {
    for (depth, arguments, expected) in [
        ("1", r#"{"a":"x"}"#, Allow),
        ("1", r#"{"a":["x"]}"#, Deny),
        ("1", r#"{"a":[]}"#, Allow),
        ("0", "{}", Allow),
        ("0", r#"{"a":1}"#, Deny),
        ("2", r#"{"a":{"b":1}}"#, Allow),
        ("2", r#"{"a":{"b":{"c":1}}}"#, Deny),
        ("null", r#"{"a":[[[[[[[["123-45-6789"]]]]]]]]}"#, Deny),
    ] {
        let settings = format!(r#"{{"scan_depth":{depth},"redact_on_modify":false}}"#);
        assert_eq!(verdict(&settings, carrying(arguments)), expected, "{depth} {arguments}");
    }
    let decision = judge(r#"{"scan_depth":1,"redact_on_modify":true}"#, &carrying(r#"{"a":["123-45-6789"]}"#)).unwrap();
    let reason = "the value at `/a/0` of the arguments lies deeper than is scanned, the limit scan_depth is 1";
    assert_eq!((decision.verdict(), decision.reason()), (Deny, reason));
    assert_eq!(verdict(r#"{"scan_depth":1}"#, TestCall::new("f").metadata(r#"{"a":{"b":1}}"#)), Deny);
    // A sensitive field is known by its name, however deep its value goes.
    assert_eq!(verdict(r#"{"scan_depth":1,"redact_on_modify":true}"#, carrying(r#"{"password":[[1]]}"#)), Modify);
}

#[test]
fn exempt_functions_are_met_as_they_are_written() {
    let settings = r#"{"allow_functions":["auth_login","vault.*"]}"#;
    for (function, expected) in [
        ("auth_login", Allow),
        ("Auth_login", Deny),
        ("x.auth_login", Deny),
        ("auth_*", Deny),
        ("vault.read", Allow),
        ("vаult.read", Deny),
    ] {
        assert_eq!(verdict(settings, TestCall::new(function).arguments(r#"{"password":"x"}"#)), expected, "{function}");
    }
    assert!(judge(settings, &TestCall::new("auth_login")).is_none());
}

#[test]
fn reasons_and_details_hold_no_piece_of_what_was_found() {
    for settings in ["{}", r#"{"redact_on_modify":true}"#] {
        for call in [
            carrying(r#"{"text":"my ssn is 123-45-6789"}"#),
            carrying(r#"{"m":{"ssn 123-45-6789":{"card":"4111111111111111"}}}"#),
            carrying(r#"{"password":"123-45-6789","a`b":["x 123-45-6789"]}"#),
            TestCall::new("f").metadata(r#"{"id 123-45-6789":"4111111111111111"}"#),
            carrying(r#"{"m":{"MTIzLTQ1LTY3ODk=":"123-45-6789"}}"#),
        ] {
            let decision = judge(settings, &call).unwrap();
            let said = format!("{} {}", decision.reason(), Json::Object(decision.details_given().unwrap().clone()));
            for piece in ["123-45", "6789", "45-67", CARD, "4111", "MTIz"] {
                assert!(!said.contains(piece), "{said}");
            }
        }
    }
}

#[test]
fn reasons_name_pattern_place_and_length() {
    let call = carrying(r#"{"text":"my ssn is 123-45-6789","u":{"password":"hunter2"},"z":{"secret":null}}"#);
    let decision = judge("{}", &call).unwrap();
    let reason = "sensitive data found: ssn at `/text` of the arguments (11 characters), sensitive_field at `/u/password` of the \
                  arguments (7 characters), sensitive_field at `/z/secret` of the arguments";
    assert_eq!((decision.reason(), decision.risk_score()), (reason, 1.0));
    let details = Json::Object(decision.details_given().unwrap().clone()).to_string();
    let expected = r#"{"count":3,"findings":[{"in":"arguments","length":11,"pattern":"ssn","pointer":"/text"},{"in":"arguments","length":7,"pattern":"sensitive_field","pointer":"/u/password"},{"in":"arguments","pattern":"sensitive_field","pointer":"/z/secret"}]}"#;
    assert_eq!(details, expected);
    let many = carrying(&format!(r#"{{"l":[{}"x"]}}"#, r#""123-45-6789","#.repeat(25)));
    let decision = judge(r#"{"redact_on_modify":true}"#, &many).unwrap();
    assert!(decision.reason().starts_with("redacted ssn at `/l/0`"), "{}", decision.reason());
    assert!(decision.reason().ends_with(", and 21 more"), "{}", decision.reason());
}

#[test]
fn what_is_folded_beside_an_encoding_does_not_hide_it() {
    for text in [
        "MTIzLTQ1LTY3ODk①",
        "MTIzLTQ1LTY3ODk\u{200b}1",
        "①MTIzLTQ1LTY3ODk",
        "%ff123%2D45%2D6789",
        "%FFAKIAIOSFODNN7EXAMPLE",
        "%20AKIAIOSFODNN7EXAMPLE\u{430}",
    ] {
        assert_eq!(verdict("{}", carrying(&format!(r#"{{"t":"{text}"}}"#))), Deny, "{text}");
    }
}

#[test]
fn long_keys_do_not_make_long_answers() {
    let key = "k".repeat(100_000);
    let call = carrying(&format!(r#"{{"{key}":{{"{key}":["123-45-6789","4111111111111111"]}}}}"#));
    let decision = judge("{}", &call).unwrap();
    assert!(Json::Object(decision.details_given().unwrap().clone()).to_string().len() < 8_000);
}

#[test]
fn output_is_judged_only_if_told() {
    let output = |text: &str| TestCall::new("f").arguments(r#"{"password":"x"}"#).output(text);
    assert!(judge("{}", &output("123-45-6789")).is_none());
    let withheld = judge(r#"{"scan_output":true}"#, &output("ssn 123-45-6789")).unwrap();
    assert_eq!(withheld.verdict(), Deny);
    assert_eq!(withheld.reason(), "sensitive data found: ssn in the output (11 characters)");
    assert_eq!(verdict(r#"{"scan_output":true}"#, output("all is well")), Allow);
    assert_eq!(verdict(r#"{"scan_output":true,"scan_arguments":false}"#, carrying(r#"{"password":"x"}"#)), Allow);
    assert_eq!(verdict(r#"{"scan_arguments":false}"#, carrying(r#"{"password":"x"}"#)), Allow);
    assert_eq!(verdict(r#"{"scan_output":true,"allow_functions":["f"]}"#, output("123-45-6789")), Allow);
}

#[test]
fn output_is_redacted_as_text_or_as_a_tree() {
    let settings = r#"{"scan_output":true,"redact_on_modify":true}"#;
    for (output, rest) in [
        ("ssn 123-45-6789.", "ssn [REDACTED]."),
        ("4111111111111111", "[REDACTED]"),
        ("4.111111111111111e15", "[REDACTED]"),
        (r#"{"password":"x","b":1}"#, r#"{"b":1,"password":"[REDACTED]"}"#),
        (r#"["a","\u0031\u0032\u0033-45-6789"]"#, r#"["a","[REDACTED]"]"#),
        (r#""x 123-45-6789""#, r#""x [REDACTED]""#),
        (r#"{"a":"123-45-6789""#, r#"{"a":"[REDACTED]""#),
        ("a: 123-45-6789\nb: \u{ff11}23-45-6789\n", "a: [REDACTED]\nb: [REDACTED]\n"),
    ] {
        let call = TestCall::new("f").output(output);
        let decision = judge(settings, &call).unwrap();
        assert_eq!((decision.verdict(), decision.new_output()), (Modify, Some(rest)), "{output}");
        assert_eq!(verdict(settings, TestCall::new("f").output(rest)), Allow, "{rest}");
    }
    for output in [r#"{"123-45-6789":1}"#, r#"[{"a":{"4111111111111111":"x"}}]"#] {
        assert_eq!(verdict(settings, TestCall::new("f").output(output)), Deny, "{output}");
    }
    assert_eq!(verdict(r#"{"scan_output":true,"scan_depth":1}"#, TestCall::new("f").output("[[1]]")), Deny);
}

#[test]
fn large_output_is_a_tree_like_small_output() {
    let output = format!(r#"{{"a":"{}","password":"x"}}"#, "a ".repeat(600_000));
    assert_eq!(verdict(r#"{"scan_output":true}"#, TestCall::new("f").output(&output)), Deny);
}

#[test]
fn phases_and_verdicts_are_those_of_the_settings() {
    let guard = |settings: &str| SensitiveData::configure(read_settings(settings).unwrap()).unwrap();
    for (settings, phases) in [
        ("{}", Phases::BEFORE),
        (r#"{"scan_output":true}"#, Phases::BEFORE | Phases::AFTER),
        (r#"{"scan_output":true,"scan_arguments":false}"#, Phases::AFTER),
        (r#"{"scan_arguments":false}"#, Phases::BEFORE),
    ] {
        assert_eq!(guard(settings).phases(), phases, "{settings}");
    }
    for verdict in [Modify, Verdict::RequireApproval] {
        assert!(!guard("{}").verdicts().holds(verdict));
    }
    assert!(guard(r#"{"redact_on_modify":true}"#).verdicts().holds(Modify));
}

#[test]
fn custom_patterns_are_looked_for_everywhere() {
    let settings = r#"{"custom_patterns":{"employee_id":"EMP-\\d{6}"},"blocked_patterns":["employee_id"]}"#;
    for (arguments, expected) in [
        (r#"{"t":"I am EMP-123456"}"#, Deny),
        (r#"{"EMP-123456":1}"#, Deny),
        (r#"{"t":"EMP-１２３４５６"}"#, Deny),
        (r#"{"t":"EMP%2D123456"}"#, Deny),
        (r#"{"t":"SSBhbSBFTVAtMTIzNDU2"}"#, Deny),
        (r#"{"t":"EMP-12345"}"#, Allow),
        (r#"{"t":"123-45-6789"}"#, Allow),
    ] {
        assert_eq!(verdict(settings, carrying(arguments)), expected, "{arguments}");
    }
    let decision = judge(settings, &carrying(r#"{"t":"EMP-123456"}"#)).unwrap();
    assert_eq!(decision.reason(), "sensitive data found: employee_id at `/t` of the arguments (10 characters)");
}

#[test]
fn empty_lists_look_for_nothing() {
    let settings = r#"{"blocked_patterns":[],"sensitive_fields":[]}"#;
    assert_eq!(verdict(settings, carrying(r#"{"t":"123-45-6789","password":"x"}"#)), Allow);
}
