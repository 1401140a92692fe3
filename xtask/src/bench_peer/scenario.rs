//! What both sides judge: one text of each policy and the same lines of arguments, as files of one
//! folder. It holds no code of either side.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// How many calls of a size there are. They come in turn, so that none follows its like: both packages
/// hold repeated calls for a loop.
const CALLS: usize = 100;
/// Bytes of text in a large call.
const LARGE: usize = 10_000;
/// What large calls say, over and over: with digits and dashes as in letters, and nothing sensitive.
const PROSE: &str = "The figures of the quarter are in the folder that Dana shared on 2026-03-14 (see page 7, order 48213); \
                     please look through them and reply by 17:30. ";

/// A policy and a size of calls.
pub(super) struct Case {
    /// As children are told it: `GUARDS-SIZE`.
    pub(super) word: &'static str,
    /// As people are told it.
    pub(super) title: &'static str,
}

/// Every case, in the order of the report.
pub(super) const CASES: [Case; 4] = [
    Case { word: "six-small", title: "six guards, 70 bytes" },
    Case { word: "six-large", title: "six guards, 10 KB" },
    Case { word: "scope-small", title: "scope alone, 70 bytes" },
    Case { word: "scope-large", title: "scope alone, 10 KB" },
];

/// Writes the policies and the calls into a folder.
pub(super) fn write(folder: &Path) -> Result<()> {
    let write = |name: String, text: String| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))
    };
    for (name, guards) in policies() {
        // The Python package reads `guards` and leaves `state` alone.
        let state = json!({ "path": format!("{name}.db"), "durability": "process" });
        write(format!("{name}.json"), json!({ "state": state, "guards": guards }).to_string())?;
    }
    for (name, body) in bodies() {
        let lines: String = (0..CALLS).map(|number| format!("{}\n", arguments(number, &body))).collect();
        write(format!("{name}.jsonl"), lines)?;
    }
    Ok(())
}

/// The settings of the Python package's own README, but for the budget: it begins anew each day, and a
/// run must not end it.
fn policies() -> [(&'static str, Value); 2] {
    let scope = json!({ "deny_functions": ["drop_*"] });
    let six = json!({
        "budget": { "max_daily_spend": 1_000_000 },
        "deletion": { "allow_patterns": ["temp_*", "draft_*"], "protected_resources": ["inbox", "sent"] },
        "purchase": { "max_single_purchase": 100, "require_approval_above": 50 },
        "rate_limit": { "max_calls_per_minute": 30 },
        "scope": &scope,
        "sensitive_data": { "blocked_patterns": ["ssn", "credit_card", "api_key"] },
    });
    [("six", six), ("scope", json!({ "scope": scope }))]
}

fn bodies() -> [(&'static str, String); 2] {
    [("small", "All green.".to_owned()), ("large", PROSE.chars().cycle().take(LARGE).collect())]
}

fn arguments(number: usize, body: &str) -> Value {
    json!({ "to": "dev@example.org", "subject": format!("status {number:02}"), "body": body })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    #[test]
    fn every_case_finds_its_files() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for case in CASES {
            let (guards, size) = case.word.split_once('-').unwrap();
            assert!(folder.path().join(guards).with_extension("json").is_file(), "{}", case.word);
            assert!(folder.path().join(size).with_extension("jsonl").is_file(), "{}", case.word);
        }
    }

    #[test]
    fn calls_have_the_size_that_the_report_names() {
        let sizes = bodies().map(|(_, body)| arguments(42, &body).to_string().len());
        assert!(matches!(sizes, [66..=74, 10_000..=10_100]), "{sizes:?}");
    }

    #[test]
    fn no_call_follows_its_like() {
        let lines: std::collections::BTreeSet<_> = (0..CALLS).map(|number| arguments(number, "").to_string()).collect();
        assert_eq!(lines.len(), CALLS);
    }
}
