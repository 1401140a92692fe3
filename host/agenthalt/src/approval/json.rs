//! Questions for programs: one JSON object each, in the shape that a released version keeps.

use agenthalt_core::approval::{Answer, Terms};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Approval, Change, Cost, Reason};

#[derive(Debug, Serialize)]
struct Question<'a> {
    id: String,
    standing: &'static str,
    created: String,
    expires: Option<String>,
    used: Option<String>,
    /// How many calls its yes serves in all, and has served.
    times: u32,
    uses: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    terms: Option<Box<RawValue>>,
    required: u32,
    not_the_requester: bool,
    approvers: Option<&'a [String]>,
    requesters: &'a [String],
    answers: Vec<Answered<'a>>,
    call_id: &'a str,
    function_name: &'a str,
    agent: Option<&'a str>,
    session: Option<&'a str>,
    /// The arguments that would run, without secrets.
    arguments: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<&'a str>,
    changes: &'a [Change],
    reasons: &'a [Reason],
    risk: f64,
    costs: &'a [Cost],
    policy: &'a str,
}

#[derive(Debug, Serialize)]
struct Answered<'a> {
    word: &'static str,
    by: &'a str,
    account: &'a str,
    via: &'a str,
    reason: Option<&'a str>,
    at: String,
}

/// One JSON object: times as RFC 3339, money in millionths, the arguments as they would run but without secrets.
impl Serialize for Approval {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        question(self).serialize(serializer)
    }
}

fn question(approval: &Approval) -> Question<'_> {
    let asked = &approval.asked;
    Question {
        id: approval.id.to_string(),
        standing: approval.standing.as_str(),
        created: approval.created.to_string(),
        expires: approval.expires.map(|at| at.to_string()),
        used: approval.used.map(|at| at.to_string()),
        times: approval.terms.as_ref().map_or(1, Terms::times),
        uses: approval.uses,
        terms: approval.terms.as_ref().and_then(|terms| RawValue::from_string(terms.to_json().to_string()).ok()),
        required: approval.required,
        not_the_requester: approval.not_the_requester,
        approvers: approval.approvers.as_deref(),
        requesters: &asked.requesters,
        answers: approval.answers.iter().map(answered).collect(),
        call_id: &asked.call_id,
        function_name: &asked.function_name,
        agent: asked.agent.as_deref(),
        session: asked.session.as_deref(),
        arguments: asked.arguments.clone().and_then(|text| RawValue::from_string(text).ok()),
        withheld: asked.withheld.as_deref(),
        changes: &asked.changes,
        reasons: &asked.reasons,
        risk: asked.risk,
        costs: &asked.costs,
        policy: &asked.policy,
    }
}

fn answered(answer: &Answer) -> Answered<'_> {
    let Answer { word, by, account, via, reason, at, .. } = answer;
    Answered { word: word.as_str(), by, account, via, reason: reason.as_deref(), at: at.to_string() }
}
