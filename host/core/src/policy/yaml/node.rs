//! The tree of a policy: values that know where they stand, and how much they are. It refuses nothing;
//! what a policy may hold is for its reader to say.

use agenthalt_json::{Json, Number};

use super::super::problem::Position;

/// A value and its place.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Node {
    pub(in crate::policy) at: Position,
    pub(in crate::policy) value: Value,
}

#[derive(Clone, Debug)]
pub(in crate::policy) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Entry {
    pub(in crate::policy) key: String,
    pub(in crate::policy) at: Position,
    pub(in crate::policy) node: Node,
}

impl Node {
    /// What kind of value this is, as one says it in a sentence.
    pub(in crate::policy) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    pub(in crate::policy) fn to_json(&self) -> Json {
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Number(number) => Json::Number(number.clone()),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(items) => Json::Array(items.iter().map(Node::to_json).collect()),
            Value::Map(entries) => {
                // An object grows at its end: in the order of its keys it takes each without a move.
                let mut sorted: Vec<&Entry> = entries.iter().collect();
                sorted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
                Json::Object(sorted.into_iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect())
            }
        }
    }
}

/// How much a value is, with all that is in it.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) nodes: usize,
    pub(super) text_bytes: usize,
    /// The levels below the value itself.
    pub(super) height: usize,
}

impl Size {
    pub(super) fn of(value: &Value) -> Size {
        let whole = Size { nodes: 1, text_bytes: 0, height: 0 };
        match value {
            Value::Null | Value::Bool(_) => whole,
            Value::Number(number) => Size { text_bytes: number.as_str().len(), ..whole },
            Value::Text(text) => Size { text_bytes: text.len(), ..whole },
            Value::List(items) => items.iter().fold(whole, |whole, item| whole.around(Size::of(&item.value), 0)),
            Value::Map(entries) => {
                entries.iter().fold(whole, |whole, entry| whole.around(Size::of(&entry.node.value), entry.key.len()))
            }
        }
    }

    fn around(self, inner: Size, key_bytes: usize) -> Size {
        Size {
            nodes: self.nodes + inner.nodes,
            text_bytes: self.text_bytes + inner.text_bytes + key_bytes,
            height: self.height.max(inner.height + 1),
        }
    }
}
