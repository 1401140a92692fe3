//! YAML text to a tree that knows where everything stands. It keeps no duplicate key, and grows no
//! tree beyond a bound, whatever anchors say.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::number::{self, Numeric};
use super::problem::{Position, Problem};

use agenthalt_json::{Json, Number};

/// The most values one policy may hold.
const MOST_NODES: usize = 100_000;
/// The most levels of lists and maps.
const MOST_DEPTH: usize = 64;

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) at: Position,
    pub(super) node: Node,
}

impl Node {
    /// What kind of value this is, as one says it in a sentence.
    pub(super) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    pub(super) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                Json::Object(entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect())
            }
        }
    }
}

/// Reads one document. What can be read is returned beside the problems.
pub(super) fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
    let mut reader =
        Reader { text, events: Parser::new_from_str(text), anchors: HashMap::new(), problems: Vec::new(), nodes: 0 };
    let node = match reader.document() {
        Ok(node) => node,
        Err(problem) => {
            reader.problems.push(problem);
            None
        }
    };
    (node, reader.problems)
}

struct Reader<'a> {
    text: &'a str,
    events: Parser<'a, saphyr_parser::StrInput<'a>>,
    anchors: HashMap<usize, Node>,
    problems: Vec<Problem>,
    nodes: usize,
}

type Step<T> = Result<T, Problem>;

impl<'a> Reader<'a> {
    fn document(&mut self) -> Step<Option<Node>> {
        let mut found = None;
        loop {
            let (event, at) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(found),
                Event::DocumentStart(_) if found.is_some() => {
                    return Err(Problem::new(at, "a policy is one YAML document; here a second one begins"));
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => found = Some(self.node(event, at, 0)?),
            }
        }
    }

    fn next(&mut self) -> Step<(Event<'a>, Position)> {
        match self.events.next() {
            Some(Ok((event, span))) => Ok((event, position(&span.start))),
            Some(Err(error)) => Err(self.explain(position(error.marker()), error.info())),
            None => Ok((Event::StreamEnd, Position { line: 1, column: 1 })),
        }
    }

    /// A sentence for what the parser did not understand. Two things of YAML that look like plain text
    /// get their own.
    fn explain(&self, at: Position, info: &str) -> Problem {
        let line = self.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
        let rest: String = line.chars().skip(at.column.saturating_sub(1)).collect();
        let word: String = rest.chars().take_while(|c| !c.is_whitespace() && !matches!(c, ',' | ']' | '}')).collect();
        if word.starts_with('*') {
            let message = format!("YAML reads `{word}` as an alias, not as a pattern; put it in quotes: \"{word}\"");
            return Problem::new(at, message);
        }
        if line.contains('\t') && info.contains("tab") {
            return Problem::new(at, "YAML takes no tab for indentation; use spaces");
        }
        Problem::new(at, format!("not YAML: {info}"))
    }

    fn node(&mut self, event: Event<'a>, at: Position, depth: usize) -> Step<Node> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return Err(Problem::new(at, format!("the policy holds more than {MOST_NODES} values")));
        }
        if depth > MOST_DEPTH {
            return Err(Problem::new(at, format!("the policy nests deeper than {MOST_DEPTH} levels")));
        }
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => (self.scalar(&text, style, tag.as_deref(), at), anchor),
            Event::SequenceStart(anchor, _) => (Value::List(self.list(depth)?), anchor),
            Event::MappingStart(anchor, _) => (Value::Map(self.map(depth)?), anchor),
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err(Problem::new(at, "the alias has no anchor before it"));
                };
                self.nodes += count(&node.value);
                return Ok(Node { at, ..node });
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => return Err(Problem::new(at, "not YAML: expected a value")),
        };
        let node = Node { at, value };
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Step<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, at) => items.push(self.node(event, at, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Step<Vec<Entry>> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err(Problem::new(at, "a key is plain text")),
            };
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            if let Some(first) = entries.iter().find(|entry| entry.key == key) {
                let line = first.at.line;
                self.problems
                    .push(Problem::new(at, format!("the key `{key}` stands here again; first in line {line}")));
            } else {
                entries.push(Entry { key, at, node });
            }
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Value {
        if let Some(tag) = tag {
            if tag.is_yaml_core_schema() && tag.suffix == "str" {
                return Value::Text(text.to_owned());
            }
            self.problems.push(Problem::new(at, format!("the tag `{}{}` is not supported", tag.handle, tag.suffix)));
        }
        if style != ScalarStyle::Plain {
            return Value::Text(text.to_owned());
        }
        match text {
            "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
            "true" | "True" | "TRUE" => return Value::Bool(true),
            "false" | "False" | "FALSE" => return Value::Bool(false),
            _ => {}
        }
        match number::read(text) {
            Numeric::Number(number) => Value::Number(number),
            Numeric::No => Value::Text(text.to_owned()),
            Numeric::NotFinite => {
                self.problems.push(Problem::new(at, format!("`{text}` is not a finite number")));
                Value::Null
            }
        }
    }
}

fn count(value: &Value) -> usize {
    match value {
        Value::List(items) => items.iter().map(|item| 1 + count(&item.value)).sum(),
        Value::Map(entries) => entries.iter().map(|entry| 1 + count(&entry.node.value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => 0,
    }
}

fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests;
