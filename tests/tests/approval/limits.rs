//! A yes against limits, and what an approved call is charged.

use agenthalt::{ApprovalFilter, ApprovalId, Call, CounterFilter, PolicyEngine, Standing, Verdict, testing};

use crate::stage::*;

const SHOP: &str = "
guards:
  purchase: {max_single_purchase: 100, max_daily_purchases: 150, require_approval_above: 50}
";

fn buy(amount: u32) -> Call {
    Call::new("purchase_item", format!("{{\"amount\":{amount}}}")).agent("bot")
}

fn spent(engine: &PolicyEngine) -> i64 {
    let counters = engine.counters_blocking(&CounterFilter::default()).unwrap();
    counters.iter().filter(|it| it.counter == "daily_purchases").filter_map(|it| it.reading).sum()
}

#[test]
fn a_call_under_a_yes_is_charged_like_any_other_and_once() {
    let engine = testing::engine(SHOP);
    let id = approved(&engine, &buy(60));
    assert_eq!(spent(&engine), 0, "neither question nor answer costs");
    assert!(engine.evaluate_approved_blocking(&buy(60), id).is_allowed());
    assert_eq!(spent(&engine), 60_000_000);
    denied_for(&engine.evaluate_approved_blocking(&buy(60), id), "serves once");
    assert_eq!(spent(&engine), 60_000_000);
    assert_eq!(approval(&engine, id).asked.costs.first().map(|cost| cost.amount), Some(60_000_000));
}

#[test]
fn a_hard_limit_that_is_reached_meanwhile_denies() {
    let engine = testing::engine(SHOP);
    let late = approved(&engine, &buy(90));
    let early = approved(&engine, &buy(80));
    assert!(engine.evaluate_approved_blocking(&buy(80), early).is_allowed());
    let evaluation = engine.evaluate_approved_blocking(&buy(90), late);
    assert_eq!((evaluation.verdict, evaluation.denied_by()), (Verdict::Deny, vec!["purchase"]));
    assert_eq!((spent(&engine), standing(&engine, late)), (80_000_000, Standing::Approved), "it used nothing");
}

#[test]
fn a_guard_that_asks_only_now_asks_anew_for_all() {
    let policy = "
guards:
  purchase: {require_approval_above: 50}
  budget: {max_daily_spend: 100, warn_threshold: 0.5, default_cost: 10}
";
    let engine = testing::engine(policy);
    let first = approved(&engine, &buy(60));
    assert_eq!(asking(&engine, first), ["purchase"]);
    for _ in 0..5 {
        assert!(engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    }
    let evaluation = engine.evaluate_approved_blocking(&buy(60), first);
    let second = evaluation.approval.unwrap();
    assert!(evaluation.needs_approval() && second != first);
    assert_eq!(evaluation.approval_reasons().len(), 1, "what was answered is not asked again");
    assert_eq!(asking(&engine, second), ["purchase", "budget"], "but it is shown");
    assert_eq!(asked(&engine, &buy(60)), second, "without a name it waits for the same");
    engine.approve_blocking(second, bob()).unwrap();
    let evaluation = engine.evaluate_blocking(&buy(60));
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::Allow, Some(second)));
    assert_eq!(standing(&engine, first), Standing::Used, "one call ran, and no yes is left over");
}

#[test]
fn a_shadow_guard_asks_nobody() {
    let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*'], mode: shadow}}");
    let evaluation = engine.evaluate_blocking(&mail());
    assert_eq!((evaluation.verdict, evaluation.approval), (Verdict::Allow, None));
    assert!(engine.approvals_blocking(&ApprovalFilter::default()).unwrap().is_empty());
}

fn asking(engine: &PolicyEngine, id: ApprovalId) -> Vec<String> {
    approval(engine, id).asked.reasons.into_iter().filter_map(|reason| reason.guard).collect()
}
