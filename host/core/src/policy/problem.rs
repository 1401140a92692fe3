//! What is wrong with a policy's text, and where; shown with the line itself. It never stops at the
//! first problem.

use std::fmt;

/// A place in a text, both counted from 1; columns count characters.
///
/// ```
/// # use agenthalt_core::policy::Position;
/// let (first, second) = (Position { line: 1, column: 9 }, Position { line: 2, column: 1 });
/// assert!(first < second);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// One thing that is wrong.
///
/// ```
/// # use agenthalt_core::policy::{Position, Problem};
/// let in_text = Problem::new(Position { line: 2, column: 1 }, "unknown key `colour`");
/// assert_eq!(in_text.at.map(|at| at.line), Some(2));
/// assert_eq!(Problem::new(None, "there are two guards `budget`").at, None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where in the text; none where it is not about a text, but about a guard that was set up in code.
    pub at: Option<Position>,
    /// What, and what to do about it.
    pub message: String,
}

impl Problem {
    /// A problem at a place, or at none.
    pub fn new(at: impl Into<Option<Position>>, message: impl Into<String>) -> Self {
        Problem { at: at.into(), message: message.into() }
    }
}

/// Everything that is wrong with one text, in the order of the text.
///
/// ```
/// # use agenthalt_core::policy::PolicyDraft;
/// let policy = "guards: {}\ncolour: blue\n";
/// # let problems = PolicyDraft::read(policy).finish().unwrap_err();
/// assert_eq!(problems.list().len(), 1);
/// assert!(problems.render("policy.yaml").starts_with("policy.yaml:2:1: unknown key `colour`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    list: Vec<Problem>,
    text: String,
}

impl Problems {
    pub(super) fn new(mut list: Vec<Problem>, text: &str) -> Self {
        list.sort_by_key(|problem| problem.at);
        list.dedup();
        Problems { list, text: text.to_owned() }
    }

    /// The problems.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }

    /// The problems for people: each with the file's name, its place, the line and a mark below it.
    pub fn render(&self, file: &str) -> String {
        let lines: Vec<&str> = self.text.lines().collect();
        let mut out = String::new();
        for Problem { at, message } in &self.list {
            let Some(at) = at else {
                out.push_str(&format!("{file}: {message}\n"));
                continue;
            };
            out.push_str(&format!("{file}:{}:{}: {message}\n", at.line, at.column));
            if let Some(line) = lines.get(at.line.saturating_sub(1)) {
                let shown: String = line.chars().take(160).map(|c| if c.is_control() { ' ' } else { c }).collect();
                let mark = " ".repeat(at.column.saturating_sub(1).min(160));
                out.push_str(&format!("  | {shown}\n  | {mark}^\n"));
            }
        }
        out
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render("policy").trim_end())
    }
}

impl std::error::Error for Problems {}
