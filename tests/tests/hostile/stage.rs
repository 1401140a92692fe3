//! Where guests perform: a folder, a sandbox, engines on it, and what every test says of them.

use std::path::PathBuf;

use agenthalt::{Call, Evaluation, Fault, PolicyEngine, Sandbox, State, Verdict};
use tempfile::TempDir;

use crate::guest::{GOOD, Guest};

/// A guard of a policy: its name, its component's bytes, and more of its entry (`limits: {fuel: 1}`).
pub(crate) type Seat<'a> = (&'a str, &'a [u8], &'a str);

/// A folder with components, and the sandbox they run in.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) sandbox: Sandbox,
}

impl Stage {
    /// With a sandbox that compiles in this process and keeps nothing.
    pub(crate) fn new() -> Self {
        Stage::on(Sandbox::builder().build().unwrap())
    }

    /// With this sandbox.
    pub(crate) fn on(sandbox: Sandbox) -> Self {
        Stage { folder: tempfile::tempdir().unwrap(), sandbox }
    }

    /// Where a file of the folder lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// An engine for these guards, in this order, with state of its own.
    pub(crate) fn engine(&self, seats: &[Seat<'_>]) -> PolicyEngine {
        self.try_engine(seats).unwrap()
    }

    pub(crate) fn try_engine(&self, seats: &[Seat<'_>]) -> Result<PolicyEngine, agenthalt::Error> {
        let mut policy = "guards:\n".to_owned();
        for (name, component, more) in seats {
            std::fs::write(self.path(&format!("{name}.wasm")), component).unwrap();
            policy.push_str(&format!("  {name}: {{ component: {name}.wasm, {more} }}\n"));
        }
        self.engine_of(&policy)
    }

    /// An engine for a policy as text.
    pub(crate) fn engine_of(&self, policy: &str) -> Result<PolicyEngine, agenthalt::Error> {
        PolicyEngine::builder()
            .policy_text(policy, self.folder.path())
            .state(State::InMemory)
            .sandbox(self.sandbox.clone())
            .build()
    }

    /// Asserts that a good guard on the same sandbox judges normally.
    pub(crate) fn assert_serves_others(&self) {
        assert_serves(&self.engine(&[("good", &GOOD, "")]), 0);
    }
}

pub(crate) fn call(function_name: &str, arguments: &str) -> Call {
    Call { function_name: function_name.to_owned(), arguments: arguments.to_owned(), ..Call::default() }
}

/// Judges a call of this function without arguments.
pub(crate) fn judge(engine: &PolicyEngine, function_name: &str) -> Evaluation {
    engine.evaluate_blocking(&call(function_name, "{}"))
}

/// Asserts that the next call is judged normally, on this reading, and charges 1.
pub(crate) fn assert_serves(engine: &PolicyEngine, spent: i64) {
    let evaluation = judge(engine, "plain");
    assert_eq!(evaluation.fault(), None);
    assert_eq!(evaluation.verdict, Verdict::Allow);
    assert_eq!(evaluation.reason(), format!("spent {spent}"));
}

/// Asserts a denial by this guard's fault, which charges nothing.
pub(crate) fn assert_faulty(evaluation: &Evaluation, guard: &str, is_right: impl Fn(&Fault) -> bool) {
    assert_eq!(evaluation.verdict, Verdict::Deny, "{evaluation:?}");
    assert!(!evaluation.is_allowed());
    let fault = evaluation.fault().expect("a denial by a fault");
    assert!(is_right(fault), "another fault: {fault:?}");
    assert_eq!(evaluation.refusal, None, "the fault is the guard's own");
    assert_eq!(evaluation.decided_by.as_deref(), Some(guard));
    let decision = evaluation.decisions.iter().find(|decision| decision.guard == guard).unwrap();
    assert_eq!(decision.fault.as_ref(), Some(fault));
    assert_eq!(decision.charges, []);
    assert!(decision.reason.contains(guard) && decision.reason.contains(&fault.to_string()), "{}", decision.reason);
    assert!(evaluation.sequence.is_some(), "the denial is recorded");
}

/// Asserts that a guest's special call is denied with the right fault and spends nothing, and that its
/// next calls, and those of another guard on the same sandbox, are judged normally.
pub(crate) fn assert_denied_once(guest: &Guest, limits: &str, is_right: impl Fn(&Fault) -> bool) {
    let stage = Stage::new();
    let engine = stage.engine(&[("hostile", &guest.component(), limits)]);
    assert_eq!(engine.faults(), []);
    assert_faulty(&judge(&engine, "special"), "hostile", &is_right);
    assert_serves(&engine, 0);
    assert_faulty(&judge(&engine, "special"), "hostile", &is_right);
    assert_serves(&engine, 1);
    stage.assert_serves_others();
}

/// Asserts that a component that cannot serve keeps its seat and denies every call, and that another
/// guard on the same sandbox judges normally.
pub(crate) fn assert_never_serves(stage: &Stage, component: &[u8], more: &str, is_right: impl Fn(&Fault) -> bool) {
    let engine = stage.engine(&[("hostile", component, more)]);
    let faults = engine.faults();
    let [(name, fault)] = faults.as_slice() else { panic!("one guard cannot serve: {faults:?}") };
    assert_eq!(name, "hostile");
    assert!(is_right(fault), "another fault: {fault:?}");
    assert_faulty(&judge(&engine, "plain"), "hostile", &is_right);
    assert_faulty(&judge(&engine, "special"), "hostile", &is_right);
    stage.assert_serves_others();
}
