//! Claims about snapshots, on built-in guards and without a thread: a test says when one is built.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use agenthalt_core::bounds::Bounds;
use agenthalt_core::time::{TimeZone, Timestamp};
use wasmtime::component::Component as Code;

use super::builder::Room;
use super::make::{Instrumented, NotMade, caught, check, write};
use super::*;
use crate::compile::Compiler;
use crate::component::Component;
use crate::contract::{GuestCall, PreparedCall};
use crate::engine::{self, Allocation};
use crate::guard::{Guard, Judged};
use crate::ready::{ROOM, Stock};
use crate::sandbox::Sandbox;
use crate::workshop::Workshop;

const LARGE: Room = Room { snapshots: 32, code_bytes: 128 << 20 };

struct Setting {
    workshop: Arc<Workshop>,
    stock: Arc<Stock>,
    snapshots: Arc<Snapshots>,
    component: Component,
}

/// Compiled once for all tests.
static CODE: LazyLock<(Engine, Code)> = LazyLock::new(|| {
    let engine = engine::new(Allocation::OnDemand).unwrap();
    let code = Code::from_binary(&engine, &prebuilt("sensitive-data")).unwrap();
    (engine, code)
});
static INSTRUMENTED: Mutex<Option<Instrumented>> = Mutex::new(None);

impl Setting {
    fn new(room: Room) -> Self {
        let (engine, code) = &*CODE;
        let workshop = Arc::new(Workshop::new(engine.clone(), None, Compiler::InProcess, Default::default()));
        let stock = Stock::new(ROOM);
        let bytes = prebuilt("sensitive-data");
        let digest = Digest::of(&bytes);
        let component = Component::prepare(engine, &stock, code, digest, bytes.len()).unwrap();
        let snapshots = Snapshots::new(workshop.clone(), room);
        Setting { workshop, stock, snapshots, component }
    }

    /// A guard that may get a snapshot.
    fn guard(&self, settings: &str) -> Guard {
        configure(&self.component.with_source(&prebuilt("sensitive-data"), &self.snapshots), settings)
    }

    /// The same guard, which never gets one.
    fn plain(&self, settings: &str) -> Guard {
        configure(&self.component, settings)
    }

    /// A snapshot of these settings, ordered by nobody.
    fn snapshot(&self, settings: &str) -> Arc<Snapshot> {
        let guard = self.guard(settings);
        self.build(&guard);
        match &*slot(&guard).stage() {
            Stage::Proving(snapshot, _) => snapshot.clone(),
            _ => unreachable!("it was built"),
        }
    }

    fn build(&self, guard: &Guard) {
        slot(guard).note_configured(WORTH);
        self.snapshots.build(slot(guard), &mut INSTRUMENTED.lock().unwrap());
    }

    fn notices(&self) -> Vec<String> {
        self.workshop.take_notices()
    }
}

fn prebuilt(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guards/prebuilt");
    std::fs::read(folder.join(format!("{name}.wasm"))).unwrap()
}

fn configure(component: &Component, settings: &str) -> Guard {
    component.configure(settings, GuardLimits::default(), Bounds::default()).unwrap().unwrap()
}

fn slot(guard: &Guard) -> &Arc<Slot> {
    guard.0.slot.as_ref().unwrap()
}

/// Settings with so many custom patterns.
fn patterns(name: &str, count: usize) -> String {
    let mut settings = r#"{"custom_patterns":{"#.to_owned();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        write!(settings, r#"{comma}"p{number}":"{name}-{number}-[A-Z]{{2}}[0-9]{{4,8}}""#).unwrap();
    }
    settings + "}}"
}

fn judge(guard: &Guard, arguments: &str) -> Judged {
    let at = Timestamp::from_millis(1_768_478_400_000).unwrap();
    let call = PreparedCall::before(GuestCall {
        id: "c",
        function_name: "send_email",
        arguments,
        agent: Some("a"),
        session: Some("s"),
        tenant: "default",
        at,
        civil: TimeZone::utc().civil(at),
        metadata: "{}",
    });
    guard.evaluate(&call, &[])
}

const HARMLESS: &str = r#"{"body":"all is green"}"#;
const TICKET: &str = r#"{"body":"see TICKET-7-AB123456 please"}"#;
const CALLS: [&str; 4] = [HARMLESS, TICKET, r#"{"body":"my number is 123-45-6789"}"#, "{}"];

fn outcome(judged: &Judged) -> (&Result<Option<Answer>, Fault>, u64) {
    (&judged.answer, judged.fuel)
}

#[test]
fn a_snapshot_gives_the_same_answers_for_the_same_fuel() {
    let stage = Setting::new(LARGE);
    for count in [10, 100] {
        let settings = patterns("TICKET", count);
        let (guard, plain) = (stage.guard(&settings), stage.plain(&settings));
        assert!(guard.configure_fuel() > HEAVY, "{}", guard.configure_fuel());
        stage.build(&guard);
        for call in CALLS.iter().take(PROOFS as usize) {
            assert!(!guard.runs_from_snapshot());
            assert_eq!(outcome(&judge(&guard, call)), outcome(&judge(&plain, call)));
        }
        assert!(guard.runs_from_snapshot());
        let is_restored = guard.0.make().unwrap().is_of(slot(&guard).serving().as_ref());
        assert!(is_restored, "what is made ahead is made from the snapshot too");
        for call in CALLS.iter().cycle().take(24) {
            let (judged, plain) = (judge(&guard, call), judge(&plain, call));
            assert!(judged.answer.is_ok());
            assert_eq!(outcome(&judged), outcome(&plain), "{count} {call}");
        }
    }
    assert_eq!(stage.notices(), [""; 0]);
}

#[test]
fn a_light_guard_gets_no_snapshot_and_keeps_no_bytes() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard("{}");
    assert!(guard.configure_fuel() < HEAVY);
    assert!(guard.0.slot.is_none());
}

#[test]
fn a_few_calls_build_no_snapshot_and_many_do() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard(&patterns("TICKET", 100));
    let calls = WORTH.div_ceil(guard.configure_fuel());
    for _ in 1..calls {
        judge(&guard, HARMLESS).answer.unwrap();
        assert!(matches!(&*slot(&guard).stage(), Stage::Idle(_)));
    }
    judge(&guard, HARMLESS).answer.unwrap();
    assert!(matches!(&*slot(&guard).stage(), Stage::Ordered(Some(_))));
    stage.snapshots.build(slot(&guard), &mut INSTRUMENTED.lock().unwrap());
    assert!(matches!(&*slot(&guard).stage(), Stage::Proving(..)), "the bytes are gone");
}

#[test]
fn a_wrong_snapshot_has_no_word_and_never_serves() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard(&patterns("TICKET", 10));
    let plain = stage.plain(&patterns("TICKET", 10));
    let wrong = stage.snapshot(&patterns("OTHER", 10));
    *slot(&guard).stage() = Stage::Proving(wrong, Proof::default());
    assert_eq!(outcome(&judge(&guard, TICKET)), outcome(&judge(&plain, TICKET)));
    assert!(!guard.runs_from_snapshot());
    assert!(matches!(&*slot(&guard).stage(), Stage::Gone));
    let notices = stage.notices();
    assert!(matches!(notices.as_slice(), [one] if one.contains("judged a call otherwise")), "{notices:?}");
    assert_eq!(outcome(&judge(&guard, TICKET)), outcome(&judge(&plain, TICKET)));
    drop(guard);
    assert!(stage.guard(&patterns("TICKET", 10)).0.slot.is_none(), "loading it anew gives it no second try");
}

#[test]
fn a_serving_snapshot_that_differs_denies_once_and_goes() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard(&patterns("TICKET", 10));
    let plain = stage.plain(&patterns("TICKET", 10));
    let wrong = stage.snapshot(&patterns("OTHER", 10));
    *slot(&guard).stage() = Stage::Serving(wrong);
    slot(&guard).served.store(COMPARED_EVERY - 2, Ordering::Relaxed);
    assert_ne!(judge(&guard, TICKET).answer, judge(&plain, TICKET).answer, "a wrong snapshot is wrong");
    let compared = judge(&guard, TICKET);
    assert!(matches!(&compared.answer, Err(Fault::Host(text)) if text.contains("snapshot")), "{:?}", compared.answer);
    assert_eq!(compared.fuel, judge(&plain, TICKET).fuel);
    assert!(!guard.runs_from_snapshot());
    assert_eq!(outcome(&judge(&guard, TICKET)), outcome(&judge(&plain, TICKET)));
    assert_eq!(stage.notices().len(), 1);
}

#[test]
fn a_serving_snapshot_is_compared_again_and_goes_on() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard(&patterns("TICKET", 10));
    stage.build(&guard);
    CALLS.iter().for_each(|call| assert!(judge(&guard, call).answer.is_ok()));
    slot(&guard).served.store(COMPARED_EVERY - 1, Ordering::Relaxed);
    let burnt = slot(&guard).burnt.load(Ordering::Relaxed);
    judge(&guard, TICKET).answer.unwrap();
    assert_eq!(slot(&guard).burnt.load(Ordering::Relaxed), burnt + guard.configure_fuel(), "it was configured");
    judge(&guard, TICKET).answer.unwrap();
    assert_eq!(slot(&guard).burnt.load(Ordering::Relaxed), burnt + guard.configure_fuel());
    assert!(guard.runs_from_snapshot());
}

#[test]
fn an_instance_of_a_snapshot_that_has_gone_judges_nothing() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard(&patterns("TICKET", 10));
    let wrong = stage.snapshot(&patterns("OTHER", 10));
    *slot(&guard).stage() = Stage::Serving(wrong.clone());
    let stale = guard.0.make().unwrap();
    assert!(stale.is_of(Some(&wrong)));
    slot(&guard).give_up(&wrong, |_, _| "for a test".to_owned());
    assert!(!stale.is_of(slot(&guard).serving().as_ref()));
    assert!(guard.0.make().unwrap().is_of(None));
    assert!(stage.stock.take(&guard.0).is_none());
}

#[test]
fn what_the_host_ended_neither_proves_nor_refutes() {
    let stage = Setting::new(LARGE);
    let guard = stage.guard(&patterns("TICKET", 10));
    let snapshot = stage.snapshot(&patterns("TICKET", 10));
    let late = (Err(Fault::Deadline(250)), 7);
    let answer = (Ok(None), 9);
    let fell = (Err(Fault::Trap("x".to_owned())), 9);
    *slot(&guard).stage() = Stage::Proving(snapshot.clone(), Proof::default());
    assert!(slot(&guard).holds(&snapshot, &late, &answer));
    assert!(slot(&guard).holds(&snapshot, &answer, &late));
    assert!(slot(&guard).holds(&snapshot, &fell, &fell));
    assert!(matches!(&*slot(&guard).stage(), Stage::Proving(_, Proof { tries: 3, equal: 0 })));
    for _ in 3..MOST_TRIES {
        assert!(slot(&guard).holds(&snapshot, &fell, &fell));
    }
    assert!(matches!(&*slot(&guard).stage(), Stage::Gone), "it is not tried for ever");
    // A fault that only one of them has is a difference.
    for (configured, restored) in [(&fell, &answer), (&answer, &fell), (&answer, &(Ok(None), 8))] {
        *slot(&guard).stage() = Stage::Proving(snapshot.clone(), Proof::default());
        assert!(!slot(&guard).holds(&snapshot, configured, restored));
        assert!(matches!(&*slot(&guard).stage(), Stage::Gone));
    }
}

#[test]
fn what_is_built_is_bounded_and_the_longest_unused_goes() {
    let stage = Setting::new(Room { snapshots: 2, ..LARGE });
    let guards: Vec<Guard> = ["A", "B", "C"].map(|name| stage.guard(&patterns(name, 10))).into();
    let has = |guard: &Guard| slot(guard).code_bytes().is_some();
    for guard in guards.iter().take(2) {
        stage.build(guard);
    }
    judge(guards.first().unwrap(), HARMLESS).answer.unwrap();
    stage.build(guards.last().unwrap());
    assert_eq!(guards.iter().map(has).collect::<Vec<_>>(), [true, false, true]);
    guards.iter().for_each(|guard| assert!(judge(guard, HARMLESS).answer.is_ok()));
    let none = Setting::new(Room { code_bytes: 1, ..LARGE });
    let guard = none.guard(&patterns("A", 10));
    none.build(&guard);
    assert!(!has(&guard));
    judge(&guard, HARMLESS).answer.unwrap();
}

#[test]
fn guards_share_a_snapshot_only_where_component_settings_and_limits_agree() {
    let stage = Setting::new(LARGE);
    let one = stage.guard(&patterns("TICKET", 10));
    assert!(Arc::ptr_eq(slot(&one), slot(&stage.guard(&patterns("TICKET", 10)))));
    assert!(!Arc::ptr_eq(slot(&one), slot(&stage.guard(&patterns("OTHER", 10)))));
    let component = stage.component.with_source(&prebuilt("sensitive-data"), &stage.snapshots);
    let limits = GuardLimits::new(40_000_000, 16 << 20, 250).unwrap();
    let other = component.configure(&patterns("TICKET", 10), limits, Bounds::default()).unwrap().unwrap();
    assert!(!Arc::ptr_eq(slot(&one), slot(&other)));
}

#[test]
fn only_a_few_wait_and_the_others_come_with_a_later_call() {
    let stage = Setting::new(LARGE);
    let guards: Vec<Guard> = (0..10).map(|number| stage.guard(&patterns(&format!("N{number}"), 10))).collect();
    for guard in &guards {
        slot(guard).note_configured(WORTH);
    }
    let waits = |guard: &&Guard| matches!(&*slot(guard).stage(), Stage::Ordered(_));
    assert_eq!(guards.iter().filter(waits).count(), 8);
    assert!(guards.iter().skip(8).all(|guard| matches!(&*slot(guard).stage(), Stage::Idle(_))));
}

/// A component with one more module, instantiated, which nothing uses and which exports nothing.
fn with_module(section: &[u8]) -> Vec<u8> {
    let module = [b"\0asm\x01\0\0\0".as_slice(), section].concat();
    let length = u8::try_from(module.len()).unwrap();
    let instance = [2, 4, 1, 0, 1, 0];
    [prebuilt("sensitive-data"), vec![1, length], module, instance.to_vec()].concat()
}

#[test]
fn a_component_that_makes_the_rewriting_panic_goes_without() {
    let stage = Setting::new(LARGE);
    // A memory of one page, and a mutable global; neither module has a section of exports.
    let memory = with_module(&[5, 3, 1, 0, 1]);
    let global = with_module(&[6, 6, 1, 0x7f, 1, 0x41, 0, 0x0b]);
    for bytes in [memory, global] {
        let digest = Digest::of(&bytes);
        let (code, _) = stage.workshop.compile(&bytes).unwrap();
        let component = Component::prepare(&stage.workshop.engine, &stage.stock, &code, digest, bytes.len()).unwrap();
        let guard = configure(&component.with_source(&bytes, &stage.snapshots), &patterns("TICKET", 10));
        let order = &slot(&guard).order;
        assert!(matches!(check(&bytes), Err(NotMade::Unreadable)));
        let written = caught(|| write(&stage.workshop, order, &bytes, &mut None, &|| true));
        assert!(matches!(written, Err(NotMade::Panicked)), "{:?}", written.map(|bytes| bytes.len()));
        stage.build(&guard);
        assert!(matches!(&*slot(&guard).stage(), Stage::Gone));
        judge(&guard, TICKET).answer.unwrap();
    }
}

#[test]
fn building_ends_with_the_sandbox() {
    let sandbox = Sandbox::builder().build().unwrap();
    let component = sandbox.load(&prebuilt("sensitive-data"), None).unwrap();
    let guard = configure(&component, &patterns("TICKET", 100));
    slot(&guard).note_configured(WORTH);
    let snapshots = slot(&guard).snapshots.clone();
    drop(sandbox);
    // Whatever it was at, it ends; nothing is taken any more, and nobody waits.
    snapshots.wait_until_idle();
    let late = configure(&component, &patterns("OTHER", 10));
    slot(&late).note_configured(WORTH);
    assert!(matches!(&*slot(&late).stage(), Stage::Idle(_)));
    judge(&guard, TICKET).answer.unwrap();
    drop((guard, late, component));
    // The thread's own handle goes with it.
    while Arc::strong_count(&snapshots) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn a_sandbox_builds_by_itself_after_enough_calls() {
    let sandbox = Sandbox::builder().build().unwrap();
    let component = sandbox.load(&prebuilt("sensitive-data"), None).unwrap();
    let guard = configure(&component, &patterns("TICKET", 100));
    while matches!(&*slot(&guard).stage(), Stage::Idle(_)) {
        judge(&guard, HARMLESS).answer.unwrap();
    }
    sandbox.wait_for_snapshots();
    CALLS.iter().for_each(|call| assert!(judge(&guard, call).answer.is_ok()));
    assert!(guard.runs_from_snapshot());
    assert_eq!(sandbox.take_notices(), [""; 0]);
}
