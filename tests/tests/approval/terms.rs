//! Standing grants: a yes that serves calls like the one asked about, on terms.

use std::time::Duration;

use agenthalt::testing;
use agenthalt::{
    ApprovalFilter, ApprovalId, Call, CounterFilter, ErrorKind, PolicyEngine, PolicySource, Standing, Terms, Verdict,
};

use crate::stage::*;

fn mail_to(to: &str) -> Call {
    Call { arguments: format!("{{\"to\":\"{to}\",\"text\":\"hello\"}}"), ..mail() }
}

fn ours(times: u32) -> Terms {
    Terms::new(times).unwrap().argument("/to=*@example.org".parse().unwrap())
}

/// A standing grant for mail to us.
fn granted(engine: &PolicyEngine, terms: Terms) -> ApprovalId {
    let id = asked(engine, &mail_to("ada@example.org"));
    assert_eq!(engine.approve_blocking(id, ann().on(terms)).unwrap(), Standing::Approved);
    id
}

fn runs(engine: &PolicyEngine, call: &Call) -> Option<ApprovalId> {
    let evaluation = engine.evaluate_blocking(call);
    evaluation.approval.filter(|_| evaluation.is_allowed())
}

#[test]
fn it_serves_so_many_calls_like_the_one_asked_about() {
    let engine = testing::engine(MAIL);
    let id = granted(&engine, ours(3));
    for to in ["bea@example.org", "ada@example.org", "cleo@example.org"] {
        assert_eq!(runs(&engine, &mail_to(to)), Some(id), "{to}");
    }
    assert_eq!((standing(&engine, id), approval(&engine, id).uses), (Standing::Used, 3));
    assert!(engine.evaluate_blocking(&mail_to("dora@example.org")).needs_approval());
}

#[test]
fn it_serves_no_call_that_is_unlike() {
    let engine = testing::engine(&format!("approval: {{most_pending: 1000}}\n{MAIL}"));
    let id = granted(&engine, ours(100));
    let like = mail_to("bea@example.org");
    let unlike = [
        mail_to("bea@example.com"),
        Call { arguments: r#"{"to":"bea@example.org","text":"other"}"#.into(), ..mail() },
        Call { arguments: r#"{"to":"bea@example.org"}"#.into(), ..mail() },
        Call { arguments: r#"{"to":"bea@example.org","text":"hello","bcc":"x@example.com"}"#.into(), ..mail() },
        Call { arguments: r#"{"to":["bea@example.org"],"text":"hello"}"#.into(), ..mail() },
        Call { function_name: "send_mails".into(), ..like.clone() },
        Call { function_name: "Send_Mail".into(), ..like.clone() },
        like.clone().agent("other"),
        Call { agent_id: None, ..like.clone() },
        like.clone().session("tuesday"),
        like.clone().metadata(r#"{"a":1}"#),
    ];
    for call in unlike {
        assert_eq!(engine.evaluate_blocking(&call).verdict, Verdict::RequireApproval, "{call:?}");
    }
    assert_eq!(approval(&engine, id).uses, 0);
    assert_eq!(runs(&engine, &like), Some(id));
    denied_for(&engine.evaluate_approved_blocking(&like, id), "another call");
}

#[test]
fn it_serves_other_sessions_where_it_says_so() {
    let engine = testing::engine(MAIL);
    let id = granted(&engine, ours(5).any_session());
    assert_eq!(runs(&engine, &mail_to("bea@example.org").session("tuesday")), Some(id));
    assert!(runs(&engine, &mail_to("bea@example.org").agent("other")).is_none());
}

#[test]
fn it_ends_when_its_yes_does_or_is_taken_back_or_its_rules_go() {
    let (engine, clock) = engine_at_noon(MAIL);
    granted(&engine, ours(5));
    engine.replace_policy(PolicySource::text(format!("unmatched: deny\n{MAIL}"))).unwrap();
    assert!(runs(&engine, &mail_to("bea@example.org")).is_none(), "other rules");
    engine.replace_policy(PolicySource::text(MAIL)).unwrap();
    let [id] = [engine.approvals_blocking(&ApprovalFilter::open()).unwrap()[0].id];
    assert_eq!(runs(&engine, &mail_to("bea@example.org")), Some(id));
    engine.revoke_blocking(id, bob()).unwrap();
    assert!(runs(&engine, &mail_to("bea@example.org")).is_none(), "taken back");
    let short = asked(&engine, &mail_to("cleo@example.org"));
    engine.approve_blocking(short, ann().on(ours(5)).within(Duration::from_secs(60))).unwrap();
    assert_eq!(runs(&engine, &mail_to("dora@example.org")), Some(short));
    clock.advance(Duration::from_secs(61));
    assert!(runs(&engine, &mail_to("eve@example.org")).is_none(), "its time is over");
}

#[test]
fn it_answers_for_no_guard_that_did_not_ask_and_lifts_no_limit() {
    let policy = "
guards:
  purchase: {require_approval_above: 50, max_daily_purchases: 200}
  budget: {max_daily_spend: 100, warn_threshold: 0.25, default_cost: 10}
";
    let engine = testing::engine(policy);
    let buy = |amount: u32| Call::new("purchase_item", format!("{{\"amount\":{amount}}}"));
    let id = asked(&engine, &buy(60));
    let terms = Terms::new(100).unwrap().argument("/amount<=90".parse().unwrap());
    engine.approve_blocking(id, ann().on(terms)).unwrap();
    assert_eq!(runs(&engine, &buy(60)), Some(id));
    assert_eq!(runs(&engine, &buy(70)), Some(id));
    let counters = engine.counters_blocking(&CounterFilter::default()).unwrap();
    let spent = counters.iter().find(|counter| counter.counter == "daily_purchases").unwrap().reading;
    assert_eq!(spent, Some(130_000_000), "each call is charged");
    let limited = engine.evaluate_blocking(&buy(80));
    assert_eq!((limited.verdict, limited.denied_by()), (Verdict::Deny, vec!["purchase"]));
    let warned = engine.evaluate_blocking(&buy(55));
    assert_eq!(warned.verdict, Verdict::RequireApproval, "the budget asks only now");
    assert_ne!(warned.approval, Some(id));
    assert_eq!(approval(&engine, id).uses, 2);
}

#[test]
fn it_is_given_by_one_alone_and_for_what_was_shown() {
    let engine = testing::engine(&format!("approval: {{required: 2}}\n{MAIL}"));
    let id = asked(&engine, &mail());
    let refused = engine.approve_blocking(id, ann().on(ours(5))).unwrap_err().to_string();
    assert!(refused.contains("2 must say yes"), "{refused}");
    let engine = testing::engine(MAIL);
    let key = Call { arguments: r#"{"to":"ada@example.org","key":"AKIAIOSFODNN7EXAMPLE"}"#.into(), ..mail() };
    let id = asked(&engine, &key);
    let refused = engine.approve_blocking(id, ann().on(ours(5))).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Usage);
    assert!(refused.to_string().contains("not shown"), "{refused}");
    assert_eq!(standing(&engine, id), Standing::Pending, "nothing of it counts");
    engine.approve_blocking(id, ann().on(ours(5).argument("/key=AKIA*".parse().unwrap()))).unwrap();
    assert_eq!(runs(&engine, &key), Some(id));
}

#[test]
fn calls_at_once_take_no_more_than_it_gives() {
    let engine = testing::engine(MAIL);
    let id = granted(&engine, ours(5));
    let allowed: usize = std::thread::scope(|scope| {
        let engine = &engine;
        let call = |number: usize| move || runs(engine, &mail_to(&format!("{number}@example.org"))).map_or(0, |_| 1);
        let threads: Vec<_> = (0..12).map(|number| scope.spawn(call(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!((allowed, approval(&engine, id).uses, standing(&engine, id)), (5, 5, Standing::Used));
}
