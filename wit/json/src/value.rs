//! The tree: a JSON value whose objects are sorted by key and hold each key once.

use crate::sort::by_key;
use crate::{Error, Limits, Number};

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact.
    Number(Number),
    /// Text.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Named values.
    Object(Object),
}

impl Json {
    /// Reads a text under the limits of a call: nesting up to 64, size up to 1 MiB.
    ///
    /// # Errors
    /// What the text breaks, with the place: see [`ErrorKind`](crate::ErrorKind).
    pub fn parse(text: &str) -> Result<Json, Error> {
        Json::parse_within(text, Limits::default())
    }

    /// Reads a text under the given limits.
    ///
    /// # Errors
    /// As [`Json::parse`].
    pub fn parse_within(text: &str, limits: Limits) -> Result<Json, Error> {
        crate::parse::parse(text, limits)
    }

    /// The text, where the value is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(text) => Some(text),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
        }
    }

    /// The object, where the value is one.
    pub fn as_object(&self) -> Option<&Object> {
        match self {
            Json::Object(object) => Some(object),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
        }
    }

    /// The list, where the value is one.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => None,
        }
    }

    /// What kind of value this is, as one says it in a sentence: `a number`, `an object`.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a text",
            Json::Array(_) => "a list",
            Json::Object(_) => "an object",
        }
    }

    /// Visits every value of the tree, the outer before the inner, with its JSON pointer.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&str, &'a Json)) {
        walk_from(self, &mut String::new(), visit);
    }
}

fn walk_from<'a>(value: &'a Json, pointer: &mut String, visit: &mut dyn FnMut(&str, &'a Json)) {
    visit(pointer, value);
    let length = pointer.len();
    match value {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                push_pointer(pointer, &index.to_string());
                walk_from(item, pointer, visit);
                pointer.truncate(length);
            }
        }
        Json::Object(object) => {
            for (key, item) in object.iter() {
                push_pointer(pointer, key);
                walk_from(item, pointer, visit);
                pointer.truncate(length);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// Adds one step to a JSON pointer (RFC 6901), escaped.
pub fn push_pointer(pointer: &mut String, step: &str) {
    pointer.push('/');
    for c in step.chars() {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            other => pointer.push(other),
        }
    }
}

/// The named values of a JSON object, sorted by the bytes of their keys, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Object(Vec<(String, Json)>);

impl Object {
    /// An object without values.
    pub fn new() -> Self {
        Object::default()
    }

    /// An object of the given values; `Err` with a key that stands twice.
    pub(crate) fn from_entries(mut entries: Vec<(String, Json)>) -> Result<Self, String> {
        if !entries.is_sorted_by(|a, b| a.0 < b.0) {
            entries = by_key(entries);
            for pair in entries.windows(2) {
                if let [a, b] = pair
                    && a.0 == b.0
                {
                    return Err(a.0.clone());
                }
            }
        }
        Ok(Object(entries))
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Json> {
        let index = self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        self.0.get(index).map(|(_, value)| value)
    }

    /// Sets the value of a key and returns the one it replaces.
    pub fn insert(&mut self, key: impl Into<String>, value: Json) -> Option<Json> {
        let key = key.into();
        match self.0.binary_search_by(|(k, _)| k.as_str().cmp(&key)) {
            Ok(index) => self.0.get_mut(index).map(|(_, old)| std::mem::replace(old, value)),
            Err(index) => {
                self.0.insert(index, (key, value));
                None
            }
        }
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        let index = self.0.binary_search_by(|(k, _)| k.as_str().cmp(key)).ok()?;
        Some(self.0.remove(index).1)
    }

    /// The keys and values, sorted by key.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys and values, to be changed in place.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&str, &mut Json)> {
        self.0.iter_mut().map(|(key, value)| (key.as_str(), value))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>> FromIterator<(K, Json)> for Object {
    /// Collects values; of two with the same key the later one stays.
    fn from_iter<I: IntoIterator<Item = (K, Json)>>(entries: I) -> Self {
        let mut entries = by_key(entries.into_iter().map(|(key, value)| (key.into(), value)).collect());
        entries.dedup_by(|later, kept| {
            let is_again = later.0 == kept.0;
            if is_again {
                std::mem::swap(later, kept);
            }
            is_again
        });
        Object(entries)
    }
}

impl IntoIterator for Object {
    type Item = (String, Json);
    type IntoIter = std::vec::IntoIter<(String, Json)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Json::String(text.to_owned())
    }
}

impl From<String> for Json {
    fn from(text: String) -> Self {
        Json::String(text)
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Json::Bool(value)
    }
}

impl From<i64> for Json {
    fn from(value: i64) -> Self {
        Json::Number(Number::from(value))
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Json::Number(Number::from(value))
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Json::Object(object)
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Json::Array(items)
    }
}
