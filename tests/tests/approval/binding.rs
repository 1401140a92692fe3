//! What a yes is bound to, and what it does not serve.

use std::time::Duration;

use agenthalt::testing;
use agenthalt::{Call, PolicySource, Standing, Verdict};

use crate::stage::*;

#[test]
fn a_yes_serves_the_same_call_once() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail());
    let evaluation = engine.evaluate_approved_blocking(&mail(), id);
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::Allow, Some(id)));
    assert_eq!(standing(&engine, id), Standing::Used);
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "a yes serves once");
    let again = engine.evaluate_blocking(&mail());
    assert!(again.needs_approval() && again.approval != Some(id), "the next one is another question");
}

#[test]
fn a_yes_serves_a_call_that_does_not_name_it() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail());
    // Written otherwise it is the same call still.
    let same = Call { arguments: r#"{ "to" : "ada@example.org" }"#.into(), ..mail() };
    let evaluation = engine.evaluate_blocking(&same);
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::Allow, Some(id)));
    assert!(engine.evaluate_blocking(&same).needs_approval());
}

#[test]
fn a_yes_serves_no_other_call() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail());
    let others = [
        Call { arguments: r#"{"to":"bob@example.org"}"#.into(), ..mail() },
        Call { arguments: r#"{"to":"ada@example.org","cc":""}"#.into(), ..mail() },
        Call { function_name: "send_mails".into(), ..mail() },
        Call { function_name: "search".into(), ..mail() },
        mail().agent("other"),
        mail().session("tuesday"),
        Call { agent_id: None, ..mail() },
        mail().metadata(r#"{"urgent":true}"#),
    ];
    for other in others {
        denied_for(&engine.evaluate_approved_blocking(&other, id), "another call");
    }
    assert_eq!(standing(&engine, id), Standing::Approved, "nothing of that used it");
    assert!(engine.evaluate_approved_blocking(&mail(), id).is_allowed());
}

#[test]
fn a_question_that_waits_lets_nothing_through() {
    let engine = testing::engine(MAIL);
    let id = asked(&engine, &mail());
    let evaluation = engine.evaluate_approved_blocking(&mail(), id);
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::RequireApproval, Some(id)));
    let other = Call { function_name: "search".into(), ..mail() };
    denied_for(&engine.evaluate_approved_blocking(&other, id), "another call");
}

#[test]
fn a_yes_goes_with_its_policy() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail());
    let wider = "guards: {scope: {require_approval_functions: ['send_*', 'drop_*']}}";
    engine.replace_policy(PolicySource::text(wider)).unwrap();
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "other rules");
    assert_ne!(asked(&engine, &mail()), id, "under other rules it is another question");
    engine.replace_policy(PolicySource::text(MAIL)).unwrap();
    assert!(engine.evaluate_approved_blocking(&mail(), id).is_allowed(), "the same rules are the same");
}

#[test]
fn a_yes_goes_with_the_components_that_asked() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("own.wasm");
    let built_in = |name: &str| {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        std::fs::read(root.join(format!("guards/prebuilt/{name}.wasm"))).unwrap()
    };
    std::fs::write(&component, built_in("scope")).unwrap();
    let policy = "guards: {own: {component: own.wasm}, scope: {require_approval_functions: ['send_*']}}";
    let state = agenthalt::State::File(folder.path().join("state.db"));
    let open = || testing::builder("").policy_text(policy, folder.path()).state(state.clone()).build().unwrap();
    let engine = open();
    let (id, digest) = (approved(&engine, &mail()), engine.policy_digest());
    drop(engine);
    std::fs::write(&component, built_in("rate-limit")).unwrap();
    let engine = open();
    assert_eq!((engine.policy_digest(), engine.faults()), (digest, Vec::new()), "the policy names no digest");
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "other rules");
    // The question of a call that comes again went with its rules, too.
    let call = Call::new("send_note", "{}").id("call-7");
    let first = asked(&engine, &call);
    drop(engine);
    std::fs::write(&component, built_in("scope")).unwrap();
    assert_ne!(asked(&open(), &call), first);
}

#[test]
fn a_question_and_its_yes_expire() {
    let (engine, clock) = engine_at_noon(&format!("approval: {{expires: 10m}}\n{MAIL}"));
    let yes = approved(&engine, &mail());
    let call = Call::new("send_note", "{}").id("call-7");
    let waits = asked(&engine, &call);
    clock.advance(Duration::from_millis(600_001));
    denied_for(&engine.evaluate_approved_blocking(&mail(), yes), "expired at 2026-01-15T12:10:00");
    denied_for(&engine.evaluate_blocking(&call), "expired");
    let late = engine.approve_blocking(waits, ann()).unwrap_err();
    assert!(late.to_string().contains("the question is expired already"), "{late}");
    assert_ne!(asked(&engine, &mail()), yes, "it is asked anew");
}

#[test]
fn a_question_may_have_no_end() {
    let (engine, clock) = engine_at_noon(&format!("approval: {{expires: never}}\n{MAIL}"));
    let id = asked(&engine, &mail());
    clock.advance(Duration::from_secs(10 * 365 * 86_400));
    engine.approve_blocking(id, ann()).unwrap();
    assert!(engine.evaluate_approved_blocking(&mail(), id).is_allowed());
}

#[test]
fn what_nobody_asked_is_no_approval() {
    let engine = testing::engine(MAIL);
    let unknown = "ap-0123456789abcdef".parse().unwrap();
    denied_for(&engine.evaluate_approved_blocking(&mail(), unknown), "there is no question `ap-0123456789abcdef`");
    denied_for(&engine.evaluate_approved_blocking(&Call::new("search", "{}"), unknown), "there is no question");
}

#[test]
fn a_yes_is_bound_to_the_arguments_that_run() {
    let engine = testing::engine(
        "guards: {scope: {require_approval_functions: ['send_*']}, sensitive_data: {redact_on_modify: true}}",
    );
    let call = Call::new("send_mail", r#"{"text":"my card is 4111 1111 1111 1111"}"#);
    let id = approved(&engine, &call);
    let asked = approval(&engine, id).asked;
    assert_eq!(asked.arguments.as_deref(), Some(r#"{"text":"my card is [REDACTED]"}"#));
    assert_eq!(asked.changes.first().map(|change| change.path.as_str()), Some("/text"));
    // What a guard makes the same of is the same.
    let other_card = Call { arguments: r#"{"text":"my card is 5555 5555 5555 4444"}"#.into(), ..call.clone() };
    let evaluation = engine.evaluate_approved_blocking(&other_card, id);
    assert_eq!(evaluation.verdict, Verdict::Modify);
    assert_eq!(evaluation.final_arguments, r#"{"text":"my card is [REDACTED]"}"#);
}

#[test]
fn what_no_guard_judges_is_asked_about_and_runs_under_a_yes() {
    let engine = testing::engine("unmatched: require_approval\nguards: {}");
    let id = approved(&engine, &mail());
    assert_eq!(approval(&engine, id).asked.reasons.first().unwrap().guard, None);
    assert!(engine.evaluate_approved_blocking(&mail(), id).is_allowed());
    assert!(engine.evaluate_blocking(&mail()).needs_approval());
}
