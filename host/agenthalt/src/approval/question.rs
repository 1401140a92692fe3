//! From an evaluation to the question that it puts: to whom, about what, shown how.

use agenthalt_core::approval::ApprovalId;
use agenthalt_core::call::caller;
use agenthalt_core::counter::ChargeWhen;
use agenthalt_core::digest::{Digest, Key};
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::Mode;
use agenthalt_core::verdict::Verdict;
use agenthalt_json::{Json, Object};
use agenthalt_sandbox::{GuestCall, Lane, PreparedCall};
use agenthalt_store::NewQuestion;

use super::asked::{self, Asked, Cost, Reason};
use crate::evaluation::Evaluation;
use crate::grant::{Asking, Grant};
use crate::limit;
use crate::matter::Matter;
use crate::pipeline::Bench;

/// What the host knows of those on whose behalf an agent calls: a name, or a list of names.
const REQUESTER: &str = "requester";

impl Bench {
    /// The question that an evaluation puts.
    pub(crate) async fn question(
        &self,
        matter: &Matter,
        asking: &Asking,
        evaluation: &Evaluation,
    ) -> Result<NewQuestion, Fault> {
        let (policy, key) = (&self.roster.policy, self.room.store.key());
        let Grant { granted: asks, digest, rules, .. } = evaluation.grant();
        let guards = policy.guards.iter().filter(|entry| asks.guards.contains(&entry.name));
        let of_people = policy.approval.rules(&matter.call.function_name, guards.map(|entry| &entry.approval));
        Ok(NewQuestion {
            id: new_id()?,
            digest,
            policy: rules,
            asker: caller(matter.call.agent.as_deref(), None, key),
            most_pending: policy.approval.most_pending,
            beside: asking.grant().and_then(|grant| grant.id),
            is_unlike: asking.is_unlike(),
            kind: kind(matter, key),
            session: key.digest(&[b"session", matter.call.session.as_deref().unwrap_or_default().as_bytes()]),
            asks,
            rules: of_people,
            requesters: requesters(matter),
            shown: self.asked(matter, evaluation).await?.write(),
        })
    }

    async fn asked(&self, matter: &Matter, evaluation: &Evaluation) -> Result<Asked, Fault> {
        let reasons: Vec<(Option<String>, String, f64)> = asking(evaluation);
        let optional = |text: Option<&str>| text.map_or(Json::Null, Json::from);
        let limits = self.roster.policy.call;
        let read = |text: &str| Json::parse_within(text, limits).unwrap_or_else(|_| Object::new().into());
        let (given, last) = (read(&evaluation.original_arguments), read(&evaluation.final_arguments));
        let names = Json::Object(Object::from_iter([
            ("function", matter.call.function_name.as_str().into()),
            ("agent", optional(matter.call.agent.as_deref())),
            ("session", optional(matter.call.session.as_deref())),
            ("call", evaluation.call_id.as_str().into()),
            ("requesters", Json::Array(requesters(matter).into_iter().map(Json::from).collect())),
            ("reasons", Json::Array(reasons.iter().map(|(_, reason, _)| reason.as_str().into()).collect())),
        ]));
        let risks = reasons.into_iter().map(|(guard, _, risk)| Reason { guard, risk, ..Reason::default() });
        let asked = Asked {
            reasons: risks.collect(),
            risk: evaluation.risk.value(),
            costs: self.costs(evaluation),
            policy: evaluation.policy.to_string(),
            ..Asked::default()
        };
        let objects = vec![names, last.clone(), given.clone()];
        let shown = match self.redacted(matter, evaluation, objects).await? {
            Ok(shown) => shown,
            Err(why) => return Ok(Asked { withheld: Some(why), ..asked }),
        };
        let [names, arguments, given_shown] = shown.as_slice() else {
            return Err(Fault::Host("what is shown to a human got lost".to_owned()));
        };
        let name = |name: &str| names.as_object().and_then(|names| names.get(name));
        let text = |of: &str| name(of).and_then(Json::as_str).map(str::to_owned);
        let list = |of: &str| name(of).and_then(Json::as_array).unwrap_or_default();
        let said = list("reasons");
        let reasons = asked.reasons.into_iter().enumerate().map(|(place, reason)| {
            let text = said.get(place).and_then(Json::as_str).unwrap_or_default();
            Reason { reason: text.to_owned(), ..reason }
        });
        Ok(Asked {
            call_id: text("call").unwrap_or_default(),
            function_name: text("function").unwrap_or_default(),
            agent: text("agent"),
            session: text("session"),
            requesters: list("requesters").iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            arguments: Some(arguments.to_string()),
            changes: asked::changes((&given, &last), (given_shown, arguments)),
            reasons: reasons.collect(),
            ..asked
        })
    }

    /// What may be shown of objects, or why nothing of them. It is done where nobody waits for others.
    async fn redacted(
        &self,
        matter: &Matter,
        evaluation: &Evaluation,
        objects: Vec<Json>,
    ) -> Result<Result<Vec<Json>, String>, Fault> {
        let (roster, sandbox) = (self.roster.clone(), self.room.sandbox.clone());
        let call = PreparedCall::before(GuestCall {
            id: "",
            function_name: "approval",
            arguments: "{}",
            agent: None,
            session: None,
            tenant: &matter.call.tenant,
            at: evaluation.at,
            civil: roster.policy.time_zone.civil(evaluation.at),
            metadata: "{}",
        });
        self.run(Lane::Slow, move || roster.redactor.redact(&roster, &sandbox, &call, objects)).await
    }

    /// What the call would be charged if it ran, each amount of a guard once.
    fn costs(&self, evaluation: &Evaluation) -> Vec<Cost> {
        let mut costs: Vec<Cost> = Vec::new();
        for decision in evaluation.decisions.iter().filter(|decision| decision.mode == Mode::Enforce) {
            let seat = self.roster.seats.iter().find(|seat| seat.name() == decision.guard);
            let limits = seat.map(limit::of).unwrap_or_default();
            for charge in decision.charges.iter().filter(|charge| charge.when == ChargeWhen::Permitted) {
                let of = limits.iter().find(|(counter, _)| *counter == charge.counter);
                let cost = Cost {
                    guard: decision.guard.clone(),
                    counter: charge.counter.clone(),
                    amount: charge.amount,
                    unit: of.map(|(_, limit)| limit.unit.clone()).unwrap_or_default(),
                };
                let same = |other: &Cost| other.guard == cost.guard && other.amount == cost.amount;
                if charge.amount != 0 && !costs.iter().any(|other| same(other) && other.unit == cost.unit) {
                    costs.push(cost);
                }
            }
        }
        costs
    }
}

/// Who asks a human, and why.
fn asking(evaluation: &Evaluation) -> Vec<(Option<String>, String, f64)> {
    if evaluation.decisions.iter().all(|decision| decision.mode != Mode::Enforce) {
        return vec![(None, evaluation.reason(), evaluation.risk.value())];
    }
    let enforcing = evaluation.decisions.iter().filter(|decision| decision.mode == Mode::Enforce);
    let asking = enforcing.filter(|decision| decision.verdict == Verdict::RequireApproval);
    asking.map(|it| (Some(it.guard.clone()), it.reason.clone(), it.risk.value())).collect()
}

/// What calls like it share: the function, as it is written, the agent and the metadata.
fn kind(matter: &Matter, key: &Key) -> Digest {
    let agent = caller(matter.call.agent.as_deref(), None, key);
    key.digest(&[
        b"kind",
        matter.call.function_name.as_bytes(),
        agent.as_bytes(),
        matter.call.metadata.to_string().as_bytes(),
    ])
}

fn requesters(matter: &Matter) -> Vec<String> {
    let named = match matter.call.metadata.as_object().and_then(|metadata| metadata.get(REQUESTER)) {
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).collect(),
        Some(name) => name.as_str().into_iter().collect(),
        None => Vec::new(),
    };
    matter.call.agent.as_deref().into_iter().chain(named).map(str::to_owned).collect()
}

fn new_id() -> Result<ApprovalId, Fault> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Host(format!("it has no randomness: {error}")))?;
    Ok(ApprovalId::new(bytes))
}
