//! Processes that are killed at any instant: what they answered is kept, and nothing counts twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::thread;
use std::time::Duration;

use agenthalt::{Outcome, PolicyEngine};

use crate::stage::{self, Books, COST, WIDE};

const ROUNDS: usize = 250;
const THREADS: usize = 4;

/// Numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// What the children have said so far.
#[derive(Default)]
struct Heard {
    allowed: BTreeSet<String>,
    settled: BTreeSet<String>,
    /// For each thread the first call that it has had no answer to.
    next: BTreeMap<usize, usize>,
}

impl Heard {
    /// One line of a child: what it did, and with which call of which of its threads.
    fn hear(&mut self, line: &str) {
        let (word, id) = line.split_once(' ').unwrap();
        let (thread, index) = id.split_once('-').unwrap();
        let (thread, index): (usize, usize) = (thread.parse().unwrap(), index.parse().unwrap());
        match word {
            "allowed" => {
                assert!(self.allowed.insert(id.to_owned()));
                self.next.insert(thread, index + 1);
            }
            "settled" => assert!(self.settled.insert(id.to_owned())),
            other => panic!("{other}"),
        }
    }

    fn order(&self) -> String {
        (0..THREADS).map(|thread| self.next.get(&thread).unwrap_or(&0).to_string()).collect::<Vec<_>>().join(" ")
    }
}

/// What was answered is kept, nothing counts twice, and what is counted is what is on record.
fn recount(heard: &Heard, file: &Path) {
    let Books { let_through, settled, .. } = stage::books(file);
    assert!(let_through.values().all(|times| *times == 1), "a call that came again was charged again");
    assert!(heard.allowed.iter().all(|id| let_through.contains_key(id)), "what was answered is missing");
    let on_record: BTreeSet<&String> = settled.iter().collect();
    assert_eq!(on_record.len(), settled.len(), "a call was settled twice");
    assert!(heard.settled.iter().all(|id| on_record.contains(id)), "a settlement is missing");
    let permitted = i64::try_from(let_through.len() - settled.len()).unwrap();
    assert_eq!(stage::counted(&stage::open(WIDE, file), "daily_spend"), permitted * COST);
    // Each round may leave one call of each thread, and one settlement, that nobody heard of.
    assert!(let_through.len() <= heard.allowed.len() + THREADS, "calls that were not answered came again");
    assert!(settled.len() <= heard.settled.len() + THREADS * ROUNDS);
}

#[test]
fn a_process_that_is_killed_hundreds_of_times_loses_nothing_and_counts_nothing_twice() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let (mut heard, mut dice) = (Heard::default(), Dice(20_260_115));
    for round in 1..=ROUNDS {
        let mut child = stage::command("killed::as_child", &heard.order(), &file).spawn().unwrap();
        let mut lines = stage::lines(child.stdout.take().unwrap());
        let most = usize::try_from(dice.roll(60)).unwrap();
        lines.by_ref().take(most).for_each(|line| heard.hear(&line));
        child.kill().unwrap();
        child.wait().unwrap();
        // What stands in the pipe was answered before the end.
        lines.for_each(|line| heard.hear(&line));
        if round % 50 == 0 {
            recount(&heard, &file);
        }
    }
    assert!(heard.allowed.len() > ROUNDS && heard.settled.len() > ROUNDS / 4);
}

#[test]
fn a_process_that_is_killed_while_it_makes_its_state_leaves_one_that_works() {
    let mut dice = Dice(7);
    for _ in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state.db");
        let mut child = stage::command("killed::as_child", "0 0 0 0", &file).spawn().unwrap();
        // From the first sign of the state file on, it is a matter of a few milliseconds.
        while !file.exists() && child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        thread::sleep(Duration::from_micros(dice.roll(8_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        let engine = stage::open(WIDE, &file);
        let before = stage::counted(&engine, "daily_spend");
        assert!(stage::evaluate(&engine, "after").is_allowed());
        assert_eq!(stage::counted(&engine, "daily_spend"), before + COST);
    }
}

/// What a child does; without an order there is nothing to do.
#[test]
fn as_child() {
    let Some((order, file)) = stage::order() else { return };
    let engine = stage::open(WIDE, &file);
    thread::scope(|scope| {
        for (thread, first) in order.split(' ').enumerate() {
            let (engine, first): (&PolicyEngine, usize) = (&engine, first.parse().unwrap());
            scope.spawn(move || {
                // The first one may have been answered to a process that did not live to say so.
                for index in first.. {
                    let id = format!("{thread}-{index}");
                    assert!(stage::evaluate(engine, &id).is_allowed());
                    stage::say(&format!("allowed {id}"));
                    if index % 4 == 0 {
                        engine.settle_blocking(&id, Outcome::not_started()).unwrap();
                        stage::say(&format!("settled {id}"));
                    }
                }
            });
        }
    });
}
