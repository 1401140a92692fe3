//! The JSON Schema (2020-12) of policies with the schemas of guards in it, for editors. It helps people to
//! type; what a policy may be is decided by reading it.

use agenthalt_json::{Error, Json, Object};

/// The schema without any guard's own.
const POLICY: &str = include_str!("policy.schema.json");
/// The keys of a built-in guard that are no settings of its own.
const SHARED: [&str; 4] = ["enabled", "mode", "limits", "approval"];

/// The schema of policies that may name these built-in guards, each with the schema of its settings.
///
/// # Errors
/// Where a guard's schema is no JSON; the message names the place, the caller knows the guard.
pub fn schema<'a>(guards: impl IntoIterator<Item = (&'a str, &'a Json)>) -> Result<Json, Error> {
    let mut root = Json::parse(POLICY)?;
    for (name, schema) in guards {
        let (settings, definitions) = settings(name, schema);
        if let Some(all) = object_at(&mut root, &["properties", "guards", "properties"]) {
            all.insert(name, settings);
        }
        if let Some(all) = object_at(&mut root, &["$defs"]) {
            for (key, definition) in definitions {
                all.insert(key, definition);
            }
        }
    }
    Ok(root)
}

/// A guard's settings with the shared keys beside them, or null for the defaults; and its definitions
/// under names that no other guard's have.
fn settings(guard: &str, schema: &Json) -> (Json, Vec<(String, Json)>) {
    let mut schema = schema.clone();
    rename(&mut schema, guard, 0);
    let Json::Object(object) = &mut schema else { return (schema, Vec::new()) };
    object.remove("$schema");
    object.remove("title");
    let definitions = match object.remove("$defs") {
        Some(Json::Object(definitions)) => definitions.into_iter().collect(),
        Some(_) | None => Vec::new(),
    };
    let mut properties = match object.remove("properties") {
        Some(Json::Object(properties)) => properties,
        Some(_) | None => Object::new(),
    };
    for key in SHARED {
        properties.insert(key, reference(key));
    }
    object.insert("properties", Json::Object(properties));
    // Null stands for a guard with its defaults.
    object.insert("type", Json::Array(vec!["object".into(), "null".into()]));
    let definitions: Vec<(String, Json)> = definitions;
    (schema, definitions.into_iter().map(|(key, value)| (definition(guard, &key), value)).collect())
}

/// Lets every reference to a definition of the guard's own point to its place among all.
fn rename(value: &mut Json, guard: &str, depth: usize) {
    if depth > 64 {
        return;
    }
    match value {
        Json::Object(object) => {
            for (key, inner) in object.iter_mut() {
                if key == "$ref"
                    && let Some(name) = inner.as_str().and_then(|text| text.strip_prefix("#/$defs/"))
                {
                    *inner = pointer(&definition(guard, name));
                } else {
                    rename(inner, guard, depth + 1);
                }
            }
        }
        Json::Array(items) => items.iter_mut().for_each(|item| rename(item, guard, depth + 1)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn definition(guard: &str, name: &str) -> String {
    format!("{guard}.{name}")
}

fn reference(name: &str) -> Json {
    Json::Object([("$ref", pointer(name))].into_iter().collect())
}

fn pointer(name: &str) -> Json {
    format!("#/$defs/{name}").into()
}

/// The object at the end of these keys.
fn object_at<'a>(root: &'a mut Json, keys: &[&str]) -> Option<&'a mut Object> {
    let mut here = root;
    for key in keys {
        let Json::Object(object) = here else { return None };
        here = object.iter_mut().find(|(name, _)| name == key).map(|(_, value)| value)?;
    }
    match here {
        Json::Object(object) => Some(object),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::super::draft::{CUSTOM_KEYS, SHARED_KEYS, TOP_KEYS};
    use super::*;

    fn keys<'a>(schema: &'a Json, path: &[&str]) -> Vec<&'a str> {
        let mut here = schema;
        for key in path {
            here = here.as_object().unwrap().get(key).unwrap();
        }
        here.as_object().unwrap().iter().map(|(key, _)| key).collect()
    }

    fn sorted<const N: usize>(mut keys: [&'static str; N]) -> Vec<&'static str> {
        keys.sort_unstable();
        keys.to_vec()
    }

    #[test]
    fn the_schema_names_exactly_the_keys_that_are_read() {
        let schema = schema([]).unwrap();
        assert_eq!(keys(&schema, &["properties"]), sorted(TOP_KEYS));
        assert_eq!(keys(&schema, &["$defs", "custom", "properties"]), sorted(CUSTOM_KEYS));
        assert_eq!(SHARED, SHARED_KEYS);
    }

    #[test]
    fn definitions_of_two_guards_stay_apart() {
        let own =
            Json::parse(r##"{"$defs":{"Per":{"enum":["a"]}},"properties":{"per":{"$ref":"#/$defs/Per"}}}"##).unwrap();
        let schema = schema([("one", &own), ("two", &own)]).unwrap();
        let defined = keys(&schema, &["$defs"]);
        assert!(defined.contains(&"one.Per") && defined.contains(&"two.Per"), "{defined:?}");
        assert!(schema.to_string().contains(r##""per":{"$ref":"#/$defs/two.Per"}"##), "{schema}");
        assert_eq!(
            keys(&schema, &["properties", "guards", "properties", "one", "properties"]),
            ["approval", "enabled", "limits", "mode", "per"]
        );
    }
}
