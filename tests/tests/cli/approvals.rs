//! Questions from the outside: listed, shown, answered, watched, and the call presented again.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::run::Dir;

const POLICY: &str = "
state: kept.db
approval: {expires: 1h}
guards:
  scope: {require_approval_functions: ['send_*']}
  budget: {max_daily_spend: 5, default_cost: 1.5}
";

const MAIL: &str = r#"{"function_name":"send_mail","agent_id":"bot","call_id":"call-7","arguments":{"text":"the key is AKIAIOSFODNN7EXAMPLE"}}"#;

fn approvals(dir: &Dir, arguments: &[&str]) -> crate::run::Ended {
    dir.run(&[&["approvals"], arguments, &["--policy", "policy.yaml"]].concat()).ends()
}

/// The question about the mail.
fn asked(dir: &Dir) -> String {
    let answer = dir.evaluate(&["--format", "json"], MAIL).exits(11).json();
    answer["approval"].as_str().unwrap().to_owned()
}

fn user() -> String {
    let output = Command::new("id").arg("-un").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_question_is_listed_shown_approved_and_its_call_runs_once() {
    let dir = Dir::with_policy(POLICY);
    let text = dir.evaluate(&[], MAIL).exits(11).out;
    let id = asked(&dir);
    assert!(text.contains(&id), "{text}");
    let list = approvals(&dir, &["list"]).exits(0).out;
    assert_eq!(list.lines().count(), 1, "the same call is asked about once: {list}");
    assert!(list.contains(&id) && list.contains("pending") && list.contains("send_mail"), "{list}");
    let shown = approvals(&dir, &["show", &id]).exits(0).out;
    for text in ["agent bot", "[REDACTED]", "scope", "budget         1.5", "one of: anybody; 0 said yes", "expires "] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!format!("{list}{shown}").contains("AKIA"));
    let told = approvals(&dir, &["approve", &id, "--reason", "as agreed", "--as", "Ann"]).exits(0).out;
    assert!(told.contains("may run once"), "{told}");
    let ran = dir.evaluate(&["--approval", &id, "--format", "json"], MAIL).exits(0).json();
    assert_eq!((&ran["verdict"], &ran["approval"]), (&json!("allow"), &json!(id)));
    let other = MAIL.replace("call-7", "call-8");
    let again = dir.evaluate(&["--approval", &id], &other).exits(10).out;
    assert!(again.contains("a yes serves once"), "{again}");
    assert_eq!(approvals(&dir, &["list"]).exits(0).out, "no question waits\n");
    let all = approvals(&dir, &["list", "--all", "--format", "json"]).exits(0).json();
    let user = user();
    let answer = &all[0]["answers"][0];
    assert_eq!((&all[0]["standing"], &answer["by"]), (&json!("used"), &json!("Ann")));
    assert_eq!(
        (&answer["account"], &answer["via"], &answer["reason"]),
        (&json!(user), &json!("cli"), &json!("as agreed"))
    );
}

#[test]
fn a_question_for_programs_has_every_member() {
    let dir = Dir::with_policy(POLICY);
    let id = asked(&dir);
    let mut shown = approvals(&dir, &["show", &id, "--format", "json"]).exits(0).json();
    for time in ["created", "expires", "policy"] {
        assert!(shown[time].as_str().is_some_and(|text| !text.is_empty()));
        shown[time] = Value::Null;
    }
    let reason = shown["reasons"][0]["reason"].take();
    assert!(reason.as_str().unwrap().contains("send_mail"));
    let expected = json!({
        "id": id, "standing": "pending", "created": null, "expires": null, "used": null, "times": 1, "uses": 0,
        "required": 1,
        "not_the_requester": false, "approvers": null, "requesters": ["bot"], "answers": [],
        "call_id": "call-7", "function_name": "send_mail", "agent": "bot", "session": null,
        "arguments": {"text": "the key is [REDACTED]"}, "changes": [],
        "reasons": [{"guard": "scope", "reason": null, "risk": 0.6}], "risk": 0.6,
        "costs": [{"guard": "budget", "counter": "daily_spend", "amount": 1_500_000, "unit": "money"}], "policy": null,
    });
    assert_eq!(shown, expected);
}

#[test]
fn what_does_not_count_is_told_and_changes_nothing() {
    let dir = Dir::with_policy(&POLICY.replace("expires: 1h", "approvers: [ann]"));
    let id = asked(&dir);
    let refused = approvals(&dir, &["approve", &id, "--as", "bob"]).exits(2);
    assert!(refused.err.contains("`bob` is none of those who may approve: ann"), "{}", refused.err);
    assert!(approvals(&dir, &["approve", "ap-0123456789abcdef"]).exits(2).err.contains("there is no question"));
    assert!(approvals(&dir, &["show", "ap-0123456789abcdef"]).exits(2).err.contains("there is no question"));
    assert!(approvals(&dir, &["show", "ap-7"]).exits(2).err.contains("16 hexadecimal digits"));
    assert!(approvals(&dir, &["deny", &id, "--reason", "too much"]).exits(0).out.contains("is denied"));
    let late = approvals(&dir, &["approve", &id, "--as", "ann"]).exits(2);
    assert_eq!(late.err.matches("the question is denied already").count(), 1, "{}", late.err);
    let denied = dir.evaluate(&[], MAIL).exits(10).out;
    assert!(denied.contains("too much"), "{denied}");
    let other = dir.run(&["approvals", "list", "--policy", "policy.yaml", "--state", "none.db"]).ends().exits(2);
    assert!(other.err.contains("there is no state file `none.db`"), "{}", other.err);
}

#[test]
fn a_yes_is_taken_back() {
    let dir = Dir::with_policy(POLICY);
    let id = asked(&dir);
    approvals(&dir, &["approve", &id]).exits(0);
    approvals(&dir, &["revoke", &id]).exits(0);
    assert!(dir.evaluate(&["--approval", &id], MAIL).exits(10).out.contains("revoked by"));
}

#[test]
fn who_watches_hears_of_questions_and_of_what_becomes_of_them() {
    let dir = Dir::with_policy(POLICY);
    let id = asked(&dir);
    let mut command = Command::new(dir.program());
    command.args(["approvals", "watch", "--policy", "policy.yaml", "--format", "json"]);
    let mut child = command.current_dir(dir.path("")).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || serde_json::from_str::<Value>(&lines.next().unwrap().unwrap()).unwrap()["standing"].clone();
    assert_eq!(next(), "pending");
    approvals(&dir, &["approve", &id]).exits(0);
    assert_eq!(next(), "approved");
    dir.evaluate(&[], MAIL).exits(0);
    assert_eq!(next(), "used");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_standing_grant_serves_calls_like_the_one_asked_about() {
    let dir = Dir::with_policy(POLICY);
    let mail = |to: &str| json!({"function_name": "send_mail", "arguments": {"to": to}, "agent_id": "bot"}).to_string();
    let id = dir.evaluate(&["--format", "json"], &mail("ada@example.org")).exits(11).json()["approval"].clone();
    let id = id.as_str().unwrap();
    let needs = approvals(&dir, &["approve", id, "--like", "/to=*"]).exits(2).err;
    assert!(needs.contains("--times"), "{needs}");
    assert!(approvals(&dir, &["approve", id, "--times", "2", "--like", "to"]).exits(2).err.contains("is no term"));
    assert!(approvals(&dir, &["approve", id, "--within", "soon"]).exits(2).err.contains("write a time"));
    let arguments = ["approve", id, "--times", "2", "--like", "/to=*@example.org", "--within", "10m"];
    let told = approvals(&dir, &arguments).exits(0).out;
    assert!(told.contains("approved for 2 calls like it"), "{told}");
    let shown = approvals(&dir, &["show", id]).exits(0).out;
    assert!(shown.contains("it serves 2 calls like it in this session, 0 so far"), "{shown}");
    for to in ["bea@example.org", "cleo@example.org"] {
        dir.evaluate(&[], &mail(to)).exits(0);
    }
    dir.evaluate(&[], &mail("dora@example.org")).exits(11);
}

/// The example's agent on a folder, and the lines that it says.
fn agent(dir: &Dir) -> (Child, Lines<BufReader<ChildStdout>>) {
    let program = dir.program().with_file_name("examples").join("approval_restart");
    assert!(program.is_file(), "run `cargo build -p agenthalt --examples` first");
    let mut command = Command::new(program);
    let mut child = command.arg(dir.path("agent")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

#[test]
fn an_agent_that_asks_and_is_killed_goes_on_after_a_restart() {
    let dir = Dir::new();
    let (mut child, mut lines) = agent(&dir);
    let mut said = |text: &str| lines.by_ref().map_while(Result::ok).find(|line| line.contains(text)).unwrap();
    said("step 1: search_orders runs");
    let told = said("agenthalt approvals approve");
    child.kill().unwrap();
    child.wait().unwrap();
    let id = told.split_whitespace().nth(3).unwrap();
    let policy = dir.path("agent").join("policy.yaml");
    let policy = policy.to_str().unwrap();
    let list = dir.run(&["approvals", "list", "--policy", policy]).ends().exits(0).out;
    assert!(list.contains(id) && list.contains("pending"), "{list}");
    // Killed again while it waits again, nothing is lost either.
    let (mut child, mut lines) = agent(&dir);
    assert!(lines.by_ref().map_while(Result::ok).any(|line| line.contains("search_orders ran already")));
    child.kill().unwrap();
    child.wait().unwrap();
    dir.run(&["approvals", "approve", id, "--policy", policy]).ends().exits(0);
    let (mut child, lines) = agent(&dir);
    let said: Vec<String> = lines.map_while(Result::ok).collect();
    assert!(child.wait().unwrap().success(), "{said:?}");
    assert_eq!(said.iter().filter(|line| line.contains(" runs with ")).count(), 2, "{said:?}");
    assert_eq!(said.last().map(String::as_str), Some("all is done"));
    let journal = String::from_utf8(dir.read("agent/journal.txt")).unwrap();
    assert_eq!(journal.lines().count(), 3);
}
