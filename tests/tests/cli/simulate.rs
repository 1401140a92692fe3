//! `agenthalt simulate`: the answer lines, what a human's word changes, and that nothing is left behind.

use serde_json::{Value, json};

use crate::run::{Dir, with_plain_fuel};

const SCOPE: &str = "guards:\n  scope: {deny_functions: ['drop_*'], require_approval_functions: ['send_*']}\n";

fn decision(verdict: &str, reason: &str, risk: f64) -> Value {
    json!([{"guard": "scope", "verdict": verdict, "reason": reason, "risk": risk, "details": null, "fuel": 1}])
}

#[test]
fn an_answer_line_has_these_keys() {
    let dir = Dir::with_policy(SCOPE);
    let answers = dir.simulate(
        r#"{"call_id": "1", "function_name": "read_x", "arguments": {"n": 1}, "timestamp": 0}
{"call_id": "2", "function_name": "drop_x", "arguments": {"n": 2}, "timestamp": 0}
{"call_id": "3", "function_name": "send_x", "arguments": {"n": 3}, "timestamp": 0}
{"call_id": "4", "function_name": "send_x", "arguments": {"n": 4}, "timestamp": 0, "human": "approve"}
{"call_id": "5", "function_name": "send_x", "arguments": {"n": 5}, "timestamp": 0, "human": "deny"}
{"call_id": "6", "function_name": "drop_x", "arguments": {"n": 6}, "timestamp": 0, "human": "approve"}
{"call_id": "7", "function_name": "read_x", "arguments": {"n": 7}, "timestamp": 0, "human": "deny"}
{"call_id": "8", "function_name": "read_x", "arguments": [8], "timestamp": 0}
{"call_id": "9", "function_name": "read_x"}
"#,
    );
    let denied = "the function `drop_x` meets `drop_*` of deny_functions";
    let asked = "the function `send_x` meets `send_*` of require_approval_functions";
    let line = |id: &str, runs: bool, (verdict, reason, risk): (&str, &str, f64)| {
        let arguments = json!({"n": id.parse::<u64>().unwrap()});
        json!({"call_id": id, "verdict": verdict, "runs": runs, "arguments": arguments, "risk": risk,
            "reason": reason, "decisions": decision(verdict, reason, risk)})
    };
    let (allow, deny, ask) = (("allow", "", 0.0), ("deny", denied, 1.0), ("require_approval", asked, 0.6));
    let wrong = "the arguments are a list, not an object";
    let malformed = json!({"call_id": "8", "verdict": "deny", "runs": false, "arguments": null, "risk": 1.0,
        "reason": format!("the call cannot be judged, so it is denied: {wrong}"), "decisions": [], "error": wrong});
    let error = "the call cannot be read: missing field `arguments` at line 1 column 43";
    let unreadable = json!({"call_id": "9", "verdict": "deny", "runs": false, "arguments": null, "risk": 1.0,
        "reason": error, "decisions": [], "error": error});
    let expected = [
        line("1", true, allow),
        line("2", false, deny),
        line("3", false, ask),
        line("4", true, ask),
        line("5", false, ask),
        line("6", false, deny),
        line("7", true, allow),
        malformed,
        unreadable,
    ];
    assert_eq!(answers.len(), expected.len());
    for (answer, expected) in answers.into_iter().zip(expected) {
        assert_eq!(with_plain_fuel(answer), expected);
    }
}

#[test]
fn arguments_come_back_as_they_were_given() {
    let dir = Dir::with_policy(SCOPE);
    // The last is a delete character, which shows nothing and belongs to the text all the same.
    let given = [
        r#"{"n":12345678901234567890}"#,
        r#"{"b": 1.0, "a" : 0.1 , "c":1E+2}"#,
        r#"{"n":-0.0,"big":1234567890123456789012345678901234567890.5}"#,
        r#"{"u":"\u0041\/é","e":"\u001b[31m"}"#,
        "{\"d\":\"a\u{7f}b\u{9b}c\"}",
    ];
    let call = |arguments: &&str| format!(r#"{{"function_name":"f","arguments":{arguments},"timestamp":0}}"#) + "\n";
    let calls: String = given.iter().map(call).collect();
    let arguments = ["simulate", "--policy", "policy.yaml", "--calls", "-", "--format", "jsonl"];
    let ended = dir.run(&arguments).stdin(calls).ends().exits(0);
    for (line, arguments) in ended.out.lines().zip(given) {
        assert!(line.contains(&format!(r#""arguments":{arguments},"risk""#)), "{arguments}: {line}");
    }
    assert_eq!(ended.out.lines().count(), given.len());
}

#[test]
fn a_call_without_an_id_gets_one_of_its_own() {
    let dir = Dir::with_policy(SCOPE);
    let call = r#"{"function_name": "f", "arguments": {}, "timestamp": 0}"#;
    let null = r#"{"call_id": null, "function_name": "f", "arguments": {}, "timestamp": 0}"#;
    let answers = dir.simulate(format!("{call}\n{call}\n{null}"));
    let ids: Vec<&str> = answers.iter().map(|answer| answer["call_id"].as_str().unwrap()).collect();
    assert!(ids.iter().all(|id| id.starts_with("call-")), "{ids:?}");
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
}

#[test]
fn state_evolves_from_line_to_line_and_only_by_what_runs() {
    let dir = Dir::with_policy(
        "guards:\n  budget: {max_session_spend: 3, default_cost: 1, warn_threshold: 0.5}\n  scope: {deny_functions: [d]}\n",
    );
    let call = |function: &str, human: &str| {
        format!(r#"{{"function_name": "{function}", "arguments": {{}}, "session_id": "s", "timestamp": 0{human}}}"#)
    };
    let (yes, no) = (r#", "human": "approve""#, r#", "human": "deny""#);
    let calls =
        [call("f", ""), call("d", ""), call("f", ""), call("f", no), call("f", yes), call("f", yes), call("f", yes)];
    let answers = dir.simulate(calls.join("\n"));
    let came: Vec<(&str, bool)> =
        answers.iter().map(|a| (a["verdict"].as_str().unwrap(), a["runs"].as_bool().unwrap())).collect();
    let ask = "require_approval";
    assert_eq!(
        came,
        [("allow", true), ("deny", false), (ask, false), (ask, false), (ask, true), (ask, true), ("deny", false)]
    );
}

#[test]
fn windows_follow_the_calls_own_time() {
    let dir = Dir::with_policy("guards:\n  budget: {max_daily_spend: 1, default_cost: 1, warn_threshold: null}\n");
    let stamps = ["2026-01-15T23:59:59Z", "2026-01-15T23:59:59.999Z", "2026-01-16T00:00:00Z", "2026-01-15T12:00:00Z"];
    let call = |at: &&str| format!(r#"{{"function_name": "f", "arguments": {{}}, "timestamp": "{at}"}}"#);
    let answers = dir.simulate(stamps.iter().map(call).collect::<Vec<_>>().join("\n"));
    let verdicts: Vec<&str> = answers.iter().map(|answer| answer["verdict"].as_str().unwrap()).collect();
    // The last goes back in time; the counter's clock does not.
    assert_eq!(verdicts, ["allow", "deny", "allow", "deny"]);
}

#[test]
fn the_policys_state_is_not_opened() {
    let dir = Dir::with_policy(&format!("state: kept.db\n{SCOPE}"));
    assert_eq!(dir.simulate(r#"{"function_name": "f", "arguments": {}, "timestamp": 0}"#).len(), 1);
    assert_eq!(dir.names(), ["policy.yaml"]);
    let dir = Dir::with_policy(&format!("state: nowhere/kept.db\n{SCOPE}"));
    assert_eq!(dir.simulate(r#"{"function_name": "f", "arguments": {}, "timestamp": 0}"#)[0]["verdict"], "allow");
}

#[test]
fn the_table_ends_with_totals() {
    let dir = Dir::with_policy(SCOPE);
    dir.write(
        "calls.jsonl",
        r#"{"function_name": "read_x", "arguments": {}, "timestamp": 0}
{"function_name": "drop_x", "arguments": {}, "timestamp": 0}
{"function_name": "send_x", "arguments": {}, "timestamp": 0}
{"function_name": "send_x", "arguments": {}, "timestamp": 0, "human": "deny"}
{"function_name": "send_x", "arguments": {}, "timestamp": 0, "human": "approve"}
no call
"#,
    );
    let ended = dir.run(&["simulate", "--policy", "policy.yaml", "--calls", "calls.jsonl"]).ends().exits(0);
    let asked = "scope          the function `send_x` meets `send_*` of require_approval_functions";
    let (table, totals) = ended.out.split_once("\n\n").unwrap();
    let rows = [
        "read_x                       allow".to_owned(),
        "drop_x                       deny             scope          the function `drop_x` meets `drop_*` of deny_functions"
            .to_owned(),
        format!("send_x                       require_approval {asked} (nobody answered: it does not run)"),
        format!("send_x                       require_approval {asked} (a human said no: it does not run)"),
        format!("send_x                       require_approval {asked} (a human said yes: it runs)"),
        "?                            deny                            the call cannot be read: expected ident at line 1 column 2"
            .to_owned(),
    ];
    assert_eq!(table.lines().map(str::trim_end).collect::<Vec<_>>(), rows);
    assert!(totals.starts_with("6 calls: 1 allow, 3 require_approval, 2 deny; 2 ran\nan evaluation took "), "{totals}");
    assert!(totals.contains(" µs (median) and burnt ") && totals.ends_with(" fuel (mean)\n"), "{totals}");
    assert_eq!(ended.err, "");
}

#[test]
fn an_input_that_cannot_be_read_has_its_own_exit_code() {
    let dir = Dir::with_policy(SCOPE);
    let simulate = |policy, calls| dir.run(&["simulate", "--policy", policy, "--calls", calls]).ends();
    let ended = simulate("policy.yaml", "nowhere.jsonl").exits(1);
    assert_eq!(
        ended.err,
        "agenthalt: the calls `nowhere.jsonl` cannot be read: No such file or directory (os error 2)\n"
    );
    simulate("policy.yaml", ".").exits(1);
    simulate("nowhere.yaml", "-").exits(2);
    dir.write("refused.yaml", "guards: {scope: {read_only_mode: 1}}\n");
    assert_eq!(simulate("refused.yaml", "-").exits(2).out, "");
    dir.run(&["simulate", "--policy", "policy.yaml"]).ends().exits(2);
}

#[test]
fn a_guard_that_cannot_serve_denies_every_line() {
    let dir = Dir::with_policy("guards:\n  mine: {component: nowhere.wasm}\n");
    let call = r#"{"function_name": "f", "arguments": {}, "timestamp": 0, "human": "approve"}"#;
    for answer in dir.simulate(format!("{call}\n{call}\n")) {
        assert_eq!((&answer["verdict"], &answer["runs"]), (&json!("deny"), &json!(false)));
        assert_eq!(answer["fault"], "missing");
    }
}
