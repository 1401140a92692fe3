//! The settings of sensitive_data. What they hold of names and expressions is checked when the guard is
//! configured, all of it at once.

use agenthalt_guard::{FoldedName, List, Loosen, Map};
use serde::Deserialize;

use crate::pattern::DEFAULT;

/// The field names that are sensitive unless the policy says otherwise.
const SENSITIVE_FIELDS: [&str; 8] =
    ["password", "secret", "token", "api_key", "private_key", "ssn", "credit_card", "social_security"];

/// Which data a call may carry.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Judges what calls carry; false switches the guard off for the call itself.
    pub scan_arguments: bool,
    /// Judges what comes back, too: it is redacted with redact_on_modify, else withheld.
    pub scan_output: bool,
    /// How many levels deep values may lie, counted from 1 for the arguments themselves; what lies deeper is denied, as it is not scanned.
    pub scan_depth: Option<u32>,
    /// The built-in patterns that are looked for: ssn, credit_card, api_key, aws_key, jwt, private_key, email, phone_us, ip_address, password_field, github_token, slack_token, google_api_key. Custom patterns are always looked for and may be named here.
    pub blocked_patterns: List<String>,
    /// By name: regular expressions that are looked for, without look-around and back-references. `\d`, `\w`, `\s` and `\b` know ASCII only, but a text with other digits, dashes or blanks is also looked at with plain ones in their place; `(?i)`, `.` and `[...]` know all of Unicode. One that bears the name of a built-in pattern takes its place.
    pub custom_patterns: Map<String, String>,
    /// Fields whose value is sensitive whatever it is, at any depth. A name is met where it stands as whole words in the field's folded name: `api_key` in `apiKey`, `X-API-Key` and `apikey`, digits behind it and a plural `s` aside. `password` is also met as passwd, pwd, passcode and passphrase. The single word `token` is not met where the word before it says that it marks a place or gives a signal (page, next, sync, continuation, cancellation and the like) or that it is counted (max, per), nor where the word behind it is a measure or a kind (count, limit, usage, type and the like); tokens, in the plural, are counted and never met.
    pub sensitive_fields: List<FoldedName>,
    /// Takes what was found out of the arguments instead of denying the call.
    pub redact_on_modify: bool,
    /// Functions that meet one of these patterns, as they are written and with their namespace, are exempt.
    pub allow_functions: List<Loosen>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            scan_arguments: true,
            scan_output: false,
            scan_depth: None,
            blocked_patterns: DEFAULT.iter().map(|pattern| pattern.name().to_owned()).collect::<Vec<_>>().into(),
            custom_patterns: Map::default(),
            sensitive_fields: SENSITIVE_FIELDS.iter().map(|name| FoldedName::new(name)).collect::<Vec<_>>().into(),
            redact_on_modify: false,
            allow_functions: List::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::SensitiveData;
    use agenthalt_guard::testing::TestGuard;
    use agenthalt_guard::{Json, Problem, read_settings, schema_text};

    fn problems(text: &str) -> Vec<Problem> {
        TestGuard::<SensitiveData>::new(text).err().map(Vec::from).unwrap_or_default()
    }

    fn pointers(text: &str) -> Vec<String> {
        problems(text).into_iter().map(|problem| problem.pointer).collect()
    }

    #[test]
    fn null_is_no_limit_and_an_empty_list() {
        let text = r#"{"scan_depth":null,"blocked_patterns":null,"custom_patterns":null,"sensitive_fields":null}"#;
        let settings: Settings = read_settings(text).unwrap();
        assert!(settings.scan_depth.is_none() && settings.blocked_patterns.is_empty());
        assert!(settings.custom_patterns.is_empty() && settings.sensitive_fields.is_empty());
        let settings: Settings = read_settings("{}").unwrap();
        assert_eq!((settings.blocked_patterns.len(), settings.sensitive_fields.len()), (6, 8));
    }

    #[test]
    fn names_and_expressions_that_are_no_good_are_reported_together() {
        let text = r#"{"blocked_patterns":["ssn","emial","mine"],"custom_patterns":{"mine":"x","a":"(","b/c":"[z-a]","d":""},
            "sensitive_fields":["ok","--"]}"#;
        let expected = [
            "/custom_patterns/a",
            "/custom_patterns/b~1c",
            "/custom_patterns/d",
            "/blocked_patterns/1",
            "/sensitive_fields/1",
        ];
        assert_eq!(pointers(text), expected);
        let problems = problems(text);
        assert!(problems.iter().any(|problem| problem.message.contains("`email`")), "{problems:?}");
    }

    #[test]
    fn wrong_types_and_unknown_settings_are_refused() {
        for (text, pointer) in [
            (r#"{"scan_depth":-1}"#, "/scan_depth"),
            (r#"{"scan_depth":1.5}"#, "/scan_depth"),
            (r#"{"scan_depth":"5"}"#, "/scan_depth"),
            (r#"{"scan_arguments":1}"#, "/scan_arguments"),
            (r#"{"blocked_patterns":"ssn"}"#, "/blocked_patterns"),
            (r#"{"blocked_patterns":[1]}"#, "/blocked_patterns/0"),
            (r#"{"custom_patterns":{"x":1}}"#, "/custom_patterns/x"),
            (r#"{"sensitive_fields":[" "]}"#, "/sensitive_fields/0"),
            (r#"{"allow_functions":["a["]}"#, "/allow_functions/0"),
            (r#"{"redact":true}"#, "/redact"),
        ] {
            assert_eq!(pointers(text), [pointer], "{text}");
        }
        assert_eq!(pointers(r#"{"scan_depth":5.0}"#), [""; 0]);
    }

    #[test]
    fn the_schema_is_the_one_of_the_settings() {
        let committed = Json::parse(include_str!("../schema.json")).unwrap();
        assert!(
            committed == Json::parse(&schema_text::<Settings>()).unwrap(),
            "schema.json differs: run `cargo test -p agenthalt-guard-sensitive-data -- --ignored write_the_schema`"
        );
    }

    #[test]
    #[ignore = "rewrites a file"]
    fn write_the_schema() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), schema_text::<Settings>()).unwrap();
    }
}
