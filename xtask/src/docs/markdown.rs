//! Pieces of Markdown as they stand in tables. It never lays out a page.

use crate::docs::json::{is_unseen, quoted};

/// Code in a cell. A text with characters that nobody sees is put between quotation marks, with those
/// characters escaped.
pub(super) fn code(text: &str) -> String {
    let shown = if text.is_empty() || text.trim() != text || text.chars().any(is_unseen) {
        quoted(text)
    } else {
        text.to_owned()
    };
    // Inside a table a bar ends the cell, in code too.
    let shown = shown.replace('|', "\\|");
    if shown.contains('`') { format!("`` {shown} ``") } else { format!("`{shown}`") }
}

/// Prose in a cell, on one line: outside of code nothing of it is markup.
pub(super) fn escape(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    let pieces = line.split('`').enumerate().map(|(index, piece)| {
        let piece = piece.replace('|', "\\|");
        if index % 2 == 1 { piece } else { piece.replace('*', "\\*").replace('<', "\\<") }
    });
    pieces.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_inside_their_cell() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(escape("a|b"), "a\\|b");
    }

    #[test]
    fn code_shows_what_cannot_be_seen() {
        assert_eq!(code("drop_table"), "`drop_table`");
        assert_eq!(code("drop\nb"), "`\"drop\\nb\"`");
        assert_eq!([code(""), code("x "), code("a`b")], ["`\"\"`", "`\"x \"`", "`` a`b ``"].map(str::to_owned));
    }

    #[test]
    fn prose_is_no_markup_outside_of_code() {
        assert_eq!(escape("a *b* `get_*`\n <c>"), "a \\*b\\* `get_*` \\<c>");
    }
}
