//! Random evaluations, settlements, grants, retries, resets and times on SQLite and on the plain store: both must say
//! the same, word for word.

use agenthalt_core::amount::Amount;
use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::{Outcome, Status};
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    AppliedCharge, Commit, CounterRead, CountersRequest, NamedBy, ReadRequest, Record, Reset, SqliteStore, Store,
    StoreError,
};
use pollster::block_on;
use proptest::prelude::*;

use crate::plain::PlainStore;
use crate::support::*;

const COUNTERS: [(Window, Measure); 10] = [
    (Window::RollingMs(90_000), Measure::Sum),
    (Window::RollingMs(90_000), Measure::Count),
    (Window::RollingMs(90_000), Measure::LastTime),
    (Window::RollingMs(900_000), Measure::RunOfSame),
    (Window::Day, Measure::Sum),
    (Window::Month, Measure::Count),
    (Window::Ever, Measure::Sum),
    (Window::Ever, Measure::LastTime),
    (Window::Ever, Measure::RunOfSame),
    (Window::Ever, Measure::RunOfTwo),
];
const ZONES: [&str; 3] = ["UTC", "Europe/Berlin", "Asia/Kathmandu"];

/// What happens, and how much later.
#[derive(Clone, Debug)]
struct Step {
    moves_seconds: i64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Evaluate(Evaluate),
    Settle { call: u8, caller: Option<u8>, outcome: Outcome },
    Reset { counters: Vec<usize> },
    List,
}

#[derive(Clone, Debug)]
struct Evaluate {
    call: u8,
    caller: u8,
    /// Which call it is; another one of the same id is refused.
    which: u8,
    named_by: NamedBy,
    remembered_ms: u64,
    zone: usize,
    sequence: u8,
    verdict: Verdict,
    reads: Vec<bool>,
    /// For each counter the amount, if it is charged at all, whether it is given back, and whether a cost replaces it.
    charges: Vec<Option<(i64, bool, bool)>>,
}

fn any_charge() -> impl Strategy<Value = Option<(i64, bool, bool)>> {
    let amount = prop_oneof![6 => 0..1_000_i64, 1 => Just(i64::MAX)];
    prop::option::weighted(0.7, (amount, any::<bool>(), any::<bool>()))
}

fn any_evaluate() -> impl Strategy<Value = What> {
    let named_by = prop_oneof![
        6 => Just(NamedBy::Caller),
        1 => Just(NamedBy::HostBefore),
        1 => Just(NamedBy::Nobody),
    ];
    let verdict = prop_oneof![
        3 => Just(Verdict::Allow),
        1 => Just(Verdict::Modify),
        3 => Just(Verdict::RequireApproval),
        1 => Just(Verdict::Deny),
    ];
    let remembered_ms = prop_oneof![Just(30_000), Just(600_000), Just(DAY_MS)];
    let zone = prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(2)];
    let lists = (
        prop::collection::vec(prop::bool::weighted(0.9), COUNTERS.len()),
        prop::collection::vec(any_charge(), COUNTERS.len()),
    );
    let call = (0..12_u8, 0..2_u8, prop_oneof![5 => Just(0_u8), 1 => Just(1)]);
    (call, named_by, remembered_ms, zone, 0..3_u8, verdict, lists).prop_map(
        |((call, caller, which), named_by, remembered_ms, zone, sequence, verdict, (reads, charges))| {
            What::Evaluate(Evaluate {
                call,
                caller,
                which,
                named_by,
                remembered_ms,
                zone,
                sequence,
                verdict,
                reads,
                charges,
            })
        },
    )
}

fn any_settle() -> impl Strategy<Value = What> {
    let status =
        prop_oneof![Just(Status::Succeeded), Just(Status::Failed), Just(Status::NotStarted), Just(Status::Unknown)];
    let cost = prop::option::of((0..2_000_u64).prop_map(Amount::from_millionths));
    let outcome = (status, cost).prop_map(|(status, cost)| Outcome { status, cost });
    (0..12_u8, prop::option::weighted(0.8, 0..2_u8), outcome).prop_map(|(call, caller, outcome)| What::Settle {
        call,
        caller,
        outcome,
    })
}

fn any_step() -> impl Strategy<Value = Step> {
    let moves = prop_oneof![
        6 => 0..60_i64,
        2 => -100_000..0_i64,
        1 => 0..200_000_i64,
        1 => Just(0),
        1 => Just(90),
    ];
    let reset = prop::collection::vec(0..COUNTERS.len(), 1..4).prop_map(|counters| What::Reset { counters });
    let what = prop_oneof![20 => any_evaluate(), 8 => any_settle(), 1 => reset, 1 => Just(What::List)];
    (moves, what).prop_map(|(moves_seconds, what)| Step { moves_seconds, what })
}

fn caller(caller: u8) -> Digest {
    Digest::of(&[caller])
}

fn counter_of(index: usize, sequence: u8) -> CounterRead {
    let (window, measure) = COUNTERS[index];
    CounterRead { counter: index.to_string(), ..of_sequence(&counter(window, measure), &sequence.to_string()) }
}

/// The evaluation of a step, and the charges it would make.
fn asked(step: &Evaluate, seconds: i64) -> (ReadRequest, Vec<AppliedCharge>) {
    let read: Vec<usize> = (0..COUNTERS.len()).filter(|index| step.reads[*index]).collect();
    let counters: Vec<CounterRead> = read.iter().map(|index| counter_of(*index, step.sequence)).collect();
    let mut request = request(&step.call.to_string(), at(seconds), &counters.iter().collect::<Vec<_>>());
    (request.zone, request.remembered_ms) = (zone(ZONES[step.zone]), step.remembered_ms);
    request.call.caller = caller(step.caller);
    request.call.digest = Digest::of(&[step.which]);
    request.call.named_by = step.named_by;
    let charges = read.iter().zip(&counters).filter_map(|(index, counter)| {
        let (amount, permitted, settles) = step.charges[*index]?;
        Some(AppliedCharge { permitted, ..AppliedCharge::to(counter, amount, settles) })
    });
    (request, charges.collect())
}

/// What a store says to a step: everything that can be seen of it, as text.
fn take(store: &dyn Store, seconds: i64, what: &What) -> String {
    match what {
        What::Evaluate(step) => {
            let (request, charges) = asked(step, seconds);
            let snapshot = block_on(store.read(request.clone())).unwrap();
            let commit = Commit::of(&request, step.verdict, charges, record());
            let committed = match block_on(store.commit(snapshot.version, commit)) {
                Err(StoreError::Refused(_)) => "refused".to_owned(),
                committed => format!("{:?}", committed.unwrap()),
            };
            format!("{:?} {:?} {committed}", snapshot.readings, snapshot.answered)
        }
        What::Settle { call, caller: by, outcome } => {
            format!("{:?}", settle_of(store, &call.to_string(), by.map(caller), at(seconds), *outcome))
        }
        What::Reset { counters } => {
            let counters = counters.iter().map(|index| (index.to_string(), String::new())).collect();
            let record = Record { kind: "reset".to_owned(), ..record() };
            let reset = Reset { tenant: TENANT.to_owned(), at: at(seconds), counters, record };
            format!("{:?}", block_on(store.reset(reset)).unwrap())
        }
        What::List => {
            let request = CountersRequest { tenant: TENANT.to_owned(), after: 0, most: 100 };
            format!("{:?}", block_on(store.counters(request)).unwrap())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sqlite_says_what_the_plain_store_says(steps in prop::collection::vec(any_step(), 1..200)) {
        let (store, plain) = (SqliteStore::in_memory().unwrap(), PlainStore::new());
        let mut seconds = 0;
        for step in steps {
            seconds += step.moves_seconds;
            prop_assert_eq!(take(&store, seconds, &step.what), take(&plain, seconds, &step.what), "{:?}", step);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stores_that_come_and_go_on_one_file_say_what_the_plain_store_says(
        steps in prop::collection::vec((any_step(), 0..3_usize, prop::bool::weighted(0.1)), 1..120),
    ) {
        let folder = Folder::new();
        let mut stores: Vec<Option<SqliteStore>> = (0..3).map(|_| Some(folder.open())).collect();
        let (plain, mut seconds) = (PlainStore::new(), 0);
        for (step, who, comes_anew) in steps {
            seconds += step.moves_seconds;
            if comes_anew {
                stores[who] = None;
            }
            let store = stores[who].get_or_insert_with(|| folder.open());
            prop_assert_eq!(take(store, seconds, &step.what), take(&plain, seconds, &step.what), "{:?}", step);
        }
    }
}
