//! What the audit log keeps of an evaluation: one JSON object in canonical form. It holds no
//! arguments, no metadata and no details, only keyed digests of what was judged.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use agenthalt_core::approval::{Answer, ApprovalId, Standing};
use agenthalt_core::counter::{Charge, ChargeWhen};
use agenthalt_core::digest::Digest;
use agenthalt_core::outcome::Outcome;
use agenthalt_core::subject::Phase;
use agenthalt_core::time::Timestamp;
use agenthalt_json::{Number, write_string};
use agenthalt_store::{Record, SettledCall};

use crate::evaluation::{Decision, Evaluation, Rewrite, Silence};
use crate::roster::Roster;
use crate::spending::{applies, counts_as_let_through};

/// The version of the record's shape.
const SHAPE: i64 = 1;
/// Bytes of a name that a record keeps; the digests cover all of it.
const MOST_NAME_BYTES: usize = 1 << 10;

/// The record of an evaluation. `original` is the keyed digest of the call as it was judged first.
pub(crate) fn of(evaluation: &Evaluation, roster: &Roster, tenant: &str, ids: Ids<'_>) -> Record {
    let Evaluation { verdict, .. } = evaluation;
    let components: BTreeMap<&str, Option<Digest>> =
        roster.enabled().map(|seat| (seat.name(), seat.digest())).collect();
    let readings = evaluation.readings.iter().filter(|(_, readings)| !readings.is_empty()).map(|(guard, readings)| {
        let values = readings.iter().map(|reading| (reading.counter.as_str(), reading.value));
        (guard.as_str(), values.collect::<BTreeMap<_, _>>())
    });
    let readings: BTreeMap<_, _> = readings.collect();
    // INVARIANT: the members stand in the order of their names, so that the text is canonical. Written as
    // text at once: this is done for each call, and a tree of it takes several times as long.
    let mut text = Text::default();
    text.object(|text| {
        text.member("agent").optional(ids.agent.map(shown));
        match &evaluation.approval {
            Some(id) => text.member("approval").shown(id),
            None => text.member("approval").null(),
        }
        text.member("at_ms").number(evaluation.at.as_millis());
        text.member("call_id").string(shown(&evaluation.call_id));
        text.member("changed_by_hooks").boolean(evaluation.changed_by_hooks);
        text.member("components").map(&components, |text, digest| match digest {
            Some(digest) => text.shown(digest),
            None => text.null(),
        });
        text.member("contract").string(agenthalt_sandbox::CONTRACT_VERSION);
        text.member("decided_by").optional(evaluation.decided_by.as_deref());
        text.member("decisions").list(&evaluation.decisions, |text, decision| decided(text, decision, evaluation));
        text.member("fault").optional(evaluation.refusal.as_ref().map(|fault| fault.code()));
        text.member("final").shown(&evaluation.final_digest);
        text.member("function_name").string(shown(&evaluation.function_name));
        match &evaluation.given_digest {
            Some(digest) => text.member("given").shown(digest),
            None => text.member("given").null(),
        }
        text.member("granted").list(&evaluation.granted.guards, |text, guard| text.string(guard));
        text.member("granted_unmatched").boolean(evaluation.granted.unmatched);
        text.member("host").string(env!("CARGO_PKG_VERSION"));
        text.member("malformed").optional(evaluation.malformed.as_ref().map(|error| error.code()));
        text.member("original").shown(&ids.original);
        text.member("policy").shown(&evaluation.policy);
        text.member("readings").map(&readings, |text, values| {
            text.map(values, |text, value| match value {
                Some(value) => text.number(*value),
                None => text.null(),
            });
        });
        text.member("rewrites").list(&evaluation.rewrites, rewritten);
        text.member("risk").decimal(evaluation.risk.value());
        text.member("session").optional(ids.session.map(shown));
        text.member("shape").number(SHAPE);
        text.member("silent").list(&evaluation.silent, silent);
        text.member("tenant").string(tenant);
        text.member("verdict").string(verdict.as_str());
        text.member("wasmtime").string(agenthalt_sandbox::ENGINE_VERSION);
    });
    let kind = match evaluation.phase {
        Phase::Before => "evaluation",
        Phase::After => "output",
    };
    Record { kind: kind.to_owned(), verdict: verdict.as_str().to_owned(), body: text.0 }
}

/// The record of an answer that was given again: which one, and to what.
pub(crate) fn of_repeat(evaluation: &Evaluation, original: Digest) -> Record {
    let mut text = Text::default();
    text.object(|text| {
        text.member("answer").number(evaluation.sequence.unwrap_or(0));
        text.member("at_ms").number(evaluation.at.as_millis());
        text.member("call_id").string(shown(&evaluation.call_id));
        text.member("original").shown(&original);
        text.member("shape").number(SHAPE);
        text.member("verdict").string(evaluation.verdict.as_str());
    });
    Record { kind: "repeat".to_owned(), verdict: evaluation.verdict.as_str().to_owned(), body: text.0 }
}

/// The record of what came of a call.
pub(crate) fn of_settlement(call_id: &str, at: Timestamp, outcome: &Outcome, call: &SettledCall) -> Record {
    let status = outcome.status.as_str();
    let mut text = Text::default();
    text.object(|text| {
        text.member("at_ms").number(at.as_millis());
        text.member("call_id").string(shown(call_id));
        text.member("changes").list(&call.changes, |text, change| {
            text.object(|text| {
                match change.after {
                    Some(after) => text.member("after").number(after),
                    None => text.member("after").null(),
                }
                text.member("before").number(change.before);
                text.member("counter").string(&change.counter);
                text.member("partition").string(shown(&change.partition));
            });
        });
        match outcome.cost {
            Some(cost) => text.member("cost").number(cost.millionths()),
            None => text.member("cost").null(),
        }
        text.member("evaluation").number(call.sequence);
        text.member("shape").number(SHAPE);
        text.member("status").string(status);
    });
    Record { kind: "settlement".to_owned(), verdict: status.to_owned(), body: text.0 }
}

/// The record of an answer to a question.
pub(crate) fn of_answer(id: ApprovalId, answer: &Answer, standing: Standing) -> Record {
    let Answer { word, by, account, via, reason, within_ms, terms, at } = answer;
    let mut text = Text::default();
    text.object(|text| {
        text.member("account").string(account);
        text.member("approval").shown(&id);
        text.member("at_ms").number(at.as_millis());
        text.member("by").string(by);
        text.member("reason").optional(reason.as_deref());
        text.member("shape").number(SHAPE);
        text.member("standing").string(standing.as_str());
        // Of its terms only the number: they may hold arguments.
        match terms {
            Some(terms) => text.member("times").number(terms.times()),
            None => text.member("times").null(),
        }
        text.member("via").string(via);
        match within_ms {
            Some(within) => text.member("within_ms").number(*within),
            None => text.member("within_ms").null(),
        }
        text.member("word").string(word.as_str());
    });
    Record { kind: "answer".to_owned(), verdict: standing.as_str().to_owned(), body: text.0 }
}

/// The record of counters that begin anew.
pub(crate) fn of_reset(
    at: Timestamp,
    guard: &str,
    (agent, session): (Option<&str>, Option<&str>),
    parts: usize,
) -> Record {
    let mut text = Text::default();
    text.object(|text| {
        text.member("agent").optional(agent.map(shown));
        text.member("at_ms").number(at.as_millis());
        text.member("guard").string(shown(guard));
        text.member("parts").number(parts as u64);
        text.member("session").optional(session.map(shown));
        text.member("shape").number(SHAPE);
    });
    Record { kind: "reset".to_owned(), verdict: String::new(), body: text.0 }
}

/// Who called, and the digest of what was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ids<'a> {
    pub(crate) agent: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) original: Digest,
}

/// The beginning of a name; a malformed call's may be of any length.
pub(crate) fn shown(name: &str) -> &str {
    name.get(..name.floor_char_boundary(MOST_NAME_BYTES)).unwrap_or_default()
}

fn decided(text: &mut Text, decision: &Decision, evaluation: &Evaluation) {
    let let_through = counts_as_let_through(decision, evaluation.verdict);
    text.object(|text| {
        text.member("charges").list(&decision.charges, |text, charge| charged(text, charge, let_through));
        text.member("fault").optional(decision.fault.as_ref().map(|fault| fault.code()));
        text.member("fuel").number(decision.fuel);
        text.member("guard").string(&decision.guard);
        text.member("mode").string(decision.mode.as_str());
        text.member("reason").string(&decision.reason);
        text.member("risk").decimal(decision.risk.value());
        text.member("verdict").string(decision.verdict.as_str());
    });
}

fn charged(text: &mut Text, charge: &Charge, let_through: bool) {
    let when = match charge.when {
        ChargeWhen::Permitted => "permitted",
        ChargeWhen::Always => "always",
    };
    text.object(|text| {
        text.member("amount").number(charge.amount);
        text.member("applied").boolean(applies(charge, let_through));
        text.member("counter").string(&charge.counter);
        text.member("settles").boolean(charge.settles);
        text.member("when").string(when);
    });
}

fn rewritten(text: &mut Text, rewrite: &Rewrite) {
    text.object(|text| {
        text.member("fuel").number(rewrite.fuel);
        text.member("guard").string(&rewrite.guard);
        text.member("reason").string(&rewrite.reason);
    });
}

fn silent(text: &mut Text, silence: &Silence) {
    text.object(|text| {
        text.member("fuel").number(silence.fuel);
        text.member("guard").string(&silence.guard);
    });
}

/// The text of a JSON value that is being written. Writing into it never fails.
#[derive(Default)]
struct Text(String);

impl Text {
    fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.0.push('{');
        members(self);
        self.0.push('}');
    }

    /// The name of the next member, with a comma where it is not the first.
    fn member(&mut self, name: &str) -> &mut Self {
        self.comma('{');
        self.string(name);
        self.0.push(':');
        self
    }

    fn map<T>(&mut self, map: &BTreeMap<&str, T>, mut value: impl FnMut(&mut Self, &T)) {
        self.object(|text| {
            for (name, inner) in map {
                value(text.member(name), inner);
            }
        });
    }

    fn list<T>(&mut self, items: impl IntoIterator<Item = T>, mut item: impl FnMut(&mut Self, T)) {
        self.0.push('[');
        for inner in items {
            self.comma('[');
            item(self, inner);
        }
        self.0.push(']');
    }

    fn comma(&mut self, opening: char) {
        if !self.0.ends_with(opening) {
            self.0.push(',');
        }
    }

    fn string(&mut self, text: &str) {
        let _ = write_string(&mut self.0, text);
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.string(text),
            None => self.null(),
        }
    }

    /// What shows as plain letters and digits, as a string.
    fn shown(&mut self, value: &impl fmt::Display) {
        let _ = write!(self.0, "\"{value}\"");
    }

    fn number(&mut self, value: impl Into<i128>) {
        let _ = write!(self.0, "{}", value.into());
    }

    /// A number from 0 to 1, in the shortest decimals that give it back.
    fn decimal(&mut self, value: f64) {
        match Number::parse(&value.to_string()) {
            Some(number) => self.0.push_str(number.as_str()),
            None => self.null(),
        }
    }

    fn boolean(&mut self, value: bool) {
        self.0.push_str(if value { "true" } else { "false" });
    }

    fn null(&mut self) {
        self.0.push_str("null");
    }
}
