//! Many calls in order under their own stamps, with state in memory that evolves under them. It opens
//! no state file, whatever the policy says.

use agenthalt_core::call::Call;
use agenthalt_core::time::Timestamp;

use crate::builder::{PolicyEngineBuilder, State};
use crate::engine::{PolicyEngine, call_id};
use crate::error::Error;
use crate::evaluation::{Evaluation, OutputEvaluation};

/// What a human says if asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Human {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// Runs calls through a policy without a trace.
#[derive(Clone, Debug)]
pub struct Simulation {
    engine: PolicyEngine,
}

/// What came of one call.
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
        Ok(Simulation { engine: builder.state(State::InMemory).build()? })
    }

    /// The engine that judges.
    pub fn engine(&self) -> &PolicyEngine {
        &self.engine
    }

    /// Judges one call, and a second time under a grant where a human must decide and says yes.
    pub fn judge(&self, call: &Call, at: Timestamp, human: Option<Human>) -> Simulated {
        let id = call_id(call);
        let evaluation = self.engine.judge_blocking(call, Some(id.clone()), Ok(at), None);
        if evaluation.needs_approval() && human == Some(Human::Approve) {
            let granted = self.engine.judge_blocking(call, Some(id), Ok(at), Some(evaluation.grant()));
            let runs = granted.is_allowed();
            return Simulated { evaluation, granted: Some(granted), runs };
        }
        let runs = evaluation.is_allowed();
        Simulated { evaluation, granted: None, runs }
    }

    /// Judges the output of a call that ran.
    pub fn judge_output(&self, call_id: &str, output: &str, at: Timestamp) -> OutputEvaluation {
        pollster::block_on(self.engine.evaluate_output_at(call_id, output, at))
    }
}
