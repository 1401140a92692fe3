//! State on disk: limits hold across processes, and a state that cannot be used denies and stays as it
//! is.

use serde_json::json;

use crate::run::{Dir, Ended, Running};

/// Five calls of one session pass, the sixth is denied.
const FIVE: &str = "guards:\n  budget: {max_session_spend: 0.05, default_cost: 0.01, warn_threshold: null}\n";
const CALL: &str = r#"{"function_name": "f", "arguments": {}, "session_id": "s"}"#;

fn judge(dir: &Dir, state: &str) -> Ended {
    dir.evaluate(&["--state", state, "--format", "json"], CALL)
}

#[test]
fn a_limit_holds_across_processes() {
    let dir = Dir::with_policy(FIVE);
    for _ in 0..5 {
        assert_eq!(judge(&dir, "kept.db").exits(0).err, "");
    }
    let answer = judge(&dir, "kept.db").exits(10).json();
    let reason = answer["reason"].as_str().unwrap();
    assert!(reason.contains("0.06") && reason.contains("max_session_spend") && reason.contains("0.05"), "{reason}");
    dir.evaluate(&["--state", "kept.db"], r#"{"function_name": "f", "arguments": {}, "session_id": "t"}"#).exits(0);
    judge(&dir, "other.db").exits(0);
}

#[test]
fn without_state_every_run_starts_at_zero() {
    let dir = Dir::with_policy(FIVE);
    for _ in 0..6 {
        assert!(dir.evaluate(&[], CALL).exits(0).err.contains("no state is kept"));
    }
    assert_eq!(dir.names(), ["policy.yaml"]);
}

#[test]
fn the_policys_state_lies_beside_the_policy() {
    for state in ["state: kept.db", "state: {path: kept.db, durability: process}"] {
        let dir = Dir::with_policy(&format!("{state}\n{FIVE}"));
        let elsewhere = Dir::new();
        let policy = dir.path("policy.yaml");
        let run = || elsewhere.run(&["evaluate", "--policy", policy.to_str().unwrap()]).stdin(CALL).ends();
        for _ in 0..5 {
            assert_eq!(run().exits(0).err, "");
        }
        run().exits(10);
        assert!(dir.path("kept.db").is_file());
        assert_eq!(elsewhere.names(), [""; 0]);
        // What the command line names stands above what the policy names.
        judge(&dir, "other.db").exits(0);
    }
}

#[test]
fn processes_at_once_never_take_more_than_the_limit() {
    let dir = Dir::with_policy(FIVE);
    dir.run(&["check", "policy.yaml"]).ends().exits(0);
    let run = || dir.run(&["evaluate", "--policy", "policy.yaml", "--state", "kept.db"]).stdin(CALL).begins();
    let running: Vec<Running> = (0..8).map(|_| run()).collect();
    let ended: Vec<Ended> = running.into_iter().map(Running::ends).collect();
    let count = |code| ended.iter().filter(|ended| ended.code == Some(code)).count();
    assert_eq!((count(0), count(10)), (5, 3), "{ended:?}");
    assert!(ended.iter().all(|ended| ended.code == Some(0) || ended.out.contains("max_session_spend")), "{ended:?}");
}

#[test]
fn a_denied_or_unanswered_call_spends_nothing() {
    let dir = Dir::with_policy(&format!("{FIVE}  scope: {{deny_functions: [d], require_approval_functions: [a]}}\n"));
    let call = |function: &str| json!({"function_name": function, "arguments": {}, "session_id": "s"}).to_string();
    for _ in 0..4 {
        dir.evaluate(&["--state", "kept.db"], &call("d")).exits(10);
        dir.evaluate(&["--state", "kept.db"], &call("a")).exits(11);
    }
    for _ in 0..5 {
        dir.evaluate(&["--state", "kept.db"], &call("f")).exits(0);
    }
    dir.evaluate(&["--state", "kept.db"], &call("f")).exits(10);
}

/// Asserts a denial that names this, in both formats, and that every file stays as it is.
fn assert_unusable(dir: &Dir, state: &str, said: &str) {
    let before: Vec<(String, Option<Vec<u8>>)> = contents(dir);
    let answer = judge(dir, state).exits(10).json();
    let error = answer["error"].as_str().unwrap();
    assert!(error.starts_with("state is unusable: ") && error.contains(said), "{error}");
    assert_eq!(
        answer,
        json!({"call_id": null, "verdict": "deny", "arguments": null, "risk": 1.0, "reason": error, "decisions": [],
            "fault": "state", "error": error})
    );
    let text = dir.evaluate(&["--state", state], CALL).exits(10);
    assert_eq!(text.out, format!("deny  {error}\n"));
    assert!(contents(dir) == before, "{said}: {:?} before, now {:?}", before, dir.names());
}

fn contents(dir: &Dir) -> Vec<(String, Option<Vec<u8>>)> {
    let content = |name: String| (name.clone(), std::fs::read(dir.path(&name)).ok());
    dir.names().into_iter().map(content).collect()
}

#[test]
fn a_state_that_cannot_be_used_denies_and_stays_as_it_is() {
    let dir = Dir::with_policy(FIVE);
    assert_unusable(&dir, "nowhere/kept.db", "the folder `nowhere` of the state file does not exist");
    std::fs::create_dir(dir.path("folder")).unwrap();
    assert_unusable(&dir, "folder", "folder");
    dir.write("text.db", "this is no database, but a text that is long enough to be looked at as one\n".repeat(20));
    assert_unusable(&dir, "text.db", "text.db");
    dir.write("empty.db.key", b"too short a key");
    dir.write("empty.db", b"");
    assert_unusable(&dir, "empty.db", "empty.db.key");
}

#[test]
fn a_database_that_is_cut_or_overwritten_denies() {
    let dir = Dir::with_policy(FIVE);
    judge(&dir, "kept.db").exits(0);
    let (whole, key) = (dir.read("kept.db"), dir.read("kept.db.key"));
    for (name, bytes) in [("cut", whole[..whole.len() / 2].to_vec()), ("zeroed", vec![0; whole.len()])] {
        dir.write(&format!("{name}.db"), bytes);
        dir.write(&format!("{name}.db.key"), &key);
        let answer = judge(&dir, &format!("{name}.db")).exits(10).json();
        assert_eq!(answer["fault"], "state", "{name}: {answer}");
    }
    judge(&dir, "kept.db").exits(0);
}

#[test]
fn a_state_without_its_key_denies_and_gets_no_new_one() {
    let dir = Dir::with_policy(FIVE);
    judge(&dir, "kept.db").exits(0);
    let key = dir.read("kept.db.key");
    std::fs::remove_file(dir.path("kept.db.key")).unwrap();
    assert_unusable(&dir, "kept.db", "kept.db.key");
    dir.write("kept.db.key", [7; 32]);
    assert_unusable(&dir, "kept.db", "kept.db.key");
    dir.write("kept.db.key", key);
    judge(&dir, "kept.db").exits(0);
}

#[test]
fn a_malformed_call_is_denied_whatever_the_state_is() {
    let dir = Dir::with_policy(FIVE);
    dir.evaluate(&["--state", "nowhere/kept.db"], "{").exits(10);
    dir.evaluate(&["--state", "nowhere/kept.db"], "").exits(1);
}
