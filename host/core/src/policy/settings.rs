//! What a guard is configured with: canonical JSON for the guard, and the way back to the line.

use super::problem::{Position, Problem};
use super::yaml::{Node, Value};
use super::{nearest, schema};

use agenthalt_json::{Json, Object};

use crate::bounds::quoted;

/// A guard's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    origin: Origin,
    json: Json,
}

/// Where settings come from, so that a problem is shown there.
#[derive(Clone, Debug)]
enum Origin {
    /// A policy's text: the place of the guard, and what stands there.
    Text { at: Position, node: Option<Node> },
    /// The program that embeds the host: the guard's name in the policy.
    Code { guard: String },
}

impl Settings {
    pub(super) fn new(node: Option<Node>, at: Position) -> Self {
        let json = match &node {
            Some(node) if !matches!(node.value, Value::Null) => node.to_json(),
            _ => Json::Object(Object::new()),
        };
        Settings { origin: Origin::Text { at, node }, json }
    }

    /// Settings of a guard that is set up in code.
    pub fn of_code(guard: &str, settings: Object) -> Self {
        Settings { origin: Origin::Code { guard: quoted(guard) }, json: Json::Object(settings) }
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
            problems.push(self.problem(&breach.pointer, &format!("{}{hint}", breach.message)));
            if let Json::Object(object) = &mut rest
                && let Some(name) = breach.pointer.split('/').nth(1)
            {
                object.remove(&unescaped(name));
            }
        }
        (problems, rest)
    }

    /// What is wrong with the value under a JSON pointer, at its place.
    pub fn problem(&self, pointer: &str, message: &str) -> Problem {
        match &self.origin {
            Origin::Text { at, node } => Problem::new(place(*at, node.as_ref(), pointer), message),
            Origin::Code { guard } if pointer.is_empty() => Problem::new(None, format!("guard `{guard}`: {message}")),
            Origin::Code { guard } => {
                let setting = pointer.split('/').skip(1).map(unescaped).collect::<Vec<_>>().join(" / ");
                Problem::new(None, format!("guard `{guard}`, setting `{}`: {message}", quoted(&setting)))
            }
        }
    }
}

/// Where the value under a JSON pointer stands; where there is none, the nearest one around it.
fn place(mut at: Position, node: Option<&Node>, pointer: &str) -> Position {
    let Some(mut node) = node else { return at };
    for step in pointer.split('/').skip(1) {
        let step = unescaped(step);
        let next = match &node.value {
            Value::Map(entries) => entries.iter().find(|entry| entry.key == step).map(|entry| (entry.at, &entry.node)),
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

/// A step of a JSON pointer as the key it names.
fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}
