//! A call that comes again while its question waits, and after.

use agenthalt::testing;
use agenthalt::{Call, PolicySource, Verdict};

use crate::stage::*;

fn mail_7() -> Call {
    mail().id("call-7")
}

#[test]
fn while_its_question_waits_a_call_gets_the_same_answer() {
    let engine = testing::engine(MAIL);
    let id = asked(&engine, &mail_7());
    let again = engine.evaluate_blocking(&mail_7());
    assert!(again.repeats && again.needs_approval());
    assert_eq!(again.approval, Some(id));
    assert_eq!(asked(&engine, &mail().id("call-8")), id, "under another id it joins");
}

#[test]
fn once_it_is_answered_the_same_call_is_judged_under_the_grant() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail_7());
    let evaluation = engine.evaluate_blocking(&mail_7());
    assert_eq!((evaluation.verdict, evaluation.approval, evaluation.repeats), (Verdict::Allow, Some(id), false));
    // Whoever did not hear the answer gets it again, in both ways.
    for again in [engine.evaluate_blocking(&mail_7()), engine.evaluate_approved_blocking(&mail_7(), id)] {
        assert_eq!((again.verdict, again.approval, again.repeats), (Verdict::Allow, Some(id), true));
    }
}

#[test]
fn who_joined_a_question_whose_yes_another_used_is_denied() {
    let engine = testing::engine(MAIL);
    let id = asked(&engine, &mail_7());
    assert_eq!(asked(&engine, &mail().id("call-8")), id);
    engine.approve_blocking(id, ann()).unwrap();
    assert!(engine.evaluate_blocking(&mail().id("call-8")).is_allowed());
    denied_for(&engine.evaluate_blocking(&mail_7()), "a yes serves once");
}

#[test]
fn under_other_rules_a_call_that_waited_is_judged_anew() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail_7());
    engine.replace_policy(PolicySource::text(format!("unmatched: deny\n{MAIL}"))).unwrap();
    assert_ne!(asked(&engine, &mail_7()), id);
    engine.replace_policy(PolicySource::text("guards: {scope: {}}")).unwrap();
    let evaluation = engine.evaluate_blocking(&mail_7());
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::Allow, None));
}

#[test]
fn another_call_under_the_id_is_refused_whatever_the_yes() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail_7());
    let other = Call { arguments: "{}".into(), ..mail_7() };
    let evaluation = engine.evaluate_approved_blocking(&other, id);
    assert_eq!(evaluation.verdict, Verdict::Deny);
    assert!(evaluation.malformed.is_some(), "{}", evaluation.reason());
}
