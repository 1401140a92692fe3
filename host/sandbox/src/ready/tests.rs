//! Claims about instances that are made ahead, on built-in guards.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use agenthalt_core::bounds::Bounds;
use agenthalt_core::counter::{Measure, Reading};
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use agenthalt_core::time::{TimeZone, Timestamp};
use wasmtime::Engine;
use wasmtime::component::Component as Code;

use super::*;
use crate::component::Component;
use crate::contract::{GuestCall, PreparedCall};
use crate::engine::{self, Allocation, most_at_work};
use crate::guard::{Guard, Judged};
use crate::lanes::{Lane, cores};
use crate::sandbox::Sandbox;
use crate::snapshot::AT_WORK;

const BUILT_IN: [(&str, &str); 6] = [
    ("budget", r#"{"max_daily_spend":1000000}"#),
    ("deletion", r#"{"allow_patterns":["temp_*"],"protected_resources":["inbox"]}"#),
    ("purchase", r#"{"max_single_purchase":100,"require_approval_above":50}"#),
    ("rate-limit", r#"{"max_calls_per_minute":30}"#),
    ("scope", r#"{"deny_functions":["drop_*"]}"#),
    ("sensitive-data", r#"{"blocked_patterns":["ssn","credit_card"]}"#),
];

/// A stock without a thread, so that a test says when something is made.
struct Stage {
    engine: Engine,
    stock: Arc<Stock>,
}

impl Stage {
    fn new(allocation: Allocation, room: Room) -> Self {
        Stage { engine: engine::new(allocation).unwrap(), stock: Stock::new(room) }
    }

    fn component(&self, name: &str) -> Component {
        let bytes = prebuilt(name);
        let code = Code::from_binary(&self.engine, &bytes).unwrap();
        Component::prepare(&self.engine, &self.stock, &code, Digest::of(&bytes), bytes.len()).unwrap()
    }

    fn guard(&self, name: &str, settings: &str) -> Guard {
        self.component(name).configure(settings, GuardLimits::default(), Bounds::default()).unwrap().unwrap()
    }

    /// Does all that is to be done.
    fn settle(&self) {
        loop {
            let errand = self.stock.lock().next();
            let Some(errand) = errand else { return };
            self.stock.run(errand);
        }
    }

    fn ready(&self) -> usize {
        self.stock.lock().ready.len()
    }
}

fn prebuilt(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guards/prebuilt");
    std::fs::read(folder.join(format!("{name}.wasm"))).unwrap()
}

fn call(function_name: &str) -> PreparedCall {
    let at = Timestamp::from_millis(1_768_478_400_000).unwrap();
    PreparedCall::before(GuestCall {
        id: "c",
        function_name,
        arguments: r#"{"amount":70,"body":"my number is 123-45-6789","resource":"inbox"}"#,
        agent: Some("a"),
        session: Some("s"),
        tenant: "default",
        at,
        civil: TimeZone::utc().civil(at),
        metadata: "{}",
    })
}

fn judge(guard: &Guard, function_name: &str) -> Judged {
    let counters = &guard.description().counters;
    let reading = |counter: &agenthalt_core::counter::Counter| Reading {
        counter: counter.name.clone(),
        value: (counter.measure != Measure::LastTime).then_some(0),
    };
    guard.evaluate(&call(function_name), &counters.iter().map(reading).collect::<Vec<_>>())
}

#[test]
fn a_call_gets_the_same_answer_for_the_same_fuel_ready_or_not() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let stage = Stage::new(allocation, ROOM);
        for (name, settings) in BUILT_IN {
            let guard = stage.guard(name, settings);
            for function_name in ["drop_table", "send_email", "delete_messages", "purchase_item"] {
                stage.stock.forget(Arc::as_ptr(&guard.0));
                assert_eq!(stage.ready(), 0);
                let in_line = judge(&guard, function_name);
                stage.settle();
                assert_eq!(stage.ready(), 1, "{name}");
                let ready = judge(&guard, function_name);
                assert_eq!(stage.ready(), 0, "{name}");
                assert!(in_line.answer.is_ok(), "{name}: {:?}", in_line.answer);
                assert_eq!((&ready.answer, ready.fuel), (&in_line.answer, in_line.fuel), "{name} {function_name}");
                stage.settle();
            }
        }
    }
}

#[test]
fn an_instance_serves_one_call_and_the_next_is_another() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let guard = stage.guard("scope", r#"{"deny_functions":["drop_*"]}"#);
    let mut answers = Vec::new();
    for function_name in ["drop_table", "send_email", "drop_table", "send_email"] {
        answers.push(judge(&guard, function_name).answer.unwrap());
        assert_eq!(stage.ready(), 0);
        stage.settle();
        assert_eq!(stage.ready(), 1);
    }
    assert_eq!(answers.first(), answers.get(2));
    assert_eq!(answers.get(1), answers.get(3));
    assert_ne!(answers.first(), answers.get(1));
}

#[test]
fn a_guard_that_is_not_called_has_nothing_ready() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let guard = stage.guard("scope", "{}");
    stage.settle();
    assert_eq!(stage.ready(), 0);
    drop(guard);
}

#[test]
fn no_guard_has_more_ready_than_two() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let guard = stage.guard("scope", "{}");
    for _ in 0..MOST_WANTED * 2 {
        judge(&guard, "send_email").answer.unwrap();
    }
    stage.settle();
    assert_eq!(stage.ready(), MOST_PER_GUARD);
}

#[test]
fn the_oldest_go_where_there_are_too_many() {
    let stage = Stage::new(Allocation::Pooled, Room { ready: 3, ..ROOM });
    let component = stage.component("scope");
    let guards: Vec<Guard> = (0..5)
        .map(|_| component.configure("{}", GuardLimits::default(), Bounds::default()).unwrap().unwrap())
        .collect();
    for guard in &guards {
        judge(guard, "send_email").answer.unwrap();
        stage.settle();
    }
    let has: Vec<bool> = guards.iter().map(|guard| stage.stock.take(&guard.0).is_some()).collect();
    assert_eq!(has, [false, false, true, true, true]);
    assert_eq!(stage.stock.lock().bytes, 0);
}

#[test]
fn memory_that_waits_is_bounded() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let guard = stage.guard("scope", "{}");
    let one = guard.0.make().unwrap().memory_bytes();
    assert!(one > 0);
    let small = Stage::new(Allocation::Pooled, Room { bytes: one * 5 / 2, ..ROOM });
    let guards: Vec<Guard> = (0..6).map(|_| small.guard("scope", "{}")).collect();
    for guard in &guards {
        judge(guard, "send_email").answer.unwrap();
        assert!(small.stock.lock().bytes <= one * 5 / 2);
    }
    // Of the used ones only two found room; the others are dropped already.
    assert_eq!(small.stock.lock().used.len(), 2);
    small.settle();
    assert_eq!((small.ready(), small.stock.lock().bytes), (2, one * 2));
    let none = Stage::new(Allocation::Pooled, Room { bytes: one - 1, ..ROOM });
    let guard = none.guard("scope", "{}");
    judge(&guard, "send_email").answer.unwrap();
    none.settle();
    assert_eq!((none.ready(), none.stock.lock().bytes), (0, 0));
}

#[test]
fn what_is_ready_goes_with_its_guard() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let (kept, dropped) = (stage.guard("scope", "{}"), stage.guard("scope", r#"{"deny_functions":["a"]}"#));
    judge(&kept, "send_email").answer.unwrap();
    judge(&dropped, "send_email").answer.unwrap();
    stage.settle();
    assert_eq!(stage.ready(), 2);
    judge(&dropped, "send_email").answer.unwrap();
    drop(dropped);
    stage.settle();
    assert_eq!(stage.ready(), 1);
    assert!(stage.stock.take(&kept.0).is_some());
    assert_eq!(stage.stock.lock().bytes, 0);
}

#[test]
fn an_instance_of_one_guard_never_serves_another() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let (strict, lax) = (stage.guard("scope", r#"{"deny_functions":["drop_*"]}"#), stage.guard("scope", "{}"));
    judge(&lax, "drop_table").answer.unwrap();
    stage.settle();
    assert!(stage.stock.take(&strict.0).is_none());
    assert_eq!(stage.ready(), 1);
}

#[test]
fn a_fault_while_making_ahead_is_not_kept_and_met_by_the_evaluation() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let good = stage.guard("scope", r#"{"deny_functions":["drop_*"]}"#);
    let starved = good.with_limits(GuardLimits::new(10, 16 << 20, 250).unwrap());
    stage.stock.lock().wanted.push_back(Arc::downgrade(&starved.0));
    stage.settle();
    assert_eq!((stage.ready(), stage.stock.lock().bytes), (0, 0));
    let judged = judge(&starved, "send_email");
    assert!(matches!(judged.answer, Err(Fault::FailedToConfigure(text)) if text.contains("fuel")));
    assert_eq!(judged.fuel, 0);
    stage.settle();
    assert_eq!(stage.ready(), 0, "what cannot be made is not made again");
    judge(&good, "send_email").answer.unwrap();
}

#[test]
fn the_time_that_an_instance_waits_does_not_count() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let guard = stage.guard("scope", "{}").with_limits(GuardLimits::new(50_000_000, 16 << 20, 1).unwrap());
    judge(&guard, "send_email").answer.unwrap();
    stage.settle();
    // No clock ticks in this engine but here, so this is the waiting.
    for _ in 0..1_000 {
        stage.engine.increment_epoch();
    }
    let late = stage.stock.take(&guard.0).unwrap().0;
    let ((answer, _), _) = late.evaluate(&call("send_email").0, &[], &guard.limits());
    assert_eq!(answer.unwrap_err(), Fault::Deadline(1), "without its clock set anew it is too late");
    stage.stock.keep(Ready {
        guard: Arc::downgrade(&guard.0),
        fresh: guard.0.make().unwrap(),
        making: Duration::from_secs(3_600),
    });
    for _ in 0..1_000 {
        stage.engine.increment_epoch();
    }
    judge(&guard, "send_email").answer.unwrap();
    assert_eq!(stage.ready(), 0);
}

#[test]
fn a_full_stock_leaves_every_evaluation_its_slot() {
    let stage = Stage::new(Allocation::Pooled, ROOM);
    let guard = stage.guard("scope", "{}");
    for _ in 0..ROOM.ready {
        let fresh = guard.0.make().unwrap();
        stage.stock.keep(Ready { guard: Arc::downgrade(&guard.0), fresh, making: Duration::ZERO });
    }
    let others: Vec<Fresh> = (0..ROOM.used + 2 + AT_WORK).map(|_| guard.0.make().unwrap()).collect();
    assert_eq!(stage.ready(), ROOM.ready);
    let at_work: Vec<Fresh> = (0..most_at_work()).map(|_| guard.0.make().unwrap()).collect();
    assert!(at_work.len() >= cores() + cores().div_ceil(2) + cores());
    assert!(matches!(guard.0.make(), Err(Fault::HostFull(_))), "the pool is as large as is said");
    drop((others, at_work));
}

#[test]
fn a_full_stock_hinders_no_lane_and_no_permit() {
    let sandbox = Sandbox::builder().build().unwrap();
    let component = sandbox.load(&prebuilt("scope"), None).unwrap();
    let guard = || component.configure("{}", GuardLimits::default(), Bounds::default()).unwrap().unwrap();
    let full: Vec<Guard> = (0..ROOM.ready * 2).map(|_| guard()).collect();
    full.iter().for_each(|guard| assert!(judge(guard, "send_email").answer.is_ok()));
    let never_ready = guard();
    let works: Vec<_> = (0..200)
        .map(|number| {
            let guard = if number % 2 == 0 { guard() } else { never_ready.clone() };
            let lane = if number % 3 == 0 { Lane::Slow } else { Lane::Fast };
            sandbox.spawn(lane, async move { judge(&guard, "send_email").answer })
        })
        .collect();
    let here = sandbox.here();
    assert!(here.is_some());
    full.iter().for_each(|guard| assert!(judge(guard, "send_email").answer.is_ok()));
    for work in works {
        assert!(pollster::block_on(work).unwrap().is_ok());
    }
}

#[test]
fn the_maker_makes_after_a_call_and_ends_with_its_sandbox() {
    let sandbox = Sandbox::builder().build().unwrap();
    let component = sandbox.load(&prebuilt("scope"), None).unwrap();
    let guard = component.configure("{}", GuardLimits::default(), Bounds::default()).unwrap().unwrap();
    let stock = component.stock().clone();
    while stock.lock().ready.is_empty() {
        judge(&guard, "send_email").answer.unwrap();
        std::thread::yield_now();
    }
    drop(sandbox);
    let shelves = stock.lock();
    assert!(shelves.closed && shelves.ready.is_empty() && shelves.used.is_empty() && shelves.bytes == 0);
    drop(shelves);
    judge(&guard, "send_email").answer.unwrap();
    assert!(stock.lock().ready.is_empty() && stock.lock().wanted.is_empty());
    drop((guard, component));
    // The maker's own handle goes with its thread.
    while Arc::strong_count(&stock) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn there_are_as_many_permits_as_cores() {
    let sandbox = Sandbox::builder().build().unwrap();
    let permits: Vec<_> = (0..cores()).map(|_| sandbox.here()).collect();
    assert!(permits.iter().all(Option::is_some));
    assert!(sandbox.here().is_none());
    drop(permits);
    assert!(sandbox.here().is_some());
}
