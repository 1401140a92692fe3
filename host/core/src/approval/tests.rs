//! Claims about questions and their answers.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millis(ms).unwrap()
}

fn answer(word: Word, by: &str, ms: i64) -> Answer {
    let account = format!("account of {by}");
    Answer {
        word,
        by: by.to_owned(),
        account,
        via: "test".to_owned(),
        reason: None,
        within_ms: None,
        terms: None,
        at: at(ms),
    }
}

fn question(required: u32) -> Question {
    let rules = ApprovalRules { required, not_the_requester: false, approvers: None, expires_ms: Some(100) };
    let requesters = vec!["Bot".to_owned()];
    Question { rules, requesters, created: at(0), expires: Some(at(100)), answers: Vec::new(), uses: 0, used: None }
}

#[test]
fn the_first_answer_that_decides_is_the_last() {
    for (first, other, stands) in [(Word::Yes, Word::No, Standing::Approved), (Word::No, Word::Yes, Standing::Denied)] {
        let mut question = question(1);
        assert_eq!(question.answer(answer(first, "ann", 1)), Ok(stands));
        assert_eq!(question.answer(answer(other, "bob", 2)), Err(NotAnswered::Closed(stands)));
        assert_eq!(question.standing(at(3)), stands);
    }
}

#[test]
fn every_yes_that_is_required_comes_from_another_one() {
    let mut question = question(2);
    assert_eq!(question.answer(answer(Word::Yes, "ann", 1)), Ok(Standing::Pending));
    assert_eq!(
        question.answer(answer(Word::Yes, "Ann ", 1)),
        Err(NotAnswered::Twice { by: "Ann ".to_owned(), account: "account of Ann ".to_owned() })
    );
    let under_another_name = Answer { account: "account of ann".to_owned(), ..answer(Word::Yes, "bob", 1) };
    assert_eq!(
        question.answer(under_another_name),
        Err(NotAnswered::Twice { by: "bob".to_owned(), account: "account of ann".to_owned() })
    );
    assert_eq!(question.answer(answer(Word::Yes, "bob", 1)), Ok(Standing::Approved));
    let mut refused = self::question(2);
    refused.answer(answer(Word::Yes, "ann", 1)).unwrap();
    assert_eq!(refused.answer(answer(Word::No, "bob", 1)), Ok(Standing::Denied), "one no is enough");
}

#[test]
fn a_question_is_answered_in_time_and_its_yes_used_in_time() {
    let mut late = question(1);
    assert_eq!(late.answer(answer(Word::Yes, "ann", 101)), Err(NotAnswered::Closed(Standing::Expired)));
    let mut asked = question(1);
    asked.answer(answer(Word::Yes, "ann", 100)).unwrap();
    assert_eq!([100, 101].map(|ms| asked.standing(at(ms))), [Standing::Approved, Standing::Expired]);
    let no_end = Question { expires: None, ..asked };
    assert_eq!(no_end.standing(at(i64::from(u32::MAX))), Standing::Approved);
}

#[test]
fn a_yes_may_leave_less_time_and_never_more() {
    let within = |within: u64, ms: i64| Answer { within_ms: Some(within), ..answer(Word::Yes, "ann", ms) };
    let mut short = question(1);
    short.answer(within(10, 5)).unwrap();
    assert_eq!((short.expires, short.standing(at(15))), (Some(at(15)), Standing::Approved));
    assert_eq!(short.standing(at(16)), Standing::Expired);
    let mut long = question(1);
    long.answer(within(u64::MAX, 5)).unwrap();
    assert_eq!(long.expires, Some(at(100)));
    let mut none = Question { expires: None, ..question(2) };
    none.answer(within(10, 5)).unwrap();
    assert_eq!(none.answer(answer(Word::Yes, "bob", 16)), Err(NotAnswered::Closed(Standing::Expired)));
}

#[test]
fn what_did_not_run_yet_can_be_taken_back() {
    let mut approved = question(1);
    approved.answer(answer(Word::Yes, "ann", 1)).unwrap();
    assert_eq!(approved.answer(answer(Word::Revoke, "bob", 2)), Ok(Standing::Revoked));
    let mut used = question(1);
    used.answer(answer(Word::Yes, "ann", 1)).unwrap();
    used.used = Some(at(2));
    assert_eq!(used.answer(answer(Word::Revoke, "ann", 3)), Err(NotAnswered::Closed(Standing::Used)));
    let mut denied = question(1);
    denied.answer(answer(Word::No, "ann", 1)).unwrap();
    assert_eq!(denied.answer(answer(Word::Revoke, "ann", 3)), Err(NotAnswered::Closed(Standing::Denied)));
}

#[test]
fn nobody_approves_who_may_not() {
    let mut question = question(1);
    question.rules.not_the_requester = true;
    question.rules.approvers = Some(["ann", "bot"].map(str::to_owned).into());
    assert!(matches!(question.answer(answer(Word::Yes, "bob", 1)), Err(NotAnswered::NotAnApprover { .. })));
    assert_eq!(question.answer(answer(Word::Yes, "BOT", 1)), Err(NotAnswered::TheRequester("BOT".to_owned())));
    let as_ann = Answer { account: "bot".to_owned(), ..answer(Word::Yes, "ann", 1) };
    assert_eq!(question.answer(as_ann), Err(NotAnswered::TheRequester("ann".to_owned())));
    assert_eq!(question.standing(at(1)), Standing::Pending, "what does not count changes nothing");
    assert_eq!(question.answer(answer(Word::Yes, "Ann", 1)), Ok(Standing::Approved));
}

#[test]
fn a_yes_with_terms_serves_so_many_calls() {
    let terms = Terms::new(2).unwrap();
    let with_terms = Answer { terms: Some(terms), ..answer(Word::Yes, "ann", 1) };
    let mut standing = question(1);
    assert_eq!(standing.answer(with_terms.clone()), Ok(Standing::Approved));
    standing.serve(at(2));
    assert_eq!((standing.standing(at(3)), standing.used), (Standing::Approved, None));
    standing.serve(at(4));
    assert_eq!((standing.standing(at(5)), standing.used), (Standing::Used, Some(at(4))));
    assert_eq!(question(2).answer(with_terms), Err(NotAnswered::NotAlone(2)), "others must agree to it");
    let mut once = question(1);
    once.answer(answer(Word::Yes, "ann", 1)).unwrap();
    once.serve(at(2));
    assert_eq!(once.standing(at(2)), Standing::Used);
}
