//! What makes a deletion a hard one: a word of the function's name, or a flag of the arguments, at any
//! depth. It never asks whether the function would obey the flag.

use agenthalt_guard::{FoldedName, Json, Name, Place, fold_forms};

/// The flags that make a deletion one for good; each begins with a letter of its own.
const FLAGS: [&str; 4] = ["permanent", "hard_delete", "force", "skip_trash"];

/// What a flag says that is not set.
const FALSE_TEXTS: [&str; 4] = ["false", "no", "off", "0"];

/// The word of the name that says so, wherever it stands in it.
pub(crate) fn word(name: &Name<'_>) -> Option<&'static str> {
    let (folded, unbroken) = fold_forms(name.raw());
    word_in(&folded).or_else(|| word_in(&unbroken?))
}

fn word_in(folded: &str) -> Option<&'static str> {
    // Any letter outside ASCII ends a word here, so that none of them hides one.
    folded.as_bytes().split(|b| !b.is_ascii_alphanumeric()).find_map(hard_word)
}

/// The words of a name that deletes for good.
fn hard_word(word: &[u8]) -> Option<&'static str> {
    Some(match word {
        b"hard" => "hard",
        b"permanent" => "permanent",
        b"permanently" => "permanently",
        b"purge" => "purge",
        b"wipe" => "wipe",
        b"destroy" => "destroy",
        b"erase" => "erase",
        b"truncate" => "truncate",
        b"drop" => "drop",
        b"shred" => "shred",
        _ => return None,
    })
}

/// Where the arguments hold a flag that is set.
pub(crate) fn flag(arguments: &Json) -> Option<String> {
    let flags = FLAGS.map(|flag| (flag, FoldedName::new(flag)));
    flag_from(arguments, &Place::ROOT, &flags)
}

/// The depth is bounded: the host refuses a call that nests deeper than 64.
fn flag_from(json: &Json, at: &Place<'_>, flags: &[(&str, FoldedName)]) -> Option<String> {
    match json {
        Json::Object(object) => object.iter().find_map(|(key, value)| {
            let here = at.key(key);
            if is_flag(key, flags) && is_set(value) {
                return Some(here.pointer());
            }
            flag_from(value, &here, flags)
        }),
        Json::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| flag_from(item, &at.index(index), flags))
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
    }
}

/// Compares an ASCII key only with the flag that begins alike: a call may hold very many keys.
fn is_flag(key: &str, flags: &[(&str, FoldedName)]) -> bool {
    let first = if key.is_ascii() { key.trim().bytes().next().map(|b| b.to_ascii_lowercase()) } else { None };
    flags
        .iter()
        .filter(|(name, _)| first.is_none_or(|first| name.bytes().next() == Some(first)))
        .any(|(_, flag)| flag.meets(key))
}

/// Whether a flag is set; a list or an object is where something in it is.
fn is_set(value: &Json) -> bool {
    match value {
        Json::Null => false,
        Json::Bool(set) => *set,
        Json::Number(number) => !number.is_zero(),
        Json::String(text) => {
            let text = text.trim();
            !text.is_empty() && !FALSE_TEXTS.iter().any(|unset| text.eq_ignore_ascii_case(unset))
        }
        Json::Array(items) => items.iter().any(is_set),
        Json::Object(object) => object.iter().any(|(_, value)| is_set(value)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use crate::Deletion;
    use agenthalt_guard::Verdict::{self, Allow, Deny};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    const SOFT: &str = r#"{"soft_delete_only":true}"#;

    fn verdict(function: &str, arguments: &str) -> Verdict {
        let call = TestCall::new(function).arguments(arguments);
        TestGuard::<Deletion>::new(SOFT).unwrap().verdict(&call)
    }

    #[test]
    fn hard_words_deny_wherever_they_stand_in_the_name() {
        for function in [
            "hard_delete",
            "deleteHard",
            "remove_permanent",
            "delete_permanently",
            "purge",
            "wipe_disk",
            "destroy",
            "erase",
            "truncate",
            "drop_table",
            "shred",
            "hard.delete",
            "permanent/trash_mail",
            "pUrge",
            "DELETE_PERMANENTLY",
            "рurge",
            "get_permanent_and_delete",
            "mcp__db__drop",
            "delete\u{200b}-hard",
            "delete_hardé",
        ] {
            assert_eq!(verdict(function, r#"{"id":"x"}"#), Deny, "{function}");
        }
        for function in ["delete", "delete_hardware", "trash_dropdown", "remove_email", "unlink", "delete_purged"] {
            assert_eq!(verdict(function, r#"{"id":"x"}"#), Allow, "{function}");
        }
    }

    #[test]
    fn a_set_flag_denies_at_any_depth_and_in_any_form() {
        for flag in [
            r#""permanent":true"#,
            r#""hard_delete":1"#,
            r#""force":"yes""#,
            r#""skip_trash":"true""#,
            r#""Permanent":true"#,
            r#""hardDelete":true"#,
            r#""SKIP-TRASH":true"#,
            r#"" force ":true"#,
            r#""fоrce":true"#,
            r#""for\u200bce":true"#,
            r#""options":{"permanent":true}"#,
            r#""options":[{"a":[{"force":-0.1}]}]"#,
            r#""permanent":"1""#,
            r#""permanent":"0.0""#,
            r#""permanent":"null""#,
            r#""permanent":1e-9"#,
            r#""permanent":[true]"#,
            r#""permanent":{"value":"on"}"#,
        ] {
            assert_eq!(verdict("delete", &format!(r#"{{"id":"x",{flag}}}"#)), Deny, "{flag}");
        }
    }

    #[test]
    fn a_flag_that_is_not_set_passes() {
        for value in
            ["false", "0", "0.0", "null", "\"false\"", "\"No\"", "\"off\"", "\"0\"", "\" \"", "\"\"", "[]", "{\"x\":0}"]
        {
            assert_eq!(verdict("delete", &format!(r#"{{"id":"x","permanent":{value}}}"#)), Allow, "{value}");
        }
        assert_eq!(verdict("delete", r#"{"id":"x","enforce":true,"forced":1,"permanently":true}"#), Allow);
    }

    #[test]
    fn reasons_name_the_word_or_the_place_of_the_flag() {
        let reason = |function: &str, arguments: &str| {
            let call = TestCall::new(function).arguments(arguments);
            TestGuard::<Deletion>::new(SOFT).unwrap().judge(&call).unwrap().unwrap().reason().to_owned()
        };
        assert_eq!(
            reason("hard_delete", "{}"),
            "soft_delete_only is set, and `hard` in the function `hard_delete` deletes for good"
        );
        assert_eq!(
            reason("delete", r#"{"a":[{"force":1}]}"#),
            "soft_delete_only is set, and the flag `/a/0/force` asks to delete for good"
        );
    }
}
