//! The house rules that a source file shows by itself: its first line, its length, nothing put off,
//! no test left out.

use super::tree::{Tree, line_of};
use crate::finding::Finding;

/// The most lines a source file may have.
const MOST_LINES: usize = 500;

/// Words that put work off. Written in parts, so that this file does not find itself.
const PUT_OFF: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("todo", "!")];

/// A test that is not run.
const IGNORED: &str = concat!("#[", "ignore");

/// What is no test, but rewrites a file that a test compares.
const REWRITER: &str = concat!("#[", "ignore = \"rewrites ");

/// Every source file that breaks a rule.
pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_extension("rs") {
        if !text.starts_with("//! ") {
            findings.push(Finding::new(path, 1, "the first line says what the file is for: `//! ...`"));
        }
        let is_left_out = |line: &str| line.contains(IGNORED) && !line.contains(REWRITER);
        if text.lines().any(is_left_out) {
            let line = line_of(text, is_left_out);
            findings.push(Finding::new(path, line, "a test that is ignored claims nothing"));
        }
    }
    for extension in ["rs", "wit", "toml"] {
        for (path, text) in tree.with_extension(extension) {
            findings.extend(put_off(path, text));
            let lines = text.lines().count();
            if lines > MOST_LINES && extension != "toml" {
                let message = format!("{lines} lines; above {MOST_LINES} a file wants to be two");
                findings.push(Finding::new(path, MOST_LINES.saturating_add(1), message));
            }
        }
    }
    findings
}

fn put_off(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for word in PUT_OFF.into_iter().filter(|word| has_word(line, word)) {
            findings.push(Finding::new(path, number, format!("`{word}`: do it, or open an issue")));
        }
    }
    findings
}

/// Whether a word stands in a line, not as a part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).unwrap_or_default();
        let after = line.get(start.saturating_add(word.len())..).unwrap_or_default();
        !before.ends_with(is_word) && !after.starts_with(is_word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check(&Tree::of(&[("host/core/src/lib.rs", text)])).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn tidy_file_has_no_finding() {
        assert!(found("//! What it is for.\n\nfn one() {}\n").is_empty());
    }

    #[test]
    fn file_without_a_first_line_is_found() {
        assert_eq!(found("use std::fs;\n").len(), 1);
    }

    #[test]
    fn long_file_is_found() {
        let text = format!("//! Long.\n{}", "\n".repeat(MOST_LINES));
        assert_eq!(found(&text), ["host/core/src/lib.rs:501: 501 lines; above 500 a file wants to be two"]);
    }

    #[test]
    fn work_put_off_is_found_with_its_line() {
        for word in PUT_OFF {
            let findings = found(&format!("//! Text.\n\nfn one() {{}} // {word} later\n"));
            assert_eq!(findings, [format!("host/core/src/lib.rs:3: `{word}`: do it, or open an issue")]);
        }
        assert!(found("//! Text.\nconst MASTODONS: u8 = 1;\n").is_empty());
    }

    #[test]
    fn ignored_test_is_found() {
        assert_eq!(
            found(&format!("//! Text.\n#[test]\n{}]\nfn one() {{}}\n", IGNORED)),
            ["host/core/src/lib.rs:3: a test that is ignored claims nothing"]
        );
    }
}
