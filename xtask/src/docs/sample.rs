//! The policies that a guide shows in its own blocks of YAML: every setting in them must exist. It
//! reads lines and indents, no YAML, and never looks at values.

use crate::finding::Finding;

/// What may stand among the settings of any guard.
const SHARED: [&str; 3] = ["enabled", "mode", "limits"];

/// The settings of the guard that the guide's samples name and that it does not have.
pub(super) fn check(path: &str, guide: &str, guard: &str, settings: &[&str]) -> Vec<Finding> {
    let head = format!("  {guard}:");
    let (mut findings, mut is_in_yaml, mut is_in_guard) = (Vec::new(), false, false);
    for (number, line) in (1..).zip(guide.lines()) {
        if line.starts_with("```") {
            is_in_yaml = line == "```yaml";
            is_in_guard = false;
            continue;
        }
        // The guard's settings stand below it, until something stands less deep.
        let depth = line.len().saturating_sub(line.trim_start().len());
        is_in_guard = is_in_yaml && (line == head || (is_in_guard && depth > 2));
        let setting = line.trim_start().split(':').next().unwrap_or_default().trim_matches('"');
        if is_in_guard && depth == 4 && !settings.contains(&setting) && !SHARED.contains(&setting) {
            findings.push(Finding::new(path, number, format!("`{guard}` has no setting `{setting}`")));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = "```yaml\nguards:\n  scope:\n    allow: [\"x\"]\n    by_agent:\n      bot: [\"y\"]\n    mode: shadow\n  \
                         other:\n    z: 1\n```\n    w: prose\n";

    #[test]
    fn settings_that_exist_are_enough() {
        assert!(check("g.md", GUIDE, "scope", &["allow", "by_agent"]).is_empty());
    }

    #[test]
    fn a_setting_that_does_not_exist_is_found_with_its_line() {
        let findings = check("g.md", GUIDE, "scope", &["allow"]);
        assert_eq!(findings, [Finding::new("g.md", 5, "`scope` has no setting `by_agent`")]);
    }
}
