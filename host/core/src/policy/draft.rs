//! Reads the tree of a policy into guards and settings, collecting every problem. A draft is no
//! policy: only [`PolicyDraft::finish`] makes one, and only when nothing is wrong.

mod approval;
mod limits;

use std::str::FromStr;

use super::problem::{Position, Problem, Problems};
use super::settings::Settings;
use super::yaml::{self, Entry, Node, Value};
use super::{BUILT_IN_NAMES, Durability, GuardEntry, Mode, Policy, Source, StateSetting, digest, nearest};

use agenthalt_json::{Json, Limits as JsonLimits};

use crate::approval::ApprovalPolicy;
use crate::bounds::quoted;
use crate::description::Phases;
use crate::digest::Digest;
use crate::subject::Phase;
use crate::time::TimeZone;
use crate::verdict::Unmatched;

/// For how long the answer to a call is on record where the policy says nothing: a day.
const REMEMBERED_MS: u64 = 24 * 60 * 60 * 1_000;

pub(super) const TOP_KEYS: [&str; 7] = ["version", "guards", "unmatched", "time_zone", "state", "call", "approval"];
pub(super) const SHARED_KEYS: [&str; 4] = ["enabled", "mode", "limits", "approval"];
pub(super) const CUSTOM_KEYS: [&str; 8] =
    ["component", "sha256", "config", "enabled", "mode", "phases", "limits", "approval"];

/// A policy that was read but not yet accepted.
#[derive(Clone, Debug)]
pub struct PolicyDraft {
    policy: Policy,
    problems: Vec<Problem>,
    text: String,
}

impl PolicyDraft {
    /// Reads the text of a policy.
    pub fn read(text: &str) -> PolicyDraft {
        let (root, problems) = yaml::read(text);
        let mut reader = Reader { problems };
        let policy = reader.policy(root.as_ref());
        PolicyDraft { policy, problems: reader.problems, text: text.to_owned() }
    }

    /// A policy without guards, to be filled in code.
    pub fn empty() -> PolicyDraft {
        PolicyDraft { policy: empty_policy(), problems: Vec::new(), text: String::new() }
    }

    /// A checked policy, to be changed in code.
    pub fn of(policy: Policy) -> PolicyDraft {
        PolicyDraft { policy, problems: Vec::new(), text: String::new() }
    }

    /// Adds a guard behind the others. What is wrong with its name is a problem.
    pub fn add_guard(&mut self, guard: GuardEntry) {
        let name = quoted(&guard.name);
        let is_built_in = matches!(guard.source, Source::BuiltIn(_));
        if self.policy.guards.iter().any(|other| other.name == guard.name) {
            self.problems.push(Problem::new(None, format!("there is a guard `{name}` already")));
        } else if !is_built_in && BUILT_IN_NAMES.contains(&guard.name.as_str()) {
            self.problems.push(Problem::new(None, format!("`{name}` is the name of a built-in guard")));
        } else if !is_guard_name(&guard.name) {
            self.problems.push(Problem::new(None, format!("`{name}`: {GUARD_NAME}")));
        }
        self.policy.guards.push(guard);
    }

    /// Takes a guard out; false where there is none of this name.
    pub fn remove_guard(&mut self, name: &str) -> bool {
        let before = self.policy.guards.len();
        self.policy.guards.retain(|guard| guard.name != name);
        self.policy.guards.len() < before
    }

    /// Switches a guard on or off; false where there is none of this name.
    pub fn set_enabled(&mut self, name: &str, enabled: bool) -> bool {
        let guard = self.policy.guards.iter_mut().find(|guard| guard.name == name);
        guard.is_some_and(|guard| {
            guard.enabled = enabled;
            true
        })
    }

    /// Sets what a call gets that no guard judges.
    pub fn set_unmatched(&mut self, unmatched: Unmatched) {
        self.policy.unmatched = unmatched;
    }

    /// Sets where days and months begin, by a name such as `Europe/Berlin`. An unknown one is a problem.
    pub fn set_time_zone(&mut self, name: &str) {
        match TimeZone::from_str(name) {
            Ok(zone) => self.policy.time_zone = zone,
            Err(error) => self.problems.push(Problem::new(None, error.to_string())),
        }
    }

    /// The guards as far as they could be read.
    pub fn guards(&self) -> &[GuardEntry] {
        &self.policy.guards
    }

    /// How large and how deep a call's arguments may be.
    pub fn call_limits(&self) -> JsonLimits {
        self.policy.call
    }

    /// Adds a problem that was found elsewhere, as by a guard in its settings.
    pub fn add_problems(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.problems.extend(problems);
    }

    /// The policy.
    ///
    /// # Errors
    /// All problems, if there is one.
    pub fn finish(mut self) -> Result<Policy, Problems> {
        if !self.problems.is_empty() {
            return Err(Problems::new(self.problems, &self.text));
        }
        self.policy.digest = digest::of(&self.policy);
        Ok(self.policy)
    }
}

struct Reader {
    problems: Vec<Problem>,
}

impl Reader {
    fn say(&mut self, at: Position, message: impl Into<String>) {
        self.problems.push(Problem::new(at, message));
    }

    fn policy(&mut self, root: Option<&Node>) -> Policy {
        let mut policy = empty_policy();
        let start = Position { line: 1, column: 1 };
        let Some(root) = root else {
            if self.problems.is_empty() {
                self.say(start, "the policy is empty; it needs `guards:`");
            }
            return policy;
        };
        let Some(entries) = self.map(root, "a policy") else { return policy };
        self.known_keys(entries, &TOP_KEYS, "key");
        match find(entries, "guards") {
            Some(guards) => policy.guards = self.guards(guards),
            None => self.say(start, "the policy has no `guards:`; `guards: {}` judges nothing"),
        }
        if let Some(node) = find(entries, "version")
            && node.to_json() != Json::from(1_i64)
        {
            self.say(node.at, "this host knows policies of `version: 1`");
        }
        if let Some(node) = find(entries, "unmatched") {
            let choices = [
                ("allow", Unmatched::Allow),
                ("require_approval", Unmatched::RequireApproval),
                ("deny", Unmatched::Deny),
            ];
            policy.unmatched = self.choice(node, &choices).unwrap_or_default();
        }
        if let Some(text) = find(entries, "time_zone").and_then(|node| self.text(node).map(|text| (node.at, text))) {
            match TimeZone::from_str(&text.1) {
                Ok(zone) => policy.time_zone = zone,
                Err(error) => self.say(text.0, error.to_string()),
            }
        }
        policy.state = find(entries, "state").and_then(|node| self.state(node));
        if let Some(node) = find(entries, "call") {
            policy.call = self.call_limits(node);
            policy.remembered_ms = self.remembered_ms(node);
        }
        policy.approval = self.approval_policy(entries);
        policy
    }

    fn guards(&mut self, node: &Node) -> Vec<GuardEntry> {
        let Some(entries) = self.map(node, "`guards:`") else { return Vec::new() };
        entries.iter().filter_map(|entry| self.guard(entry)).collect()
    }

    fn guard(&mut self, entry: &Entry) -> Option<GuardEntry> {
        if BUILT_IN_NAMES.contains(&entry.key.as_str()) {
            return self.built_in(entry);
        }
        if matches!(&entry.node.value, Value::Map(inner) if find(inner, "component").is_some()) {
            return self.custom(entry);
        }
        let hint = nearest::hint(&entry.key, BUILT_IN_NAMES);
        let name = quoted(&entry.key);
        self.say(entry.at, format!("there is no built-in guard `{name}`{hint}; a custom guard names its `component:`"));
        None
    }

    fn built_in(&mut self, entry: &Entry) -> Option<GuardEntry> {
        let name = entry.key.clone();
        let inner = match &entry.node.value {
            Value::Null => &[],
            _ => self.map(&entry.node, &format!("the settings of `{name}`"))?,
        };
        let (shared, own): (Vec<_>, Vec<_>) =
            inner.iter().cloned().partition(|entry| SHARED_KEYS.contains(&entry.key.as_str()));
        let settings = Node { at: entry.node.at, value: Value::Map(own) };
        Some(GuardEntry {
            source: Source::BuiltIn(name.clone()),
            name,
            settings: Settings::new(Some(settings), entry.at),
            mode: self.mode(&shared),
            enabled: self.enabled(&shared),
            phases: None,
            limits: self.limits(&shared),
            approval: self.approval(&shared),
        })
    }

    fn custom(&mut self, entry: &Entry) -> Option<GuardEntry> {
        if !is_guard_name(&entry.key) {
            self.say(entry.at, GUARD_NAME);
        }
        let inner = self.map(&entry.node, "a custom guard")?;
        if let Some(wasi) = inner.iter().find(|inner| inner.key == "wasi") {
            self.say(wasi.at, "`wasi:` is not supported yet; a guard imports nothing");
        }
        let others: Vec<Entry> = inner.iter().filter(|inner| inner.key != "wasi").cloned().collect();
        self.known_keys(&others, &CUSTOM_KEYS, "key");
        let path = find(inner, "component").and_then(|node| self.text(node))?;
        let sha256 = find(inner, "sha256").and_then(|node| {
            let text = self.text(node)?;
            text.parse().map_err(|error: crate::digest::NotADigest| self.say(node.at, error.to_string())).ok()
        });
        let config = inner.iter().find(|inner| inner.key == "config");
        let is_map = config.is_none_or(|config| matches!(config.node.value, Value::Null | Value::Map(_)));
        if let Some(config) = config
            && !is_map
        {
            self.say(config.node.at, format!("`config:` is a map, found {}", config.node.kind()));
        }
        Some(GuardEntry {
            name: entry.key.clone(),
            source: Source::Component { path, sha256 },
            settings: Settings::new(
                config.filter(|_| is_map).map(|config| config.node.clone()),
                config.map_or(entry.at, |c| c.at),
            ),
            mode: self.mode(inner),
            enabled: self.enabled(inner),
            phases: find(inner, "phases").and_then(|node| self.phases(node)),
            limits: self.limits(inner),
            approval: self.approval(inner),
        })
    }

    fn mode(&mut self, entries: &[Entry]) -> Mode {
        let choices = [("enforce", Mode::Enforce), ("shadow", Mode::Shadow)];
        find(entries, "mode").and_then(|node| self.choice(node, &choices)).unwrap_or_default()
    }

    fn enabled(&mut self, entries: &[Entry]) -> bool {
        match find(entries, "enabled").map(|node| (node.at, &node.value, node.kind())) {
            None => true,
            Some((_, Value::Bool(enabled), _)) => *enabled,
            Some((at, _, kind)) => {
                self.say(at, format!("`enabled` is `true` or `false`, found {kind}"));
                true
            }
        }
    }

    fn phases(&mut self, node: &Node) -> Option<Phases> {
        let Value::List(items) = &node.value else {
            self.say(node.at, format!("`phases:` is a list, found {}", node.kind()));
            return None;
        };
        if items.is_empty() {
            self.say(node.at, "`phases:` names no phase; a guard that judges none is switched off by `enabled: false`");
        }
        let mut phases = Phases { before: false, after: false };
        for item in items {
            match self.choice(item, &[("before", Phase::Before), ("after", Phase::After)]) {
                Some(Phase::Before) => phases.before = true,
                Some(Phase::After) => phases.after = true,
                None => {}
            }
        }
        Some(phases)
    }

    fn state(&mut self, node: &Node) -> Option<StateSetting> {
        if let Value::Text(path) = &node.value {
            return Some(StateSetting { path: path.clone(), durability: Durability::default() });
        }
        let entries = self.map(node, "`state:` (a path, or `{ path, durability }`)")?;
        self.known_keys(entries, &["path", "durability"], "key");
        let choices = [("process", Durability::Process), ("power", Durability::Power)];
        let durability = find(entries, "durability").and_then(|node| self.choice(node, &choices)).unwrap_or_default();
        match find(entries, "path") {
            Some(path) => Some(StateSetting { path: self.text(path)?, durability }),
            None => {
                self.say(node.at, "`state:` names no `path`");
                None
            }
        }
    }

    fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                self.say(node.at, format!("{what} is a map, found {}", node.kind()));
                None
            }
        }
    }

    fn text(&mut self, node: &Node) -> Option<String> {
        match &node.value {
            Value::Text(text) if !text.is_empty() => Some(text.clone()),
            _ => {
                self.say(node.at, format!("expected a text, found {}", node.kind()));
                None
            }
        }
    }

    fn choice<T: Copy>(&mut self, node: &Node, choices: &[(&str, T)]) -> Option<T> {
        if let Value::Text(text) = &node.value
            && let Some((_, choice)) = choices.iter().find(|(word, _)| word == text)
        {
            return Some(*choice);
        }
        let words: Vec<String> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
        self.say(node.at, format!("expected one of {}", words.join(", ")));
        None
    }

    fn known_keys(&mut self, entries: &[Entry], known: &[&str], what: &str) {
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let hint = nearest::hint(&entry.key, known.iter().copied());
            self.say(entry.at, format!("unknown {what} `{}`{hint}", quoted(&entry.key)));
        }
    }
}

/// What a guard may be called.
const GUARD_NAME: &str = "a guard's name is 1 to 64 letters, digits, `_` or `-`";

fn is_guard_name(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !name.is_empty() && name.len() <= 64 && name.bytes().all(plain)
}

fn empty_policy() -> Policy {
    Policy {
        guards: Vec::new(),
        unmatched: Unmatched::default(),
        time_zone: TimeZone::utc(),
        state: None,
        call: JsonLimits::default(),
        remembered_ms: REMEMBERED_MS,
        approval: ApprovalPolicy::default(),
        digest: Digest::ZERO,
    }
}

fn find<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Node> {
    entries.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
}

#[cfg(test)]
mod tests;
