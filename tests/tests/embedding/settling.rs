//! Claims about what came of a call: what it was charged follows, and nobody else's charges do.

use agenthalt::{
    Call, CallRef, ErrorKind, Event, Human, Outcome, PolicyEngine, Settled, Simulation, Status, Timestamp,
    assert_allowed, testing,
};

use crate::denied_for;

/// A day of 10, and one purchase of it.
const DAY: &str = "guards:
  budget: {max_daily_spend: 10, default_cost: 4, warn_threshold: null, cost_field: none}
  rate_limit: {max_calls_per_session: 5}
";

fn call(id: &str) -> Call {
    Call::new("search", format!(r#"{{"for": "{id}"}}"#)).id(id).session("monday")
}

/// Whether a call of this cost still fits into the day; it is not charged.
fn has_left(engine: &PolicyEngine, cost: &str) -> bool {
    let probe = Call::new("search", format!(r#"{{"none": {cost}}}"#)).session(format!("probe {cost}"));
    let judged = engine.evaluate_blocking(&probe);
    if judged.is_allowed() {
        engine.settle_blocking(&judged.call_id, Outcome::not_started()).unwrap();
    }
    judged.is_allowed()
}

#[test]
fn the_cost_that_is_told_takes_the_place_of_the_estimated_one() {
    for (outcome, left, beyond) in [
        (Outcome::succeeded().cost("1.5".parse().unwrap()), "8.5", "8.500001"),
        (Outcome::succeeded().cost("5.25".parse().unwrap()), "4.75", "4.750001"),
        (Outcome::succeeded(), "6", "6.000001"),
        (Outcome::failed().cost("0".parse().unwrap()), "10", "10.000001"),
        (Outcome::failed(), "6", "6.000001"),
        (Outcome::not_started(), "10", "10.000001"),
        (Outcome::unknown(), "6", "6.000001"),
    ] {
        let engine = testing::engine(DAY);
        assert_allowed!(engine.evaluate_blocking(&call("one")));
        assert_eq!(engine.settle_blocking("one", outcome).unwrap(), Settled::Now);
        assert!(has_left(&engine, left), "{outcome:?}");
        assert!(!has_left(&engine, beyond), "{outcome:?}");
    }
}

#[test]
fn an_attempt_stays_an_attempt_whatever_comes_of_it() {
    let engine = testing::engine(DAY);
    for number in 0..5 {
        let call = call(&number.to_string());
        assert_allowed!(engine.evaluate_blocking(&call));
        engine.settle_blocking(CallRef::of(&call).unwrap(), Outcome::not_started()).unwrap();
    }
    denied_for(&engine.evaluate_blocking(&call("6")), "max_calls_per_session");
}

#[test]
fn a_settlement_belongs_to_the_day_of_the_call() {
    let engine = testing::engine(DAY);
    let stamp = |text| Timestamp::from_rfc3339(text).unwrap();
    let judge = |id, at| pollster::block_on(engine.evaluate_at(&call(id).session(id), stamp(at)));
    assert_allowed!(judge("yesterday", "2026-01-15T23:59:59Z"));
    assert_allowed!(judge("one", "2026-01-16T00:00:01Z"));
    assert_allowed!(judge("two", "2026-01-16T00:00:02Z"));
    denied_for(&judge("three", "2026-01-16T00:00:03Z"), "max_daily_spend");
    pollster::block_on(engine.settle_at("yesterday", Outcome::not_started(), stamp("2026-01-16T00:00:04Z"))).unwrap();
    denied_for(&judge("four", "2026-01-16T00:00:05Z"), "max_daily_spend");
    pollster::block_on(engine.settle_at("two", Outcome::not_started(), stamp("2026-01-16T00:00:06Z"))).unwrap();
    assert_allowed!(judge("five", "2026-01-16T00:00:07Z"));
}

#[test]
fn a_call_is_settled_once_and_told_so() {
    let engine = testing::engine(DAY);
    let mut events = engine.listen(99);
    assert_allowed!(engine.evaluate_blocking(&call("one")));
    assert_eq!(engine.settle_blocking("one", Outcome::unknown()).unwrap(), Settled::Now);
    assert_eq!(engine.settle_blocking("one", Outcome::unknown()).unwrap(), Settled::Before(Status::Unknown));
    assert_eq!(engine.settle_blocking("one", Outcome::failed()).unwrap(), Settled::Now);
    for outcome in [Outcome::failed(), Outcome::not_started(), Outcome::succeeded().cost("0".parse().unwrap())] {
        assert_eq!(engine.settle_blocking("one", outcome).unwrap(), Settled::Before(Status::Failed));
    }
    assert!(has_left(&engine, "6") && !has_left(&engine, "6.1"));
    let told = std::iter::from_fn(|| events.try_next()).filter_map(|event| match event {
        Event::Settlement(told) if told.call_id == "one" => Some((told.outcome.status, told.sequence)),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), [(Status::Unknown, 2), (Status::Failed, 3)]);
}

#[test]
fn what_cannot_be_settled_says_why_and_changes_nothing() {
    let engine = testing::engine(&format!("{DAY}  scope: {{deny_functions: ['drop_*']}}\n"));
    let fails = |call: CallRef, outcome| {
        let error = engine.settle_blocking(call, outcome).unwrap_err();
        (error.kind(), error.to_string())
    };
    let free = || Outcome::not_started();
    assert!(fails("nobody".into(), free()).1.contains("no call of this id is on record"));
    engine.evaluate_blocking(&Call { function_name: "drop_table".to_owned(), ..call("denied") });
    let denied = fails("denied".into(), free());
    assert!(denied.0 == ErrorKind::Settlement && denied.1.contains("not let through"), "{denied:?}");
    assert_allowed!(engine.evaluate_blocking(&call("one").agent("a")));
    assert_allowed!(engine.evaluate_blocking(&call("one").agent("b")));
    assert!(fails("one".into(), free()).1.contains("say whose is meant"));
    assert!(fails(CallRef::from("one").by(Some("c"), Some("monday")), free()).1.contains("no call of this id"));
    let costs = fails(CallRef::from("one").by(Some("a"), Some("monday")), free().cost("1".parse().unwrap()));
    assert!(costs.0 == ErrorKind::Usage && costs.1.contains("has no cost"), "{costs:?}");
    assert!(has_left(&engine, "2") == has_left(&engine, "1.9") && !has_left(&engine, "4"));
    // The agent's name counts as it is counted elsewhere.
    engine.settle_blocking(CallRef::from("one").by(Some("A "), Some("monday")), free()).unwrap();
    assert!(has_left(&engine, "6"));
}

#[test]
fn an_approved_call_is_charged_and_settled_like_any_other() {
    let policy = format!("{DAY}  scope: {{require_approval_functions: ['search']}}\n");
    let simulation = Simulation::new(testing::builder(&policy)).unwrap();
    let noon = Timestamp::from_rfc3339("2026-01-15T12:00:00Z").unwrap();
    let runs = |id: &str| simulation.judge(&call(id), noon, Some(Human::Approve)).runs;
    assert!(runs("one") && runs("two") && !runs("three"));
    let told = simulation.engine().settle_at("two", Outcome::succeeded().cost("0.5".parse().unwrap()), noon);
    assert_eq!(pollster::block_on(told).unwrap(), Settled::Now);
    assert!(runs("four") && !runs("five"));
}
