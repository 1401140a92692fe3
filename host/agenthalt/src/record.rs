//! What the audit log keeps of an evaluation: one JSON object in canonical form. It holds no
//! arguments, no metadata and no details, only keyed digests of what was judged.

use agenthalt_core::counter::ChargeWhen;
use agenthalt_core::digest::Digest;
use agenthalt_core::subject::Phase;
use agenthalt_json::{Json, Number, Object};
use agenthalt_store::Record;

use crate::evaluation::{Decision, Evaluation};
use crate::roster::Roster;
use crate::spending::{applies, counts_as_let_through};

/// The version of the record's shape.
const SHAPE: i64 = 1;
/// Bytes of a name that a record keeps; the digests cover all of it.
const MOST_NAME_BYTES: usize = 1 << 10;

/// The record of an evaluation. `original` is the keyed digest of the call as it was given.
pub(crate) fn of(evaluation: &Evaluation, roster: &Roster, tenant: &str, ids: Ids<'_>) -> Record {
    let Evaluation { verdict, .. } = evaluation;
    let text = |text: &str| Json::from(text);
    let optional = |value: Option<&str>| value.map_or(Json::Null, Json::from);
    let components = roster.enabled().map(|seat| {
        let digest = seat.digest().map_or(Json::Null, |digest| digest.to_string().into());
        (seat.name(), digest)
    });
    let decisions = evaluation.decisions.iter().map(|decision| decided(decision, evaluation));
    let silent = evaluation
        .silent
        .iter()
        .map(|silence| object([("guard", text(&silence.guard)), ("fuel", silence.fuel.into())]));
    let rewrites = evaluation.rewrites.iter().map(|rewrite| {
        object([("guard", text(&rewrite.guard)), ("reason", text(&rewrite.reason)), ("fuel", rewrite.fuel.into())])
    });
    let readings = evaluation.readings.iter().filter(|(_, readings)| !readings.is_empty()).map(|(guard, readings)| {
        let values = readings.iter().map(|r| (r.counter.as_str(), r.value.map_or(Json::Null, Json::from)));
        (guard.as_str(), Json::Object(values.collect()))
    });
    let granted = evaluation.granted.guards.iter().map(|guard| text(guard)).collect::<Vec<_>>();
    let fault = evaluation.refusal.as_ref().map(|fault| fault.code());
    let body = object([
        ("shape", SHAPE.into()),
        ("host", text(env!("CARGO_PKG_VERSION"))),
        ("wasmtime", text(agenthalt_sandbox::ENGINE_VERSION)),
        ("contract", text(agenthalt_sandbox::CONTRACT_VERSION)),
        ("tenant", text(tenant)),
        ("call_id", text(shown(&evaluation.call_id))),
        ("function_name", text(shown(&evaluation.function_name))),
        ("agent", optional(ids.agent.map(shown))),
        ("session", optional(ids.session.map(shown))),
        ("at_ms", evaluation.at.as_millis().into()),
        ("policy", text(&evaluation.policy.to_string())),
        ("components", Json::Object(components.collect())),
        ("original", text(&ids.original.to_string())),
        ("final", text(&evaluation.final_digest.to_string())),
        ("verdict", text(verdict.as_str())),
        ("risk", number(evaluation.risk.value())),
        ("decided_by", optional(evaluation.decided_by.as_deref())),
        ("decisions", Json::Array(decisions.collect())),
        ("silent", Json::Array(silent.collect())),
        ("rewrites", Json::Array(rewrites.collect())),
        ("readings", Json::Object(readings.collect())),
        ("granted", Json::Array(granted)),
        ("granted_unmatched", evaluation.granted.unmatched.into()),
        ("fault", optional(fault)),
        ("malformed", optional(evaluation.malformed.as_ref().map(|error| error.code()))),
    ]);
    let kind = match evaluation.phase {
        Phase::Before => "evaluation",
        Phase::After => "output",
    };
    Record { kind: kind.to_owned(), verdict: verdict.as_str().to_owned(), body: body.to_string() }
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

fn decided(decision: &Decision, evaluation: &Evaluation) -> Json {
    let let_through = counts_as_let_through(decision, evaluation.verdict);
    let charges = decision.charges.iter().map(|charge| {
        let when = match charge.when {
            ChargeWhen::Permitted => "permitted",
            ChargeWhen::Always => "always",
        };
        object([
            ("counter", charge.counter.as_str().into()),
            ("amount", charge.amount.into()),
            ("when", when.into()),
            ("settles", charge.settles.into()),
            ("applied", applies(charge, let_through).into()),
        ])
    });
    object([
        ("guard", decision.guard.as_str().into()),
        ("mode", decision.mode.as_str().into()),
        ("verdict", decision.verdict.as_str().into()),
        ("reason", decision.reason.as_str().into()),
        ("risk", number(decision.risk.value())),
        ("fuel", decision.fuel.into()),
        ("fault", decision.fault.as_ref().map_or(Json::Null, |fault| fault.code().into())),
        ("charges", Json::Array(charges.collect())),
    ])
}

fn object<const N: usize>(entries: [(&str, Json); N]) -> Json {
    Json::Object(entries.into_iter().collect::<Object>())
}

fn number(value: f64) -> Json {
    Number::parse(&value.to_string()).map_or(Json::Null, Json::Number)
}
