//! What guards say of themselves: `guard inspect`, and `schema` for editors.

use agenthalt::Json;
use agenthalt_core::policy::PolicyDraft;
use serde_json::Value;

use crate::run::{Dir, component, digest};

const BUILT_IN: [&str; 6] = ["budget", "purchase", "deletion", "rate_limit", "scope", "sensitive_data"];

fn inspect(arguments: &[&str]) -> Value {
    let whole = [&["guard", "inspect", "--format", "json"][..], arguments].concat();
    serde_json::from_str(&Dir::new().run(&whole).ends().exits(0).out).unwrap()
}

#[test]
fn every_built_in_guard_tells_what_it_is() {
    for name in BUILT_IN {
        let told = inspect(&[name]);
        assert_eq!(told["name"], name);
        assert_eq!(told["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!((&told["contract"], &told["imports"]), (&Value::from("0.1"), &Value::from(Vec::<Value>::new())));
        assert_eq!(told["sha256"], digest(name));
        assert_eq!(told["size"].as_u64().unwrap(), component(name).len() as u64);
        assert!(told["configure_fuel"].as_u64().unwrap() > 0);
        assert_eq!(told["schema"]["type"], "object");
        let verdicts: Vec<&str> = told["verdicts"].as_array().unwrap().iter().map(|v| v.as_str().unwrap()).collect();
        assert!(verdicts.contains(&"deny"), "{name}: {verdicts:?}");
    }
}

#[test]
fn what_a_guard_declares_follows_its_settings() {
    let plain = inspect(&["sensitive_data"]);
    assert_eq!(
        (&plain["phases"], plain["verdicts"].to_string().contains("modify")),
        (&serde_json::json!(["before"]), false)
    );
    let both = inspect(&["sensitive_data", "--settings", r#"{"redact_on_modify": true, "scan_output": true}"#]);
    assert_eq!(both["phases"], serde_json::json!(["before", "after"]));
    assert!(both["verdicts"].to_string().contains("modify"));
    let budget = inspect(&["budget", "--settings", r#"{"max_session_spend": 5, "max_daily_spend": 9}"#]);
    let counters: Vec<&str> =
        budget["counters"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(counters, ["session_spend", "daily_spend"]);
    assert_eq!(budget["counters"][1]["window"], "day");
}

#[test]
fn people_read_the_same() {
    let dir = Dir::new();
    std::fs::write(dir.path("mine.wasm"), component("budget")).unwrap();
    let settings = r#"{"max_session_spend": 5}"#;
    let out = dir.run(&["guard", "inspect", "mine.wasm", "--settings", settings]).ends().exits(0).out;
    for line in [
        &format!("budget {}", env!("CARGO_PKG_VERSION")),
        "  verdicts       allow, require_approval, deny",
        "  phases         before",
        "  counters       session_spend: sum, by session, ever",
        "  imports        none",
        "  extra exports  none",
        &format!("  sha256         {}", digest("budget")),
    ] {
        assert!(out.lines().any(|other| other == line), "{line}: {out}");
    }
    assert!(out.contains("\"warn_threshold\""), "{out}");
}

#[test]
fn what_cannot_serve_is_told_with_the_reason() {
    let dir = Dir::new();
    dir.write("text.wasm", "no component");
    for (arguments, said) in [
        (&["text.wasm"][..], "is not a component"),
        (&["missing.wasm"], "the built-in guards are budget"),
        (&["."], "it is no file"),
        (&["budget", "--settings", "{"], "`--settings` is no JSON"),
        (&["budget", "--settings", "[]"], "`--settings` is a list, not an object"),
        (&["budget", "--settings", r#"{"max_call_cost": -1}"#], "/max_call_cost: "),
    ] {
        let whole = [&["guard", "inspect"][..], arguments].concat();
        let ended = dir.run(&whole).ends().exits(2);
        assert!(ended.err.contains(said), "{said}: {ended:?}");
    }
}

/// What the schema that the program prints says against a policy, by the host's own reading of schemas:
/// the policy stands in for the settings of a guard.
fn breaches(schema: &Json, policy: &str) -> Vec<String> {
    let wrapped = format!(r#"{{"guards": {{"x": {{"component": "x.wasm", "config": {policy}}}}}}}"#);
    let draft = PolicyDraft::read(&wrapped);
    let (problems, _) = draft.guards()[0].settings.check_schema(schema);
    problems.into_iter().map(|problem| problem.message).collect()
}

fn schema() -> Json {
    let out = Dir::new().run(&["schema"]).ends().exits(0).out;
    assert!(out.contains("\"$schema\": \"https://json-schema.org/draft/2020-12/schema\""));
    Json::parse(&out).unwrap()
}

#[test]
fn every_reference_of_the_schema_has_its_definition() {
    let schema = schema();
    let definitions = schema.as_object().unwrap().get("$defs").and_then(Json::as_object).unwrap();
    let mut references = 0;
    schema.walk(&mut |pointer, value| {
        if pointer.ends_with("/$ref") {
            let name = value.as_str().and_then(|text| text.strip_prefix("#/$defs/")).unwrap();
            assert!(definitions.get(name).is_some(), "{pointer}: {name}");
            references += 1;
        }
    });
    assert!(references >= 3 * BUILT_IN.len(), "{references} references");
}

#[test]
fn the_schema_takes_every_policy_that_loads() {
    #[derive(serde::Deserialize)]
    struct Case<'a> {
        id: String,
        #[serde(borrow)]
        policy: Option<&'a serde_json::value::RawValue>,
        expect: Option<String>,
    }
    let schema = schema();
    let cases = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut taken = 0;
    for file in ["guards.jsonl", "more.jsonl", "load.jsonl", "more-load.jsonl"] {
        for line in std::fs::read_to_string(cases.join(file)).unwrap().lines() {
            let case: Case<'_> = serde_json::from_str(line).unwrap();
            if let (Some(policy), None | Some("ok")) = (case.policy, case.expect.as_deref()) {
                let found = breaches(&schema, policy.get());
                assert!(found.is_empty(), "{}: {found:?}", case.id);
                taken += 1;
            }
        }
    }
    assert!(taken > 600, "{taken} policies");
}

#[test]
fn the_schema_refuses_what_an_editor_should_underline() {
    let schema = schema();
    for policy in [
        r#"{"guards": {"budget": {"max_daily_spent": 10}}}"#,
        r#"{"guards": {"budget": {"max_daily_spend": "10"}}}"#,
        r#"{"guards": {"rate_limit": {"max_calls_per_minute": 30.5}}}"#,
        r#"{"guards": {"scope": {"deny_functions": "drop_*"}}}"#,
        r#"{"guards": {"scope": {"mode": "audit"}}}"#,
        r#"{"guards": {"mine": {"config": {}}}}"#,
        r#"{"guards": {"mine": {"component": "a.wasm", "wasi": "closed"}}}"#,
        r#"{"guards": {}, "time_zon": "UTC"}"#,
        r#"{"version": 1}"#,
    ] {
        assert_eq!(breaches(&schema, policy).len(), 1, "{policy}");
    }
    for policy in [
        r#"{"guards": {"budget": null, "scope": {"mode": "shadow", "limits": {"time": "50ms"}}}}"#,
        r#"{"version": 1, "guards": {"mine": {"component": "a.wasm", "phases": ["after"], "config": {"any": 1}}}}"#,
    ] {
        assert_eq!(breaches(&schema, policy), Vec::<String>::new(), "{policy}");
    }
}
