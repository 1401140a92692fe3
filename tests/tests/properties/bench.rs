//! An engine that serves many random cases: each plays on a day, with an agent and in a session that no
//! other case has seen, so that no counter remembers anything. It knows no guard's rules.

use std::cell::Cell;
use std::sync::LazyLock;

use agenthalt::{Call, Human, PolicyEngine, Sandbox, Simulated, Simulation, Timestamp};
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

/// One sandbox for all properties: its guards are compiled once.
static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| Sandbox::builder().build().unwrap());

/// 2026-01-01T12:00:00Z.
const FIRST_DAY_MS: i64 = 1_767_268_800_000;
const DAY_MS: i64 = 86_400_000;

/// A policy at work.
pub(crate) struct Bench {
    simulation: Simulation,
    scenes: Cell<u32>,
}

impl Bench {
    pub(crate) fn new(policy: &str) -> Self {
        let builder = PolicyEngine::builder().sandbox(SANDBOX.clone()).policy_text(policy, ".");
        let simulation = Simulation::new(builder).unwrap_or_else(|error| panic!("{policy}: {error}"));
        assert_eq!(simulation.engine().faults(), [], "{policy}");
        Bench { simulation, scenes: Cell::new(0) }
    }

    /// A scene in which nothing has happened.
    pub(crate) fn scene(&self) -> Scene<'_> {
        let number = self.scenes.get();
        self.scenes.set(number + 1);
        Scene { bench: self, number, calls: Cell::new(0) }
    }
}

/// A day, an agent and a session. Its calls come a second after one another.
pub(crate) struct Scene<'a> {
    bench: &'a Bench,
    number: u32,
    calls: Cell<u32>,
}

impl Scene<'_> {
    /// Judges a call whose questions nobody answers.
    pub(crate) fn judge(&self, function: &str, arguments: &str) -> Simulated {
        self.judge_with(function, arguments, None)
    }

    /// Judges a call whose questions are answered with yes.
    pub(crate) fn approve(&self, function: &str, arguments: &str) -> Simulated {
        self.judge_with(function, arguments, Some(Human::Approve))
    }

    fn judge_with(&self, function: &str, arguments: &str, human: Option<Human>) -> Simulated {
        let number = self.calls.get();
        self.calls.set(number + 1);
        let call = Call {
            id: Some(format!("{}-{number}", self.number)),
            function_name: function.to_owned(),
            arguments: arguments.to_owned(),
            agent_id: Some(format!("agent-{}", self.number)),
            session_id: Some(format!("session-{}", self.number)),
            metadata: None,
        };
        let at = FIRST_DAY_MS + i64::from(self.number) * DAY_MS + i64::from(number) * 1_000;
        self.bench.simulation.judge(&call, Timestamp::from_millis(at).unwrap(), human)
    }
}

/// Holds a property over so many random cases, the same ones in every run.
pub(crate) fn holds<S: Strategy>(cases: u32, strategy: S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(failure) = runner.run(&strategy, property) {
        panic!("{failure}");
    }
}
