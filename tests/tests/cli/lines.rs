//! The lines that `agenthalt simulate` reads: every one is answered, in order, whatever it is.

use serde_json::{Value, json};

use crate::run::Dir;

const POLICY: &str = "guards:\n  scope: {}\n";
const GOOD: &str = r#"{"call_id": "good", "function_name": "f", "arguments": {}, "timestamp": 0}"#;

/// Asserts a denial with an error that says this, and that the line after it is judged.
fn assert_denied_alone(line: &[u8], said: &str) {
    let dir = Dir::with_policy(POLICY);
    let answers = dir.simulate([GOOD.as_bytes(), line, GOOD.as_bytes()].join(&b'\n'));
    let short = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
    let [before, denied, after] = &answers[..] else { panic!("{short}: {} answers", answers.len()) };
    assert_eq!((&before["verdict"], &after["verdict"]), (&json!("allow"), &json!("allow")), "{short}");
    assert_eq!((&denied["verdict"], &denied["runs"]), (&json!("deny"), &json!(false)), "{short}");
    assert_eq!((&denied["arguments"], &denied["decisions"]), (&Value::Null, &json!([])), "{short}");
    let error = denied["error"].as_str().unwrap();
    assert!(error.contains(said), "{short}: {error}");
}

#[test]
fn a_line_that_is_no_call_is_denied_and_the_run_goes_on() {
    for (line, said) in [
        ("{", "cannot be read"),
        ("null", "cannot be read"),
        ("{}", "missing field `function_name`"),
        ("# a comment", "cannot be read"),
        (r#"{"function_name": "f", "timestamp": 0}"#, "missing field `arguments`"),
        (r#"{"function_name": "f", "arguments": {}}"#, "no `timestamp`"),
        (r#"{"function_name": "f", "arguments": {}, "timestamp": null}"#, "`timestamp`"),
        (r#"{"function_name": "f", "arguments": {}, "timestamp": 0, "user": 1}"#, "unknown field `user`"),
        (r#"{"function_name": "f", "arguments": {}, "timestamp": 0, "human": "maybe"}"#, "`human` is"),
        (r#"{"function_name": "f", "arguments": {}, "timestamp": 0, "timestamp": 1}"#, "duplicate field"),
        (r#"{"function_name": "", "arguments": {}, "timestamp": 0}"#, "names no function"),
        (r#"{"function_name": "f", "arguments": 1, "timestamp": 0}"#, "a number, not an object"),
        (r#"{"function_name": "f", "arguments": {"a": 1, "a": 1}, "timestamp": 0}"#, "stands twice"),
        (r#"{"function_name": "f", "arguments": {"a": "\udfff"}, "timestamp": 0}"#, "surrogate"),
        (r#"{"function_name": "f\ud800", "arguments": {}, "timestamp": 0}"#, "cannot be read"),
        (r#"{"function_name": "f", "arguments": {"a": NaN}, "timestamp": 0}"#, "cannot be read"),
    ] {
        assert_denied_alone(line.as_bytes(), said);
    }
}

#[test]
fn what_nests_200_deep_is_denied() {
    let call = |value: String| format!(r#"{{"function_name": "f", "arguments": {{"a": {value}}}, "timestamp": 0}}"#);
    let list = |depth| "[".repeat(depth) + &"]".repeat(depth);
    assert_denied_alone(call(list(200)).as_bytes(), "deeper than 64");
    assert_denied_alone(call(list(200_000)).as_bytes(), "deeper than 64");
    assert_denied_alone((list(200_000)).as_bytes(), "cannot be read");
    let dir = Dir::with_policy(POLICY);
    assert_eq!(dir.simulate(call(list(63)))[0]["verdict"], "allow");
    assert_eq!(dir.simulate(call(list(64)))[0]["verdict"], "deny");
}

#[test]
fn a_line_that_is_not_utf_8_is_denied() {
    assert_denied_alone(b"{\"function_name\": \"f\", \"arguments\": {\"a\": \"\xff\"}, \"timestamp\": 0}", "not UTF-8");
    assert_denied_alone(b"\x00", "cannot be read");
}

#[test]
fn a_line_of_17_mib_is_denied() {
    let text = "x".repeat(17 << 20);
    let call = format!(r#"{{"function_name": "f", "arguments": {{"a": "{text}"}}, "timestamp": 0}}"#);
    assert_denied_alone(call.as_bytes(), "longer than 16 MiB");
    assert_denied_alone(" ".repeat(17 << 20).as_bytes(), "longer than 16 MiB");
    let text = "x".repeat(2 << 20);
    let call = format!(r#"{{"function_name": "f", "arguments": {{"a": "{text}"}}, "timestamp": 0}}"#);
    assert_denied_alone(call.as_bytes(), "larger");
}

#[test]
fn blank_lines_and_line_ends_of_every_kind_are_read() {
    let dir = Dir::with_policy(POLICY);
    for (calls, count) in [
        (String::new(), 0),
        ("\n \r\n\t\n".to_owned(), 0),
        (GOOD.to_owned(), 1),
        (format!("{GOOD}\n"), 1),
        (format!("{GOOD}\r\n{GOOD}\r\n"), 2),
        (format!("\n\n{GOOD}\n   \n\r\n{GOOD}\n\n"), 2),
    ] {
        let answers = dir.simulate(&calls);
        assert_eq!(answers.len(), count, "{calls:?}");
        assert!(answers.iter().all(|answer| answer["verdict"] == "allow"), "{calls:?}: {answers:?}");
    }
}

#[test]
fn a_stamp_is_rfc_3339_or_unix_seconds() {
    // Two calls of one instant, however it is written: the second exceeds the day's limit in Kiritimati,
    // where a day begins 14 hours early, and one second earlier the day is another.
    let policy = "time_zone: Pacific/Kiritimati\nguards:\n  budget: {max_daily_spend: 1, default_cost: 1, warn_threshold: null}\n";
    let dir = Dir::with_policy(policy);
    let call = |at: &str| format!(r#"{{"function_name": "f", "arguments": {{}}, "timestamp": {at}}}"#);
    let verdicts = |stamps: &[&str]| -> Vec<Value> {
        let answers = dir.simulate(stamps.iter().map(|at| call(at)).collect::<Vec<_>>().join("\n"));
        answers.iter().map(|answer| answer["verdict"].clone()).collect()
    };
    for same in [
        r#""2026-01-15T10:00:00Z""#,
        r#""2026-01-15T10:00:00.000000001Z""#,
        r#""2026-01-16T00:00:00+14:00""#,
        r#""2026-01-15T04:30:00-05:30""#,
        "1768471200",
        "1768471200.5",
        "1768471200.000999",
        "17684712e2",
    ] {
        assert_eq!(verdicts(&["1768471199", same, "1768471200"]), ["allow", "allow", "deny"], "{same}");
    }
    assert_eq!(verdicts(&["1768471199", "1768471199.9999", "1768471200"]), ["allow", "deny", "allow"]);
    for wrong in [
        r#""2026-01-15""#,
        r#""2026-01-15T10:00:00""#,
        r#""2026-02-30T10:00:00Z""#,
        r#""1768471200""#,
        r#""""#,
        "true",
        "[]",
        "1e30",
        "-1e30",
    ] {
        assert_eq!(verdicts(&[wrong, "0"]), ["deny", "allow"], "{wrong}");
        assert_denied_alone(call(wrong).as_bytes(), "`timestamp` is RFC 3339");
    }
}

#[test]
fn a_file_serves_like_standard_input() {
    let dir = Dir::with_policy(POLICY);
    dir.write("calls.jsonl", format!("{GOOD}\n{GOOD}"));
    let arguments = ["simulate", "--policy", "policy.yaml", "--calls", "calls.jsonl", "--format", "jsonl"];
    assert_eq!(dir.run(&arguments).ends().exits(0).json_lines().len(), 2);
}
