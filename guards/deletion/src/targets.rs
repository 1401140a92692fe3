//! Which fields of the arguments name targets, and how many they name. It never looks below the top
//! level for a field, and always to the bottom of what a field holds.

use agenthalt_guard::{Json, Object, fold_forms};

use crate::{Settings, text};

/// The longest name of a usual field, with room for a blank or two.
const MOST_FIELD_BYTES: usize = 16;

/// What a call deletes.
pub(crate) struct Targets<'a> {
    /// What the fields hold that name targets.
    values: Vec<&'a Json>,
    /// How many targets are named; a deletion that names none counts as one.
    count: u64,
}

/// What a field says of the deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    /// Each of its targets counts.
    Many,
    /// One of several ways to name one and the same target.
    Single,
}

impl<'a> Targets<'a> {
    pub(crate) fn of(settings: &Settings, arguments: &'a Object) -> Targets<'a> {
        let mut values = Vec::new();
        let (mut many, mut single) = (0_u64, 0_u64);
        for (key, value) in arguments.iter() {
            let Some(field) = field(settings, key) else {
                continue;
            };
            values.push(value);
            match field {
                Field::Many => many = many.saturating_add(count(settings, value)),
                Field::Single => single = single.max(count(settings, value)),
            }
        }
        Targets { values, count: many.saturating_add(single).max(1) }
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// What the fields hold.
    pub(crate) fn values(&self) -> impl Iterator<Item = &'a Json> {
        self.values.iter().copied()
    }

    /// Whether any of it names a target that somebody can see.
    pub(crate) fn has_any(&self) -> bool {
        self.values().any(names_target)
    }
}

/// Another form of a field's name is the same field: whatever the function makes of it, it is judged.
fn field(settings: &Settings, key: &str) -> Option<Field> {
    if settings.resource_field.meets(key) { Some(Field::Many) } else { usual_field_in_any_form(key) }
}

/// Whether a name is that of a usual field.
pub(crate) fn is_usual_field(key: &str) -> bool {
    usual_field_in_any_form(key).is_some()
}

fn usual_field_in_any_form(key: &str) -> Option<Field> {
    if key.is_ascii() {
        let key = key.trim();
        if key.len() > MOST_FIELD_BYTES {
            return None;
        }
        if key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') {
            return usual_field(key);
        }
    }
    let (folded, unbroken) = fold_forms(key);
    usual_field(&folded).or_else(|| usual_field(&unbroken?))
}

fn usual_field(folded: &str) -> Option<Field> {
    match folded {
        "resource_ids" | "ids" | "items" | "targets" => Some(Field::Many),
        "id" | "name" | "path" | "file" | "document_id" | "email_id" | "record_id" | "file_id" | "event_id"
        | "user_id" | "filename" | "file_path" | "url" | "key" | "table" => Some(Field::Single),
        _ => None,
    }
}

/// How many targets a value names. An object is one, or as many as the largest list in it holds, or the
/// text of a field that names targets: what else an object says of its target may hold commas.
///
/// The depth is bounded: the host refuses a call that nests deeper than 64.
fn count(settings: &Settings, value: &Json) -> u64 {
    match value {
        Json::Null => 0,
        Json::Bool(_) | Json::Number(_) => 1,
        Json::String(text) => text::count(text),
        Json::Array(items) => items.iter().fold(0, |sum: u64, item| sum.saturating_add(count(settings, item))),
        Json::Object(object) => object.iter().fold(1, |most, (key, value)| {
            let named = count(settings, value);
            let is_said = named > most && (value.as_str().is_none() || field(settings, key).is_some());
            if is_said { named } else { most }
        }),
    }
}

fn names_target(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(_) | Json::Number(_) => true,
        Json::String(text) => text::is_visible(text),
        Json::Array(items) => items.iter().any(names_target),
        Json::Object(object) => object.iter().any(|(_, value)| names_target(value)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::read_settings;

    fn counted(settings: &str, arguments: &str) -> (u64, bool) {
        let settings: Settings = read_settings(settings).unwrap();
        let json = Json::parse(arguments).unwrap();
        let targets = Targets::of(&settings, json.as_object().unwrap());
        (targets.count(), targets.has_any())
    }

    #[test]
    fn every_element_of_the_named_field_and_of_the_lists_counts() {
        for (arguments, expected) in [
            (r#"{"resource_id":"a"}"#, 1),
            (r#"{"resource_id":["a","a","a"]}"#, 3),
            (r#"{"ids":[["a","b"],["c",["d"]]]}"#, 4),
            (r#"{"ids":"a, b ,,c"}"#, 3),
            (r#"{"ids":["a,b","c"]}"#, 3),
            (r#"{"ids":[1,2],"items":[3],"targets":["d"],"resource_ids":[false,0],"resource_id":"e"}"#, 7),
            (r#"{"items":[{"id":"a","name":"b"},{"id":"c"}]}"#, 2),
            (r#"{"ids":[{},{}]}"#, 2),
            (r#"{"resource_id":{"ids":["a","b","c"],"name":"d"}}"#, 3),
            (r#"{"ids":["a%2Cb%2cc"]}"#, 3),
            (r#"{"ids":["a",null,""," "]}"#, 1),
            (r#"{"Ids":["a","b"],"IDS":["c"],"resourceIds":["d"]}"#, 4),
        ] {
            assert_eq!(counted("{}", arguments).0, expected, "{arguments}");
        }
    }

    #[test]
    fn single_fields_count_together_as_the_largest_of_them() {
        for (arguments, expected) in [
            (r#"{"id":"a","name":"b","path":"c"}"#, 1),
            (r#"{"id":"a","name":"x,y"}"#, 2),
            (r#"{"id":["a","b","c"],"path":["d","e"]}"#, 3),
            (r#"{"id":"a","ids":["b","c"]}"#, 3),
            (r#"{"resource_id":"temp_1","email_id":"b"}"#, 2),
            (r#"{"id":{"a":1,"b":2}}"#, 1),
        ] {
            assert_eq!(counted("{}", arguments).0, expected, "{arguments}");
        }
        assert_eq!(counted(r#"{"resource_field":"id"}"#, r#"{"id":["a","b"],"name":"c"}"#).0, 3);
        assert_eq!(counted(r#"{"resource_field":"ids"}"#, r#"{"ids":["a","b"]}"#).0, 2);
    }

    #[test]
    fn what_an_object_says_of_its_target_is_no_further_one() {
        let items = |item: &str| counted(r#"{"resource_field":"mail"}"#, &format!(r#"{{"items":[{item},{item}]}}"#)).0;
        assert_eq!(items(r#"{"id":"a","title":"Smith, Jane, and others"}"#), 2);
        for item in
            [r#"{"id":"a,b,c"}"#, r#"{"mail":"a,b,c"}"#, r#"{"mails":["a","b","c"]}"#, r#"{"x":{"ids":["a","b","c"]}}"#]
        {
            assert_eq!(items(item), 6, "{item}");
        }
    }

    #[test]
    fn a_deletion_without_a_target_counts_as_one() {
        for arguments in [
            "{}",
            r#"{"id":null}"#,
            r#"{"ids":[]}"#,
            r#"{"ids":[null,"  ",[]]}"#,
            r#"{"id":"\u200b"}"#,
            r#"{"id":","}"#,
            r#"{"ids":[{}]}"#,
            r#"{"message_id":"x","folder":"y","files":["z"],"opts":{"id":"x"}}"#,
        ] {
            assert_eq!(counted("{}", arguments), (1, false), "{arguments}");
        }
    }

    #[test]
    fn false_and_zero_are_targets() {
        for arguments in [r#"{"id":false}"#, r#"{"id":0}"#, r#"{"id":"0"}"#, r#"{"ids":[0]}"#] {
            assert_eq!(counted("{}", arguments), (1, true), "{arguments}");
        }
    }

    #[test]
    fn all_fields_are_known_in_every_form() {
        for key in [
            "resource_id",
            "resource_ids",
            "ids",
            "items",
            "targets",
            "id",
            "name",
            "path",
            "file",
            "document_id",
            "email_id",
            "record_id",
            "file_id",
            "event_id",
            "user_id",
            "filename",
            "file_path",
            "url",
            "key",
            "table",
            "documentId",
            "FILE-PATH",
            "filePath",
            "fileName",
            " ID ",
            "ResourceID",
            "іd",
            "ｉｄ",
            "i\u{200b}d",
        ] {
            assert!(counted("{}", &format!(r#"{{"{key}":"x"}}"#)).1, "{key}");
        }
        assert!(counted(r#"{"resource_field":"bucket"}"#, r#"{"Bucket":"x"}"#).1);
        assert!(!counted(r#"{"resource_field":"bucket"}"#, r#"{"resource_id":"x"}"#).1);
    }
}
