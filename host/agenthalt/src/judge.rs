//! Rewriting and judging, synchronous, on the sandbox's threads. It reads and writes no state and
//! combines nothing.

use std::time::Duration;

use agenthalt_core::answer::Answer;
use agenthalt_core::counter::Reading;
use agenthalt_core::fault::Fault;
use agenthalt_core::subject::Subject;
use agenthalt_core::verdict::Verdict;
use agenthalt_sandbox::{Judged, PreparedCall};

use crate::evaluation::{Decision, Rewrite, Silence};
use crate::roster::{Roster, Seat};
use crate::trace;

/// How many passes over the rewriting guards may change something.
const MOST_ROUNDS: usize = 8;

/// What one seat says of the final subject.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    /// A decision, or a fault's denial.
    Spoken(Decision),
    /// Not its business.
    Silent(Silence),
}

/// What comes of the rewriting guards.
#[derive(Debug)]
pub(crate) struct Rewritten {
    pub(crate) subject: Subject,
    pub(crate) rewrites: Vec<Rewrite>,
    /// The words of the rewriting guards on this subject, by seat.
    pub(crate) words: Vec<(usize, Word)>,
}

/// A call and the readings of each seat's counters, in the order of the seats.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) call: PreparedCall,
    pub(crate) readings: Vec<Vec<Reading>>,
}

impl Case {
    fn run(&self, place: usize, seat: &Seat, call: &PreparedCall) -> Judged {
        let span = trace::guard(seat);
        let judged = match &seat.occupant {
            Ok(guard) => span.in_scope(|| guard.evaluate(call, self.readings.get(place).map_or(&[], Vec::as_slice))),
            Err(fault) => Judged { answer: Err(fault.clone()), fuel: 0, elapsed: Duration::ZERO },
        };
        trace::judged(&span, &judged);
        judged
    }
}

/// Lets the rewriting guards rewrite, in policy order, each on the former's result, until nothing
/// changes.
pub(crate) fn rewrite(roster: &Roster, case: &Case, original: &Subject) -> Rewritten {
    let rewriting: Vec<(usize, &Seat)> = roster.judging(original.phase()).filter(|(_, seat)| seat.rewrites()).collect();
    let mut subject = original.clone();
    let mut call = case.call.clone();
    let mut rewrites = Vec::new();
    let mut changed_by: Vec<(usize, &Seat)> = Vec::new();
    for _ in 0..MOST_ROUNDS {
        changed_by.clear();
        let mut words = Vec::new();
        for (place, seat) in &rewriting {
            let judged = case.run(*place, seat, &call);
            if let Ok(Some(Answer { verdict: Verdict::Modify, replacement: Some(new), reason, details, .. })) =
                &judged.answer
                && *new != subject
            {
                rewrites.push(Rewrite {
                    guard: seat.name().to_owned(),
                    reason: reason.clone(),
                    details: details.clone(),
                    fuel: judged.fuel,
                });
                subject = new.clone();
                call = call.with(&subject);
                changed_by.push((*place, seat));
            }
            words.push((*place, word(seat, judged)));
        }
        // INVARIANT: a word counts only where what it was given on is final.
        if changed_by.is_empty() {
            return Rewritten { subject, rewrites, words };
        }
    }
    let names: Vec<String> = changed_by.iter().map(|(_, seat)| format!("`{}`", seat.name())).collect();
    let words = changed_by.iter().map(|(place, seat)| {
        let what = match original {
            Subject::Arguments(_) => "arguments",
            Subject::Output(_) => "output",
        };
        let fault =
            Fault::Oscillation(format!("{} still change the {what} after {MOST_ROUNDS} rounds", names.join(" and ")));
        (*place, word(seat, Judged { answer: Err(fault), fuel: 0, elapsed: Duration::ZERO }))
    });
    let words = words.collect();
    // Nothing runs or is passed on, so nothing but the original is shown.
    Rewritten { subject: original.clone(), rewrites, words }
}

/// Lets the given seats judge the final subject.
pub(crate) fn judge(roster: &Roster, case: &Case, places: &[usize]) -> Vec<(usize, Word)> {
    let seats = places.iter().filter_map(|place| roster.seats.get(*place).map(|seat| (*place, seat)));
    seats.map(|(place, seat)| (place, word(seat, case.run(place, seat, &case.call)))).collect()
}

fn word(seat: &Seat, judged: Judged) -> Word {
    let Judged { answer, fuel, elapsed } = judged;
    let guard = seat.name().to_owned();
    let (answer, fault) = match answer {
        Ok(None) => return Word::Silent(Silence { guard, fuel, elapsed }),
        Ok(Some(answer)) => (answer, None),
        Err(fault) => (Answer::of_fault(&fault, &guard), Some(fault)),
    };
    // A guard that would rewrite what is already as it wants it has nothing against it.
    let verdict = match answer.verdict {
        Verdict::Modify if seat.enforces() => Verdict::Allow,
        other => other,
    };
    Word::Spoken(Decision {
        guard,
        mode: seat.entry.mode,
        verdict,
        reason: answer.reason,
        risk: answer.risk,
        details: answer.details,
        charges: answer.charges,
        fuel,
        elapsed,
        fault,
    })
}
