//! The settings of deletion. They never hold a pattern, a word or a number that is no good: reading them
//! reports it.

use agenthalt_guard::{Amount, DELETION_WORDS, FoldedName, FunctionWords, List, Loosen, Tighten};
use serde::Deserialize;

/// What an agent may delete.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// If set, every target must meet one of these patterns, as it is written.
    pub allow_patterns: List<Loosen>,
    /// A target that meets one of these patterns is denied.
    pub deny_patterns: List<Tighten>,
    /// These, what lies below them, and wildcards that reach them are denied.
    pub protected_resources: List<Tighten>,
    /// A human must approve every deletion.
    pub require_approval_always: bool,
    /// Denies a deletion with which its session would have deleted more targets.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "session_deletions", "unit": "targets" })))]
    pub max_deletions_per_session: Option<u64>,
    /// Denies a deletion with which the calendar day would have seen more targets deleted.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "daily_deletions", "unit": "targets" })))]
    pub max_deletions_per_day: Option<u64>,
    /// Denies a call that names more targets.
    pub max_bulk_delete: Option<u64>,
    /// The field of the arguments that names what is deleted, beside the usual ones.
    pub resource_field: FoldedName,
    /// Denies deletions that cannot be undone: by a word of the name, or by a flag of the arguments.
    pub soft_delete_only: bool,
    /// The least time between two deletions, in seconds.
    pub cooldown_seconds: Option<Amount>,
    /// The words by which a function's name is known to delete; given ones replace the usual ones.
    pub deletion_functions: FunctionWords,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            allow_patterns: List::default(),
            deny_patterns: List::default(),
            protected_resources: List::default(),
            require_approval_always: false,
            max_deletions_per_session: None,
            max_deletions_per_day: None,
            max_bulk_delete: Some(10),
            resource_field: FoldedName::new("resource_id"),
            soft_delete_only: false,
            cooldown_seconds: Some(Amount::ZERO),
            deletion_functions: FunctionWords::of(DELETION_WORDS),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::{Json, read_settings, schema_text};

    fn problems(text: &str) -> Vec<String> {
        let problems = read_settings::<Settings>(text).unwrap_err();
        problems.as_slice().iter().map(|problem| problem.pointer.clone()).collect()
    }

    #[test]
    fn null_switches_limits_off_and_empties_lists() {
        let text = r#"{"allow_patterns":null,"deny_patterns":null,"protected_resources":null,"max_bulk_delete":null,
            "max_deletions_per_day":null,"max_deletions_per_session":null,"cooldown_seconds":null,
            "deletion_functions":null}"#;
        let settings: Settings = read_settings(text).unwrap();
        assert!(settings.allow_patterns.is_empty() && settings.max_bulk_delete.is_none());
        assert!(settings.cooldown_seconds.is_none() && settings.deletion_functions.iter().next().is_none());
        let absent: Settings = read_settings("{}").unwrap();
        assert_eq!((absent.max_bulk_delete, absent.cooldown_seconds), (Some(10), Some(Amount::ZERO)));
        assert!(absent.deletion_functions.iter().eq(DELETION_WORDS.iter().copied()));
    }

    #[test]
    fn numbers_are_what_they_should_be_or_refused() {
        let settings: Settings = read_settings(r#"{"max_bulk_delete":30.0,"cooldown_seconds":0.5}"#).unwrap();
        assert_eq!((settings.max_bulk_delete, settings.cooldown_seconds), (Some(30), Some(Amount::hundredths(50))));
        for (setting, value) in [
            ("max_bulk_delete", "30.5"),
            ("max_bulk_delete", "-1"),
            ("max_bulk_delete", "true"),
            ("max_deletions_per_day", "\"10\""),
            ("max_deletions_per_session", "-2"),
            ("cooldown_seconds", "-1"),
            ("cooldown_seconds", "\"5\""),
            ("cooldown_seconds", "true"),
            ("cooldown_seconds", "1e999"),
            ("require_approval_always", "null"),
            ("soft_delete_only", "1"),
            ("resource_field", "null"),
            ("resource_field", "\" \""),
        ] {
            let text = format!(r#"{{"{setting}":{value}}}"#);
            assert_eq!(problems(&text), [format!("/{setting}")], "{text}");
        }
    }

    #[test]
    fn bad_patterns_and_words_are_reported_together() {
        let text = r#"{"allow_patterns":["ok","a["],"cooldown_seconds":-1,"deletion_functions":["nuke",""],
            "deny_patterns":["[z-a]"],"protected_resources":["x["],"resource_field":""}"#;
        let expected = [
            "/allow_patterns/1",
            "/cooldown_seconds",
            "/deletion_functions/1",
            "/deny_patterns/0",
            "/protected_resources/0",
            "/resource_field",
        ];
        assert_eq!(problems(text), expected);
        assert_eq!(problems(r#"{"max_bulk_deletes":10}"#), ["/max_bulk_deletes"]);
        assert_eq!(problems(r#"{"protected_resources":"inbox"}"#), ["/protected_resources"]);
    }

    #[test]
    fn the_schema_is_the_one_of_the_settings() {
        let committed = Json::parse(include_str!("../schema.json")).unwrap();
        assert!(
            committed == Json::parse(&schema_text::<Settings>()).unwrap(),
            "schema.json differs: run `cargo test -p agenthalt-guard-deletion -- --ignored write_the_schema`"
        );
    }

    #[test]
    #[ignore = "rewrites a file"]
    fn write_the_schema() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), schema_text::<Settings>()).unwrap();
    }
}
