//! Guards that burn much in `configure`, and so may get a snapshot, and are out to harm by it. Whatever
//! they are, they judge as without one, and the host stays alive.

use agenthalt::{Fault, Sandbox};
use agenthalt_core::bounds::Bounds;
use agenthalt_core::counter::Reading;
use agenthalt_core::limits::GuardLimits;
use agenthalt_core::time::{TimeZone, Timestamp};
use agenthalt_core::verdict::Verdict;
use agenthalt_sandbox::{Guard, GuestCall, Judged, PreparedCall};

use crate::guest::{Guest, Place};

/// Burns 40 million fuel in memory that nothing else uses before the host hands over a call.
const BURN: &str = "(loop $burn
    (memory.fill (i32.const 32768) (i32.const 0) (i32.const 20000))
    (global.set $burnt (i32.add (global.get $burnt) (i32.const 1)))
    (br_if $burn (i32.lt_u (global.get $burnt) (i32.const 2000))))";

/// A guest that burns much, then does this.
fn heavy(configure: &str) -> Guest {
    Guest::default()
        .with(Place::Module, "(global $burnt (mut i32) (i32.const 0))")
        .with(Place::Configure, BURN)
        .with(Place::Configure, configure)
}

fn guard(sandbox: &Sandbox, component: &[u8], limits: GuardLimits) -> Guard {
    let component = sandbox.load(component, None).unwrap();
    component.configure("{}", limits, Bounds::default()).unwrap().unwrap()
}

fn judge(guard: &Guard, function_name: &str) -> Judged {
    let at = Timestamp::from_millis(1_768_478_400_000).unwrap();
    let call = PreparedCall::before(GuestCall {
        id: "c",
        function_name,
        arguments: "{}",
        agent: None,
        session: None,
        tenant: "default",
        at,
        civil: TimeZone::utc().civil(at),
        metadata: "{}",
    });
    guard.evaluate(&call, &[Reading { counter: "spend".to_owned(), value: Some(3) }])
}

/// Asserts that the guard judges plain and special calls alike before a snapshot is tried and after, to the
/// fuel, and says whether it runs from one in the end.
fn gets_a_snapshot(guest: &[u8], limits: GuardLimits, is_right: impl Fn(&Judged) -> bool) -> bool {
    let sandbox = Sandbox::builder().build().unwrap();
    let guard = guard(&sandbox, guest, limits);
    assert!(guard.configure_fuel() > 40_000_000);
    let (plain, special) = (judge(&guard, "plain"), judge(&guard, "special"));
    assert_eq!(plain.answer.as_ref().unwrap().as_ref().unwrap().verdict, Verdict::Allow);
    assert!(is_right(&special), "{:?}", special.answer);
    for round in 0..12 {
        // After a few rounds enough was burnt, and what is ordered is built before the next one.
        sandbox.wait_for_snapshots();
        for (name, first) in [("plain", &plain), ("special", &special)] {
            let judged = judge(&guard, name);
            assert_eq!((&judged.answer, judged.fuel), (&first.answer, first.fuel), "{name} {round}");
        }
    }
    assert_eq!(sandbox.take_notices(), [""; 0], "no difference was seen");
    guard.runs_from_snapshot()
}

fn reason(judged: &Judged) -> &str {
    &judged.answer.as_ref().unwrap().as_ref().unwrap().reason
}

#[test]
fn a_guard_that_counts_its_configurations_counts_one_from_a_snapshot_too() {
    // The reason of a special call tells how often `configure` ran in this instance.
    let guest = heavy("(global.set $runs (i32.add (global.get $runs) (i32.const 1)))")
        .with(Place::Module, "(global $runs (mut i32) (i32.const 0))")
        .with(Place::Special, "(i32.store8 (global.get $digit) (i32.add (i32.const 48) (global.get $runs)))");
    assert!(gets_a_snapshot(&guest.component(), GuardLimits::default(), |judged| reason(judged) == "spent 1"));
}

#[test]
fn a_guard_that_counts_its_calls_counts_one_from_a_snapshot_too() {
    let guest = heavy("")
        .with(Place::Module, "(global $calls (mut i32) (i32.const 0))")
        .with(Place::Special, "(global.set $calls (i32.add (global.get $calls) (i32.const 1)))")
        .with(Place::Special, "(i32.store8 (global.get $digit) (i32.add (i32.const 48) (global.get $calls)))");
    assert!(gets_a_snapshot(&guest.component(), GuardLimits::default(), |judged| reason(judged) == "spent 1"));
}

#[test]
fn a_fault_stays_the_same_fault_from_a_snapshot() {
    let limits = GuardLimits::default();
    for (special, fault) in [
        ("(unreachable)", "trap"),
        ("(loop $again (memory.fill (i32.const 32768) (i32.const 0) (i32.const 20000)) (br $again))", "out_of_fuel"),
        ("(loop $again (drop (memory.grow (i32.const 16))) (br $again))", "memory"),
        ("(call $down)", "stack_overflow"),
        ("(i32.store8 (global.get $is_decision) (i32.const 7))", "malformed_answer"),
    ] {
        let guest = heavy("").with(Place::Module, "(func $down (call $down))").with(Place::Special, special);
        let is_right = |judged: &Judged| matches!(&judged.answer, Err(found) if found.code() == fault);
        assert!(gets_a_snapshot(&guest.component(), limits, is_right), "{special}");
    }
}

#[test]
fn a_memory_that_cannot_grow_is_no_danger() {
    let guest = heavy("").with(Place::Pages, "1 1").component();
    assert!(!gets_a_snapshot(&guest, GuardLimits::default(), |judged| judged.answer.is_ok()));
}

#[test]
fn a_memory_at_its_ceiling_is_no_danger() {
    for (pages, limit) in [("256", 16 << 20), ("512", 32 << 20)] {
        let guest = heavy("").with(Place::Pages, pages).component();
        let limits = GuardLimits::new(50_000_000, limit, 250).unwrap();
        assert!(gets_a_snapshot(&guest, limits, |judged| judged.answer.is_ok()), "{pages}");
    }
}

#[test]
fn memory_that_configure_takes_is_in_the_snapshot_and_counts() {
    let special = "(i32.store8 (global.get $digit) (i32.add (i32.const 43) (memory.size)))
        (if (i32.ne (i32.load8_u (i32.const 200000)) (i32.const 7)) (then (unreachable)))";
    let guest = heavy("(drop (memory.grow (i32.const 4))) (i32.store8 (i32.const 200000) (i32.const 7))")
        .with(Place::Special, special);
    let limits = GuardLimits::new(50_000_000, 5 * (64 << 10), 250).unwrap();
    assert!(gets_a_snapshot(&guest.component(), limits, |judged| reason(judged) == "spent 0"));
    // One page more is too much, with a snapshot as without.
    let guest = guest.with(Place::Special, "(drop (memory.grow (i32.const 1)))");
    let is_right = |judged: &Judged| judged.answer == Err(Fault::Memory(5 * (64 << 10)));
    assert!(gets_a_snapshot(&guest.component(), limits, is_right));
}

/// A component with one more module, instantiated, which nothing uses and which exports nothing.
fn with_module(section: &[u8]) -> Vec<u8> {
    let module = [b"\0asm\x01\0\0\0".as_slice(), section].concat();
    let length = u8::try_from(module.len()).unwrap();
    [heavy("").component(), vec![1, length], module, vec![2, 4, 1, 0, 1, 0]].concat()
}

#[test]
fn modules_whose_state_cannot_be_read_out_go_without() {
    // A memory of one page, and a mutable global, in modules without a section of exports.
    for section in [&[5, 3, 1, 0, 1][..], &[6, 6, 1, 0x7f, 1, 0x41, 0, 0x0b]] {
        let guest = with_module(section);
        assert!(!gets_a_snapshot(&guest, GuardLimits::default(), |judged| judged.answer.is_ok()));
    }
}

#[test]
fn state_in_tables_and_segments_goes_without() {
    let table = "(table $t 2 funcref) (elem declare func $one) (func $one)";
    let is_set = "(if (ref.is_null (table.get $t (i32.const 0))) (then (unreachable)))";
    let passive = "(data $p \"x\")";
    let is_dropped = "(memory.init $p (i32.const 40000) (i32.const 0) (i32.const 0))";
    for (module, configure, special) in [
        (table, "(table.set $t (i32.const 0) (ref.func $one))", is_set),
        (table, "(drop (table.grow $t (ref.func $one) (i32.const 1)))", ""),
        (passive, "(data.drop $p)", is_dropped),
    ] {
        let guest = heavy(configure).with(Place::Module, module).with(Place::Special, special).component();
        assert!(!gets_a_snapshot(&guest, GuardLimits::default(), |judged| judged.answer.is_ok()), "{configure}");
    }
}

#[test]
fn a_start_function_runs_once_for_a_snapshot_and_not_again() {
    let guest = heavy("")
        .with(
            Place::Module,
            "(global $starts (mut i32) (i32.const 0))
            (func $start (global.set $starts (i32.add (global.get $starts) (i32.const 1)))) (start $start)",
        )
        .with(Place::Special, "(i32.store8 (global.get $digit) (i32.add (i32.const 48) (global.get $starts)))");
    assert!(gets_a_snapshot(&guest.component(), GuardLimits::default(), |judged| reason(judged) == "spent 1"));
}

#[test]
fn a_name_that_the_rewriting_takes_for_itself_is_no_danger() {
    for name in ["__wizer_memory_0", "wizer-initialize", "_initialize"] {
        let guest = heavy("").with(Place::Module, format!("(func (export \"{name}\"))")).component();
        gets_a_snapshot(&guest, GuardLimits::default(), |judged| judged.answer.is_ok());
    }
}

#[test]
fn guards_of_one_component_under_other_limits_have_snapshots_of_their_own() {
    let sandbox = Sandbox::builder().build().unwrap();
    let component = heavy("").component();
    let one = guard(&sandbox, &component, GuardLimits::default());
    let other = guard(&sandbox, &component, GuardLimits::new(45_000_000, 1 << 20, 250).unwrap());
    for _ in 0..12 {
        sandbox.wait_for_snapshots();
        assert_eq!(judge(&one, "plain").answer, judge(&other, "plain").answer);
    }
    assert!(one.runs_from_snapshot() && other.runs_from_snapshot());
}
