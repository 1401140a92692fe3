//! Engines that ask, and short words. It makes no claim itself.

use agenthalt::testing::{self, FixedClock};
use agenthalt::{Approval, ApprovalId, Approver, Call, Evaluation, PolicyEngine, Standing, Verdict};

/// A human must decide about mail.
pub(crate) const MAIL: &str = "guards: {scope: {require_approval_functions: ['send_*']}}";

pub(crate) fn mail() -> Call {
    Call::new("send_mail", r#"{"to":"ada@example.org"}"#).agent("bot").session("monday")
}

pub(crate) fn ann() -> Approver {
    Approver::named("ann")
}

pub(crate) fn bob() -> Approver {
    Approver::named("bob")
}

/// An engine and its clock, which stands at noon.
pub(crate) fn engine_at_noon(policy: &str) -> (PolicyEngine, FixedClock) {
    let clock = FixedClock::at("2026-01-15T12:00:00Z");
    (testing::builder(policy).clock(clock.clone()).build().unwrap(), clock)
}

/// The question about a call, which a human must decide about.
pub(crate) fn asked(engine: &PolicyEngine, call: &Call) -> ApprovalId {
    let evaluation = engine.evaluate_blocking(call);
    assert_eq!(evaluation.verdict, Verdict::RequireApproval, "{}", evaluation.reason());
    evaluation.approval.unwrap()
}

/// A question that ann said yes to.
pub(crate) fn approved(engine: &PolicyEngine, call: &Call) -> ApprovalId {
    let id = asked(engine, call);
    assert_eq!(engine.approve_blocking(id, ann()).unwrap(), Standing::Approved);
    id
}

pub(crate) fn approval(engine: &PolicyEngine, id: ApprovalId) -> Approval {
    engine.approval_blocking(id).unwrap().unwrap()
}

pub(crate) fn standing(engine: &PolicyEngine, id: ApprovalId) -> Standing {
    approval(engine, id).standing
}

/// Asserts that a call is denied because its approval does not serve, for this reason.
pub(crate) fn denied_for(evaluation: &Evaluation, why: &str) {
    assert_eq!(evaluation.verdict, Verdict::Deny);
    assert_eq!(evaluation.fault().unwrap().code(), "approval", "{}", evaluation.reason());
    assert!(evaluation.reason().contains(why), "{}", evaluation.reason());
    assert!(evaluation.sequence.is_some(), "it is on record");
}
