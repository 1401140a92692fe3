//! Reads what a policy asks of those who approve: for all calls, for those of a guard, for those of some functions.

use super::super::yaml::{Entry, Node, Value};
use super::{Reader, find};

use agenthalt_names::fold;

use crate::approval::{ApprovalPolicy, ApprovalSetting, Expiry, FunctionPattern};
use crate::bounds::quoted;
use crate::limits::parse_time_ms;

/// What may be said in each place.
const KEYS: [&str; 4] = ["required", "not_the_requester", "approvers", "expires"];
/// What may be said for all calls besides.
const TOP_KEYS: [&str; 6] = ["required", "not_the_requester", "approvers", "expires", "most_pending", "functions"];
/// The most who may be required.
const MOST_REQUIRED: u64 = 16;
/// The most questions of one agent that may wait.
const MOST_PENDING: u64 = 10_000;
/// The shortest and the longest time for an answer.
const EXPIRES_MS: std::ops::RangeInclusive<u64> = 1_000..=366 * 24 * 60 * 60 * 1_000;

impl Reader {
    pub(super) fn approval_policy(&mut self, entries: &[Entry]) -> ApprovalPolicy {
        let mut policy = ApprovalPolicy::default();
        let Some(node) = find(entries, "approval") else { return policy };
        let Some(inner) = self.map(node, "`approval:`") else { return policy };
        self.known_keys(inner, &TOP_KEYS, "key");
        policy.all = self.approval_setting(inner);
        if let Some(node) = find(inner, "most_pending") {
            let form = format!("`most_pending` is a whole number from 1 to {MOST_PENDING}");
            policy.most_pending = self.whole(node, MOST_PENDING, &form).unwrap_or(policy.most_pending);
        }
        let Some(node) = find(inner, "functions") else { return policy };
        let Some(functions) = self.map(node, "`functions:`") else { return policy };
        for entry in functions {
            let Some(setting) = self.map(&entry.node, "what is asked for a function") else { continue };
            self.known_keys(setting, &KEYS, "key");
            let setting = self.approval_setting(setting);
            match FunctionPattern::new(&entry.key) {
                Ok(pattern) => policy.functions.push((pattern, setting)),
                Err(error) => self.say(entry.at, format!("`{}`: {error}", quoted(&entry.key))),
            }
        }
        policy
    }

    /// What a guard's entry says.
    pub(super) fn approval(&mut self, entries: &[Entry]) -> ApprovalSetting {
        let Some(node) = find(entries, "approval") else { return ApprovalSetting::default() };
        let Some(inner) = self.map(node, "`approval:`") else { return ApprovalSetting::default() };
        self.known_keys(inner, &KEYS, "key");
        self.approval_setting(inner)
    }

    fn approval_setting(&mut self, entries: &[Entry]) -> ApprovalSetting {
        let form = format!("`required` is a whole number from 1 to {MOST_REQUIRED}");
        ApprovalSetting {
            required: find(entries, "required").and_then(|node| self.whole(node, MOST_REQUIRED, &form)),
            not_the_requester: find(entries, "not_the_requester").and_then(|node| match node.value {
                Value::Bool(flag) => Some(flag),
                _ => {
                    self.say(node.at, format!("`not_the_requester` is `true` or `false`, found {}", node.kind()));
                    None
                }
            }),
            approvers: find(entries, "approvers").and_then(|node| {
                let Value::List(items) = &node.value else {
                    self.say(node.at, format!("`approvers` is a list of names, found {}", node.kind()));
                    return None;
                };
                if items.is_empty() {
                    self.say(node.at, "`approvers` names nobody, so nobody could approve");
                }
                Some(items.iter().filter_map(|item| self.text(item)).map(|name| fold(&name)).collect())
            }),
            expires: find(entries, "expires").and_then(|node| self.expiry(node)),
        }
    }

    fn expiry(&mut self, node: &Node) -> Option<Expiry> {
        let read = match &node.value {
            Value::Text(text) if text == "never" => Some(Expiry::Never),
            Value::Text(text) => parse_time_ms(text).filter(|time| EXPIRES_MS.contains(time)).map(Expiry::After),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => None,
        };
        if read.is_none() {
            self.say(node.at, "`expires` is a time from 1s to 366d, as `10m`, or `never`");
        }
        read
    }

    fn whole(&mut self, node: &Node, most: u64, form: &str) -> Option<u32> {
        let read = match &node.value {
            Value::Number(number) => number.as_u64().filter(|number| (1..=most).contains(number)),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => None,
        };
        if read.is_none() {
            self.say(node.at, form);
        }
        read.and_then(|number| u32::try_from(number).ok())
    }
}
