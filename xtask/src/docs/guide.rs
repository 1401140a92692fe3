//! A guide, and what is filled into it: the text at its marker, and worked cases where it names them.
//! All else of a guide comes out as it is written.
//!
//! A block that begins with three backticks and `case ID` becomes that case. Its lines say why a step
//! gets its verdict: `2: the total would be above the limit`.

use crate::docs::case::{Cases, Notes};
use crate::finding::Finding;

/// How a block of code begins and ends.
const FENCE: &str = "```";

/// How a block that names a case begins.
const CASE: &str = "```case ";

/// What comes into a guide beside its cases.
pub(super) struct Filling<'a> {
    /// The word of the comment that it replaces, as in `<!-- settings -->`.
    pub(super) marker: &'a str,
    pub(super) text: &'a str,
}

/// The guide with everything filled in, or all that is wrong with it.
pub(super) fn fill(path: &str, guide: &str, filling: &Filling<'_>, cases: &Cases) -> Result<String, Vec<Finding>> {
    let marker = format!("<!-- {} -->", filling.marker);
    let (mut text, mut findings, mut markers) = (String::new(), Vec::new(), 0_usize);
    let mut is_in_code = false;
    let mut lines = (1..).zip(guide.lines());
    while let Some((number, line)) = lines.next() {
        let filled = match line.strip_prefix(CASE) {
            Some(id) if !is_in_code => match block(id.trim(), &mut lines, cases) {
                Ok(shown) => shown,
                Err(message) => {
                    findings.push(Finding::new(path, number, message));
                    continue;
                }
            },
            Some(_) | None if line == marker && !is_in_code => {
                markers = markers.saturating_add(1);
                filling.text.to_owned()
            }
            Some(_) | None => {
                is_in_code ^= line.starts_with(FENCE);
                line.to_owned()
            }
        };
        text.push_str(&filled);
        text.push('\n');
    }
    if markers != 1 {
        findings.push(Finding::new(
            path,
            1,
            format!("`{marker}` stands on a line of its own, once; here {markers} times"),
        ));
    }
    if is_in_code {
        findings.push(Finding::new(path, 1, "a block of code does not end"));
    }
    if findings.is_empty() { Ok(text) } else { Err(findings) }
}

/// The case that a block names, once the block's lines are read.
fn block<'a>(id: &str, lines: &mut impl Iterator<Item = (usize, &'a str)>, cases: &Cases) -> Result<String, String> {
    let (mut notes, mut wrong) = (Notes::new(), None);
    loop {
        let (_, line) = lines.next().ok_or_else(|| format!("the block of the case `{id}` does not end"))?;
        if line == FENCE {
            break;
        }
        match note(line) {
            Some((step, why)) if !notes.contains_key(&step) => {
                notes.insert(step, why.to_owned());
            }
            Some((step, _)) => wrong = Some(format!("the case `{id}` says twice why of step {step}")),
            None => {
                wrong = Some(format!("a line of the case `{id}` is a step's number, a colon and why, not `{line}`"))
            }
        }
    }
    wrong.map_or_else(|| cases.show(id, &notes), Err)
}

fn note(line: &str) -> Option<(usize, &str)> {
    let (step, why) = line.split_once(": ")?;
    Some((step.parse().ok()?, why.trim())).filter(|(_, why)| !why.is_empty())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const CASE_A: &str = r#"{"id":"a","policy":{"guards":{}},"steps":[{"at":0,"call":{"function_name":"f","arguments":{}},"expect":"allow","level":"must"}]}"#;

    fn filled(guide: &str) -> Result<String, Vec<String>> {
        let mut cases = Cases::default();
        assert!(cases.add("c", CASE_A).is_empty());
        let filling = Filling { marker: "settings", text: "| a table |" };
        fill("g.md", guide, &filling, &cases).map_err(|found| found.iter().map(Finding::to_string).collect())
    }

    #[test]
    fn marker_and_cases_are_filled_in_and_all_else_stays() {
        let text =
            filled("# g\n\n<!-- settings -->\n\n```yaml\na: 1\n```\n\n```case a\n1: nothing judges it\n```\nEnd.\n");
        let text = text.unwrap();
        assert!(text.starts_with("# g\n\n| a table |\n\n```yaml\na: 1\n```\n\n```yaml\nguards: {}\n```\n"), "{text}");
        assert!(text.contains("| `f` | **allow** | nothing judges it |\n"), "{text}");
        assert!(text.ends_with("</sub>\nEnd.\n"), "{text}");
    }

    #[test]
    fn markers_inside_of_code_are_shown() {
        let text = filled("<!-- settings -->\n```text\n<!-- settings -->\n```\n").unwrap();
        assert_eq!(text, "| a table |\n```text\n<!-- settings -->\n```\n");
    }

    #[test]
    fn a_guide_has_its_marker_once() {
        let message = |count: usize| {
            vec![format!("g.md:1: `<!-- settings -->` stands on a line of its own, once; here {count} times")]
        };
        assert_eq!(filled("# g\n").unwrap_err(), message(0));
        assert_eq!(filled("<!-- settings -->\n<!-- settings -->\n").unwrap_err(), message(2));
    }

    #[test]
    fn everything_that_is_wrong_is_told_with_its_line() {
        let guide = "<!-- settings -->\n```case b\n```\n```case a\n2: x\n```\n```case a\nbecause\n```\n\
                     ```case a\n1: x\n1: y\n```\n```case a\n1: x\n";
        assert_eq!(
            filled(guide).unwrap_err(),
            [
                "g.md:2: there is no case `b`",
                "g.md:4: the case `a` has 1 steps, and this says why of step 2",
                "g.md:7: a line of the case `a` is a step's number, a colon and why, not `because`",
                "g.md:10: the case `a` says twice why of step 1",
                "g.md:14: the block of the case `a` does not end",
            ]
        );
    }
}
