//! The example policies in `docs/policies`: each loads as it stands, is the configuration of the Python
//! package to the letter, and does what its settings promise.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::PathBuf;
use std::sync::LazyLock;

use agenthalt::{Call, Human, PolicyEngine, Sandbox, Simulated, Simulation, Timestamp};

/// One sandbox for all tests of this file: its guards are compiled once.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::builder().build().unwrap());

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn path(name: &str) -> PathBuf {
    root().join("docs/policies").join(name).with_extension("yaml")
}

/// An example at work, in which nothing has happened.
struct Example(Simulation);

impl Example {
    fn load(name: &str) -> Self {
        let simulation =
            Simulation::new(PolicyEngine::builder().sandbox(SANDBOX.clone()).policy_file(path(name))).unwrap();
        assert_eq!(simulation.engine().faults(), [], "{name}");
        Example(simulation)
    }

    fn judge(&self, second: i64, agent: &str, call: (&str, &str), human: Option<Human>) -> Simulated {
        let (function_name, arguments) = call;
        let call = Call {
            function_name: function_name.to_owned(),
            arguments: arguments.to_owned(),
            agent_id: Some(agent.to_owned()),
            session_id: Some("s".to_owned()),
            ..Call::default()
        };
        let noon = Timestamp::from_rfc3339("2026-01-15T12:00:00Z").unwrap();
        self.0.judge(&call, Timestamp::from_millis(noon.as_millis() + second * 1_000).unwrap(), human)
    }

    /// Asserts the verdict of a call at this second.
    fn says(&self, second: i64, call: (&str, &str), verdict: &str) -> Simulated {
        let simulated = self.judge(second, "a", call, None);
        let evaluation = &simulated.evaluation;
        assert_eq!(evaluation.verdict.as_str(), verdict, "{call:?} at {second}: {}", evaluation.reason());
        assert_eq!(evaluation.fault(), None);
        simulated
    }

    /// Asserts that a call is asked about, and that it runs after a yes.
    fn asks(&self, second: i64, call: (&str, &str)) {
        let simulated = self.judge(second, "a", call, Some(Human::Approve));
        let evaluation = &simulated.evaluation;
        assert_eq!(evaluation.verdict.as_str(), "require_approval", "{call:?}: {}", evaluation.reason());
        assert!(simulated.runs);
    }
}

/// A policy's text without the comments and blank lines before it.
fn settings(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn the_examples_are_the_python_packages_settings_to_the_letter() {
    let read = |name: &str| settings(&std::fs::read_to_string(path(name)).unwrap());
    let cases = root().join("tests/cases");
    let whole = std::fs::read_to_string(cases.join("seed.yaml")).unwrap();
    assert_eq!(read("everyday-assistant"), settings(&whole));
    let blocks = std::fs::read_to_string(cases.join("seed-settings.yaml")).unwrap();
    let blocks: Vec<String> = blocks.split("---\n").map(settings).collect();
    let names =
        ["budget", "purchase", "deletion", "rate-limit", "sensitive-data", "scope-allow-list", "scope-deny-list"];
    assert_eq!(names.map(read).to_vec(), blocks);
}

#[test]
fn every_example_loads_and_is_listed() {
    let list = std::fs::read_to_string(root().join("docs/policies/README.md")).unwrap();
    let mut examples = 0;
    for entry in std::fs::read_dir(root().join("docs/policies")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if let Some(name) = name.strip_suffix(".yaml") {
            Example::load(name);
            assert!(list.contains(&format!("({name}.yaml)")), "{name} is not listed");
            examples += 1;
        }
    }
    assert_eq!(examples, 8);
}

#[test]
fn the_everyday_assistant_spends_buys_and_deletes_a_little() {
    let example = Example::load("everyday-assistant");
    example.says(0, ("gpt4_call", r#"{"prompt":"hi"}"#), "allow");
    example.says(1, ("buy_supplies", r#"{"amount":50,"category":"office"}"#), "allow");
    example.asks(2, ("buy_supplies", r#"{"amount":75}"#));
    example.says(3, ("purchase_item", r#"{"amount":101}"#), "deny");
    example.says(4, ("buy", r#"{"amount":1,"category":"Luxury watches"}"#), "deny");
    example.asks(5, ("delete_file", r#"{"path":"temp_log"}"#));
    example.says(6, ("delete_email", r#"{"id":"Inbox/42"}"#), "deny");
    example.says(7, ("delete_file", r#"{"path":"report"}"#), "deny");
    example.says(8, ("db.dropTable", "{}"), "deny");
    example.says(9, ("send", r#"{"text":"my card is 4111 1111 1111 1111"}"#), "deny");
    example.says(20, ("research", r#"{"estimated_cost":9}"#), "require_approval");
    example.says(21, ("research", r#"{"estimated_cost":10}"#), "deny");
    for second in 30..33 {
        example.says(second, ("web_search", r#"{"q":"the same"}"#), "allow");
    }
    example.says(33, ("web_search", r#"{"q":"the same"}"#), "deny");
}

#[test]
fn the_budget_ends_calls_sessions_days_and_months() {
    let example = Example::load("budget");
    example.says(0, ("image_generation", "{}"), "allow");
    example.says(1, ("f", r#"{"estimated_cost":1.000001}"#), "deny");
    for second in 2..5 {
        example.says(second, ("f", r#"{"estimated_cost":1}"#), "allow");
    }
    // The session has cost 3.04 of 5: four fifths are 4.
    example.asks(5, ("f", r#"{"estimated_cost":0.97}"#));
    example.asks(6, ("f", r#"{"estimated_cost":0.99}"#));
    example.says(7, ("f", "{}"), "deny");
}

#[test]
fn purchases_are_few_small_and_decent() {
    let example = Example::load("purchase");
    example.says(0, ("buy", r#"{"amount":100.01}"#), "deny");
    example.says(0, ("buy", r#"{"price":30,"quantity":4}"#), "deny");
    example.says(0, ("buy", r#"{"amount":5,"category":"online gambling"}"#), "deny");
    for second in 0..5 {
        example.asks(second, ("buy", r#"{"amount":96}"#));
    }
    example.says(5, ("buy", r#"{"amount":21}"#), "deny");
    for second in 6..11 {
        example.says(second, ("buy", r#"{"amount":4}"#), "allow");
    }
    // Five and five make ten, and 500 are spent.
    example.says(11, ("buy", r#"{"amount":0}"#), "deny");
    example.says(11, ("get_order_status", r#"{"amount":1000}"#), "allow");
}

#[test]
fn deletions_are_slow_soft_and_asked_about() {
    let example = Example::load("deletion");
    example.asks(0, ("delete", r#"{"ids":["temp_1","draft_2","cache_3"]}"#));
    example.says(4, ("delete", r#"{"id":"temp_4"}"#), "deny");
    example.asks(5, ("delete", r#"{"id":"temp_4"}"#));
    for target in ["report", "temp_production", "cache_backup", "TEMP_1", "inbox", "important/x"] {
        example.says(20, ("delete", &format!(r#"{{"id":"{target}"}}"#)), "deny");
    }
    example.says(20, ("delete", r#"{"ids":["temp_1","temp_2","temp_3","temp_4","temp_5","temp_6"]}"#), "deny");
    example.says(20, ("purge", r#"{"id":"temp_1"}"#), "deny");
    example.says(20, ("delete", r#"{"id":"temp_1","options":{"skip_trash":true}}"#), "deny");
    for (round, second) in [30, 40, 50].into_iter().enumerate() {
        let ids: Vec<String> = (0..5).map(|item| format!("\"temp_{round}_{item}\"")).collect();
        example.asks(second, ("delete", &format!(r#"{{"ids":[{}]}}"#, ids.join(","))));
    }
    // 3, 1 and 15 are 19 of 20.
    example.says(60, ("delete", r#"{"ids":["temp_8","temp_9"]}"#), "deny");
    example.asks(70, ("delete", r#"{"id":"temp_8"}"#));
    example.says(80, ("delete", r#"{"id":"temp_9"}"#), "deny");
}

#[test]
fn bursts_and_loops_come_to_an_end() {
    let example = Example::load("rate-limit");
    let call = |second: i64, number: i64, verdict: &str| {
        let function = ["f", "g"][usize::try_from(number % 2).unwrap()];
        example.says(second, (function, &format!(r#"{{"n":{number}}}"#)), verdict);
    };
    for number in 0..15 {
        call(0, number, "allow");
    }
    call(1, 15, "deny");
    call(30, 15, "deny");
    call(31, 15, "allow");
    let other = example.judge(31, "another agent", ("f", "{}"), None);
    assert!(other.evaluation.is_allowed());
    for second in 100..103 {
        example.says(second, ("poll", r#"{"job":1}"#), "allow");
    }
    example.says(103, ("poll", r#"{"job":1}"#), "deny");
}

#[test]
fn secrets_are_taken_out_before_the_call_runs() {
    let example = Example::load("sensitive-data");
    let runs = |arguments: &str| example.says(0, ("send", arguments), "modify").arguments().to_owned();
    assert_eq!(runs(r#"{"to":"bob","text":"ssn 123-45-6789"}"#), r#"{"text":"ssn [REDACTED]","to":"bob"}"#);
    assert_eq!(runs(r#"{"text":"ask EMP-123456"}"#), r#"{"text":"ask [REDACTED]"}"#);
    assert_eq!(runs(r#"{"user":{"accessToken":"x"}}"#), r#"{"user":{"accessToken":"[REDACTED]"}}"#);
    example.says(0, ("send", r#"{"123-45-6789":"x"}"#), "deny");
    example.says(0, ("send", r#"{"text":"EMP-12345","max_tokens":5}"#), "allow");
}

#[test]
fn the_lists_of_scope_hold() {
    let allow = Example::load("scope-allow-list");
    for (function, verdict) in [("get_user", "allow"), ("search_x", "allow"), ("send_x", "deny"), ("GET_user", "deny")]
    {
        allow.says(0, (function, "{}"), verdict);
    }
    let deny = Example::load("scope-deny-list");
    let expected = [
        ("drop_table", "deny"),
        ("db.FormatDisk", "deny"),
        ("shutdown_now", "deny"),
        ("send_email", "require_approval"),
        ("post_message", "require_approval"),
        ("send_fax", "allow"),
        ("delete_x", "allow"),
    ];
    for (function, verdict) in expected {
        deny.says(0, (function, "{}"), verdict);
    }
    for (agent, verdict) in [("untrusted_agent", "deny"), ("Untrusted-Agent", "deny"), ("trusted", "allow")] {
        assert_eq!(deny.judge(0, agent, ("delete_x", "{}"), None).evaluation.verdict.as_str(), verdict, "{agent}");
    }
}
