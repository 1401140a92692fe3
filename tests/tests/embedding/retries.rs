//! Claims about a call that comes again under its id: one answer, one charge.

use std::thread;

use agenthalt::{
    Call, Evaluation, Human, MalformedCall, Outcome, PolicyEngine, Simulation, State, Timestamp, Verdict,
    assert_allowed, assert_denied, assert_needs_approval, testing,
};
use agenthalt_core::policy::Durability;
use agenthalt_store::{AuditRecord, RecordsRequest, SqliteStore, Store};

use crate::denied_for;

/// Two calls of a day, and one question.
const TWO_A_DAY: &str = "guards:
  budget: {max_daily_spend: 1, default_cost: 0.5, warn_threshold: null}
  scope: {deny_functions: ['drop_*'], require_approval_functions: ['send_*']}
  sensitive_data: {redact_on_modify: true}
";

fn call(id: &str, function: &str) -> Call {
    Call::new(function, r#"{"to": "ada"}"#).id(id).agent("bot").session("monday")
}

fn at(engine: &PolicyEngine, call: &Call, stamp: &str) -> Evaluation {
    pollster::block_on(engine.evaluate_at(call, Timestamp::from_rfc3339(stamp).unwrap()))
}

/// Uses up what is left of the day, and tells how many calls that took.
fn left(engine: &PolicyEngine) -> usize {
    (0..9).take_while(|_| engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed()).count()
}

/// All of an answer that is given again: times, readings and details are not on record.
fn said(evaluation: &Evaluation) -> String {
    let decisions = evaluation.decisions.iter().map(|it| {
        format!("{} {:?} {} {} {:?} {} {:?}", it.guard, it.mode, it.verdict, it.reason, it.risk, it.fuel, it.charges)
    });
    let silent = evaluation.silent.iter().map(|it| format!("{} {}", it.guard, it.fuel));
    let rewrites = evaluation.rewrites.iter().map(|it| format!("{} {} {}", it.guard, it.reason, it.fuel));
    let parts: Vec<String> = decisions.chain(silent).chain(rewrites).collect();
    format!(
        "{} {:?} {:?} {:?} {} {} {:?} {parts:#?}",
        evaluation.verdict,
        evaluation.risk,
        evaluation.decided_by,
        evaluation.sequence,
        evaluation.final_arguments,
        evaluation.policy,
        evaluation.denial_reasons(),
    )
}

#[test]
fn a_call_that_comes_again_gets_its_answer_and_is_charged_once() {
    let secret = Call::new("mail", r#"{"text": "my card is 4111 1111 1111 1111"}"#).id("modified");
    for (call, verdict, calls_left) in [
        (call("allowed", "search"), Verdict::Allow, 1),
        (call("denied", "drop_table"), Verdict::Deny, 2),
        (call("asked", "send_mail"), Verdict::RequireApproval, 2),
        (secret, Verdict::Modify, 1),
    ] {
        let engine = testing::engine(TWO_A_DAY);
        let first = engine.evaluate_blocking(&call);
        assert_eq!((first.verdict, first.repeats), (verdict, false));
        for _ in 0..5 {
            let again = engine.evaluate_blocking(&call);
            assert!(again.repeats);
            assert_eq!(said(&again), said(&first));
        }
        assert_eq!(left(&engine), calls_left, "{verdict}");
    }
}

#[test]
fn an_id_that_names_another_call_is_refused() {
    let engine = testing::engine(TWO_A_DAY);
    assert_allowed!(engine.evaluate_blocking(&call("one", "search")));
    for other in [
        call("one", "search_all"),
        Call { arguments: r#"{"to": "bob"}"#.to_owned(), ..call("one", "search") },
        call("one", "search").metadata(r#"{"region": "eu"}"#),
    ] {
        let refused = engine.evaluate_blocking(&other);
        denied_for(&refused, "another call has this id");
        assert_eq!(refused.malformed, Some(MalformedCall::ReusedId));
        assert!(!refused.repeats);
    }
    // Other agents and sessions have ids of their own, and so has the same text, written otherwise, no other call.
    let written = Call { arguments: "{ \"to\" : \"\\u0061da\" }".to_owned(), ..call("one", "search") };
    let again = engine.evaluate_blocking(&written);
    assert!(again.repeats && again.final_arguments == written.arguments);
    assert!(!engine.evaluate_blocking(&call("one", "search").agent("other")).repeats);
    assert_eq!(left(&engine), 0);
}

#[test]
fn a_call_without_an_id_is_a_new_one_each_time() {
    let engine = testing::engine(TWO_A_DAY);
    let first = engine.evaluate_blocking(&Call::new("search", "{}"));
    // Who names what the host has named does not meet that call.
    let named = engine.evaluate_blocking(&Call::new("search", "{}").id(&first.call_id));
    assert!(first.is_allowed() && named.is_allowed() && !named.repeats);
    assert_denied!(engine.evaluate_blocking(&Call::new("search", "{}").id("")));
}

#[test]
fn an_answer_is_on_record_for_as_long_as_the_policy_says() {
    for (kept, last, beyond) in [
        ("", "2026-01-16T12:00:00Z", "2026-01-16T12:00:00.001Z"),
        ("call: {remembered_for: 10m}\n", "2026-01-15T12:10:00Z", "2026-01-15T12:10:00.001Z"),
    ] {
        let engine = testing::engine(&format!("{kept}{TWO_A_DAY}"));
        assert_allowed!(at(&engine, &call("one", "search"), "2026-01-15T12:00:00Z"));
        assert!(at(&engine, &call("one", "search"), last).repeats);
        let beyond = at(&engine, &call("one", "search"), beyond);
        assert!(beyond.is_allowed() && !beyond.repeats);
    }
}

#[test]
fn a_question_stays_until_it_is_answered_and_its_call_is_charged_once() {
    let simulation = Simulation::new(testing::builder(TWO_A_DAY)).unwrap();
    let noon = Timestamp::from_rfc3339("2026-01-15T12:00:00Z").unwrap();
    for named in [call("asked", "send_mail"), Call::new("send_mail", "{}")] {
        let asked = simulation.judge(&named, noon, None);
        assert_needs_approval!(asked.evaluation);
        let granted = simulation.judge(&named, noon, Some(Human::Approve));
        assert!(granted.evaluation.needs_approval() && granted.runs);
        assert_eq!(granted.evaluation.repeats, named.id.is_some());
    }
    let again = simulation.judge(&call("asked", "send_mail"), noon, None);
    assert!(again.runs && again.evaluation.repeats, "the answer is that to the call under the grant now");
    assert!(!simulation.judge(&Call::new("search", "{}"), noon, None).runs, "two calls ran");
}

#[test]
fn what_was_let_through_under_other_rules_is_not_let_through_again() {
    let engine = testing::engine(TWO_A_DAY);
    assert_allowed!(engine.evaluate_blocking(&call("allowed", "search")));
    assert_denied!(engine.evaluate_blocking(&call("denied", "drop_table")));
    assert_needs_approval!(engine.evaluate_blocking(&call("asked", "send_mail")));
    engine.disable_guard("scope").unwrap();
    let refused = engine.evaluate_blocking(&call("allowed", "search"));
    denied_for(&refused, "other rules hold now");
    assert_eq!(refused.fault().map(|fault| fault.code()), Some("repeat"));
    assert!(engine.evaluate_blocking(&call("denied", "drop_table")).repeats, "a denial stands");
    let asked_anew = engine.evaluate_blocking(&call("asked", "send_mail"));
    assert!(asked_anew.is_allowed() && !asked_anew.repeats, "a question is asked anew");
    engine.enable_guard("scope").unwrap();
    assert!(engine.evaluate_blocking(&call("allowed", "search")).repeats);
}

#[test]
fn a_call_that_ran_does_not_run_again() {
    let engine = testing::engine(TWO_A_DAY);
    for (id, outcome) in [("s", Outcome::succeeded()), ("f", Outcome::failed())] {
        assert_allowed!(engine.evaluate_blocking(&call(id, "search")));
        engine.settle_blocking(id, Outcome::unknown()).unwrap();
        assert!(engine.evaluate_blocking(&call(id, "search")).repeats, "nobody knows whether it ran");
        engine.settle_blocking(id, outcome).unwrap();
        denied_for(&engine.evaluate_blocking(&call(id, "search")), "it ran; another call needs another id");
    }
}

#[test]
fn a_call_that_did_not_run_is_judged_again_and_charged() {
    let engine = testing::engine(TWO_A_DAY);
    assert_allowed!(engine.evaluate_blocking(&call("one", "search")));
    engine.settle_blocking("one", Outcome::not_started()).unwrap();
    let again = engine.evaluate_blocking(&call("one", "search"));
    assert!(again.is_allowed() && !again.repeats);
    assert_eq!(left(&engine), 1);
    engine.settle_blocking("one", Outcome::not_started()).unwrap();
    assert_eq!(left(&engine), 1);
    denied_for(&engine.evaluate_blocking(&call("one", "search")), "max_daily_spend");
}

#[test]
fn one_call_at_many_doors_at_once_gets_one_answer() {
    let engine = testing::engine(TWO_A_DAY);
    let judged: Vec<Evaluation> = thread::scope(|scope| {
        let judging = || engine.evaluate_blocking(&call("one", "search"));
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(judging)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(judged.iter().all(Evaluation::is_allowed));
    assert_eq!(judged.iter().filter(|evaluation| !evaluation.repeats).count(), 1);
    assert!(judged.iter().all(|evaluation| evaluation.sequence == judged[0].sequence));
    assert_eq!(left(&engine), 1);
}

#[test]
fn answers_outlive_the_engine_and_are_recorded_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let engine = || testing::builder(TWO_A_DAY).state(State::File(path.clone())).build().unwrap();
    let first = engine().evaluate_blocking(&call("one", "search"));
    let again = engine().evaluate_blocking(&call("one", "search"));
    assert_eq!((again.repeats, again.sequence, first.sequence), (true, Some(1), Some(1)));
    let store = SqliteStore::open(&path, Durability::Process).unwrap();
    let page = RecordsRequest { tenant: "default".to_owned(), after: 0, most: 9 };
    let records: Vec<AuditRecord> = pollster::block_on(store.records(page)).unwrap();
    let kinds: Vec<(&str, &str)> = records.iter().map(|it| (it.kind.as_str(), it.verdict.as_str())).collect();
    assert_eq!(kinds, [("evaluation", "allow"), ("repeat", "allow")]);
    assert!(records[1].body.starts_with(r#"{"answer":1,"#), "{}", records[1].body);
    assert_eq!(pollster::block_on(store.verify("default")).unwrap(), Ok(2));
}
