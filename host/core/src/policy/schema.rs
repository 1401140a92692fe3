//! Holds settings against a guard's JSON Schema, to say all that is wrong at once. It knows the part
//! of JSON Schema that settings need and leaves the rest to the guard, whose word decides.

use agenthalt_json::{Json, Object, push_pointer};

/// How deep references are followed.
const MOST_DEPTH: usize = 80;

/// One thing in the settings that the schema does not allow.
pub(super) struct Breach {
    pub(super) pointer: String,
    pub(super) message: String,
    /// A name that is not known, and those that are.
    pub(super) unknown: Option<(String, Vec<String>)>,
}

pub(super) fn check(schema: &Json, settings: &Json) -> Vec<Breach> {
    let mut checker = Checker { root: schema, breaches: Vec::new() };
    checker.value(schema, settings, String::new(), 0);
    checker.breaches
}

struct Checker<'a> {
    root: &'a Json,
    breaches: Vec<Breach>,
}

impl<'a> Checker<'a> {
    fn value(&mut self, schema: &'a Json, value: &Json, pointer: String, depth: usize) {
        let Some(schema) = schema.as_object() else { return };
        if depth > MOST_DEPTH {
            return;
        }
        if let Some(target) = schema.get("$ref").and_then(Json::as_str).and_then(|name| self.resolve(name)) {
            return self.value(target, value, pointer, depth + 1);
        }
        if let Some(branches) = schema.get("anyOf").and_then(Json::as_array) {
            return self.any_of(branches, value, pointer, depth);
        }
        if let Some(types) = schema.get("type")
            && !type_names(types).any(|name| is_type(name, value))
        {
            let wanted: Vec<&str> = type_names(types).filter(|name| *name != "null").map(spoken).collect();
            let message = format!("expected {}, found {}", wanted.join(" or "), found(value));
            return self.breach(pointer, message);
        }
        if let Some(choices) = schema.get("enum").and_then(Json::as_array)
            && !choices.contains(value)
        {
            let choices: Vec<String> = choices.iter().map(|choice| format!("`{}`", bare(choice))).collect();
            return self.breach(pointer, format!("expected one of {}, found {}", choices.join(", "), found(value)));
        }
        if let Some(wanted) = schema.get("const")
            && wanted != value
        {
            return self.breach(pointer, format!("expected `{}`, found {}", bare(wanted), found(value)));
        }
        match value {
            Json::Number(_) => self.number(schema, value, pointer),
            Json::String(text) => {
                if text.is_empty() && schema.get("minLength").is_some_and(|least| *least != Json::from(0_i64)) {
                    self.breach(pointer, "must not be empty".to_owned());
                }
            }
            Json::Array(items) => {
                if let Some(inner) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.value(inner, item, step(&pointer, &index.to_string()), depth + 1);
                    }
                }
            }
            Json::Object(object) => self.object(schema, object, &pointer, depth),
            Json::Null | Json::Bool(_) => {}
        }
    }

    fn resolve(&self, reference: &str) -> Option<&'a Json> {
        let name = reference.strip_prefix("#/$defs/")?;
        self.root.as_object()?.get("$defs")?.as_object()?.get(name)
    }

    /// The value must fit one branch; where it fits none, the breaches of the one that comes nearest
    /// are the ones worth telling.
    fn any_of(&mut self, branches: &'a [Json], value: &Json, pointer: String, depth: usize) {
        let mut nearest: Option<Vec<Breach>> = None;
        for branch in branches {
            let mut inner = Checker { root: self.root, breaches: Vec::new() };
            inner.value(branch, value, pointer.clone(), depth + 1);
            if inner.breaches.is_empty() {
                return;
            }
            let is_null = branch.as_object().and_then(|b| b.get("type")).and_then(Json::as_str) == Some("null");
            if !is_null && nearest.as_ref().is_none_or(|best| inner.breaches.len() < best.len()) {
                nearest = Some(inner.breaches);
            }
        }
        self.breaches.extend(nearest.unwrap_or_default());
    }

    fn number(&mut self, schema: &Object, value: &Json, pointer: String) {
        let limit = |name: &str| match schema.get(name) {
            Some(Json::Number(limit)) => Some(limit),
            _ => None,
        };
        let Json::Number(number) = value else { return };
        let Some((scaled, _)) = number.scaled(9) else {
            return self.breach(pointer, "the number is too large".to_owned());
        };
        let below = |name: &str| {
            limit(name).filter(|l| l.scaled(9).is_some_and(|(l, _)| scaled < l || (number.is_negative() && l == 0)))
        };
        let above = |name: &str| limit(name).filter(|l| l.scaled(9).is_some_and(|(l, _)| scaled > l));
        let at_most_least = |name: &str| limit(name).filter(|l| l.scaled(9).is_some_and(|(l, _)| scaled <= l));
        let message = if let Some(least) = below("minimum") {
            format!("must be at least {least}, found {number}")
        } else if let Some(least) = at_most_least("exclusiveMinimum") {
            format!("must be more than {least}, found {number}")
        } else if let Some(most) = above("maximum") {
            format!("must be at most {most}, found {number}")
        } else {
            return;
        };
        self.breach(pointer, message);
    }

    fn object(&mut self, schema: &'a Object, object: &Object, pointer: &str, depth: usize) {
        let properties = schema.get("properties").and_then(Json::as_object);
        for (key, value) in object.iter() {
            let inner = step(pointer, key);
            if let Some(property) = properties.and_then(|properties| properties.get(key)) {
                self.value(property, value, inner, depth + 1);
                continue;
            }
            match schema.get("additionalProperties") {
                Some(Json::Bool(false)) => {
                    let known = properties.iter().flat_map(|p| p.iter()).map(|(name, _)| name.to_owned()).collect();
                    self.breaches.push(Breach {
                        pointer: inner,
                        message: format!("unknown setting `{}`", key.escape_debug()),
                        unknown: Some((key.to_owned(), known)),
                    });
                }
                Some(inner_schema @ Json::Object(_)) => self.value(inner_schema, value, inner, depth + 1),
                _ => {}
            }
        }
        for name in schema.get("required").and_then(Json::as_array).unwrap_or_default() {
            if let Some(name) = name.as_str()
                && object.get(name).is_none()
            {
                self.breach(pointer.to_owned(), format!("the setting `{name}` is missing"));
            }
        }
    }

    fn breach(&mut self, pointer: String, message: String) {
        self.breaches.push(Breach { pointer, message, unknown: None });
    }
}

fn step(pointer: &str, name: &str) -> String {
    let mut longer = pointer.to_owned();
    push_pointer(&mut longer, name);
    longer
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

fn spoken(type_name: &str) -> &str {
    match type_name {
        "boolean" => "`true` or `false`",
        "number" => "a number",
        "integer" => "a whole number",
        "string" => "a text",
        "array" => "a list",
        "object" => "a map",
        other => other,
    }
}

/// A value as one shows it in a sentence, never longer than a few words.
fn found(value: &Json) -> String {
    match value {
        Json::String(text) => {
            let short: String = text.chars().take(40).collect();
            format!("the text \"{}\"", short.escape_debug())
        }
        Json::Number(number) => format!("{number:.40}"),
        Json::Bool(flag) => flag.to_string(),
        Json::Null => "null".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "a map".to_owned(),
    }
}

fn bare(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
