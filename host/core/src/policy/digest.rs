//! The digest of a policy's meaning: equal for texts that say the same, however they are written.

use agenthalt_json::{Json, Object};

use super::{Policy, Source};
use crate::approval::{ApprovalSetting, Expiry};
use crate::digest::Digest;

/// The digest of what the policy says; where state lies is no part of it.
pub(super) fn of(policy: &Policy) -> Digest {
    let guards = policy.guards.iter().map(|guard| {
        let source = match &guard.source {
            Source::BuiltIn(name) => format!("built-in {name}"),
            Source::Component { path, sha256 } => format!("component {path} {sha256:?}"),
            Source::Given { bytes, sha256 } => format!("given {} {sha256:?}", Digest::of(&bytes.0)),
        };
        let phases = guard.phases.map(|phases| format!("{phases:?}")).unwrap_or_default();
        Json::Array(vec![
            Json::from(guard.name.as_str()),
            Json::from(source),
            guard.settings.json().clone(),
            Json::from(guard.mode.as_str()),
            Json::from(guard.enabled),
            Json::from(phases),
            Json::from(guard.limits.fuel()),
            Json::from(guard.limits.memory_bytes()),
            Json::from(guard.limits.time_ms()),
            asked(&guard.approval),
        ])
    });
    let whole: Object = [
        ("guards", Json::Array(guards.collect())),
        ("unmatched", Json::from(policy.unmatched.verdict().as_str())),
        ("time_zone", Json::from(policy.time_zone.name())),
        ("depth", Json::from(policy.call.depth as u64)),
        ("bytes", Json::from(policy.call.bytes as u64)),
        ("remembered_ms", Json::from(policy.remembered_ms)),
        ("approval", asked(&policy.approval.all)),
        ("most_pending", Json::from(u64::from(policy.approval.most_pending))),
        (
            "approval_functions",
            Json::Array(
                policy
                    .approval
                    .functions
                    .iter()
                    .map(|(pattern, setting)| Json::Array(vec![Json::from(pattern.text()), asked(setting)]))
                    .collect(),
            ),
        ),
    ]
    .into_iter()
    .collect();
    Digest::of(Json::Object(whole).to_string().as_bytes())
}

fn asked(setting: &ApprovalSetting) -> Json {
    let ApprovalSetting { required, not_the_requester, approvers, expires } = setting;
    Json::Array(vec![
        required.map_or(Json::Null, |required| Json::from(u64::from(required))),
        not_the_requester.map_or(Json::Null, Json::from),
        match approvers {
            Some(names) => Json::Array(names.iter().map(|name| Json::from(name.as_str())).collect()),
            None => Json::Null,
        },
        match expires {
            Some(Expiry::After(time)) => Json::from(*time),
            Some(Expiry::Never) => Json::from("never"),
            None => Json::Null,
        },
    ])
}
