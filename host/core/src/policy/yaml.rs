//! YAML text to a tree that knows where everything stands. Of two equal keys it keeps the first and
//! names the second. The values, their text and their nesting are bounded, the copies that anchors and
//! aliases make included, and a copy is measured before it is made.

mod node;

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::number::{self, Numeric};
use super::problem::{Position, Problem};

use crate::bounds::quoted;

use node::Size;
pub(super) use node::{Entry, Node, Value};

/// The most bytes of a policy's text.
const MOST_BYTES: usize = 1 << 20;
/// The most values one policy may hold, copies included.
const MOST_NODES: usize = 100_000;
/// The most bytes of keys, texts and numbers in these values, copies included.
const MOST_TEXT_BYTES: usize = 4 << 20;
/// The most levels of lists and maps.
const MOST_DEPTH: usize = 64;

/// Reads one document. What can be read is returned beside the problems.
pub(super) fn read(text: &str) -> (Option<Node>, Vec<Problem>) {
    if text.len() > MOST_BYTES {
        let message = format!("the policy is {} bytes long; it may be 1 MiB ({MOST_BYTES} bytes) at most", text.len());
        return (None, vec![Problem::new(Position { line: 1, column: 1 }, message)]);
    }
    let mut reader = Reader {
        text,
        events: Parser::new_from_str(text),
        anchors: HashMap::new(),
        problems: Vec::new(),
        nodes: 0,
        text_bytes: 0,
    };
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
    anchors: HashMap<usize, (Node, Size)>,
    problems: Vec<Problem>,
    nodes: usize,
    text_bytes: usize,
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
            let word = quoted(&word);
            let message = format!("YAML reads `{word}` as an alias, not as a pattern; put it in quotes: \"{word}\"");
            return Problem::new(at, message);
        }
        if line.contains('\t') && info.contains("tab") {
            return Problem::new(at, "YAML takes no tab for indentation; use spaces");
        }
        Problem::new(at, format!("not YAML: {info}"))
    }

    fn node(&mut self, event: Event<'a>, at: Position, depth: usize) -> Step<Node> {
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.grow(Size { nodes: 1, text_bytes: text.len(), height: 0 }, at, depth)?;
                (self.scalar(&text, style, tag.as_deref(), at), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.grow(Size { nodes: 1, text_bytes: 0, height: 0 }, at, depth)?;
                self.check_tag(tag.as_deref(), "seq", at);
                (Value::List(self.list(depth)?), anchor)
            }
            Event::MappingStart(anchor, tag) => {
                self.grow(Size { nodes: 1, text_bytes: 0, height: 0 }, at, depth)?;
                self.check_tag(tag.as_deref(), "map", at);
                (Value::Map(self.map(depth)?), anchor)
            }
            Event::Alias(anchor) => {
                let Some((_, size)) = self.anchors.get(&anchor) else {
                    return Err(Problem::new(at, "the alias has no anchor before it"));
                };
                self.grow(*size, at, depth)?;
                let copy = self.anchors.get(&anchor).map(|(node, _)| node.value.clone()).unwrap_or(Value::Null);
                return Ok(Node { at, value: copy });
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
            let size = Size::of(&node.value);
            self.grow(size, at, depth)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        Ok(node)
    }

    /// Counts what is about to be read or copied at a depth.
    // INVARIANT: no value enters the tree or the anchors before it is counted here.
    fn grow(&mut self, size: Size, at: Position, depth: usize) -> Step<()> {
        self.nodes += size.nodes;
        self.text_bytes += size.text_bytes;
        if self.nodes > MOST_NODES {
            return Err(Problem::new(at, format!("the policy holds more than {MOST_NODES} values")));
        }
        if self.text_bytes > MOST_TEXT_BYTES {
            return Err(Problem::new(at, format!("the policy holds more than {MOST_TEXT_BYTES} bytes of text")));
        }
        if depth + size.height > MOST_DEPTH {
            return Err(Problem::new(at, format!("the policy nests deeper than {MOST_DEPTH} levels")));
        }
        Ok(())
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
        let mut first_lines: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, at) = self.next()?;
            let key = match event {
                Event::MappingEnd => return Ok(entries),
                Event::Scalar(text, _, _, tag) => {
                    self.check_tag(tag.as_deref(), "str", at);
                    text.into_owned()
                }
                _ => return Err(Problem::new(at, "a key is plain text")),
            };
            self.grow(Size { nodes: 0, text_bytes: key.len(), height: 0 }, at, depth)?;
            let (event, value_at) = self.next()?;
            let node = self.node(event, value_at, depth + 1)?;
            if let Some(line) = first_lines.get(&key) {
                let key = quoted(&key);
                self.problems
                    .push(Problem::new(at, format!("the key `{key}` stands here again; first in line {line}")));
            } else {
                first_lines.insert(key.clone(), at.line);
                entries.push(Entry { key, at, node });
            }
        }
    }

    /// Of the tags only the one that YAML's core schema has for such a value says nothing else than the
    /// value itself does; any other is a problem.
    fn check_tag(&mut self, tag: Option<&Tag>, known: &str, at: Position) {
        if let Some(tag) = tag
            && !(tag.is_yaml_core_schema() && tag.suffix == known)
        {
            let name = quoted(&format!("{}{}", tag.handle, tag.suffix));
            self.problems.push(Problem::new(at, format!("the tag `{name}` is not supported")));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, at: Position) -> Value {
        if tag.is_some() {
            self.check_tag(tag, "str", at);
            return Value::Text(text.to_owned());
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

fn position(marker: &Marker) -> Position {
    Position { line: marker.line().max(1), column: marker.col() + 1 }
}

#[cfg(test)]
mod tests;
