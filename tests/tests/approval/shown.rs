//! What people are shown: no secret, and all the rest.

use agenthalt::testing;
use agenthalt::{Approval, Call};
use agenthalt_tests::case;
use serde_json::Value;

use crate::stage::*;

#[test]
fn a_question_tells_what_would_run_and_why() {
    let policy =
        "guards: {scope: {require_approval_functions: ['send_*']}, budget: {max_daily_spend: 5, default_cost: 2}}";
    let engine = testing::engine(policy);
    let id = asked(&engine, &mail().id("call-7"));
    let asked = approval(&engine, id).asked;
    assert_eq!((asked.call_id.as_str(), asked.function_name.as_str()), ("call-7", "send_mail"));
    assert_eq!((asked.agent.as_deref(), asked.session.as_deref()), (Some("bot"), Some("monday")));
    assert_eq!(asked.arguments.as_deref(), Some(r#"{"to":"ada@example.org"}"#));
    let [reason] = asked.reasons.as_slice() else { panic!("one guard asks") };
    assert_eq!((reason.guard.as_deref(), reason.risk), (Some("scope"), asked.risk));
    assert!(reason.reason.contains("send_mail"), "{}", reason.reason);
    let [cost] = asked.costs.as_slice() else { panic!("one guard charges") };
    assert_eq!((cost.guard.as_str(), cost.amount, cost.unit.as_str()), ("budget", 2_000_000, "money"));
    assert_eq!((asked.withheld, asked.changes.len()), (None, 0));
    assert_eq!(asked.policy, engine.policy_digest().to_string());
}

#[test]
fn what_a_hook_changed_is_shown() {
    let builder = testing::builder(MAIL).pre_hook(|call: Call| {
        let arguments = r#"{"to":"ada@example.org","from":"host"}"#.to_owned();
        Ok::<_, String>(Call { arguments, ..call })
    });
    let engine = builder.build().unwrap();
    let id = asked(&engine, &mail());
    let asked = approval(&engine, id).asked;
    let [change] = asked.changes.as_slice() else { panic!("one change") };
    assert_eq!(
        (change.path.as_str(), change.before.as_deref(), change.after.as_deref()),
        ("/from", None, Some("\"host\""))
    );
}

/// All that anybody can be shown of a question: by a program, in a terminal, by a webhook.
fn everything(approval: &Approval) -> String {
    format!("{approval:?}\n{}\n{}", approval.text(), serde_json::to_string(approval).unwrap())
}

#[test]
fn no_secret_stands_in_a_question_wherever_the_call_had_it() {
    let engine = testing::engine(MAIL);
    const KEY: &str = "AKIAIOSFODNN7EXAMPLE";
    let holding = [
        Call { arguments: format!("{{\"a\":{{\"b\":[\"x {KEY}\"]}}}}"), ..mail() },
        Call { arguments: format!("{{\"{KEY}\":1}}"), ..mail() },
        Call { function_name: format!("send_{KEY}"), ..mail() },
        mail().agent(KEY),
        mail().metadata(format!("{{\"requester\":[\"ann\",\"{KEY}\"]}}")),
        mail().session(KEY),
        mail().id(format!("call {KEY}")),
        Call { arguments: r#"{"password":"hunter2-AKIAIOSFODNN7EXAMPLE"}"#.into(), ..mail() },
    ];
    for call in holding {
        let id = asked(&engine, &call);
        let shown = everything(&approval(&engine, id));
        assert!(!shown.contains(KEY), "{shown}");
        assert!(shown.contains("[REDACTED]") || shown.contains("withheld: Some"), "{shown}");
    }
}

/// What the guard takes out of a call's arguments, as it stands in them.
fn secrets(policy: &Value, call: &Call) -> Vec<String> {
    let mut policy = policy.clone();
    policy["guards"]["sensitive_data"]["redact_on_modify"] = true.into();
    let evaluation = testing::engine(&policy.to_string()).evaluate_blocking(call);
    let (Ok(before), Ok(after)) =
        (serde_json::from_str(&call.arguments), serde_json::from_str(&evaluation.final_arguments))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    taken_out(&before, &after, &mut found);
    found
}

fn taken_out(before: &Value, after: &Value, found: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            before.iter().for_each(|(key, value)| taken_out(value, &after[key], found));
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).for_each(|(before, after)| taken_out(before, after, found));
        }
        (Value::String(before), Value::String(after)) if before != after => {
            let marks = after.split("[REDACTED]").filter(|kept| !kept.is_empty());
            let mut rest = vec![before.clone()];
            for kept in marks {
                rest = rest.iter().flat_map(|part| part.split(kept)).map(str::to_owned).collect();
            }
            found.extend(rest.into_iter().filter(|part| part.trim().len() > 5));
        }
        _ => {}
    }
}

#[test]
fn no_secret_of_the_cases_stands_in_a_question() {
    let mut looked_at = 0;
    for case in case::judged() {
        // Where the guard may use nothing, it finds nothing either.
        let own = &case.policy["guards"]["sensitive_data"];
        if !own.is_object() || own.get("limits").is_some() {
            continue;
        }
        // The guards look on, so that nothing but the question keeps the call from running.
        let mut policy = case.policy.clone();
        for guard in policy["guards"].as_object_mut().unwrap().values_mut().filter(|guard| guard.is_object()) {
            guard["mode"] = "shadow".into();
        }
        policy["unmatched"] = "require_approval".into();
        let engine = testing::engine(&policy.to_string());
        for (number, step) in case.steps.iter().enumerate() {
            let call = step.call(&case.id, number);
            let Some(id) = engine.evaluate_blocking(&call).approval else { continue };
            let shown = everything(&approval(&engine, id));
            for secret in secrets(&case.policy, &call).iter().chain(&step.hides) {
                looked_at += 1;
                assert!(!shown.contains(secret.as_str()), "{}: {secret} in {shown}", case.id);
            }
        }
    }
    assert!(looked_at > 50, "{looked_at}");
}

#[test]
fn what_is_too_large_to_be_cleaned_is_withheld() {
    let engine = testing::engine(MAIL);
    let many: Vec<String> = (0..60_000).map(|number| format!("\"k{number}\":{number}")).collect();
    let id = asked(&engine, &Call { arguments: format!("{{{}}}", many.join(",")), ..mail() });
    let asked = approval(&engine, id).asked;
    assert!(asked.arguments.is_some() || asked.withheld.is_some());
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(63), "]".repeat(63));
    let id = crate::stage::asked(&engine, &Call { arguments: deep.clone(), ..mail() });
    assert_eq!(approval(&engine, id).asked.arguments, Some(deep));
}
