//! Spans for those who trace: one for each evaluation and one for each guard in it, with the names that
//! OpenTelemetry gives to tool calls of agents. They hold names and figures, never arguments, outputs,
//! metadata, reasons or details.

use agenthalt_core::call::Call;
use agenthalt_core::policy::Mode;
use agenthalt_core::subject::Phase;
use agenthalt_sandbox::Judged;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::evaluation::Evaluation;
use crate::roster::Seat;

/// Characters of a name that a span shows.
const MOST_SHOWN: usize = 128;

/// The span of one evaluation.
pub(crate) fn evaluation(phase: Phase, id: &str, call: Option<&Call>) -> Span {
    // Most programs trace nothing; then no name is even copied.
    let span = info_span!(
        "execute_tool",
        otel.name = Empty,
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = Empty,
        gen_ai.tool.call.id = Empty,
        gen_ai.agent.id = Empty,
        gen_ai.conversation.id = Empty,
        agenthalt.phase = phase.as_str(),
        agenthalt.verdict = Empty,
        agenthalt.decided_by = Empty,
        agenthalt.risk = Empty,
        agenthalt.fuel = Empty,
        agenthalt.policy = Empty,
        agenthalt.sequence = Empty,
        "error.type" = Empty,
    );
    if !span.is_disabled() {
        span.record("gen_ai.tool.call.id", shown(id));
        if let Some(call) = call {
            let name = shown(&call.function_name);
            span.record("otel.name", format!("execute_tool {name}"));
            span.record("gen_ai.tool.name", name);
            for (field, value) in [("gen_ai.agent.id", &call.agent_id), ("gen_ai.conversation.id", &call.session_id)] {
                if let Some(value) = value {
                    span.record(field, shown(value));
                }
            }
        }
    }
    span
}

/// Puts into the span what the evaluation came to.
pub(crate) fn evaluated(span: &Span, evaluation: &Evaluation) {
    if span.is_disabled() {
        return;
    }
    span.record("agenthalt.verdict", evaluation.verdict.as_str());
    span.record("agenthalt.risk", evaluation.risk.value());
    span.record("agenthalt.fuel", evaluation.fuel());
    span.record("agenthalt.policy", evaluation.policy.to_string());
    if let Some(guard) = &evaluation.decided_by {
        span.record("agenthalt.decided_by", guard.as_str());
    }
    if let Some(sequence) = evaluation.sequence {
        span.record("agenthalt.sequence", sequence);
    }
    if let Some(fault) = evaluation.fault() {
        span.record("error.type", fault.code());
    }
}

/// The span of one guard's run; inside that of its evaluation.
pub(crate) fn guard(seat: &Seat) -> Span {
    let mode = match seat.entry.mode {
        Mode::Enforce => "enforce",
        Mode::Shadow => "shadow",
    };
    info_span!(
        "guard",
        agenthalt.guard = seat.name(),
        agenthalt.mode = mode,
        agenthalt.answer = Empty,
        agenthalt.fuel = Empty,
        "error.type" = Empty,
    )
}

/// Puts into the span what the guard's run came to.
pub(crate) fn judged(span: &Span, judged: &Judged) {
    if span.is_disabled() {
        return;
    }
    span.record("agenthalt.fuel", judged.fuel);
    match &judged.answer {
        Ok(Some(answer)) => span.record("agenthalt.answer", answer.verdict.as_str()),
        Ok(None) => span.record("agenthalt.answer", "none"),
        Err(fault) => span.record("error.type", fault.code()),
    };
}

/// The beginning of a name that a stranger chose, without what would break a line.
fn shown(name: &str) -> String {
    name.chars().take(MOST_SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
