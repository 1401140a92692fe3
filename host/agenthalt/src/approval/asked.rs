//! What a question asks, as people are shown it: what would run, why a human must decide, what guards changed, what it
//! costs. It is written once, without secrets, and only read after.

use agenthalt_json::Json;
use serde::{Deserialize, Serialize};

/// The most changes that are told apart.
const MOST_CHANGES: usize = 100;

/// What is asked. It holds no secret in clear.
///
/// ```
/// # use agenthalt::{Call, testing};
/// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// let call = Call::new("send_mail", r#"{"text": "my key is AKIAIOSFODNN7EXAMPLE"}"#).agent("assistant");
/// let question = engine.evaluate_blocking(&call).approval.ok_or("a human must decide")?;
/// let asked = engine.approval_blocking(question)?.ok_or("it is kept")?.asked;
/// assert_eq!(asked.arguments.as_deref(), Some(r#"{"text":"my key is [REDACTED]"}"#));
/// assert_eq!(asked.reasons[0].guard.as_deref(), Some("scope"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Asked {
    /// Names the call that asked first.
    pub call_id: String,
    /// The function's name.
    pub function_name: String,
    /// The agent that calls.
    pub agent: Option<String>,
    /// The session that the call belongs to.
    pub session: Option<String>,
    /// Who asks for the call: its agent, and those whom its metadata names as `requester`.
    pub requesters: Vec<String>,
    /// The arguments that would run: the text of one JSON object. None where they are withheld.
    pub arguments: Option<String>,
    /// Why function, agent, session, requesters, arguments and reasons are not shown, where they are not.
    pub withheld: Option<String>,
    /// What hooks and guards changed in the arguments that the caller gave.
    pub changes: Vec<Change>,
    /// Why a human must decide.
    pub reasons: Vec<Reason>,
    /// The largest risk that an enforcing guard sees: 0 to 1.
    pub risk: f64,
    /// What the call would be charged.
    pub costs: Vec<Cost>,
    /// The digest of the policy that asks.
    pub policy: String,
}

/// One place in the arguments that was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Change {
    /// A JSON pointer.
    pub path: String,
    /// What the caller gave, as JSON; none where there was nothing.
    pub before: Option<String>,
    /// What would run, as JSON; none where there is nothing.
    pub after: Option<String>,
}

/// Why a human must decide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Reason {
    /// The guard that asks; none where no guard judges the call.
    pub guard: Option<String>,
    /// What it says.
    pub reason: String,
    /// How much harm it sees: 0 to 1.
    pub risk: f64,
}

/// What the call would be charged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Cost {
    /// The guard that charges.
    pub guard: String,
    /// One of the counters it charges so much.
    pub counter: String,
    /// How much; of money, in millionths.
    pub amount: i64,
    /// What is counted: `money`, or a plural noun such as `calls`; empty where the guard does not say.
    pub unit: String,
}

impl Asked {
    /// Reads what was kept. What cannot be read is withheld.
    pub(super) fn read(shown: &str) -> Self {
        serde_json::from_str(shown).unwrap_or_else(|_| Asked {
            withheld: Some("what was kept of it cannot be read".to_owned()),
            ..Asked::default()
        })
    }

    /// The text that is kept.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// What differs between two values, told with what is shown of them.
pub(super) fn changes((before, after): (&Json, &Json), (shown_before, shown_after): (&Json, &Json)) -> Vec<Change> {
    let mut paths = Vec::new();
    differing(before, after, &mut Vec::new(), &mut paths);
    let told = paths.into_iter().filter_map(|path| {
        let (before, after) = (at(shown_before, &path), at(shown_after, &path));
        // A path of which nothing is shown may hold what must not be.
        (before.is_some() || after.is_some()).then(|| Change {
            path: pointer(&path),
            before: before.map(Json::to_string),
            after: after.map(Json::to_string),
        })
    });
    told.collect()
}

fn differing(before: &Json, after: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    if before == after || found.len() >= MOST_CHANGES {
        return;
    }
    match (before, after) {
        (Json::Object(one), Json::Object(other)) => {
            let added = other.iter().filter(|(key, _)| one.get(key).is_none());
            let keys: Vec<&str> = one.iter().chain(added).map(|(key, _)| key).collect();
            for key in keys {
                path.push(key.to_owned());
                match (one.get(key), other.get(key)) {
                    (Some(before), Some(after)) => differing(before, after, path, found),
                    _ => found.push(path.clone()),
                }
                path.pop();
            }
        }
        (Json::Array(one), Json::Array(other)) if one.len() == other.len() => {
            for (place, (before, after)) in one.iter().zip(other).enumerate() {
                path.push(place.to_string());
                differing(before, after, path, found);
                path.pop();
            }
        }
        _ => found.push(path.clone()),
    }
}

fn at<'a>(value: &'a Json, path: &[String]) -> Option<&'a Json> {
    path.iter().try_fold(value, |value, step| match value {
        Json::Object(object) => object.get(step),
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

fn pointer(path: &[String]) -> String {
    let mut pointer = String::new();
    for step in path {
        agenthalt_json::push_pointer(&mut pointer, step);
    }
    pointer
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn told(before: &str, after: &str, shown: Option<(&str, &str)>) -> Vec<(String, Option<String>, Option<String>)> {
        let json = |text: &str| Json::parse(text).unwrap();
        let (before, after) = (json(before), json(after));
        let shown = shown.map_or_else(|| (before.clone(), after.clone()), |(one, other)| (json(one), json(other)));
        let changes = changes((&before, &after), (&shown.0, &shown.1));
        changes.into_iter().map(|change| (change.path, change.before, change.after)).collect()
    }

    #[test]
    fn each_place_that_differs_is_told() {
        let some = |text: &str| Some(text.to_owned());
        let found = told(r#"{"a":1,"b":[1,{"c":2}],"d":0}"#, r#"{"a":1,"b":[1,{"c":3}],"e/f":"x"}"#, None);
        let expected = [
            ("/b/1/c".to_owned(), some("2"), some("3")),
            ("/d".to_owned(), some("0"), None),
            ("/e~1f".to_owned(), None, some("\"x\"")),
        ];
        assert_eq!(found, expected);
        assert_eq!(told("{\"a\":[1]}", "{\"a\":[1,2]}", None), [("/a".to_owned(), some("[1]"), some("[1,2]"))]);
        assert_eq!(told("{\"a\":1}", "{\"a\":1}", None), []);
    }

    #[test]
    fn a_change_is_told_with_what_is_shown_of_it() {
        let shown = Some((r#"{"a":"[REDACTED]"}"#, r#"{"a":"[REDACTED]"}"#));
        let hidden = Some("\"[REDACTED]\"".to_owned());
        assert_eq!(told(r#"{"a":"secret"}"#, r#"{"a":"***"}"#, shown), [("/a".to_owned(), hidden.clone(), hidden)]);
        assert_eq!(told(r#"{"secret":1}"#, "{}", Some(("{}", "{}"))), [], "nor is a name that is not shown");
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let cost = Cost { guard: "budget".to_owned(), amount: i64::MAX, ..Cost::default() };
        let reason = Reason { reason: "too much".to_owned(), risk: 0.7, ..Reason::default() };
        let asked = Asked { costs: vec![cost], reasons: vec![reason], risk: 0.1, ..Asked::default() };
        assert_eq!(Asked::read(&asked.write()), asked);
        assert!(Asked::read("{").withheld.is_some());
    }
}
