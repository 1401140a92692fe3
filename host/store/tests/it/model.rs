//! Counter arithmetic against a model that keeps every charge and looks at all of them.

use agenthalt_core::counter::{Measure, Window, run_length};
use agenthalt_core::digest::Digest;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_store::{AppliedCharge, Commit, CounterRead, SqliteStore, Store};
use pollster::block_on;
use proptest::prelude::*;

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

/// One evaluation.
#[derive(Clone, Debug)]
struct Step {
    call: u8,
    moves_seconds: i64,
    zone: usize,
    sequence: u8,
    let_through: bool,
    /// For each counter the amount, if it is charged at all.
    charges: Vec<Option<i64>>,
}

fn any_amount() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![4 => (0..1_000_i64).prop_map(Some), 2 => Just(None), 1 => Just(Some(i64::MAX))]
}

fn any_step() -> impl Strategy<Value = Step> {
    let moves = prop_oneof![
        6 => 0..60_i64,
        2 => -100_000..0_i64,
        1 => 0..200_000_i64,
        1 => Just(0),
        1 => Just(90),
    ];
    let charges = prop::collection::vec(any_amount(), COUNTERS.len());
    (0..6_u8, moves, prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(2)], 0..3_u8, any::<bool>(), charges).prop_map(
        |(call, moves_seconds, zone, sequence, let_through, charges)| Step {
            call,
            moves_seconds,
            zone,
            sequence,
            let_through,
            charges,
        },
    )
}

#[derive(Clone, Debug)]
struct Kept {
    charged_at: i64,
    amount: i64,
    sequence: Digest,
    call: u8,
    let_through: bool,
}

/// One counter, told by all its charges.
#[derive(Clone, Debug, Default)]
struct Model {
    clock: i64,
    charges: Vec<Kept>,
}

impl Model {
    fn effective(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.as_millis().max(self.clock)).unwrap()
    }

    fn reading(&self, counter: &CounterRead, at: Timestamp, zone: &TimeZone, call: u8) -> Option<i64> {
        let start = counter.window.start(self.effective(at), zone);
        let seen: Vec<&Kept> = self
            .charges
            .iter()
            .filter(|kept| kept.charged_at >= start && (kept.let_through || kept.call != call))
            .collect();
        match counter.measure {
            Measure::Sum => Some(seen.iter().fold(0, |sum: i64, kept| sum.saturating_add(kept.amount))),
            Measure::Count => Some(i64::try_from(seen.len()).unwrap()),
            Measure::LastTime => seen.last().map(|kept| kept.charged_at),
            Measure::RunOfSame | Measure::RunOfTwo => {
                let calls: Vec<Digest> = seen.iter().rev().map(|kept| kept.sequence).collect();
                Some(i64::try_from(run_length(counter.measure, &counter.sequence, &calls)).unwrap())
            }
        }
    }
}

/// The counters as a step reads them.
fn counters_of(step: &Step) -> Vec<CounterRead> {
    let counters = COUNTERS.iter().enumerate().map(|(index, (window, measure))| CounterRead {
        counter: index.to_string(),
        ..of_sequence(&counter(*window, *measure), &step.sequence.to_string())
    });
    counters.collect()
}

/// One evaluation, and what the model says of it.
fn take(store: &dyn Store, models: &mut [Model], seconds: i64, step: &Step) -> Result<(), TestCaseError> {
    let counters = counters_of(step);
    let mut request = request(&step.call.to_string(), at(seconds), &counters.iter().collect::<Vec<_>>());
    request.zone = zone(ZONES[step.zone]);
    let snapshot = block_on(store.read(request.clone())).unwrap();
    for ((model, counter), reading) in models.iter().zip(&counters).zip(&snapshot.readings) {
        let expected = model.reading(counter, request.at, &request.zone, step.call);
        prop_assert_eq!(*reading, expected, "{:?}", counter);
    }
    let charges: Vec<AppliedCharge> = counters
        .iter()
        .zip(&step.charges)
        .filter_map(|(counter, amount)| amount.map(|amount| AppliedCharge::to(counter, amount, false)))
        .collect();
    let commit = Commit::of(&request, verdict(step.let_through), charges, record());
    block_on(store.commit(snapshot.version, commit)).unwrap();
    for ((model, counter), amount) in models.iter_mut().zip(&counters).zip(&step.charges) {
        model.charges.retain(|kept| kept.let_through || kept.call != step.call);
        if let Some(amount) = amount {
            model.clock = model.effective(request.at).as_millis();
            model.charges.push(Kept {
                charged_at: model.clock,
                amount: *amount,
                sequence: counter.sequence,
                call: step.call,
                let_through: step.let_through,
            });
        }
    }
    Ok(())
}

fn models() -> Vec<Model> {
    vec![Model { clock: i64::MIN, charges: Vec::new() }; COUNTERS.len()]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn readings_are_those_of_the_model(steps in prop::collection::vec(any_step(), 1..160)) {
        let store = SqliteStore::in_memory().unwrap();
        let (mut models, mut seconds) = (models(), 0);
        for step in steps {
            seconds += step.moves_seconds;
            take(&store, &mut models, seconds, &step)?;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn stores_that_come_and_go_on_one_file_read_as_the_model(
        steps in prop::collection::vec((any_step(), 0..3_usize, prop::bool::weighted(0.1)), 1..120),
    ) {
        let folder = Folder::new();
        let mut stores: Vec<Option<SqliteStore>> = (0..3).map(|_| Some(folder.open())).collect();
        let (mut models, mut seconds) = (models(), 0);
        for (step, who, comes_anew) in steps {
            seconds += step.moves_seconds;
            if comes_anew {
                stores[who] = None;
            }
            let store = stores[who].get_or_insert_with(|| folder.open());
            take(store, &mut models, seconds, &step)?;
        }
    }
}
