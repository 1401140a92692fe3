//! The parts of a name: its last one, behind all namespaces, and its words. It never changes a letter.

use crate::normal::is_mark;

/// The last part of a name: what follows the last `.`, `/`, `:` or `__`. Separators and blanks that end
/// the name are passed over; a name of nothing else has the empty last part.
///
/// Split a name before it is folded: folding turns `-` into `_`.
///
/// ```
/// use agenthalt_names::last_part;
/// assert_eq!(last_part("db.drop_table"), "drop_table");
/// assert_eq!(last_part("mcp__db__drop_table"), "drop_table");
/// assert_eq!(last_part("tools/db:drop_table/"), "drop_table");
/// assert_eq!(last_part("drop_table"), "drop_table");
/// ```
pub fn last_part(name: &str) -> &str {
    let mut name = name.trim();
    loop {
        let shorter = name.trim_end_matches(['.', '/', ':']);
        let shorter = if shorter.ends_with("__") { shorter.trim_end_matches('_') } else { shorter }.trim_end();
        if shorter.len() == name.len() {
            break;
        }
        name = shorter;
    }
    // By bytes: the separators are ASCII, and a search for a text is a large piece of code in a guard.
    let bytes = name.as_bytes();
    let after = |at: usize| match bytes.get(at)? {
        b'.' | b'/' | b':' => Some(at + 1),
        b'_' => (bytes.get(at + 1) == Some(&b'_')).then_some(at + 2),
        _ => None,
    };
    (0..bytes.len()).rev().find_map(after).and_then(|start| name.get(start..)).unwrap_or(name)
}

/// The words of a folded name: its runs of letters and digits.
///
/// ```
/// use agenthalt_names::{fold, words};
/// assert!(words(&fold("getOrCreate-x2")).eq(["get", "or", "create", "x2"]));
/// ```
pub fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .split(|c: char| !(c.is_ascii_alphanumeric() || (!c.is_ascii() && is_inside_word(c))))
        .filter(|w| !w.is_empty())
}

/// Combining marks are no letters, but part of one.
fn is_inside_word(c: char) -> bool {
    c.is_alphanumeric() || is_mark(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn namespaces_end_at_the_last_separator() {
        for (name, last) in [
            ("a.b/c:d", "d"),
            ("a__b_c", "b_c"),
            ("a___b", "b"),
            ("a___b_", "b_"),
            ("a._b", "_b"),
            ("a__.b", "b"),
            ("a.__b", "b"),
            ("é__ü.ö", "ö"),
            ("__init", "init"),
            ("drop_table__", "drop_table"),
            ("db.drop_table. ", "drop_table"),
            ("drop_", "drop_"),
            ("x._", "_"),
            ("a.b__", "b"),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(last_part(name), last, "{name}");
        }
    }

    proptest! {
        #[test]
        fn the_last_separator_is_found_as_by_splitting(name in "([a_é]|__|[./:]){0,12}x") {
            let split = name.rsplit(['.', '/', ':']).next().and_then(|name| name.rsplit("__").next());
            prop_assert_eq!(Some(last_part(&name)), split);
        }
    }

    #[test]
    fn words_are_whole() {
        assert!(words("drop_a\nb.c").eq(["drop", "a", "b", "c"]));
        assert!(words("__").next().is_none());
        assert!(words("e\u{301}te_x").eq(["e\u{301}te", "x"]));
    }
}
