//! Doc comments of generated Rust: text that rustdoc shows as it was meant, in lines of a bounded
//! width. It never changes a word.

/// How wide a line of a comment is, its indent included.
const WIDTH: usize = 112;

/// A doc comment behind an indent, ending with a line's end. Markup is kept: see [`prose`].
pub(super) fn comment(indent: &str, text: &str) -> String {
    let start = format!("{indent}///");
    let (mut lines, mut line) = (String::new(), start.clone());
    for word in text.split_whitespace() {
        let width = [&line, word].iter().map(|part| part.chars().count()).sum::<usize>().saturating_add(1);
        if width > WIDTH && line != start && !is_markup_at_start(word) {
            lines.push_str(&line);
            lines.push('\n');
            line.clone_from(&start);
        }
        line.push(' ');
        line.push_str(word);
    }
    lines.push_str(&line);
    lines.push('\n');
    lines
}

/// Whether the word would begin a list, a heading, a quotation or the like at the start of a line, be it
/// in the middle of a sentence or of code.
fn is_markup_at_start(word: &str) -> bool {
    let after_digits = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_number = after_digits.len() < word.len() && after_digits.starts_with(['.', ')']);
    is_number || word.starts_with(['-', '+', '*', '#', '>', '=', '~', '|']) || word.starts_with("```")
}

/// Prose in which nothing outside of code is markup, and a word in square brackets no link.
pub(super) fn prose(text: &str) -> String {
    let pieces = text.split('`').enumerate().map(|(index, piece)| {
        if index % 2 == 1 {
            return piece.to_owned();
        }
        let is_markup = |c: char| matches!(c, '\\' | '[' | ']' | '*' | '<');
        piece.chars().flat_map(|c| is_markup(c).then_some('\\').into_iter().chain([c])).collect()
    });
    pieces.collect::<Vec<String>>().join("`")
}

/// Code in the middle of prose.
pub(super) fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_no_wider_than_they_may_be() {
        let text = comment("    ", &"word ".repeat(60));
        let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
        assert_eq!(widths, [112, 112, 97], "{text}");
        assert_eq!(comment("", "Short."), "/// Short.\n");
        assert_eq!(comment("", &"x".repeat(200)).lines().count(), 1);
    }

    #[test]
    fn no_line_begins_with_markup() {
        let text = format!("{} {}", "x".repeat(105), "- 7. # 1,000 ".repeat(9));
        for line in comment("", &text).lines().skip(1) {
            assert!(line.starts_with("/// 1,000"), "{line}");
        }
    }

    #[test]
    fn prose_holds_no_link_and_no_emphasis_outside_of_code() {
        assert_eq!(prose("a [b](c) *d* <e> `[...]` \\f"), "a \\[b\\](c) \\*d\\* \\<e> `[...]` \\\\f");
    }

    #[test]
    fn code_with_a_backtick_has_a_wider_fence() {
        assert_eq!([code("a"), code("a`b")], ["`a`", "`` a`b ``"].map(str::to_owned));
    }
}
