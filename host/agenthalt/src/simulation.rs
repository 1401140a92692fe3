//! Many calls in order under their own stamps, with state in memory that evolves under them. It opens
//! no state file, whatever the policy says.

use agenthalt_core::call::Call;
use agenthalt_core::time::Timestamp;

use crate::builder::{PolicyEngineBuilder, State};
use crate::engine::{PolicyEngine, When, call_id};
use crate::error::Error;
use crate::evaluation::{Evaluation, OutputEvaluation};
use crate::grant::Under;

/// What a human says if asked.
///
/// ```
/// # use agenthalt::{Call, Human, Simulation, Timestamp, testing};
/// let policy = testing::builder("guards: {scope: {require_approval_functions: ['send_*']}}");
/// let simulation = Simulation::new(policy)?;
/// # let at = Timestamp::EPOCH;
/// let call = Call::new("send_mail", "{}");
/// let runs = |human| simulation.judge(&call, at, human).runs;
/// assert_eq!([None, Some(Human::Deny), Some(Human::Approve)].map(runs), [false, false, true]);
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Human {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// Runs calls through a policy without a trace.
///
/// ```
/// # use agenthalt::{Call, Human, Simulation, Timestamp, testing};
/// let policy = testing::builder("guards: {scope: {require_approval_functions: ['send_*']}}");
/// let simulation = Simulation::new(policy)?;
/// let monday = Timestamp::from_rfc3339("2026-01-12T09:00:00Z")?;
/// let simulated = simulation.judge(&Call::new("send_mail", "{}"), monday, Some(Human::Approve));
/// assert!(simulated.evaluation.needs_approval() && simulated.runs);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Simulation {
    engine: PolicyEngine,
}

/// What came of one call.
///
/// ```
/// # use agenthalt::{Call, Simulation, Timestamp, testing};
/// # let policy = testing::builder("guards: {scope: {require_approval_functions: ['send_*']}}");
/// # let simulation = Simulation::new(policy)?;
/// # let at = Timestamp::EPOCH;
/// let simulated = simulation.judge(&Call::new("search", r#"{"for": "cats"}"#), at, None);
/// assert!(simulated.runs && simulated.granted.is_none());
/// assert_eq!(simulated.arguments(), r#"{"for": "cats"}"#);
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Simulated {
    /// What is said before the human.
    pub evaluation: Evaluation,
    /// What is said after a human's yes, on fresh readings.
    pub granted: Option<Evaluation>,
    /// Whether the call runs in the end.
    pub runs: bool,
}

impl Simulated {
    /// The arguments that run, or would.
    pub fn arguments(&self) -> &str {
        &self.granted.as_ref().unwrap_or(&self.evaluation).final_arguments
    }
}

impl Simulation {
    /// Sets up a simulation of what the builder describes, but for its state.
    ///
    /// # Errors
    /// As [`PolicyEngineBuilder::build`].
    pub fn new(builder: PolicyEngineBuilder) -> Result<Self, Error> {
        Ok(Simulation { engine: builder.state(State::InMemory).asks_nobody().build()? })
    }

    /// The engine that judges.
    ///
    /// ```
    /// # use agenthalt::{Simulation, testing};
    /// # let simulation = Simulation::new(testing::builder("guards: {scope: {}}"))?;
    /// assert!(simulation.engine().forgets() && simulation.engine().faults().is_empty());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn engine(&self) -> &PolicyEngine {
        &self.engine
    }

    /// Judges one call, and a second time under a grant where a human must decide and says yes.
    pub fn judge(&self, call: &Call, at: Timestamp, human: Option<Human>) -> Simulated {
        let (id, named_by) = call_id(call);
        let evaluation = self.engine.judge_blocking(call, Some((id.clone(), named_by)), When::At(at), Under::Rules);
        if evaluation.needs_approval() && human == Some(Human::Approve) {
            let again = Some((id, named_by.again()));
            let granted = self.engine.judge_blocking(call, again, When::At(at), Under::Grant(evaluation.grant()));
            let runs = granted.is_allowed();
            return Simulated { evaluation, granted: Some(granted), runs };
        }
        let runs = evaluation.is_allowed();
        Simulated { evaluation, granted: None, runs }
    }

    /// Judges the output of a call that ran.
    ///
    /// ```
    /// # use agenthalt::{Call, Simulation, Timestamp, testing};
    /// let policy = "guards: {sensitive_data: {scan_output: true, redact_on_modify: true}}";
    /// let simulation = Simulation::new(testing::builder(policy))?;
    /// # let at = Timestamp::EPOCH;
    /// simulation.judge(&Call::new("read_file", "{}").id("call-7"), at, None);
    /// let judged = simulation.judge_output("call-7", "my card is 4111 1111 1111 1111", at);
    /// assert_eq!(judged.output.as_deref(), Some("my card is [REDACTED]"));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn judge_output(&self, call_id: &str, output: &str, at: Timestamp) -> OutputEvaluation {
        pollster::block_on(self.engine.evaluate_output_at(call_id, output, at))
    }
}
