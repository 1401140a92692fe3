//! Answers for programs: one JSON object each, in the shape that a released version keeps.

use agenthalt::{Decision, Evaluation, Mode, Simulated};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::input::Unreadable;

/// What is said of one call.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    call_id: Option<&'a str>,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    runs: Option<bool>,
    arguments: Option<Box<RawValue>>,
    risk: f64,
    reason: String,
    /// Whether this is the answer that the same call got before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    repeats: bool,
    /// The question that waits, or whose yes was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<String>,
    decisions: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Said<'a> {
    guard: &'a str,
    verdict: &'static str,
    reason: &'a str,
    risk: f64,
    details: Option<Box<RawValue>>,
    fuel: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<&'static str>,
}

impl<'a> Answer<'a> {
    /// One evaluation.
    pub(crate) fn of(evaluation: &'a Evaluation) -> Self {
        Answer {
            call_id: Some(&evaluation.call_id),
            verdict: evaluation.verdict.as_str(),
            runs: None,
            arguments: arguments(evaluation, &evaluation.final_arguments),
            risk: evaluation.risk.value(),
            reason: evaluation.reason(),
            repeats: evaluation.repeats,
            approval: evaluation.approval.map(|id| id.to_string()),
            decisions: evaluation.decisions.iter().map(said).collect(),
            fault: evaluation.fault().map(|fault| fault.code()),
            error: evaluation.malformed.as_ref().map(ToString::to_string),
        }
    }

    /// One simulated call: what is said before the human, and whether the call runs in the end.
    pub(crate) fn simulated(simulated: &'a Simulated) -> Self {
        let arguments = arguments(&simulated.evaluation, simulated.arguments());
        let first = Answer::of(&simulated.evaluation);
        let granted = simulated.granted.as_ref().and_then(|granted| granted.fault());
        let fault = first.fault.or(granted.map(|fault| fault.code()));
        Answer { runs: Some(simulated.runs), arguments, fault, ..first }
    }

    /// What could not be read as a call.
    pub(crate) fn unreadable(unreadable: &'a Unreadable, runs: Option<bool>) -> Self {
        Answer { runs, ..Answer::denied(unreadable.call_id.as_deref(), &unreadable.error) }
    }

    /// A call that could be read, but there is no state to judge it by.
    pub(crate) fn without_state(call_id: Option<&'a str>, error: &str) -> Self {
        Answer { fault: Some("state"), ..Answer::denied(call_id, error) }
    }

    /// The reason that decides, for one line.
    pub(crate) fn reason(&self) -> &str {
        &self.reason
    }

    fn denied(call_id: Option<&'a str>, error: &str) -> Self {
        Answer {
            call_id,
            verdict: "deny",
            runs: None,
            arguments: None,
            risk: 1.0,
            reason: error.to_owned(),
            repeats: false,
            approval: None,
            decisions: Vec::new(),
            fault: None,
            error: Some(error.to_owned()),
        }
    }
}

fn said(decision: &Decision) -> Said<'_> {
    Said {
        guard: &decision.guard,
        verdict: decision.verdict.as_str(),
        reason: &decision.reason,
        risk: decision.risk.value(),
        details: decision.details.as_ref().and_then(|details| raw(&details.to_string())),
        fuel: decision.fuel,
        mode: (decision.mode == Mode::Shadow).then(|| decision.mode.as_str()),
        fault: decision.fault.as_ref().map(|fault| fault.code()),
    }
}

/// The arguments of a call; none where it could not be read as one, since what nests too deep or holds
/// half a character would make the answer unreadable too.
fn arguments(evaluation: &Evaluation, text: &str) -> Option<Box<RawValue>> {
    if evaluation.malformed.is_some() { None } else { raw(text) }
}

/// JSON text as it stands, on one line: a line break in JSON is never part of a value.
fn raw(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.replace(['\r', '\n'], " ")).ok()
}
