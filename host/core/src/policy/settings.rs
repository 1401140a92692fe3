//! What a guard is configured with: canonical JSON for the guard, and the way back to the line.

use super::problem::{Position, Problem};
use super::yaml::{Node, Value};
use super::{nearest, schema};

use agenthalt_json::{Json, Object};

/// A guard's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    node: Option<Node>,
    at: Position,
    json: Json,
}

impl Settings {
    pub(super) fn new(node: Option<Node>, at: Position) -> Self {
        let json = match &node {
            Some(node) if !matches!(node.value, Value::Null) => node.to_json(),
            _ => Json::Object(Object::new()),
        };
        Settings { node, at, json }
    }

    /// The settings as one JSON object.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// What the settings break of a guard's own schema, all at once, and what is left of them without
    /// the settings concerned: the guard may find more to say of the rest. A schema that is none is the
    /// guard's problem and is left to `configure`.
    pub fn check_schema(&self, schema: &Json) -> (Vec<Problem>, Json) {
        let mut rest = self.json.clone();
        let mut problems = Vec::new();
        for breach in schema::check(schema, &self.json) {
            let hint = breach.unknown.map_or_else(String::new, |(name, known)| {
                nearest::hint(name, known.into_iter().flat_map(Object::iter).map(|(name, _)| name))
            });
            problems.push(Problem::new(self.place(&breach.pointer), format!("{}{hint}", breach.message)));
            if let Json::Object(object) = &mut rest
                && let Some(name) = breach.pointer.split('/').nth(1)
            {
                object.remove(&unescaped(name));
            }
        }
        (problems, rest)
    }

    /// A problem that the guard itself named, at its place.
    pub fn problem(&self, pointer: &str, message: &str) -> Problem {
        Problem::new(self.place(pointer), message)
    }

    /// Where the value under a JSON pointer stands; where there is none, the nearest one around it.
    fn place(&self, pointer: &str) -> Position {
        let mut at = self.at;
        let Some(mut node) = self.node.as_ref() else {
            return at;
        };
        for step in pointer.split('/').skip(1) {
            let step = unescaped(step);
            let next = match &node.value {
                Value::Map(entries) => {
                    entries.iter().find(|entry| entry.key == step).map(|entry| (entry.at, &entry.node))
                }
                Value::List(items) => {
                    step.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| (item.at, item))
                }
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => None,
            };
            match next {
                Some((place, inner)) => {
                    at = place;
                    node = inner;
                }
                None => break,
            }
        }
        at
    }
}

/// A step of a JSON pointer as the key it names.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
