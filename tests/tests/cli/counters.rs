//! `agenthalt state`: what is spent and left, for people and programs, and letting limits begin anew.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::{Dir, Ended};

const POLICY: &str = "state: kept.db
guards:
  budget: {max_daily_spend: 10, max_session_spend: 5, default_cost: 1.25}
  rate_limit: {max_calls_per_minute: 9, max_calls_per_minute_per_function: null, burst_threshold: null}
  deletion: {max_deletions_per_day: 5, mode: shadow}
";

/// A folder in which two agents have called three times.
fn spent() -> Dir {
    let dir = Dir::with_policy(POLICY);
    for (agent, session) in [("Bot", "one"), ("bot", "two"), ("other", "two")] {
        let call = json!({"function_name": "f", "arguments": {}, "agent_id": agent, "session_id": session});
        dir.evaluate(&[], &call.to_string()).exits(0);
    }
    dir
}

fn state(dir: &Dir, arguments: &[&str]) -> Ended {
    dir.run(&[&["state"], arguments, &["--policy", "policy.yaml"]].concat()).ends()
}

/// Guard, setting, agent, session, reading, limit and left of each counter that is shown.
fn shown(ended: &Ended) -> Vec<Value> {
    let counters = ended.json();
    let counters = counters.as_array().unwrap().iter();
    counters
        .map(|it| {
            let limit = &it["limit"];
            json!([
                it["guard"],
                limit["setting"],
                it["agent"],
                it["session"],
                it["reading"],
                limit["most"],
                limit["left"]
            ])
        })
        .collect()
}

#[test]
fn what_is_spent_and_left_is_shown_by_limit_agent_and_session() {
    let dir = spent();
    let table = state(&dir, &["show"]).exits(0).out;
    let rows: Vec<String> = table.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        rows,
        [
            "guard limit of spent limit left",
            "budget max_session_spend session one 1.25 5 3.75",
            "budget max_session_spend session two 2.5 5 2.5",
            "budget max_daily_spend all calls 3.75 10 6.25",
            "rate_limit max_calls_per_minute agent bot 2 9 7",
            "rate_limit max_calls_per_minute agent other 1 9 8",
            "deletion (shadow) max_deletions_per_day all calls 0 5 5",
        ]
    );
    let of_two = state(&dir, &["show", "--session", "two", "--format", "json"]).exits(0);
    assert_eq!(shown(&of_two), [json!(["budget", "max_session_spend", null, "two", 2_500_000, 5_000_000, 2_500_000])]);
    let of_bot = state(&dir, &["show", "--agent", "BOT", "--format", "json"]).exits(0);
    assert_eq!(shown(&of_bot), [json!(["rate_limit", "max_calls_per_minute", "bot", null, 2, 9, 7])]);
    assert_eq!(
        state(&dir, &["show", "--agent", "nobody"]).exits(0).out,
        "no limit of this policy counts anything yet\n"
    );
}

#[test]
fn every_counter_is_exported_a_line_each() {
    let lines = state(&spent(), &["export"]).exits(0).json_lines();
    let names: Vec<&str> = lines.iter().map(|line| line["counter"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "session_spend",
            "session_spend",
            "daily_spend",
            "minute",
            "minute",
            "same",
            "same",
            "turns",
            "turns",
            "daily_deletions"
        ]
    );
    let day = &lines[2];
    assert_eq!((&day["window"], &day["measure"], &day["charges"]), (&json!("day"), &json!("sum"), &json!(3)));
    assert_eq!((&day["limit"]["warns_above"], &day["agent"]), (&json!(8_000_000), &Value::Null));
    assert!(day["last_charged"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn a_reset_lets_limits_begin_anew_for_whom_it_is_said() {
    let dir = spent();
    let said = state(&dir, &["reset", "--guard", "budget", "--session", "two", "--yes"]).exits(0).out;
    assert_eq!(said, "reset 1 counter of `budget` in the session `two`\n");
    assert!(!state(&dir, &["show"]).out.contains("session two"));
    let said = state(&dir, &["reset", "--guard", "rate_limit", "--yes"]).exits(0).out;
    assert_eq!(said, "reset 6 counters of `rate_limit`\n");
    assert!(!state(&dir, &["show"]).out.contains("max_calls_per_minute"));
    // The day's total is no session's.
    assert!(state(&dir, &["show"]).out.contains("3.75"));
    state(&dir, &["reset", "--guard", "budget", "--yes"]).exits(0);
    let left = state(&dir, &["show", "--format", "json"]).exits(0).json();
    assert!(left.as_array().unwrap().iter().all(|counter| counter["reading"] == 0), "{left}");
}

#[test]
fn nothing_is_reset_where_nobody_can_be_asked() {
    let dir = spent();
    let before = state(&dir, &["show"]).out;
    let ended = state(&dir, &["reset", "--guard", "budget"]).exits(2);
    assert!(ended.err.contains("say --yes"), "{ended:?}");
    assert_eq!(state(&dir, &["show"]).out, before);
}

#[test]
fn who_sits_at_the_terminal_is_asked_first() {
    let dir = spent();
    for (answer, is_reset) in [("n", false), ("", false), ("maybe", false), ("y", true)] {
        let said = at_a_terminal(&dir, "state reset --policy policy.yaml --guard budget", answer);
        assert!(said.contains("Let the limits of `budget` begin anew?"), "{said}");
        let untouched = state(&dir, &["show"]).out.contains("3.75");
        assert_eq!(untouched, !is_reset, "{answer}: {said}");
    }
}

/// Runs the program with a terminal for its input, into which this is typed.
fn at_a_terminal(dir: &Dir, arguments: &str, typed: &str) -> String {
    let program = dir.program();
    let command = format!("{} {arguments}", program.display());
    let mut script = Command::new("script");
    script.args(["-qec", &command, "/dev/null"]).current_dir(dir.path("."));
    script.env("AGENTHALT_CACHE_DIR", dir.path("cache")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().expect("`script` of util-linux gives the program a terminal; install it");
    child.stdin.take().unwrap().write_all(format!("{typed}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn what_is_not_there_is_said_and_not_made() {
    let dir = Dir::with_policy("guards: {budget: {max_daily_spend: 1}}");
    for (arguments, error) in [
        (&["show"][..], "keeps no state"),
        (&["show", "--state", "nowhere.db"], "there is no state file `nowhere.db`"),
        (&["export", "--state", "nowhere.db"], "there is no state file `nowhere.db`"),
        (&["reset", "--guard", "budget", "--yes", "--state", "nowhere.db"], "there is no state file `nowhere.db`"),
    ] {
        let ended = state(&dir, arguments).exits(2);
        assert!(ended.err.contains(error) && ended.out.is_empty(), "{ended:?}");
    }
    assert_eq!(dir.names(), ["policy.yaml"]);
    dir.evaluate(&["--state", "kept.db"], r#"{"function_name": "f", "arguments": {}}"#).exits(0);
    let ended = state(&dir, &["reset", "--guard", "budjet", "--yes", "--state", "kept.db"]).exits(2);
    assert!(ended.err.contains("there is no guard `budjet`"), "{ended:?}");
    let empty =
        state(&dir, &["reset", "--guard", "budget", "--agent", "nobody", "--yes", "--state", "kept.db"]).exits(0);
    assert_eq!(empty.out, "reset 0 counters of `budget` of the agent `nobody`\n");
}

#[test]
fn a_call_that_comes_again_in_another_process_gets_its_answer() {
    let dir = Dir::with_policy(
        "state: kept.db\nguards: {budget: {max_daily_spend: 1, default_cost: 0.6, warn_threshold: null}}",
    );
    let call = |id: &str, n: u8| json!({"call_id": id, "function_name": "f", "arguments": {"n": n}}).to_string();
    let first = dir.evaluate(&["--format", "json"], &call("one", 1)).exits(0).json();
    let again = dir.evaluate(&["--format", "json"], &call("one", 1)).exits(0).json();
    assert_eq!((&first["repeats"], &again["repeats"]), (&Value::Null, &json!(true)));
    assert!(dir.evaluate(&[], &call("one", 1)).exits(0).out.contains("(call one, answered before)"));
    let other = dir.evaluate(&["--format", "json"], &call("one", 2)).exits(10).json();
    assert!(other["reason"].as_str().unwrap().contains("another call has this id"), "{other}");
    dir.evaluate(&[], &call("two", 1)).exits(10);
}
