//! The files of cases, and what stands in them. A word that is not known here is refused, so that no
//! expectation is overlooked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

/// Calls that are judged one after another under one policy.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) policy: serde_json::Value,
    pub(crate) steps: Vec<Step>,
}

/// One call, and what is expected of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Seconds after the start.
    pub(crate) at: serde_json::Number,
    pub(crate) call: CaseCall,
    /// What a human answers if asked: `approve` or `deny`.
    pub(crate) human: Option<String>,
    /// The verdict before the human.
    pub(crate) expect: String,
    pub(crate) level: Level,
    /// The arguments that run, compared by value.
    pub(crate) arguments: Option<Box<RawValue>>,
    /// The arguments that run, compared by the letter.
    pub(crate) final_text: Option<String>,
    /// Whether the call runs in the end.
    pub(crate) runs: Option<bool>,
    pub(crate) risk: Option<f64>,
    /// What each of these guards says for itself: a verdict, `silent` or `fault`.
    #[serde(default)]
    pub(crate) guards: BTreeMap<String, String>,
    /// Texts that the reasons or details hold.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    /// Texts that neither reasons nor details hold.
    #[serde(default)]
    pub(crate) hides: Vec<String>,
    /// Whether the verdict comes from a fault.
    #[serde(default)]
    pub(crate) fault: bool,
    /// What the call puts out when it ran.
    pub(crate) output: Option<Output>,
    pub(crate) why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CaseCall {
    pub(crate) function_name: String,
    arguments: Option<Box<RawValue>>,
    /// Where the text itself is the point, as with a key that stands twice.
    arguments_text: Option<String>,
    pub(crate) agent_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) metadata: Option<Box<RawValue>>,
}

impl CaseCall {
    pub(crate) fn arguments(&self) -> String {
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
pub(crate) struct Output {
    pub(crate) text: String,
    /// `allow`, `modify`, or `deny` where it is withheld.
    pub(crate) expect: String,
    /// What is passed on, compared by value where it is JSON.
    pub(crate) after: Option<String>,
}

/// A policy that loads or is refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoadCase {
    pub(crate) id: String,
    policy: Option<serde_json::Value>,
    /// Where the text itself is the point, as with a line and a column.
    policy_text: Option<String>,
    pub(crate) expect: Load,
    /// Texts that the refusal holds.
    #[serde(default)]
    pub(crate) says: Vec<String>,
    pub(crate) why: Option<String>,
}

impl LoadCase {
    pub(crate) fn text(&self) -> String {
        match (&self.policy, &self.policy_text) {
            (Some(policy), None) => policy.to_string(),
            (None, Some(text)) => text.clone(),
            _ => panic!("{}: either a policy or its text", self.id),
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Must,
    Should,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Load {
    Ok,
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

/// The cases of a file, one a line.
pub(crate) fn read<T: for<'a> Deserialize<'a>>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}"))).collect()
}

/// The steps that are known to differ, with their cases.
pub(crate) fn disputed() -> BTreeSet<(String, usize)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/disputed.toml");
    let file: DisputedFile = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file.disputed.into_iter().map(|entry| (entry.id, entry.step)).collect()
}
