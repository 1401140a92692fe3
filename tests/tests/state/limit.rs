//! Many threads and processes take exactly what a limit gives, and state says the same.

use std::path::Path;
use std::process::Child;
use std::thread;

use agenthalt::{Call, PolicyEngine};

use crate::stage::{self, Books};

/// A day of 2, of which each call takes a hundredth, and 60 purchases, each of which takes a call more.
const POLICY: &str = "guards:
  budget: {max_daily_spend: 2, default_cost: 0.01, warn_threshold: null}
  purchase: {max_purchase_count_per_day: 60}
";
const CALLS: usize = 200;
const PURCHASES: usize = 60;

/// Searches and buys by turns, and tells how many were let through of each.
fn spend(engine: &PolicyEngine, name: &str, calls: usize) -> (usize, usize) {
    let (mut searches, mut purchases) = (0, 0);
    for index in 0..calls {
        let (call, let_through) = match index % 2 {
            0 => (Call::new("buy", r#"{"amount": 1}"#), &mut purchases),
            _ => (Call::new("search", "{}"), &mut searches),
        };
        *let_through += usize::from(engine.evaluate_blocking(&call.id(format!("{name}-{index}"))).is_allowed());
    }
    (searches, purchases)
}

fn spend_at_once(engine: &PolicyEngine, threads: usize, name: &str, calls: usize) -> (usize, usize) {
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || spend(engine, &format!("{name}-{thread}"), calls))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).fold((0, 0), sum)
    })
}

fn sum(one: (usize, usize), other: (usize, usize)) -> (usize, usize) {
    (one.0 + other.0, one.1 + other.1)
}

/// Exactly the limits were spent; counters and chain agree with what was answered.
fn is_exact((searches, purchases): (usize, usize), presented: usize, file: &Path) {
    assert_eq!((searches + purchases, purchases), (CALLS, PURCHASES));
    let engine = stage::open(POLICY, file);
    assert_eq!(stage::counted(&engine, "daily_spend"), 2_000_000);
    assert_eq!(stage::counted(&engine, "daily_purchase_count"), 60);
    drop(engine);
    let Books { let_through, records, .. } = stage::books(file);
    assert!(let_through.values().all(|times| *times == 1));
    assert_eq!((let_through.len(), records), (CALLS, presented as u64));
}

#[test]
fn sixty_four_threads_take_exactly_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let spent = spend_at_once(&stage::open(POLICY, &file), 64, "thread", 6);
    is_exact(spent, 64 * 6, &file);
}

#[test]
fn four_processes_of_sixteen_threads_take_exactly_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let child = |name: i32| stage::command("limit::as_child", &name.to_string(), &file).spawn().unwrap();
    let children: Vec<Child> = (0..4).map(child).collect();
    let spent = children.into_iter().map(|mut child| {
        let line = stage::lines(child.stdout.take().unwrap()).last().unwrap();
        let (searches, purchases) = line.strip_prefix("spent ").unwrap().split_once(' ').unwrap();
        assert!(child.wait().unwrap().success());
        (searches.parse().unwrap(), purchases.parse().unwrap())
    });
    let spent = spent.fold((0, 0), sum);
    is_exact(spent, 4 * 16 * 6, &file);
}

/// What a child does; without an order there is nothing to do.
#[test]
fn as_child() {
    let Some((name, file)) = stage::order() else { return };
    let (searches, purchases) = spend_at_once(&stage::open(POLICY, &file), 16, &name, 6);
    stage::say(&format!("spent {searches} {purchases}"));
}
