//! Who reads the output: one that stops reading, one that cannot be written to, and a terminal that
//! would obey what a call or a policy says.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::json;

use crate::run::Dir;

const POLICY: &str = "guards:\n  scope: {deny_functions: ['drop_*'], require_approval_functions: ['send_*']}\n";

fn call(function: &str) -> String {
    json!({"function_name": function, "arguments": {}}).to_string()
}

/// A pipe whose reader has gone.
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

/// A file that takes nothing; none where the system has no such thing.
fn full() -> Option<Stdio> {
    File::options().write(true).open("/dev/full").ok().map(Stdio::from)
}

#[test]
fn a_verdict_that_nobody_can_read_never_lets_a_call_run() {
    let dir = Dir::with_policy(POLICY);
    for format in ["text", "json"] {
        let run = |function: &str| {
            dir.run(&["evaluate", "--policy", "policy.yaml", "--format", format]).stdin(call(function))
        };
        for (function, code) in [("drop_x", 10), ("send_x", 11), ("read_x", 10)] {
            let ended = run(function).stdout(closed()).ends().exits(code);
            assert!(ended.err.contains("the answer cannot be written"), "{ended:?}");
            if let Some(full) = full() {
                run(function).stdout(full).ends().exits(code);
            }
        }
        dir.run(&["evaluate", "--policy", "policy.yaml", "--format", format])
            .stdin("{")
            .stdout(closed())
            .ends()
            .exits(10);
    }
}

#[test]
fn notes_that_nobody_can_read_change_nothing() {
    let dir = Dir::with_policy(POLICY);
    for stderr in [Some(closed()), full()].into_iter().flatten() {
        dir.run(&["evaluate", "--policy", "policy.yaml"]).stdin(call("drop_x")).stderr(stderr).ends().exits(10);
    }
    for stderr in [Some(closed()), full()].into_iter().flatten() {
        dir.run(&["check", "nowhere.yaml"]).stderr(stderr).ends().exits(2);
    }
}

#[test]
fn output_that_is_closed_early_is_no_crash() {
    let dir = Dir::with_policy(POLICY);
    let line = r#"{"function_name": "f", "arguments": {}, "timestamp": 0}"#;
    dir.write("calls.jsonl", vec![line; 2000].join("\n"));
    for arguments in [
        &["simulate", "--policy", "policy.yaml", "--calls", "calls.jsonl"][..],
        &["simulate", "--policy", "policy.yaml", "--calls", "calls.jsonl", "--format", "jsonl"],
        &["demo"],
        &["check", "policy.yaml"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
        &["init", "new.yaml"],
    ] {
        let ended = dir.run(arguments).stdout(closed()).ends().exits(0);
        assert_eq!(ended.err, "", "{arguments:?}");
    }
    dir.write("refused.yaml", "guards: {scop: {}}\n");
    dir.run(&["check", "refused.yaml"]).stdout(closed()).ends().exits(2);
    dir.write("faulty.yaml", "guards: {scope: {}, mine: {component: nowhere.wasm}}\n");
    dir.run(&["check", "faulty.yaml"]).stdout(closed()).ends().exits(2);
}

#[test]
fn the_first_line_can_be_read_alone() {
    let dir = Dir::with_policy(POLICY);
    let line = r#"{"function_name": "f", "arguments": {}, "timestamp": 0}"#;
    let (reader, writer) = std::io::pipe().unwrap();
    let arguments = ["simulate", "--policy", "policy.yaml", "--calls", "-", "--format", "jsonl"];
    let running = dir.run(&arguments).stdin(vec![line; 2000].join("\n")).stdout(writer).begins();
    let mut first = String::new();
    BufReader::with_capacity(64, reader).read_line(&mut first).unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&first).is_ok_and(|answer| answer["verdict"] == "allow"));
    assert_eq!(running.ends().exits(0).err, "");
}

#[test]
fn a_full_disk_is_told_and_is_no_crash() {
    let dir = Dir::with_policy(POLICY);
    for arguments in [&["check", "policy.yaml"][..], &["completions", "zsh"], &["demo"]] {
        let Some(full) = full() else { return };
        let ended = dir.run(arguments).stdout(full).ends().exits(2);
        assert!(ended.err.starts_with("agenthalt: ") && !ended.err.contains("panicked"), "{ended:?}");
    }
}

#[test]
fn colours_are_shown_only_where_they_are_asked_for() {
    let dir = Dir::with_policy(POLICY);
    let run = || dir.run(&["evaluate", "--policy", "policy.yaml"]).stdin(call("drop_x"));
    assert!(!run().ends().out.contains('\u{1b}'));
    assert!(run().env("CLICOLOR_FORCE", "1").ends().out.starts_with("\u{1b}[31mdeny\u{1b}[0m"));
}

#[test]
fn a_hostile_name_is_printed_harmlessly() {
    let dir = Dir::with_policy("guards:\n  scope: {deny_functions: ['*']}\n");
    let name = r"\u001b]0;owned\u0007\u001b[2Jx\r\n\u202ey\u009b31m";
    let shown = r"\u{1b}]0;owned\u{7}\u{1b}[2Jx\r\n\u{202e}y\u{9b}31m";
    let harmless = |out: &str| out.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}'));
    let line = format!(r#"{{"call_id": "{name}", "function_name": "{name}", "arguments": {{}}, "timestamp": 0}}"#);

    let table = dir.run(&["simulate", "--policy", "policy.yaml", "--calls", "-"]).stdin(&line);
    let table = table.env("CLICOLOR_FORCE", "1").ends().exits(0).out;
    let plain = table.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    assert!(harmless(&plain), "{plain:?}");
    assert!(plain.starts_with(&shown[..28]), "{plain:?}");

    let text = dir.run(&["evaluate", "--policy", "policy.yaml"]).stdin(line.replace(r#", "timestamp": 0"#, ""));
    let text = text.env("CLICOLOR_FORCE", "1").ends().exits(10).out;
    let plain = text.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
    assert!(harmless(&plain) && plain.starts_with(&format!("deny  {shown}  (call {shown})\n")), "{plain:?}");
}

#[test]
fn a_hostile_policy_is_printed_harmlessly() {
    let dir = Dir::with_policy("\"\\e[2J\": 1\n\"\\e[2J\": 2\nguards: {scope: {}}\n");
    let ended = dir.run(&["check", "policy.yaml"]).env("CLICOLOR_FORCE", "1").ends().exits(2);
    assert!(ended.err.contains(r"\u{1b}[2J") && !ended.err.contains('\u{1b}'), "{ended:?}");
}
