//! For tests of programs that embed the engine: a clock that stands still, an engine in memory, a recorder,
//! and assertions that tell the reasons. What is here panics, as tests do.
//!
//! ```
//! use agenthalt::testing::{self, FixedClock};
//! use agenthalt::{Call, assert_allowed, assert_denied};
//!
//! let engine = testing::engine("guards: {scope: {deny_functions: ['drop_*']}}");
//! assert_allowed!(engine.evaluate_blocking(&Call::new("list_tables", "{}")));
//! assert_denied!(engine.evaluate_blocking(&Call::new("drop_table", r#"{"table": "users"}"#)), "scope");
//! ```

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use agenthalt_core::call::Call;
use agenthalt_core::time::Timestamp;
use agenthalt_sandbox::Sandbox;

use crate::builder::{PolicyEngineBuilder, State};
use crate::clock::Clock;
use crate::engine::PolicyEngine;
use crate::evaluation::Evaluation;

/// An engine in memory with the policy of this text, in the [`sandbox`] of all tests.
///
/// ```
/// let engine = agenthalt::testing::engine("guards: {budget: {max_daily_spend: 10}}");
/// assert!(engine.forgets());
/// ```
///
/// # Panics
/// Where the policy is refused or a guard cannot serve, with what is wrong.
#[expect(clippy::panic, reason = "tests fail by panicking")]
pub fn engine(policy: &str) -> PolicyEngine {
    match builder(policy).build() {
        Ok(engine) if engine.faults().is_empty() => engine,
        Ok(engine) => panic!("a guard of the policy cannot serve: {:?}", engine.faults()),
        Err(error) => panic!("{error}"),
    }
}

/// The builder of such an engine, to add a clock or hooks.
///
/// ```
/// use agenthalt::testing::{self, FixedClock};
/// let clock = FixedClock::at("2026-01-15T12:00:00Z");
/// let engine = testing::builder("guards: {rate_limit: {}}").clock(clock.clone()).build()?;
/// # Ok::<(), agenthalt::Error>(())
/// ```
pub fn builder(policy: &str) -> PolicyEngineBuilder {
    PolicyEngine::builder().policy_text(policy, "").state(State::InMemory).sandbox(sandbox())
}

/// The sandbox that all tests of a process share, so that a guard is compiled once: for engines that are set
/// up in code.
///
/// ```
/// use agenthalt::{PolicyEngine, settings::Scope, testing};
/// let engine = PolicyEngine::builder().guard(Scope::default()).sandbox(testing::sandbox()).build()?;
/// # Ok::<(), agenthalt::Error>(())
/// ```
///
/// # Panics
/// Where no sandbox can be made on this machine.
#[expect(clippy::panic, reason = "tests fail by panicking")]
pub fn sandbox() -> Sandbox {
    static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
    SANDBOX.get_or_init(|| Sandbox::builder().build().unwrap_or_else(|error| panic!("{error}"))).clone()
}

/// A clock that stands still until it is moved. Clones are one clock.
///
/// ```
/// use std::time::Duration;
/// use agenthalt::testing::{self, FixedClock};
/// use agenthalt::{Call, assert_allowed, assert_denied};
///
/// let clock = FixedClock::at("2026-01-15T23:59:00Z");
/// let policy = "guards: {budget: {max_daily_spend: 1, default_cost: 1, warn_threshold: null}}";
/// let engine = testing::builder(policy).clock(clock.clone()).build()?;
/// assert_allowed!(engine.evaluate_blocking(&Call::new("search", "{}")));
/// assert_denied!(engine.evaluate_blocking(&Call::new("search", "{}")), "budget");
/// clock.advance(Duration::from_secs(60));
/// assert_allowed!(engine.evaluate_blocking(&Call::new("search", "{}")));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// A clock that stands at this instant, as `2026-01-15T12:00:00Z`.
    ///
    /// # Panics
    /// Where the text is no instant.
    #[expect(clippy::panic, reason = "tests fail by panicking")]
    pub fn at(instant: &str) -> Self {
        let stamp = Timestamp::from_rfc3339(instant).unwrap_or_else(|error| panic!("`{instant}`: {error}"));
        FixedClock(Arc::new(AtomicI64::new(stamp.as_millis())))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        let moved = |now: i64| Some(now.saturating_add(millis));
        // An update that always gives a value never fails.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::EPOCH)
    }
}

/// Keeps every call as it was judged, with its evaluation: a post-hook. Clones are one recorder.
///
/// ```
/// use agenthalt::testing::{self, Recorder};
/// use agenthalt::Call;
///
/// let recorder = Recorder::default();
/// let engine = testing::builder("guards: {scope: {}}").post_hook(recorder.hook()).build()?;
/// engine.evaluate_blocking(&Call::new("search", "{}"));
/// let [(call, evaluation)] = recorder.take().try_into().unwrap();
/// assert_eq!((call.function_name.as_str(), evaluation.is_allowed()), ("search", true));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<(Call, Evaluation)>>>);

impl Recorder {
    /// What [`post_hook`](PolicyEngineBuilder::post_hook) takes.
    pub fn hook(&self) -> impl Fn(&Call, &Evaluation) -> Result<(), std::convert::Infallible> + Send + Sync + 'static {
        let kept = self.0.clone();
        move |call, evaluation| {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push((call.clone(), evaluation.clone()));
            Ok(())
        }
    }

    /// Takes what was recorded, in order.
    pub fn take(&self) -> Vec<(Call, Evaluation)> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Asserts that a call may run; where it may not, says why.
///
/// ```
/// # use agenthalt::{Call, assert_allowed, testing};
/// # let engine = testing::engine("guards: {scope: {}}");
/// assert_allowed!(engine.evaluate_blocking(&Call::new("search", "{}")));
/// ```
#[macro_export]
macro_rules! assert_allowed {
    ($evaluation:expr $(,)?) => {{
        let evaluation: &$crate::Evaluation = &$evaluation;
        let (name, verdict) = (&evaluation.function_name, evaluation.verdict);
        ::core::assert!(evaluation.is_allowed(), "`{name}` is not allowed but {verdict}: {}", evaluation.reason());
    }};
}

/// Asserts that a call is denied; with a guard's name, that this one is among those that deny it.
///
/// ```
/// # use agenthalt::{Call, assert_denied, testing};
/// # let engine = testing::engine("guards: {scope: {read_only_mode: true}}");
/// assert_denied!(engine.evaluate_blocking(&Call::new("drop_table", "{}")), "scope");
/// assert_denied!(engine.evaluate_blocking(&Call::new("", "{}")));
/// ```
#[macro_export]
macro_rules! assert_denied {
    ($evaluation:expr $(,)?) => {{
        let evaluation: &$crate::Evaluation = &$evaluation;
        let (name, verdict) = (&evaluation.function_name, evaluation.verdict);
        ::core::assert!(
            verdict == $crate::Verdict::Deny,
            "`{name}` is not denied but {verdict}: {}",
            evaluation.reason()
        );
    }};
    ($evaluation:expr, $guard:expr $(,)?) => {{
        let evaluation: &$crate::Evaluation = &$evaluation;
        let (name, verdict, guard) = (&evaluation.function_name, evaluation.verdict, $guard);
        let denies = evaluation.denied_by();
        ::core::assert!(
            denies.contains(&guard),
            "`{name}` is not denied by `{guard}` but by {denies:?}, the verdict is {verdict}: {}",
            evaluation.reason()
        );
    }};
}

/// Asserts that a human must decide about a call; where none must, says why.
///
/// ```
/// # use agenthalt::{Call, assert_needs_approval, testing};
/// # let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// assert_needs_approval!(engine.evaluate_blocking(&Call::new("send_mail", "{}")));
/// ```
#[macro_export]
macro_rules! assert_needs_approval {
    ($evaluation:expr $(,)?) => {{
        let evaluation: &$crate::Evaluation = &$evaluation;
        let (name, verdict) = (&evaluation.function_name, evaluation.verdict);
        ::core::assert!(
            evaluation.needs_approval(),
            "`{name}` needs no approval but {verdict}: {}",
            evaluation.reason()
        );
    }};
}
