//! Random questions, answers, uses and times on SQLite and on the plain store: both must say the same, word for word.

use agenthalt_core::approval::{Answer, ApprovalId, ApprovalRules, Standing, Terms, Word};
use agenthalt_core::digest::Digest;
use agenthalt_core::verdict::{Granted, Verdict};
use agenthalt_store::{ApprovalsRequest, Approving, Commit, NewAnswer, NewQuestion, Record, SqliteStore, Store};
use pollster::block_on;
use proptest::prelude::*;

use crate::plain::PlainStore;
use crate::support::*;

/// What happens, and how many seconds later.
#[derive(Clone, Debug)]
struct Step {
    moves: i64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Ask { about: u8, session: u8, policy: u8, beside: Option<u8>, is_unlike: bool, required: u32, expires: Option<u64> },
    Join(u8),
    Use { id: u8, allowed: bool },
    Answer { id: u8, word: Word, by: u8, within: Option<u64>, terms: Option<(u32, bool)> },
    List { is_open: bool, after: u64 },
}

fn any_step() -> impl Strategy<Value = Step> {
    let moves = prop_oneof![6 => 0..10_i64, 1 => -30..0_i64, 1 => 30..70_i64];
    let asking = (0..3_u8, 0..2_u8, prop_oneof![4 => Just(0_u8), 1 => Just(1)], prop::option::weighted(0.2, 1..20_u8));
    let more = (prop::bool::weighted(0.3), 1..3_u32, prop::option::weighted(0.8, 20_000..80_000_u64));
    let ask = (asking, more).prop_map(|((about, session, policy, beside), (is_unlike, required, expires))| What::Ask {
        about,
        session,
        policy,
        beside,
        is_unlike,
        required,
        expires,
    });
    let word = prop_oneof![6 => Just(Word::Yes), 1 => Just(Word::No), 1 => Just(Word::Revoke)];
    let within = prop::option::weighted(0.2, 1_000..50_000_u64);
    let terms = prop::option::weighted(0.4, (1..4_u32, any::<bool>()));
    let answer = (1..20_u8, word, 0..3_u8, within, terms).prop_map(|(id, word, by, within, terms)| What::Answer {
        id,
        word,
        by,
        within,
        terms,
    });
    let what = prop_oneof![
        6 => ask,
        2 => (1..20_u8).prop_map(What::Join),
        4 => (1..20_u8, prop::bool::weighted(0.9)).prop_map(|(id, allowed)| What::Use { id, allowed }),
        6 => answer,
        1 => (any::<bool>(), 0..4_u64).prop_map(|(is_open, after)| What::List { is_open, after }),
    ];
    (moves, what).prop_map(|(moves, what)| Step { moves, what })
}

fn id(number: u8) -> ApprovalId {
    ApprovalId::new([number; 8])
}

/// What a store says to a step; `next` is the name of a question that is asked.
fn take(store: &dyn Store, (call, seconds): (usize, i64), next: u8, what: &What) -> String {
    let commit = |approving: Approving, verdict: Verdict| {
        // Each call is one of its own.
        let request = request(&call.to_string(), at(seconds), &[]);
        let version = block_on(store.read(request.clone())).unwrap().version;
        let mut commit = Commit::of(&request, verdict, Vec::new(), record());
        commit.approving = Some(approving);
        format!("{:?}", block_on(store.commit(version, commit)))
    };
    match what {
        What::Ask { about, session, policy, beside, is_unlike, required, expires } => {
            let question = NewQuestion {
                id: id(next),
                digest: Digest::of(&[*about]),
                policy: Digest::of(&[*policy]),
                kind: Digest::of(&[about / 2]),
                session: Digest::of(&[*session]),
                asker: Digest::of(b"agent"),
                most_pending: 4,
                beside: beside.map(id),
                is_unlike: *is_unlike,
                asks: Granted::default(),
                rules: ApprovalRules {
                    required: *required,
                    not_the_requester: false,
                    approvers: None,
                    expires_ms: *expires,
                },
                requesters: Vec::new(),
                shown: "{}".to_owned(),
            };
            commit(Approving::Asks(Box::new(question)), Verdict::RequireApproval)
        }
        What::Join(number) => commit(Approving::Joins(id(*number)), Verdict::RequireApproval),
        What::Use { id: number, allowed } => {
            let verdict = if *allowed { Verdict::Allow } else { Verdict::Deny };
            commit(Approving::Uses(id(*number)), verdict)
        }
        What::Answer { id: number, word, by, within, terms } => {
            let (name, via) = (by.to_string(), "test".to_owned());
            let terms = terms.filter(|_| *word == Word::Yes).map(|(times, any_session)| {
                let terms = Terms::new(times).unwrap();
                if any_session { terms.any_session() } else { terms }
            });
            let (by, account, within_ms) = (name.clone(), name, *within);
            let answer = Answer { word: *word, by, account, via, reason: None, within_ms, terms, at: at(seconds) };
            let record =
                |standing: Standing| Record { kind: "answer".to_owned(), verdict: standing.to_string(), ..record() };
            let new = NewAnswer { tenant: TENANT.to_owned(), id: id(*number), answer, record: Box::new(record) };
            format!("{:?}", block_on(store.answer(new)))
        }
        What::List { is_open, after } => {
            let (tenant, is_open, after) = (TENANT.to_owned(), *is_open, *after);
            let request = ApprovalsRequest { tenant, at: at(seconds), id: None, is_open, after, most: 5 };
            format!("{:?}", block_on(store.approvals(request)))
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_keeps_questions_as_the_plain_store_does(steps in prop::collection::vec(any_step(), 1..120)) {
        let (store, plain) = (SqliteStore::in_memory().unwrap(), PlainStore::new());
        let (mut seconds, mut next) = (0, 1);
        for (call, step) in steps.into_iter().enumerate() {
            seconds += step.moves;
            let said = take(&store, (call, seconds), next, &step.what);
            prop_assert_eq!(&said, &take(&plain, (call, seconds), next, &step.what), "{:?}", step);
            // A question that was asked has its name for good.
            let is_asked = matches!(step.what, What::Ask { .. }) && said.starts_with("Ok(Done");
            next += u8::from(is_asked);
        }
    }
}
