//! Questions to humans: asked with their evaluation, answered once, used once, by one call, in its time.

use std::collections::BTreeSet;

use agenthalt_core::approval::{Answer, ApprovalId, ApprovalRules, NotAnswered, Standing, Terms, Word};
use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::{Granted, Verdict};
use agenthalt_store::{
    Answering, AppliedCharge, Approval, ApprovalsRequest, Approving, Commit, Committed, CounterRead, NewAnswer,
    NewQuestion, OpenQuestion, Record, Store,
};
use pollster::block_on;

use crate::support::*;

const MINUTE_MS: u64 = 60_000;

fn id(number: u8) -> ApprovalId {
    ApprovalId::new([number; 8])
}

/// A question that one yes answers, about a call named by `digest`.
fn question(number: u8, digest: &str) -> NewQuestion {
    NewQuestion {
        id: id(number),
        digest: Digest::of(digest.as_bytes()),
        policy: Digest::of(b"policy"),
        asker: Digest::of(b"agent"),
        most_pending: 3,
        beside: None,
        is_unlike: false,
        kind: Digest::of(b"kind"),
        session: Digest::of(b"session"),
        asks: Granted { guards: ["scope".to_owned()].into(), unmatched: number == 4 },
        rules: ApprovalRules { required: 1, not_the_requester: false, approvers: None, expires_ms: Some(MINUTE_MS) },
        requesters: vec!["agent".to_owned()],
        shown: format!("{{\"of\":\"{digest}\"}}"),
    }
}

/// One whole evaluation with a step of its question; it charges 5 where it is let through.
fn commit(store: &dyn Store, call: &str, at: Timestamp, approving: Approving) -> Committed {
    let through = matches!(approving, Approving::Uses(_));
    let request = request(call, at, &[&spent()]);
    let version = block_on(store.read(request.clone())).unwrap().version;
    let charges = if through { vec![AppliedCharge::to(&request.counters[0], 5, false)] } else { Vec::new() };
    let mut commit = Commit::of(&request, verdict(through), charges, record());
    commit.approving = Some(approving);
    block_on(store.commit(version, commit)).unwrap()
}

fn spent() -> CounterRead {
    counter(Window::Ever, Measure::Sum)
}

fn asks(question: NewQuestion) -> Approving {
    Approving::Asks(Box::new(question))
}

fn is_done(committed: &Committed) -> bool {
    matches!(committed, Committed::Done { .. })
}

fn say(store: &dyn Store, number: u8, word: Word, by: &str, at: Timestamp) -> Answering {
    say_on(store, number, word, by, at, None)
}

fn say_on(store: &dyn Store, number: u8, word: Word, by: &str, at: Timestamp, terms: Option<Terms>) -> Answering {
    let (by, account, via) = (by.to_owned(), format!("{by}@host"), "test".to_owned());
    let answer = Answer { word, by, account, via, reason: Some("so".to_owned()), within_ms: None, terms, at };
    let record = |standing: Standing| Record {
        kind: "answer".to_owned(),
        verdict: standing.as_str().to_owned(),
        body: format!("\"{standing}\""),
    };
    let answer = NewAnswer { tenant: TENANT.to_owned(), id: id(number), answer, record: Box::new(record) };
    block_on(store.answer(answer)).unwrap()
}

fn stands(answering: &Answering) -> Option<Standing> {
    match answering {
        Answering::Done { standing, .. } => Some(*standing),
        Answering::Refused(_) | Answering::Unknown => None,
    }
}

fn list(store: &dyn Store, at: Timestamp, is_open: bool, after: u64, most: u32) -> Vec<Approval> {
    let tenant = TENANT.to_owned();
    block_on(store.approvals(ApprovalsRequest { tenant, at, id: None, is_open, after, most })).unwrap()
}

fn one(store: &dyn Store, number: u8, at: Timestamp) -> Option<Approval> {
    let (tenant, id) = (TENANT.to_owned(), Some(id(number)));
    let request = ApprovalsRequest { tenant, at, id, is_open: false, after: 0, most: 1 };
    block_on(store.approvals(request)).unwrap().pop()
}

#[test]
fn a_question_is_asked_answered_and_used_once() {
    on_every_store(|store| {
        assert!(is_done(&commit(store, "a", at(0), asks(question(1, "x")))));
        let asked = one(store, 1, at(0)).unwrap();
        assert_eq!((asked.standing, asked.shown.as_str()), (Standing::Pending, "{\"of\":\"x\"}"));
        assert_eq!((asked.question.created, asked.question.expires), (at(0), Some(at(60))));
        assert_eq!(asked.asks, question(1, "x").asks);
        assert_eq!((asked.digest, asked.policy), (Digest::of(b"x"), Digest::of(b"policy")));
        assert_eq!(commit(store, "b", at(1), Approving::Uses(id(1))), Committed::Conflict, "nobody said yes");
        let answering = say(store, 1, Word::Yes, "ann", at(2));
        assert_eq!(answering, Answering::Done { standing: Standing::Approved, sequence: 2 });
        assert!(is_done(&commit(store, "c", at(3), Approving::Uses(id(1)))));
        assert_eq!(commit(store, "d", at(4), Approving::Uses(id(1))), Committed::Conflict, "it was used");
        assert_eq!(read(store, at(5), &spent()), Some(5), "charged once");
        let used = one(store, 1, at(5)).unwrap();
        assert_eq!((used.standing, used.question.used, used.question.answers.len()), (Standing::Used, Some(at(3)), 1));
        let Answer { word, by, account, via, reason, at: when, .. } = &used.question.answers[0];
        assert_eq!((*word, by.as_str(), account.as_str(), via.as_str()), (Word::Yes, "ann", "ann@host", "test"));
        assert_eq!((reason.as_deref(), *when), (Some("so"), at(2)));
        assert!(block_on(store.verify(TENANT)).unwrap().is_ok());
    });
}

#[test]
fn the_same_call_is_asked_about_once() {
    on_every_store(|store| {
        assert!(is_done(&commit(store, "a", at(0), asks(question(1, "x")))));
        let again = commit(store, "b", at(1), asks(question(2, "x")));
        assert_eq!(again, Committed::Open(OpenQuestion::Pending(id(1))));
        assert!(is_done(&commit(store, "b", at(1), Approving::Joins(id(1)))));
        say(store, 1, Word::Yes, "ann", at(2));
        assert_eq!(commit(store, "c", at(3), Approving::Joins(id(1))), Committed::Conflict, "it waits no more");
        let Committed::Open(OpenQuestion::Approved(found)) = commit(store, "c", at(3), asks(question(3, "x"))) else {
            panic!("the yes is there")
        };
        assert_eq!(Some(*found), one(store, 1, at(3)));
        let other_policy = NewQuestion { policy: Digest::of(b"other"), ..question(4, "x") };
        assert!(is_done(&commit(store, "d", at(4), asks(other_policy))), "under other rules it is another question");
        assert!(is_done(&commit(store, "e", at(5), Approving::Uses(id(1)))));
        assert!(is_done(&commit(store, "f", at(6), asks(question(5, "x")))), "a yes that was used is none");
    });
}

#[test]
fn a_yes_that_does_not_do_is_used_with_the_one_that_does() {
    on_every_store(|store| {
        assert!(is_done(&commit(store, "a", at(0), asks(question(1, "x")))));
        say(store, 1, Word::Yes, "ann", at(1));
        let more = NewQuestion { beside: Some(id(1)), ..question(2, "x") };
        assert!(is_done(&commit(store, "b", at(2), asks(more.clone()))));
        let again = NewQuestion { id: id(3), ..more.clone() };
        assert_eq!(commit(store, "c", at(3), asks(again)), Committed::Open(OpenQuestion::Pending(id(2))));
        say(store, 2, Word::Yes, "ann", at(4));
        let fresh = commit(store, "d", at(5), asks(question(4, "x")));
        assert!(matches!(fresh, Committed::Open(OpenQuestion::Approved(found)) if found.id == id(2)));
        assert!(is_done(&commit(store, "e", at(6), Approving::Uses(id(2)))));
        assert_eq!(one(store, 1, at(6)).unwrap().standing, Standing::Used);
        assert_eq!(commit(store, "f", at(7), Approving::Uses(id(1))), Committed::Conflict);
    });
}

#[test]
fn the_first_answer_that_decides_is_the_last() {
    on_every_store(|store| {
        for number in 1..=3 {
            commit(store, "a", at(0), asks(question(number, &number.to_string())));
        }
        assert_eq!(stands(&say(store, 1, Word::No, "ann", at(1))), Some(Standing::Denied));
        let late = say(store, 1, Word::Yes, "bob", at(2));
        assert_eq!(late, Answering::Refused(NotAnswered::Closed(Standing::Denied)));
        assert_eq!(commit(store, "b", at(2), Approving::Uses(id(1))), Committed::Conflict);
        say(store, 2, Word::Yes, "ann", at(1));
        assert_eq!(stands(&say(store, 2, Word::No, "bob", at(2))), None, "a no comes too late");
        assert_eq!(stands(&say(store, 2, Word::Revoke, "bob", at(2))), Some(Standing::Revoked));
        assert_eq!(commit(store, "c", at(3), Approving::Uses(id(2))), Committed::Conflict);
        assert_eq!(say(store, 9, Word::Yes, "ann", at(3)), Answering::Unknown);
        let shown: Vec<_> = list(store, at(3), false, 0, 10).iter().map(|it| it.standing).collect();
        assert_eq!(shown, [Standing::Denied, Standing::Revoked, Standing::Pending]);
        let sequence = block_on(store.verify(TENANT)).unwrap().unwrap();
        assert_eq!(sequence, 3 + 3, "an answer that does not count leaves no record");
    });
}

#[test]
fn a_question_and_its_yes_expire() {
    on_every_store(|store| {
        commit(store, "a", at(0), asks(question(1, "x")));
        commit(store, "b", at(0), asks(question(2, "y")));
        say(store, 2, Word::Yes, "ann", at(60));
        assert_eq!(commit(store, "c", at(61), Approving::Uses(id(2))), Committed::Conflict, "its time is over");
        let late = say(store, 1, Word::Yes, "ann", at(61));
        assert_eq!(late, Answering::Refused(NotAnswered::Closed(Standing::Expired)));
        assert!(list(store, at(61), true, 0, 10).is_empty());
        assert!(is_done(&commit(store, "d", at(61), asks(question(3, "x")))), "what is over is asked anew");
        let early = list(store, at(30), true, 0, 10);
        assert_eq!(early.len(), 1, "a clock that runs backwards re-opens no question");
        let never = ApprovalRules { expires_ms: None, ..question(4, "z").rules };
        commit(store, "e", at(62), asks(NewQuestion { rules: never, ..question(4, "z") }));
        assert_eq!(one(store, 4, at(1_000_000_000)).unwrap().standing, Standing::Pending);
    });
}

#[test]
fn an_agent_has_so_many_questions_and_no_more() {
    on_every_store(|store| {
        for number in 1..=3 {
            assert!(is_done(&commit(store, "a", at(0), asks(question(number, &number.to_string())))));
        }
        let fourth = commit(store, "b", at(1), asks(question(4, "4")));
        assert_eq!(fourth, Committed::Open(OpenQuestion::TooMany(3)));
        let other = NewQuestion { asker: Digest::of(b"other"), ..question(5, "5") };
        assert!(is_done(&commit(store, "b", at(1), asks(other))), "another agent asks for itself");
        say(store, 2, Word::No, "ann", at(2));
        assert!(is_done(&commit(store, "c", at(3), asks(question(4, "4")))));
        assert_eq!(commit(store, "d", at(4), asks(question(6, "6"))), Committed::Open(OpenQuestion::TooMany(3)));
        assert!(is_done(&commit(store, "d", at(61), asks(question(6, "6")))), "those whose time is over wait no more");
        let pages = [list(store, at(61), true, 0, 1), list(store, at(61), true, 4, 10)];
        let places: Vec<_> = pages.iter().flatten().map(|approval| (approval.place, approval.id)).collect();
        assert_eq!(places, [(4, id(5)), (5, id(4)), (6, id(6))]);
    });
}

#[test]
fn two_yeses_of_the_right_people_are_needed_where_two_are() {
    on_every_store(|store| {
        let approvers: BTreeSet<String> = ["ann", "bob", "agent"].map(str::to_owned).into();
        let rules = ApprovalRules {
            required: 2,
            not_the_requester: true,
            approvers: Some(approvers),
            expires_ms: Some(MINUTE_MS),
        };
        for number in [1, 2] {
            let new = NewQuestion { rules: rules.clone(), ..question(number, &number.to_string()) };
            commit(store, "a", at(0), asks(new));
        }
        assert!(matches!(
            say(store, 1, Word::Yes, "mallory", at(1)),
            Answering::Refused(NotAnswered::NotAnApprover { .. })
        ));
        assert_eq!(
            say(store, 1, Word::Yes, "Agent", at(1)),
            Answering::Refused(NotAnswered::TheRequester("Agent".into()))
        );
        assert_eq!(stands(&say(store, 1, Word::Yes, "Ann", at(2))), Some(Standing::Pending));
        assert_eq!(
            say(store, 1, Word::Yes, "ann", at(3)),
            Answering::Refused(NotAnswered::Twice { by: "ann".into(), account: "ann@host".into() })
        );
        assert_eq!(commit(store, "b", at(3), Approving::Uses(id(1))), Committed::Conflict, "one yes is not two");
        assert_eq!(stands(&say(store, 1, Word::Yes, "bob", at(4))), Some(Standing::Approved));
        assert!(is_done(&commit(store, "b", at(5), Approving::Uses(id(1)))));
        assert_eq!(stands(&say(store, 2, Word::Yes, "ann", at(6))), Some(Standing::Pending));
        assert_eq!(stands(&say(store, 2, Word::No, "bob", at(7))), Some(Standing::Denied));
    });
}

#[test]
fn a_denied_call_uses_no_yes() {
    on_every_store(|store| {
        commit(store, "a", at(0), asks(question(1, "x")));
        say(store, 1, Word::Yes, "ann", at(1));
        let request = request("b", at(2), &[]);
        let version = block_on(store.read(request.clone())).unwrap().version;
        let mut commit = Commit::of(&request, Verdict::Deny, Vec::new(), record());
        commit.approving = Some(Approving::Uses(id(1)));
        assert_eq!(block_on(store.commit(version, commit)).unwrap(), Committed::Conflict);
        assert_eq!(one(store, 1, at(2)).unwrap().standing, Standing::Approved);
    });
}

#[test]
fn questions_and_answers_outlive_the_process() {
    let folder = Folder::new();
    let first = folder.open();
    commit(&first, "a", at(0), asks(question(1, "x")));
    drop(first);
    let second = folder.open();
    say(&second, 1, Word::Yes, "ann", at(1));
    drop(second);
    let third = folder.open();
    assert!(is_done(&commit(&third, "b", at(2), Approving::Uses(id(1)))));
    drop(third);
    assert_eq!(one(&folder.open(), 1, at(3)).unwrap().standing, Standing::Used);
}

#[test]
fn a_yes_on_terms_serves_so_many_calls_like_the_one_asked_about() {
    on_every_store(|store| {
        commit(store, "a", at(0), asks(question(1, "x")));
        let terms = Terms::new(3).unwrap().argument("/to=*".parse().unwrap());
        say_on(store, 1, Word::Yes, "ann", at(1), Some(terms.clone()));
        assert_eq!(one(store, 1, at(1)).unwrap().question.terms(), Some(&terms));
        let alike = |number, question: &NewQuestion| match commit(
            store,
            "b",
            at(2),
            asks(NewQuestion { id: id(number), ..question.clone() }),
        ) {
            Committed::Open(OpenQuestion::Alike(found)) => found.len(),
            other => panic!("{other:?}"),
        };
        assert_eq!(alike(2, &question(2, "y")), 1);
        for other in [
            NewQuestion { kind: Digest::of(b"other"), ..question(3, "other kind") },
            NewQuestion { session: Digest::of(b"other"), ..question(4, "other session") },
        ] {
            assert!(is_done(&commit(store, "c", at(3), asks(other))));
        }
        say(store, 3, Word::No, "ann", at(3));
        say(store, 4, Word::No, "ann", at(3));
        for (number, second, call) in [(1, 4, "d1"), (2, 5, "d2")] {
            assert!(is_done(&commit(store, call, at(second), Approving::Uses(id(1)))));
            let standing = one(store, 1, at(second)).unwrap();
            assert_eq!((standing.standing, standing.question.uses), (Standing::Approved, number));
        }
        let waiting = NewQuestion { is_unlike: true, ..question(5, "y") };
        assert!(is_done(&commit(store, "e", at(6), asks(waiting.clone()))));
        assert_eq!(alike(6, &question(6, "y")), 1, "what serves comes before what waits");
        let again = NewQuestion { id: id(7), ..waiting };
        assert_eq!(commit(store, "e", at(6), asks(again)), Committed::Open(OpenQuestion::Pending(id(5))));
        assert!(is_done(&commit(store, "f", at(7), Approving::Uses(id(1)))));
        assert_eq!(one(store, 1, at(7)).unwrap().standing, Standing::Used);
        assert_eq!(commit(store, "g", at(8), Approving::Uses(id(1))), Committed::Conflict);
        assert_eq!(read(store, at(8), &spent()), Some(15));
    });
}

#[test]
fn a_yes_on_terms_serves_any_session_where_it_says_so_and_is_taken_back() {
    on_every_store(|store| {
        commit(store, "a", at(0), asks(question(1, "x")));
        say_on(store, 1, Word::Yes, "ann", at(1), Some(Terms::new(3).unwrap().any_session()));
        let elsewhere = NewQuestion { session: Digest::of(b"other"), ..question(2, "y") };
        let found = commit(store, "b", at(2), asks(elsewhere.clone()));
        assert!(matches!(found, Committed::Open(OpenQuestion::Alike(found)) if found[0].id == id(1)));
        assert_eq!(stands(&say(store, 1, Word::Revoke, "ann", at(3))), Some(Standing::Revoked));
        assert!(is_done(&commit(store, "c", at(4), asks(elsewhere))));
    });
}
