//! `agenthalt evaluate`: one call in, a verdict and an exit code out. Whatever is no call is denied.

use serde_json::{Value, json};

use crate::run::{Dir, component, with_plain_fuel};

const POLICY: &str = "guards:\n  scope: {deny_functions: ['drop_*'], require_approval_functions: ['send_*']}\n";
const FORGETS: &str =
    "agenthalt: no state is kept: every run starts at zero; name a file with --state, or `state:` in the policy\n";

#[test]
fn the_exit_code_is_the_verdict() {
    let dir = Dir::with_policy(POLICY);
    for (function, code, text) in [
        ("read_x", 0, "allow  read_x  (call c1)\n  scope          allow            risk 0.00  fuel 1\n"),
        (
            "drop_x",
            10,
            "deny  drop_x  (call c1)\n  the function `drop_x` meets `drop_*` of deny_functions\n  \
             scope          deny             risk 1.00  fuel 1\n",
        ),
        (
            "send_x",
            11,
            "require_approval  send_x  (call c1)\n  the function `send_x` meets `send_*` of \
             require_approval_functions\n  scope          require_approval risk 0.60  fuel 1\n",
        ),
    ] {
        let call = json!({"call_id": "c1", "function_name": function, "arguments": {}}).to_string();
        let ended = dir.evaluate(&[], &call).exits(code);
        let (before, fuel) = ended.out.trim_end().rsplit_once(' ').unwrap();
        assert!(fuel.parse::<u64>().is_ok_and(|fuel| fuel > 0), "{ended:?}");
        assert_eq!(format!("{before} 1\n"), text);
        assert_eq!(ended.err, FORGETS);
    }
}

#[test]
fn the_answer_for_programs_has_these_keys() {
    let dir = Dir::with_policy(POLICY);
    let answer = |function: &str, code| {
        let call = json!({"call_id": "c1", "function_name": function, "arguments": {"n": 1}}).to_string();
        with_plain_fuel(dir.evaluate(&["--format", "json"], &call).exits(code).json())
    };
    let allowed = json!({"guard": "scope", "verdict": "allow", "reason": "", "risk": 0.0, "details": null, "fuel": 1});
    assert_eq!(
        answer("read_x", 0),
        json!({"call_id": "c1", "verdict": "allow", "arguments": {"n": 1}, "risk": 0.0, "reason": "",
            "decisions": [allowed]})
    );
    let reason = "the function `drop_x` meets `drop_*` of deny_functions";
    let denied =
        json!({"guard": "scope", "verdict": "deny", "reason": reason, "risk": 1.0, "details": null, "fuel": 1});
    assert_eq!(
        answer("drop_x", 10),
        json!({"call_id": "c1", "verdict": "deny", "arguments": {"n": 1}, "risk": 1.0, "reason": reason,
            "decisions": [denied]})
    );
    let reason = "the function `send_x` meets `send_*` of require_approval_functions";
    let asked = json!({"guard": "scope", "verdict": "require_approval", "reason": reason, "risk": 0.6,
        "details": null, "fuel": 1});
    assert_eq!(
        answer("send_x", 11),
        json!({"call_id": "c1", "verdict": "require_approval", "arguments": {"n": 1}, "risk": 0.6, "reason": reason,
            "decisions": [asked]})
    );
}

#[test]
fn a_call_comes_from_a_file_or_from_standard_input() {
    let dir = Dir::with_policy(POLICY);
    dir.write("call.json", "\n{\n  \"function_name\": \"drop_x\",\n  \"arguments\": {}\n}\n");
    dir.evaluate(&["call.json"], "").exits(10);
    dir.evaluate(&["-"], r#"{"function_name": "drop_x", "arguments": {}}"#).exits(10);
    dir.evaluate(&[], r#"{"function_name": "read_x", "arguments": {}}"#).exits(0);
}

#[test]
fn a_malformed_call_is_denied_and_says_why() {
    let dir = Dir::with_policy(POLICY);
    let deep = format!(r#"{{"function_name": "f", "arguments": {}1{}}}"#, r#"{"a":"#.repeat(70), "}".repeat(70));
    let large = format!(r#"{{"function_name": "f", "arguments": {{"a": "{}"}}}}"#, "x".repeat(2 << 20));
    let larger = format!(r#"{{"function_name": "f", "arguments": {{"a": "{}"}}}}"#, "x".repeat(17 << 20));
    for (call, said) in [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ("drop_x", "cannot be read"),
        (r#"{"function_name": "f", "arguments": {}} {}"#, "cannot be read"),
        (r#"{"function_name": "f", "function_name": "g", "arguments": {}}"#, "duplicate field `function_name`"),
        (r#"{"function_name": "f", "arguments": {"a": 1, "a": 2}}"#, "the key `a` stands twice"),
        (r#"{"function_name": "f", "arguments": {"a": 1, "\u0061": 2}}"#, "the key `a` stands twice"),
        (r#"{"function_name": "f", "arguments": [1]}"#, "a list, not an object"),
        (r#"{"function_name": "f", "arguments": null}"#, "not an object"),
        (r#"{"function_name": "f", "arguments": "{}"}"#, "not an object"),
        (r#"{"function_name": "f", "arguments": {"a": "\ud800"}}"#, "half of a surrogate pair"),
        (r#"{"function_name": "f", "arguments": {}, "metadata": []}"#, "a list, not an object"),
        (r#"{"function_name": "f"}"#, "missing field `arguments`"),
        (r#"{"arguments": {}}"#, "missing field `function_name`"),
        (r#"{"function_name": "", "arguments": {}}"#, "names no function"),
        (r#"{"function_name": "f", "arguments": {}, "agent": "a"}"#, "unknown field `agent`"),
        (r#"{"function_name": "f", "arguments": {}, "timestamp": 1}"#, "brings no `timestamp`"),
        (r#"{"function_name": "f", "arguments": {}, "human": "approve"}"#, "answer of a human"),
        (&deep, "deeper"),
        (&large, "larger"),
        (&larger, "larger than 16 MiB"),
    ] {
        let answer = dir.evaluate(&["--format", "json"], call).exits(10).json();
        let short: String = call.chars().take(80).collect();
        assert_eq!((&answer["verdict"], &answer["risk"]), (&json!("deny"), &json!(1.0)), "{short}");
        assert_eq!((&answer["decisions"], &answer["arguments"]), (&json!([]), &Value::Null), "{short}");
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(said), "{short}: {error}");
        let text = dir.evaluate(&[], call).exits(10);
        assert!(text.out.starts_with("deny  ") && text.out.contains(said), "{short}: {text:?}");
    }
}

#[test]
fn a_denial_of_what_is_no_call_keeps_its_id() {
    let dir = Dir::with_policy(POLICY);
    let call = r#"{"call_id": "c7", "function_name": 3, "arguments": {}}"#;
    let answer = dir.evaluate(&["--format", "json"], call).exits(10).json();
    let error = answer["error"].clone();
    assert_eq!(
        answer,
        json!({"call_id": "c7", "verdict": "deny", "arguments": null, "risk": 1.0, "reason": error, "decisions": [],
            "error": error})
    );
}

#[test]
fn without_a_call_nothing_is_judged() {
    let dir = Dir::with_policy(POLICY);
    for input in ["", " \n\t\r\n"] {
        let ended = dir.evaluate(&["--format", "json"], input).exits(1);
        assert_eq!(
            (ended.out.as_str(), ended.err.as_str()),
            ("", "agenthalt: there is no call to judge: `-` is empty\n")
        );
    }
    let ended = dir.evaluate(&["nowhere.json"], "").exits(1);
    assert_eq!(
        ended.err,
        "agenthalt: the call `nowhere.json` cannot be read: No such file or directory (os error 2)\n"
    );
    dir.evaluate(&["."], "").exits(1);
}

#[test]
fn a_refused_policy_judges_nothing() {
    let call = r#"{"function_name": "f", "arguments": {}}"#;
    let ended = Dir::with_policy("guards:\n  scope: {read_only_mode: 1}\n").evaluate(&[], call).exits(2);
    assert_eq!(ended.out, "");
    assert!(ended.err.contains("policy.yaml:2:11: expected `true` or `false`, found 1\n  | "), "{ended:?}");
    Dir::new().evaluate(&[], call).exits(2);
}

#[test]
fn a_missing_component_denies_every_call_by_its_name() {
    let dir = Dir::with_policy("guards:\n  scope: {}\n  mine: {component: nowhere.wasm}\n");
    for call in [r#"{"function_name": "f", "arguments": {}}"#, r#"{"function_name": "g", "arguments": {"a": 1}}"#] {
        let answer = dir.evaluate(&["--format", "json"], call).exits(10).json();
        assert_eq!(answer["fault"], "missing");
        let reason = answer["reason"].as_str().unwrap();
        assert!(reason.contains("the guard `mine` cannot judge") && reason.contains("nowhere.wasm"), "{reason}");
        let faulty: Vec<&Value> =
            answer["decisions"].as_array().unwrap().iter().filter(|d| d["verdict"] == "deny").collect();
        assert_eq!(faulty.len(), 1);
        assert_eq!((&faulty[0]["guard"], &faulty[0]["fault"]), (&json!("mine"), &json!("missing")));
        let text = dir.evaluate(&[], call).exits(10);
        assert!(text.out.contains("the guard `mine` cannot judge"), "{text:?}");
    }
}

#[test]
fn a_custom_guard_decides() {
    let dir = Dir::with_policy("guards:\n  mine: {component: g.wasm, config: {deny_functions: ['drop_*']}}\n");
    dir.write("g.wasm", component("scope"));
    let answer =
        dir.evaluate(&["--format", "json"], r#"{"function_name": "drop_x", "arguments": {}}"#).exits(10).json();
    assert_eq!(answer["decisions"][0]["guard"], "mine");
}
