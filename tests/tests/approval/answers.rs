//! Who may answer, how often, and whose answer counts.

use std::sync::Barrier;
use std::thread;

use agenthalt::testing;
use agenthalt::{Approver, Call, ErrorKind, Event, Standing, Verdict};

use crate::stage::*;

#[test]
fn a_no_is_final() {
    let engine = testing::engine(MAIL);
    let call = mail().id("call-7");
    let id = asked(&engine, &call);
    let mut events = engine.listen(10);
    assert_eq!(engine.deny_blocking(id, ann().reason("not on Mondays")).unwrap(), Standing::Denied);
    let Some(Event::Answer(told)) = events.try_next() else { panic!("an answer") };
    assert_eq!((told.id, told.answer.by.as_str(), told.standing), (id, "ann", Standing::Denied));
    let late = engine.approve_blocking(id, bob()).unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Approval);
    assert!(late.to_string().contains("the question is denied already"), "{late}");
    assert!(events.try_next().is_none(), "an answer that does not count is none");
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "denied by `ann`: not on Mondays");
    denied_for(&engine.evaluate_blocking(&call), "not on Mondays");
    assert_eq!(standing(&engine, id), Standing::Denied);
}

#[test]
fn of_two_channels_that_answer_at_once_one_counts() {
    let engine = testing::engine(MAIL);
    for round in 0..40 {
        let id = asked(&engine, &Call::new("send_mail", format!("{{\"round\":{round}}}")));
        let barrier = Barrier::new(2);
        let (yes, no) = thread::scope(|scope| {
            let yes = scope.spawn(|| {
                barrier.wait();
                engine.approve_blocking(id, ann()).ok()
            });
            barrier.wait();
            let no = engine.deny_blocking(id, bob()).ok();
            (yes.join().unwrap(), no)
        });
        let expected = match (yes, no) {
            (Some(standing), None) | (None, Some(standing)) => standing,
            other => panic!("{other:?}"),
        };
        assert_eq!(standing(&engine, id), expected);
        assert_eq!(approval(&engine, id).answers.len(), 1);
    }
}

#[test]
fn of_calls_at_once_one_takes_the_yes() {
    let engine = testing::engine(MAIL);
    for _ in 0..10 {
        let id = approved(&engine, &mail());
        let barrier = Barrier::new(8);
        let allowed = thread::scope(|scope| {
            let present = |named: bool| {
                barrier.wait();
                let evaluation = if named {
                    engine.evaluate_approved_blocking(&mail(), id)
                } else {
                    engine.evaluate_blocking(&mail())
                };
                usize::from(evaluation.is_allowed())
            };
            let threads: Vec<_> = (0..8).map(|thread| scope.spawn(move || present(thread % 2 == 0))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
        });
        assert_eq!(allowed, 1);
        for open in engine.approvals_blocking(&agenthalt::ApprovalFilter::open()).unwrap() {
            engine.revoke_blocking(open.id, ann()).unwrap();
        }
    }
}

#[test]
fn who_asks_may_not_approve_where_the_policy_says_so() {
    let engine = testing::engine(&format!("approval: {{not_the_requester: true}}\n{MAIL}"));
    let call = mail().metadata(r#"{"requester":["Zoe","ann@example.org"]}"#);
    let id = asked(&engine, &call);
    assert_eq!(approval(&engine, id).asked.requesters, ["bot", "Zoe", "ann@example.org"]);
    let requesters = [
        Approver::named("bot"),
        Approver::named("BOT "),
        Approver::named("zoe"),
        Approver::named("someone else").account("ann@example.org"),
        Approver::named("someone else").account("Zoe"),
    ];
    for requester in requesters {
        let refused = engine.approve_blocking(id, requester).unwrap_err().to_string();
        assert!(refused.contains("asked for this call"), "{refused}");
    }
    assert_eq!(standing(&engine, id), Standing::Pending);
    assert_eq!(engine.approve_blocking(id, bob()).unwrap(), Standing::Approved);
}

#[test]
fn who_is_no_approver_approves_nothing_but_may_say_no() {
    let engine = testing::engine(&format!("approval: {{approvers: [Ann, cleo]}}\n{MAIL}"));
    let id = asked(&engine, &mail());
    let refused = engine.approve_blocking(id, bob()).unwrap_err().to_string();
    assert!(refused.contains("none of those who may approve: ann, cleo"), "{refused}");
    assert_eq!(engine.approve_blocking(id, ann()).unwrap(), Standing::Approved);
    let other = asked(&engine, &Call::new("send_note", "{}"));
    assert_eq!(engine.deny_blocking(other, bob()).unwrap(), Standing::Denied);
}

#[test]
fn of_two_who_must_agree_one_no_is_enough() {
    let policy = "guards: {scope: {require_approval_functions: ['send_*'], approval: {required: 2}}}";
    let engine = testing::engine(policy);
    let id = asked(&engine, &mail());
    assert_eq!(engine.approve_blocking(id, ann()).unwrap(), Standing::Pending);
    let again = engine.evaluate_approved_blocking(&mail(), id);
    assert_eq!(again.verdict, Verdict::RequireApproval, "one yes is not two");
    let twice = engine.approve_blocking(id, Approver::named("ann2").account("Ann")).unwrap_err().to_string();
    assert!(twice.contains("has said yes already"), "{twice}");
    assert_eq!(engine.deny_blocking(id, bob()).unwrap(), Standing::Denied);
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "denied by `bob`");
    let next = asked(&engine, &mail());
    engine.approve_blocking(next, ann()).unwrap();
    assert_eq!(engine.approve_blocking(next, bob()).unwrap(), Standing::Approved);
    assert!(engine.evaluate_blocking(&mail()).is_allowed());
}

#[test]
fn a_yes_may_be_taken_back_until_it_is_used() {
    let engine = testing::engine(MAIL);
    let id = approved(&engine, &mail());
    assert_eq!(engine.revoke_blocking(id, bob()).unwrap(), Standing::Revoked);
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "revoked by `bob`");
    let used = approved(&engine, &mail());
    assert!(engine.evaluate_blocking(&mail()).is_allowed());
    assert!(engine.revoke_blocking(used, bob()).is_err());
}

#[test]
fn an_answer_names_somebody_and_fits_its_bounds() {
    let engine = testing::engine(MAIL);
    let id = asked(&engine, &mail());
    for (approver, text) in [
        (Approver::named("  "), "names who gives it"),
        (Approver::named("a".repeat(257)), "longer than 256 bytes"),
        (ann().account("a".repeat(257)), "longer than 256 bytes"),
        (ann().via("a".repeat(257)), "longer than 256 bytes"),
        (ann().reason("a".repeat(4_097)), "longer than 4096 bytes"),
    ] {
        let refused = engine.approve_blocking(id, approver).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Usage);
        assert!(refused.to_string().contains(text), "{refused}");
    }
    assert_eq!(standing(&engine, id), Standing::Pending);
    let unknown = engine.approve_blocking("ap-0000000000000000".parse().unwrap(), ann()).unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Approval);
}

#[test]
fn an_agent_asks_so_many_questions_and_no_more() {
    let engine = testing::engine(&format!("approval: {{most_pending: 2}}\n{MAIL}"));
    let nth = |number: u32| Call { arguments: format!("{{\"to\":{number}}}"), ..mail() };
    let first = asked(&engine, &nth(1));
    asked(&engine, &nth(2));
    denied_for(&engine.evaluate_blocking(&nth(3)), "2 questions of this agent wait already");
    assert_eq!(asked(&engine, &nth(1)), first, "the same joins its question");
    // Neither another session nor another way to write its name makes another agent of one.
    denied_for(&engine.evaluate_blocking(&nth(3).session("tuesday").agent("BOT")), "wait already");
    asked(&engine, &nth(3).agent("other"));
    engine.deny_blocking(first, ann()).unwrap();
    asked(&engine, &nth(3));
}
