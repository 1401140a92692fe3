//! Handlers that answer, fail, wait and come too late.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use agenthalt::testing::{self, Recorder};
use agenthalt::{
    ApprovalFilter, ApprovalHandler, ApprovalId, ApprovalRequest, ApprovalResponse, Approver, AutoApproveHandler, Call,
    CallbackApprovalHandler, ErrorKind, HandlerError, PolicyEngine, Standing, StoredApprovalHandler, Verdict,
};

use crate::stage::*;

/// An engine whose handler always answers this.
fn answering(policy: &str, answer: impl Fn() -> ApprovalResponse + Send + Sync + 'static) -> PolicyEngine {
    let engine = testing::engine(policy);
    let handler = CallbackApprovalHandler::new("desk", move |_| std::future::ready(Ok(answer())));
    engine.set_approval_handler(handler).unwrap();
    engine
}

fn only_question(engine: &PolicyEngine) -> ApprovalId {
    let all = engine.approvals_blocking(&ApprovalFilter::default()).unwrap();
    assert_eq!(all.len(), 1);
    all[0].id
}

#[test]
fn a_yes_of_a_handler_lets_the_call_run_and_is_recorded() {
    let engine = answering(MAIL, || ApprovalResponse::yes(ann().account("ann@example.org").reason("as agreed")));
    let evaluation = engine.evaluate_blocking(&mail());
    let id = evaluation.approval.unwrap();
    assert_eq!((evaluation.verdict, id), (Verdict::Allow, only_question(&engine)));
    let approval = approval(&engine, id);
    let [answer] = approval.answers.as_slice() else { panic!("one answer") };
    assert_eq!((answer.by.as_str(), answer.account.as_str(), answer.via.as_str()), ("ann", "ann@example.org", "desk"));
    assert_eq!(approval.standing, Standing::Used);
    let again = engine.evaluate_blocking(&mail());
    assert!(again.is_allowed() && again.approval != Some(id), "the next call is asked about for itself");
}

#[tokio::test]
async fn a_handler_may_take_its_time_on_any_runtime() {
    let engine = testing::engine(MAIL);
    let handler = CallbackApprovalHandler::new("slow", async |_| {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(ApprovalResponse::yes(ann()))
    });
    engine.set_approval_handler(handler).unwrap();
    let evaluation = engine.evaluate(&mail()).await;
    assert_eq!(evaluation.verdict, Verdict::Allow);
}

struct Fails(fn() -> Result<ApprovalResponse, HandlerError>);

impl ApprovalHandler for Fails {
    fn name(&self) -> &str {
        "fails"
    }

    async fn ask(&self, _: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        (self.0)()
    }
}

#[test]
fn whatever_fails_in_a_handler_denies() {
    for (fails, why) in [
        (Fails(|| Err("the line is dead".into())), "the handler failed: the line is dead"),
        (Fails(|| panic!("at night")), "the handler failed: it panicked"),
        (Fails(|| Ok(ApprovalResponse::no(ann()))), "denied by `ann`"),
    ] {
        let engine = testing::engine(MAIL);
        engine.set_approval_handler(fails).unwrap();
        let evaluation = engine.evaluate_blocking(&mail());
        denied_for(&evaluation, why);
        assert_eq!(standing(&engine, only_question(&engine)), Standing::Denied, "that is final");
    }
}

#[test]
fn an_answer_that_does_not_count_lets_nothing_through() {
    for (policy, answer) in [
        ("approvers: [bob]", ApprovalResponse::yes(ann())),
        ("not_the_requester: true", ApprovalResponse::yes(Approver::named("bot"))),
        ("required: 2", ApprovalResponse::yes(ann())),
        ("required: 1", ApprovalResponse::yes(Approver::named(" "))),
        ("required: 1", ApprovalResponse::left_to_others()),
    ] {
        let engine = answering(&format!("approval: {{{policy}}}\n{MAIL}"), move || answer.clone());
        let evaluation = engine.evaluate_blocking(&mail());
        assert_eq!(evaluation.verdict, Verdict::RequireApproval, "{policy}");
        assert_eq!(standing(&engine, evaluation.approval.unwrap()), Standing::Pending);
    }
}

#[test]
fn a_handler_overrides_nobody() {
    let engine = testing::engine(MAIL);
    let other = engine.clone();
    let handler = CallbackApprovalHandler::new("late", move |request: ApprovalRequest| {
        other.deny_blocking(request.approval.id, bob().reason("no mail today")).unwrap();
        std::future::ready(Ok(ApprovalResponse::yes(ann())))
    });
    engine.set_approval_handler(handler).unwrap();
    denied_for(&engine.evaluate_blocking(&mail()), "denied by `bob`: no mail today");
    assert_eq!(approval(&engine, only_question(&engine)).answers.len(), 1);
}

#[test]
fn a_condition_narrows_a_yes_and_one_that_is_not_known_denies() {
    let within = |time: &'static str| answering(MAIL, move || ApprovalResponse::yes(ann()).condition("within", time));
    assert!(within("5m").evaluate_blocking(&mail()).is_allowed());
    for engine in [
        within("soon"),
        answering(MAIL, || ApprovalResponse::yes(ann()).condition("at most", "5")),
        answering(MAIL, || ApprovalResponse::yes(ann()).condition("within", "5m").condition("Within", "5m")),
    ] {
        denied_for(&engine.evaluate_blocking(&mail()), "under a condition that is not known here");
    }
    let (engine, clock) = engine_at_noon(MAIL);
    let id = asked(&engine, &mail());
    engine.approve_blocking(id, ann().within(Duration::from_secs(60))).unwrap();
    assert_eq!(approval(&engine, id).expires.unwrap().to_string(), "2026-01-15T12:01:00.000Z");
    clock.advance(Duration::from_secs(61));
    denied_for(&engine.evaluate_approved_blocking(&mail(), id), "expired at 2026-01-15T12:01:00.000Z");
}

#[test]
fn a_question_is_put_to_one_human_once_whoever_waits_for_it() {
    let engine = testing::engine(MAIL);
    let put = Arc::new(AtomicUsize::new(0));
    let counted = put.clone();
    let handler = CallbackApprovalHandler::new("desk", move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(100));
        std::future::ready(Ok(ApprovalResponse::yes(ann())))
    });
    engine.set_approval_handler(handler).unwrap();
    let verdicts: Vec<Verdict> = thread::scope(|scope| {
        let calls: Vec<_> = (0..4).map(|_| scope.spawn(|| engine.evaluate_blocking(&mail()).verdict)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    let allowed = verdicts.iter().filter(|verdict| **verdict == Verdict::Allow).count();
    let all = engine.approvals_blocking(&ApprovalFilter::default()).unwrap();
    assert_eq!(
        (allowed, put.load(Ordering::SeqCst)),
        (all.len(), all.len()),
        "each yes was said once, and served once"
    );
}

#[test]
fn who_gives_up_waiting_leaves_the_question_to_the_next() {
    let engine = testing::engine(MAIL);
    let put = Arc::new(AtomicUsize::new(0));
    let counted = put.clone();
    let handler = CallbackApprovalHandler::new("desk", move |_| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            if number == 0 {
                std::future::pending::<()>().await;
            }
            Ok(ApprovalResponse::yes(ann()))
        }
    });
    engine.set_approval_handler(handler).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let given_up = runtime
        .block_on(async { tokio::time::timeout(Duration::from_millis(200), engine.evaluate(&mail())).await.is_err() });
    assert!(given_up);
    let evaluation = engine.evaluate_blocking(&mail());
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::Allow, Some(only_question(&engine))));
    assert_eq!(put.load(Ordering::SeqCst), 2);
}

#[test]
fn a_limit_that_is_reached_while_a_human_thinks_denies() {
    let engine = testing::engine("guards: {purchase: {max_daily_purchases: 100, require_approval_above: 50}}");
    let buy = |amount: u32| Call::new("purchase_item", format!("{{\"amount\":{amount}}}"));
    let (other, small) = (engine.clone(), buy(50));
    let handler = CallbackApprovalHandler::new("desk", move |_| {
        assert!(other.evaluate_blocking(&small).is_allowed());
        std::future::ready(Ok(ApprovalResponse::yes(ann())))
    });
    engine.set_approval_handler(handler).unwrap();
    let evaluation = engine.evaluate_blocking(&buy(60));
    assert_eq!((evaluation.verdict, evaluation.denied_by()), (Verdict::Deny, vec!["purchase"]));
    assert_eq!(standing(&engine, only_question(&engine)), Standing::Approved, "it used nothing");
}

#[test]
fn nothing_approves_by_itself_unless_it_may() {
    let engine = testing::engine(MAIL);
    let refused = engine.set_approval_handler(AutoApproveHandler::new()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    assert!(engine.evaluate_blocking(&mail()).needs_approval());
    let refused = testing::builder(MAIL).approval_handler(AutoApproveHandler::new()).build().unwrap_err();
    assert!(refused.to_string().contains("allow_automatic_approval"), "{refused}");
    let builder = testing::builder(MAIL).allow_automatic_approval().approval_handler(AutoApproveHandler::new());
    assert!(builder.build().unwrap().evaluate_blocking(&mail()).is_allowed());
}

#[test]
fn a_stored_question_is_answered_by_another_process_while_its_call_waits() {
    let folder = tempfile::tempdir().unwrap();
    let state = agenthalt::State::File(folder.path().join("state.db"));
    let engine = testing::builder(MAIL).state(state.clone()).build().unwrap();
    engine.set_approval_handler(StoredApprovalHandler::new().timeout(Duration::from_secs(30))).unwrap();
    // Its own engine on the file is all that another process would have.
    let other = testing::builder(MAIL).state(state).build().unwrap();
    let answer = |yes: bool| {
        let open = loop {
            let open = other.approvals_blocking(&ApprovalFilter::open()).unwrap();
            if let Some(open) = open.into_iter().find(|open| open.standing == Standing::Pending) {
                break open.id;
            }
            thread::sleep(Duration::from_millis(5));
        };
        if yes { other.approve_blocking(open, ann()) } else { other.deny_blocking(open, ann()) }.unwrap();
    };
    for (yes, verdict) in [(true, Verdict::Allow), (false, Verdict::Deny)] {
        let evaluation = thread::scope(|scope| {
            let waiting = scope.spawn(|| engine.evaluate_blocking(&mail()));
            answer(yes);
            waiting.join().unwrap()
        });
        assert_eq!(evaluation.verdict, verdict);
    }
}

#[test]
fn a_stored_question_that_nobody_answers_goes_on_waiting() {
    let engine = testing::engine(MAIL);
    engine.set_approval_handler(StoredApprovalHandler::new().timeout(Duration::from_millis(20))).unwrap();
    let evaluation = engine.evaluate_blocking(&mail());
    let id = evaluation.approval.unwrap();
    assert_eq!((evaluation.verdict, standing(&engine, id)), (Verdict::RequireApproval, Standing::Pending));
    engine.approve_blocking(id, ann()).unwrap();
    assert!(engine.evaluate_blocking(&mail()).is_allowed());
}

#[test]
fn hooks_run_once_and_see_what_came_of_the_question() {
    let recorder = Recorder::default();
    let hooked = Arc::new(AtomicUsize::new(0));
    let counted = hooked.clone();
    let builder = testing::builder(MAIL).post_hook(recorder.hook()).pre_hook(move |call: Call| {
        // What varies from run to run would make another call of it.
        let number = counted.fetch_add(1, Ordering::SeqCst);
        Ok::<_, String>(call.metadata(format!("{{\"run\":{number}}}")))
    });
    let engine = builder.build().unwrap();
    let handler = CallbackApprovalHandler::new("desk", async |_| Ok(ApprovalResponse::yes(ann())));
    engine.set_approval_handler(handler).unwrap();
    let evaluation = engine.evaluate_blocking(&mail());
    assert!(evaluation.is_allowed());
    let seen = recorder.take();
    assert_eq!((seen.len(), hooked.load(Ordering::SeqCst)), (1, 1));
    assert_eq!((seen[0].1.verdict, &seen[0].1.call_id), (Verdict::Allow, &evaluation.call_id));
}
