//! The settings of scope. They never hold a pattern that is no good: reading them reports it.

use std::ops::Deref;

use agenthalt_guard::{FoldedName, List, Loosen, LoosenFolded, Map, Tighten};
use serde::{Deserialize, Deserializer};

/// The names that only read, unless the policy says otherwise.
static READ_ONLY_PATTERNS: [LoosenFolded; 10] = [
    LoosenFolded::brought("get_*"),
    LoosenFolded::brought("read_*"),
    LoosenFolded::brought("list_*"),
    LoosenFolded::brought("fetch_*"),
    LoosenFolded::brought("search_*"),
    LoosenFolded::brought("query_*"),
    LoosenFolded::brought("find_*"),
    LoosenFolded::brought("lookup_*"),
    LoosenFolded::brought("describe_*"),
    LoosenFolded::brought("show_*"),
];

/// Which functions an agent may call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// If set, a function must meet one of these patterns, as it is written and with its namespace.
    pub allow_functions: List<Loosen>,
    /// Functions that meet one of these patterns are denied.
    pub deny_functions: List<Tighten>,
    /// A human must approve calls of functions that meet one of these patterns.
    pub require_approval_functions: List<Tighten>,
    /// By agent: the patterns of which a function must meet one; an empty list denies the agent everything.
    pub allow_by_agent: Map<FoldedName, List<Loosen>>,
    /// By agent: functions that meet one of these patterns are denied.
    pub deny_by_agent: Map<FoldedName, List<Tighten>>,
    /// Denies every function but those that only read.
    pub read_only_mode: bool,
    /// What only reads, in read-only mode: functions that meet one of these patterns and in whose name no verb changes anything.
    #[cfg_attr(test, schemars(with = "List<LoosenFolded>"))]
    pub read_only_patterns: ReadOnlyPatterns,
}

/// The patterns of names that only read: the usual ones, unless others are given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOnlyPatterns(Option<List<LoosenFolded>>);

impl Deref for ReadOnlyPatterns {
    type Target = [LoosenFolded];

    fn deref(&self) -> &[LoosenFolded] {
        match &self.0 {
            Some(given) => given,
            None => &READ_ONLY_PATTERNS,
        }
    }
}

impl<'de> Deserialize<'de> for ReadOnlyPatterns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        List::deserialize(deserializer).map(|given| ReadOnlyPatterns(Some(given)))
    }
}

#[cfg(test)]
impl serde::Serialize for ReadOnlyPatterns {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::{Json, LoosenFolded, read_settings, schema_text};

    #[test]
    fn brought_patterns_are_good_and_folded() {
        for pattern in &READ_ONLY_PATTERNS {
            assert_eq!(&LoosenFolded::new(pattern.text()).unwrap(), pattern);
        }
    }

    #[test]
    fn null_lists_are_empty_and_absent_ones_the_default() {
        let settings: Settings = read_settings(r#"{"deny_functions":null,"read_only_patterns":null}"#).unwrap();
        assert!(settings.deny_functions.is_empty() && settings.read_only_patterns.is_empty());
        assert_eq!(read_settings::<Settings>("{}").unwrap().read_only_patterns.len(), 10);
    }

    #[test]
    fn bad_patterns_are_reported_together() {
        let text = r#"{"allow_by_agent":{"a":["[b-a]"]},"deny_functions":["ok","a[","x["]}"#;
        let problems = read_settings::<Settings>(text).unwrap_err();
        let pointers: Vec<&str> = problems.as_slice().iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/allow_by_agent/a/0", "/deny_functions/1", "/deny_functions/2"]);
    }

    #[test]
    fn the_schema_is_the_one_of_the_settings() {
        let committed = Json::parse(include_str!("../schema.json")).unwrap();
        assert!(
            committed == Json::parse(&schema_text::<Settings>()).unwrap(),
            "schema.json differs: run `cargo test -p agenthalt-guard-scope -- --ignored write_the_schema`"
        );
    }

    #[test]
    #[ignore = "rewrites a file"]
    fn write_the_schema() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), schema_text::<Settings>()).unwrap();
    }
}
