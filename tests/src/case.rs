//! The files of worked cases, and what stands in them. A word that is not known here is refused, so that
//! no expectation is overlooked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use agenthalt::{Call, Human, Json, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// 2026-01-15T12:00:00Z, from which cases count their seconds.
const START_MS: i64 = 1_768_478_400_000;

/// Calls that are judged one after another under one policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Names the case.
    pub id: String,
    /// The policy, as JSON.
    pub policy: serde_json::Value,
    /// The calls, in order.
    pub steps: Vec<Step>,
}

/// One call, and what is expected of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Seconds after the start.
    at: serde_json::Number,
    call: CaseCall,
    /// What a human answers if asked: `approve` or `deny`.
    human: Option<String>,
    /// The verdict before the human.
    pub expect: String,
    /// How firmly the verdict is expected.
    pub level: Level,
    /// The arguments that run, compared by value.
    pub arguments: Option<Box<RawValue>>,
    /// The arguments that run, compared by the letter.
    pub final_text: Option<String>,
    /// Whether the call runs in the end.
    pub runs: Option<bool>,
    /// The risk, where it matters.
    pub risk: Option<f64>,
    /// What each of these guards says for itself: a verdict, `silent` or `fault`.
    #[serde(default)]
    pub guards: BTreeMap<String, String>,
    /// Texts that the reasons or details hold.
    #[serde(default)]
    pub says: Vec<String>,
    /// Texts that neither reasons nor details hold.
    #[serde(default)]
    pub hides: Vec<String>,
    /// Whether the verdict comes from a fault.
    #[serde(default)]
    pub fault: bool,
    /// What the call puts out when it ran.
    pub output: Option<Output>,
    /// The rule behind it.
    pub why: Option<String>,
}

impl Step {
    /// The call, under an id that is this step's own.
    pub fn call(&self, case: &str, number: usize) -> Call {
        let CaseCall { function_name, agent_id, session_id, metadata, .. } = &self.call;
        Call {
            id: Some(format!("{case}-{number}")),
            function_name: function_name.clone(),
            arguments: self.call.arguments(),
            agent_id: agent_id.clone(),
            session_id: session_id.clone(),
            metadata: metadata.as_ref().map(|raw| raw.get().to_owned()),
        }
    }

    /// When the call comes.
    pub fn stamp(&self) -> Timestamp {
        let Json::Number(seconds) = Json::parse(&self.at.to_string()).unwrap() else { panic!("a stamp is a number") };
        let (millis, _) = seconds.scaled(3).unwrap();
        Timestamp::from_millis(START_MS + i64::try_from(millis).unwrap()).unwrap()
    }

    /// What a human answers if asked.
    pub fn human(&self) -> Option<Human> {
        match self.human.as_deref() {
            None => None,
            Some("approve") => Some(Human::Approve),
            Some("deny") => Some(Human::Deny),
            Some(other) => panic!("a human says `{other}`"),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseCall {
    function_name: String,
    arguments: Option<Box<RawValue>>,
    /// Where the text itself is the point, as with a key that stands twice.
    arguments_text: Option<String>,
    agent_id: Option<String>,
    session_id: Option<String>,
    metadata: Option<Box<RawValue>>,
}

impl CaseCall {
    fn arguments(&self) -> String {
        match (&self.arguments, &self.arguments_text) {
            (Some(raw), None) => raw.get().to_owned(),
            (None, Some(text)) => text.clone(),
            _ => panic!("a call of `{}` has either arguments or their text", self.function_name),
        }
    }
}

/// The output of a call that ran, and what is expected of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// What the call put out.
    pub text: String,
    /// `allow`, `modify`, or `deny` where it is withheld.
    pub expect: String,
    /// What is passed on, compared by value where it is JSON.
    pub after: Option<String>,
}

/// A policy that loads or is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoadCase {
    /// Names the case.
    pub id: String,
    policy: Option<serde_json::Value>,
    /// Where the text itself is the point, as with a line and a column.
    policy_text: Option<String>,
    /// Whether it loads.
    pub expect: Load,
    /// Texts that the refusal holds.
    #[serde(default)]
    pub says: Vec<String>,
    /// The rule behind it.
    pub why: Option<String>,
}

impl LoadCase {
    /// The text of the policy.
    pub fn text(&self) -> String {
        match (&self.policy, &self.policy_text) {
            (Some(policy), None) => policy.to_string(),
            (None, Some(text)) => text.clone(),
            _ => panic!("{}: either a policy or its text", self.id),
        }
    }
}

/// How firmly a verdict is expected.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Anything else is wrong.
    Must,
    /// Anything else needs a reason.
    Should,
}

/// Whether a policy loads.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Load {
    /// It loads.
    Ok,
    /// It is refused.
    Error,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DisputedFile {
    disputed: Vec<Disputed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disputed {
    id: String,
    step: usize,
    #[expect(dead_code, reason = "read by people")]
    rule: String,
    #[expect(dead_code, reason = "read by people")]
    why: String,
}

/// Every case of calls that are judged.
pub fn judged() -> Vec<Case> {
    ["guards.jsonl", "more.jsonl"].into_iter().flat_map(read).collect()
}

/// Every case of a policy that loads or is refused.
pub fn loaded() -> Vec<LoadCase> {
    ["load.jsonl", "more-load.jsonl"].into_iter().flat_map(read).collect()
}

/// The path of a file beside the cases.
pub fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(file)
}

/// The cases of a file, one a line.
fn read<T: for<'a> Deserialize<'a>>(file: &str) -> Vec<T> {
    let text = std::fs::read_to_string(path(file)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The steps that are known to differ, with their cases.
pub fn disputed() -> BTreeSet<(String, usize)> {
    let file: DisputedFile = toml::from_str(&std::fs::read_to_string(path("disputed.toml")).unwrap()).unwrap();
    file.disputed.into_iter().map(|entry| (entry.id, entry.step)).collect()
}
