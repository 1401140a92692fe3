//! Which counters a call reads, and which charges it makes once the verdict stands. It adds nothing
//! up itself.

use agenthalt_core::call::JudgedCall;
use agenthalt_core::counter::{Charge, ChargeWhen, Counter, Partition, Reading};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Mode;
use agenthalt_core::subject::Phase;
use agenthalt_core::verdict::Verdict;
use agenthalt_json::{Json, Object};
use agenthalt_store::{AppliedCharge, CounterRead};

use crate::evaluation::Decision;
use crate::roster::{Roster, Seat};

/// The counters of a roster as one call reads them: those of all guards that are asked, in the order
/// of seats and of their declarations.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// For each seat, the declared counters; none where it is not asked.
    seats: Vec<Vec<Line>>,
}

#[derive(Clone, Debug)]
struct Line {
    name: String,
    read: CounterRead,
}

impl Ledger {
    pub(crate) fn new(roster: &Roster, phase: Phase, call: &JudgedCall, sequence: Digest) -> Self {
        let lines = |seat: &Seat| if seat.judges(phase) { lines(seat, call, sequence) } else { Vec::new() };
        Ledger { seats: roster.seats.iter().map(lines).collect() }
    }

    /// What the store is asked.
    pub(crate) fn reads(&self) -> Vec<CounterRead> {
        self.seats.iter().flatten().map(|line| line.read.clone()).collect()
    }

    /// What the store answered, seat by seat.
    pub(crate) fn readings(&self, values: &[Option<i64>]) -> Vec<Vec<Reading>> {
        let mut values = values.iter().copied();
        let reading = |line: &Line, value| Reading { counter: line.name.clone(), value };
        self.seats
            .iter()
            .map(|lines| lines.iter().map(|line| reading(line, values.next().flatten())).collect())
            .collect()
    }

    /// The charges that a decision makes under a verdict.
    // INVARIANT: a call that does not run spends nothing but what counts attempts.
    pub(crate) fn charges(&self, place: usize, decision: &Decision, verdict: Verdict) -> Vec<AppliedCharge> {
        let let_through = counts_as_let_through(decision, verdict);
        let lines = self.seats.get(place).map_or(&[][..], Vec::as_slice);
        decision
            .charges
            .iter()
            .filter(|charge| applies(charge, let_through))
            .filter_map(|charge| {
                let line = lines.iter().find(|line| line.name == charge.counter)?;
                let permitted = charge.when == ChargeWhen::Permitted;
                Some(AppliedCharge { permitted, ..AppliedCharge::to(&line.read, charge.amount, charge.settles) })
            })
            .collect()
    }
}

/// Whether, for the charges of this decision, the call is let through under a verdict.
pub(crate) fn counts_as_let_through(decision: &Decision, verdict: Verdict) -> bool {
    match decision.mode {
        Mode::Enforce => verdict.lets_through(),
        // A guard that only watches counts what it would have let through.
        Mode::Shadow => decision.verdict.lets_through(),
    }
}

/// Whether a charge counts.
pub(crate) fn applies(charge: &Charge, let_through: bool) -> bool {
    match charge.when {
        ChargeWhen::Always => true,
        ChargeWhen::Permitted => let_through,
    }
}

fn lines(seat: &Seat, call: &JudgedCall, sequence: Digest) -> Vec<Line> {
    let counters = seat.description().map_or(&[][..], |description| &description.counters);
    let line = |counter: &Counter| Line {
        name: counter.name.clone(),
        read: CounterRead {
            counter: seat.entry.counter_key(&counter.name, counter.window, counter.measure),
            partition: partition(counter.partition, call, sequence),
            window: counter.window,
            measure: counter.measure,
            sequence,
        },
    };
    counters.iter().map(line).collect()
}

/// The name of the part of a counter that a call belongs to. A call without agent or session belongs
/// to the one part of all such calls.
fn partition(by: Partition, call: &JudgedCall, sequence: Digest) -> String {
    let mut parts = Object::new();
    if by.agent {
        parts.insert("agent", call.agent.as_deref().map_or(Json::Null, |agent| agenthalt_names::fold(agent).into()));
    }
    if by.session {
        parts.insert("session", call.session.as_deref().map_or(Json::Null, Json::from));
    }
    if by.function {
        parts.insert("function", agenthalt_names::fold(&call.function_name).into());
    }
    if by.arguments {
        parts.insert("call", sequence.to_string().into());
    }
    if parts.is_empty() { String::new() } else { Json::Object(parts).to_string() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use agenthalt_core::call::Call;

    use super::*;

    fn judged(agent: Option<&str>, session: Option<&str>) -> JudgedCall {
        let call = Call {
            function_name: "Send-Mail".to_owned(),
            arguments: "{}".to_owned(),
            agent_id: agent.map(str::to_owned),
            session_id: session.map(str::to_owned),
            ..Call::default()
        };
        JudgedCall::new(&call, "1".to_owned(), "t".to_owned(), agenthalt_json::Limits::default()).unwrap()
    }

    #[test]
    fn agents_are_counted_folded_and_sessions_as_given() {
        let by = Partition { agent: true, session: true, function: true, arguments: false };
        let name = |agent, session| partition(by, &judged(agent, session), Digest::ZERO);
        assert_eq!(name(Some("BOT "), Some("S")), name(Some("bot"), Some("S")));
        assert_ne!(name(Some("bot"), Some("S")), name(Some("bot"), Some("s")));
        assert_eq!(name(None, Some("")), r#"{"agent":null,"function":"send_mail","session":null}"#);
        assert_ne!(name(None, None), name(Some("null"), Some("null")));
        assert_eq!(partition(Partition::default(), &judged(None, None), Digest::ZERO), "");
    }
}
