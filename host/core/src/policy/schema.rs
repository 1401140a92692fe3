//! Holds settings against a guard's JSON Schema, to say all that is wrong at once. It knows the part
//! of JSON Schema that settings need and leaves the rest to the guard, whose word decides. Neither what it
//! does nor what it says grows with a hostile schema.

use agenthalt_json::{Json, Number, Object, push_pointer};

use crate::bounds::quoted;

/// How deep references are followed.
const MOST_DEPTH: usize = 80;
/// How much work one check does, in steps: one for each value looked at, more for long texts and lists.
/// What is left then is left to the guard, as is all that this module does not know.
const MOST_STEPS: usize = 100_000;
/// How many breaches are told.
const MOST_BREACHES: usize = 256;
/// How many choices a message lists.
const MOST_CHOICES: usize = 16;

/// One thing in the settings that the schema does not allow.
pub(super) struct Breach<'a> {
    pub(super) pointer: String,
    pub(super) message: String,
    /// A name that is not known, and the properties that are.
    pub(super) unknown: Option<(&'a str, Option<&'a Object>)>,
}

/// All that the settings break, as far as the steps and the number of breaches suffice.
pub(super) fn check<'a>(schema: &'a Json, settings: &'a Json) -> Vec<Breach<'a>> {
    let mut checker = Checker { root: schema, pointer: String::new(), steps: MOST_STEPS, breaches: Vec::new() };
    checker.value(schema, settings, 0);
    let mut breaches = checker.breaches;
    if breaches.len() > MOST_BREACHES {
        breaches.truncate(MOST_BREACHES);
        let message = format!("more is wrong than these {MOST_BREACHES} problems");
        breaches.push(Breach { pointer: String::new(), message, unknown: None });
    }
    breaches
}

struct Checker<'a> {
    root: &'a Json,
    /// Where in the settings the check stands.
    pointer: String,
    /// The steps that are left, for branches within branches too.
    steps: usize,
    /// Never more than one above [`MOST_BREACHES`], which says that there are more.
    breaches: Vec<Breach<'a>>,
}

impl<'a> Checker<'a> {
    fn value(&mut self, schema: &'a Json, value: &'a Json, depth: usize) {
        let Some(schema) = schema.as_object() else { return };
        if depth > MOST_DEPTH || !self.spend(own_weight(value)) {
            return;
        }
        if let Some(name) = schema.get("$ref").and_then(Json::as_str)
            && self.spend(text_weight(name))
            && let Some(target) = self.resolve(name)
        {
            return self.value(target, value, depth + 1);
        }
        if let Some(branches) = schema.get("anyOf").and_then(Json::as_array) {
            return self.any_of(branches, value, depth);
        }
        if let Some(types) = schema.get("type") {
            if !self.spend(weight(types)) {
                return;
            }
            if !type_names(types).any(|name| is_type(name, value)) {
                let wanted: Vec<String> =
                    type_names(types).filter(|name| *name != "null").take(MOST_CHOICES).map(spoken).collect();
                return self.breach(|| format!("expected {}, found {}", wanted.join(" or "), found(value)));
            }
        }
        if let Some(choices) = schema.get("enum").and_then(Json::as_array) {
            // A list of choices is weighed as it is gone through: weighing it whole costs as much again.
            if !choices.iter().all(|choice| self.spend(weight(choice))) {
                return;
            }
            if !choices.contains(value) {
                return self.breach(|| format!("expected one of {}, found {}", listed(choices), found(value)));
            }
        }
        if let Some(wanted) = schema.get("const") {
            if !self.spend(weight(wanted)) {
                return;
            }
            if wanted != value {
                return self.breach(|| format!("expected `{}`, found {}", bare(wanted), found(value)));
            }
        }
        match value {
            Json::Number(number) => self.number(schema, number),
            Json::String(text) => {
                if text.is_empty() && schema.get("minLength").is_some_and(|least| *least != Json::from(0_i64)) {
                    self.breach(|| "must not be empty".to_owned());
                }
            }
            Json::Array(items) => {
                if let Some(inner) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.inner(&index.to_string(), |checker| checker.value(inner, item, depth + 1));
                    }
                }
            }
            Json::Object(object) => self.object(schema, object, depth),
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// Takes steps off those that are left; false, and none are left, where there are too few.
    fn spend(&mut self, steps: usize) -> bool {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.is_some()
    }

    fn resolve(&self, reference: &str) -> Option<&'a Json> {
        let name = reference.strip_prefix("#/$defs/")?;
        self.root.as_object()?.get("$defs")?.as_object()?.get(name)
    }

    /// The value must fit one branch; where it fits none, the breaches of the one that comes nearest
    /// are the ones worth telling. Where the steps do not suffice to know, none are.
    fn any_of(&mut self, branches: &'a [Json], value: &'a Json, depth: usize) {
        let before = std::mem::take(&mut self.breaches);
        let mut nearest: Option<Vec<Breach<'a>>> = None;
        for branch in branches {
            self.value(branch, value, depth + 1);
            let inner = std::mem::take(&mut self.breaches);
            if inner.is_empty() || self.steps == 0 {
                nearest = None;
                break;
            }
            let is_null = branch.as_object().and_then(|b| b.get("type")).and_then(Json::as_str) == Some("null");
            if !is_null && nearest.as_ref().is_none_or(|best| inner.len() < best.len()) {
                nearest = Some(inner);
            }
        }
        self.breaches = before;
        self.breaches.extend(nearest.unwrap_or_default());
        self.breaches.truncate(MOST_BREACHES + 1);
    }

    fn number(&mut self, schema: &'a Object, number: &'a Number) {
        let [minimum, more_than, maximum] =
            ["minimum", "exclusiveMinimum", "maximum"].map(|name| match schema.get(name) {
                Some(Json::Number(limit)) => Some(limit),
                _ => None,
            });
        let limits = [minimum, more_than, maximum].into_iter().flatten();
        if !self.spend(limits.map(|limit| text_weight(limit.as_str())).sum()) {
            return;
        }
        let Some((scaled, _)) = number.scaled(9) else {
            return self.breach(|| "the number is too large".to_owned());
        };
        let of = |limit: &Number| limit.scaled(9).map(|(limit, _)| limit);
        let is_below = |limit: i128| scaled < limit || (number.is_negative() && limit == 0);
        let (words, limit) = if let Some(least) = minimum.filter(|l| of(l).is_some_and(is_below)) {
            ("at least", least)
        } else if let Some(least) = more_than.filter(|l| of(l).is_some_and(|limit| scaled <= limit)) {
            ("more than", least)
        } else if let Some(most) = maximum.filter(|l| of(l).is_some_and(|limit| scaled > limit)) {
            ("at most", most)
        } else {
            return;
        };
        self.breach(|| format!("must be {words} {}, found {}", quoted(limit.as_str()), quoted(number.as_str())));
    }

    fn object(&mut self, schema: &'a Object, object: &'a Object, depth: usize) {
        let properties = schema.get("properties").and_then(Json::as_object);
        for (key, value) in object.iter() {
            if let Some(property) = properties.and_then(|properties| properties.get(key)) {
                self.inner(key, |checker| checker.value(property, value, depth + 1));
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Json::Bool(false)) => self.inner(key, |checker| {
                    let message = || format!("unknown setting `{}`", quoted(key));
                    checker.breach_of(message, Some((key, properties)));
                }),
                Some(rest @ Json::Object(_)) => self.inner(key, |checker| checker.value(rest, value, depth + 1)),
                _ => {}
            }
        }
        for name in schema.get("required").and_then(Json::as_array).unwrap_or_default() {
            if let Some(name) = name.as_str()
                && self.spend(text_weight(name))
                && object.get(name).is_none()
            {
                self.breach(|| format!("the setting `{}` is missing", quoted(name)));
            }
        }
    }

    /// Goes one step into the settings, as long as there are steps to go.
    fn inner(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        if !self.spend(text_weight(name)) {
            return;
        }
        let length = self.pointer.len();
        push_pointer(&mut self.pointer, name);
        check(self);
        self.pointer.truncate(length);
    }

    fn breach(&mut self, message: impl FnOnce() -> String) {
        self.breach_of(message, None);
    }

    fn breach_of(&mut self, message: impl FnOnce() -> String, unknown: Option<(&'a str, Option<&'a Object>)>) {
        // Kept even where it takes the last step: what is broken is broken.
        self.spend(text_weight(&self.pointer));
        if self.breaches.len() <= MOST_BREACHES {
            self.breaches.push(Breach { pointer: self.pointer.clone(), message: message(), unknown });
        }
    }
}

/// What it costs to look at a text, in steps.
fn text_weight(text: &str) -> usize {
    1 + text.len() / 64
}

/// What it costs to look at a value without what is in it.
fn own_weight(value: &Json) -> usize {
    match value {
        Json::Number(number) => text_weight(number.as_str()),
        Json::String(text) => text_weight(text),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => 1,
    }
}

/// What it costs to look at a value with all that is in it.
fn weight(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Json::Object(object) => 1 + object.iter().map(|(key, item)| text_weight(key) + weight(item)).sum::<usize>(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => own_weight(value),
    }
}

fn type_names(types: &Json) -> impl Iterator<Item = &str> {
    let (one, many) = match types {
        Json::String(name) => (Some(name.as_str()), [].as_slice()),
        Json::Array(names) => (None, names.as_slice()),
        _ => (None, [].as_slice()),
    };
    one.into_iter().chain(many.iter().filter_map(Json::as_str))
}

fn is_type(name: &str, value: &Json) -> bool {
    match (name, value) {
        ("null", Json::Null)
        | ("boolean", Json::Bool(_))
        | ("number", Json::Number(_))
        | ("string", Json::String(_))
        | ("array", Json::Array(_))
        | ("object", Json::Object(_)) => true,
        ("integer", Json::Number(number)) => matches!(number.scaled(0), Some((_, true))),
        _ => false,
    }
}

fn spoken(type_name: &str) -> String {
    match type_name {
        "boolean" => "`true` or `false`".to_owned(),
        "number" => "a number".to_owned(),
        "integer" => "a whole number".to_owned(),
        "string" => "a text".to_owned(),
        "array" => "a list".to_owned(),
        "object" => "a map".to_owned(),
        other => quoted(other),
    }
}

/// A value as one shows it in a sentence, never longer than a few words.
fn found(value: &Json) -> String {
    match value {
        Json::String(text) => format!("the text \"{}\"", quoted(text)),
        Json::Number(number) => quoted(number.as_str()),
        Json::Bool(flag) => flag.to_string(),
        Json::Null => "null".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a map".to_owned(),
    }
}

/// The first choices of a list, each in short.
fn listed(choices: &[Json]) -> String {
    let mut shown: Vec<String> =
        choices.iter().take(MOST_CHOICES).map(|choice| format!("`{}`", bare(choice))).collect();
    if choices.len() > MOST_CHOICES {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

fn bare(value: &Json) -> String {
    value.as_str().map_or_else(|| quoted(&value.to_string()), quoted)
}

#[cfg(test)]
mod tests;
