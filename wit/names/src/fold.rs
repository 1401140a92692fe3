//! The folded forms of a name. It never looks into namespaces: split a name first, then fold the part.

use std::borrow::Cow;

use crate::ignorable::is_ignorable;
use crate::look_alike::look_alike;
use crate::normal::{is_settled, nfc, nfkc};

/// How often a text is folded again until nothing changes. The longest chain in Unicode is three.
const MOST_ROUNDS: usize = 8;

/// The folded form, which all that tightens compares.
///
/// Compatibility forms (NFKC) and case are folded, blanks around the text are trimmed, characters that
/// nobody sees are dropped, `-`, blanks and a boundary from a lower to an upper letter become `_`, and a
/// letter outside ASCII that looks like an ASCII letter becomes that letter.
///
/// ```
/// use agenthalt_names::fold;
/// for form in ["drop_table", "Drop-Table", " dropTable ", "ｄｒｏｐ table", "dr\u{200b}op_table", "drор_table"] {
///     assert_eq!(fold(form), "drop_table");
/// }
/// assert_eq!(fold("drop_tab1e"), "drop_tab1e");
/// ```
pub fn fold(text: &str) -> String {
    fold_in(text, Form { breaks: true, look_alikes: true })
}

/// The folded form without look-alikes: a letter stays in its own script.
pub fn fold_plain(text: &str) -> String {
    fold_in(text, Form { breaks: true, look_alikes: false })
}

/// The folded form without a `_` between a lower and an upper letter: `dropTable` is `droptable`.
///
/// What tightens compares this form too, so that another case alone never escapes a rule.
pub fn fold_unbroken(text: &str) -> String {
    fold_in(text, Form { breaks: false, look_alikes: true })
}

/// The name as it is written, in composed form (NFC): what loosens compares this.
pub fn as_written(text: &str) -> Cow<'_, str> {
    // Nothing below the first mark is composed with anything.
    if text.chars().all(|c| c < '\u{300}') { Cow::Borrowed(text) } else { Cow::Owned(nfc(text)) }
}

#[derive(Clone, Copy)]
struct Form {
    breaks: bool,
    look_alikes: bool,
}

fn fold_in(text: &str, form: Form) -> String {
    if is_folded_ascii(text) {
        return text.to_owned();
    }
    if text.is_ascii() {
        return fold_ascii(text, form.breaks);
    }
    let mut folded = fold_once(text, form);
    if text.chars().all(is_settled) {
        // Each was folded alone, and once is enough for each of them.
        return folded;
    }
    for _ in 0..MOST_ROUNDS {
        if folded.is_ascii() {
            break;
        }
        let again = fold_once(&folded, form);
        if again == folded {
            break;
        }
        folded = again;
    }
    folded
}

/// Whether folding would change nothing, as for nearly every name.
fn is_folded_ascii(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'!'..=b',' | b'.'..=b'@' | b'['..=b'~'))
}

/// No table is looked at.
fn fold_ascii(text: &str, breaks: bool) -> String {
    let text = text.trim();
    let mut folded = String::with_capacity(text.len() + 8);
    let mut after_lower = false;
    for byte in text.bytes() {
        let c = char::from(byte);
        match byte {
            b'A'..=b'Z' => {
                if breaks && after_lower {
                    folded.push('_');
                }
                folded.push(c.to_ascii_lowercase());
            }
            b'-' => folded.push('_'),
            _ if c.is_whitespace() => folded.push('_'),
            _ => folded.push(c),
        }
        after_lower = byte.is_ascii_lowercase();
    }
    folded
}

fn fold_once(text: &str, form: Form) -> String {
    let mut normal = Cow::Borrowed(text);
    if !text.chars().all(is_settled) {
        let mut opened = nfkc(text.chars().filter(|c| !is_ignorable(*c)));
        opened.retain(|c| !is_ignorable(c));
        normal = Cow::Owned(opened);
    }
    let mut folded = String::with_capacity(normal.len() + 8);
    let mut after_lower = false;
    for c in normal.trim().chars() {
        if form.breaks && after_lower && c.is_uppercase() {
            folded.push('_');
        }
        after_lower = c.is_lowercase();
        if c.is_whitespace() || c == '-' || (form.look_alikes && is_dash(c)) {
            folded.push('_');
        } else {
            push_folded(&mut folded, c, form.look_alikes);
        }
    }
    folded
}

/// Upper and then lower case is the full case folding without a table of its own: `ß` becomes `ss`,
/// every sigma one.
fn push_folded(folded: &mut String, c: char, look_alikes: bool) {
    let lower = c.to_uppercase().flat_map(char::to_lowercase);
    folded.extend(lower.map(|lower| look_alikes.then(|| look_alike_in_any_case(lower)).flatten().unwrap_or(lower)));
}

/// A capital may look like an ASCII letter where its small form looks like none: `Н`. The small form is
/// that letter then too, so that another case is no other name.
fn look_alike_in_any_case(lower: char) -> Option<char> {
    if lower.is_ascii() {
        return None;
    }
    look_alike(lower).or_else(|| {
        let mut upper = lower.to_uppercase();
        let first = upper.next()?;
        if upper.next().is_none() { look_alike(first) } else { None }
    })
}

fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{58a}' | '\u{2e3a}' | '\u{2e3b}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_forms_of_a_name_fold_to_it() {
        for form in ["bulk_delete", "bulkDelete", "Bulk-Delete", "BULK DELETE", "\tbulk\u{a0}delete\n", "BULK_delete"] {
            assert_eq!(fold(form), "bulk_delete", "{form}");
        }
        assert_eq!(fold("GET_x"), "get_x");
        assert_eq!(fold("HTTPGet"), "httpget");
    }

    #[test]
    fn runs_of_underscores_stay() {
        assert_eq!(fold("a__b"), "a__b");
        assert_eq!(fold("mcp__db__dropTable"), "mcp__db__drop_table");
        assert_eq!(fold("a - b"), "a___b");
    }

    #[test]
    fn letters_that_look_alike_are_one() {
        for form in ["dеlete", "ԁelete", "DЕLETE", "delеte", "ｄｅｌｅｔｅ", "𝐝elete"] {
            assert_eq!(fold(form), "delete", "{form}");
        }
        assert_eq!(fold("ΚΑΡ"), "kap");
        assert_eq!(fold("drop‐table"), "drop_table");
    }

    #[test]
    fn plain_folding_keeps_letters_in_their_script() {
        assert_eq!(fold_plain("gеt_x"), "gеt_x");
        assert_eq!(fold_plain("ＧＥＴ-x"), "get_x");
    }

    #[test]
    fn ascii_look_alikes_stay_apart() {
        for (a, b) in [("1", "l"), ("0", "O"), ("rn", "m"), ("I", "l"), ("vv", "w")] {
            assert_ne!(fold(a), fold(b));
        }
    }

    #[test]
    fn case_is_folded_in_full() {
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("STRASSE"), fold("STRAẞE"));
        assert_eq!(fold_plain("ΟΔΟΣ"), fold_plain("οδος"));
        assert_eq!(fold_unbroken("dropTABLE"), "droptable");
    }

    #[test]
    fn another_case_is_no_other_name_in_any_script() {
        assert_eq!(fold("КАЗИНО"), fold("казино"));
        assert_eq!(fold("ПАРОЛЬ"), fold("пароль"));
        for c in ('\0'..=char::MAX).filter(|c| !is_plain_script(*c)) {
            let (upper, lower): (String, String) = (c.to_uppercase().collect(), c.to_lowercase().collect());
            for form in [fold_plain, fold_unbroken] {
                assert_eq!(form(&upper), form(&c.to_string()), "U+{:04X}", u32::from(c));
                assert_eq!(form(&lower), form(&c.to_string()), "U+{:04X}", u32::from(c));
            }
        }
    }

    #[test]
    fn what_nobody_sees_is_dropped() {
        for c in ["\u{200b}", "\u{ad}", "\u{2066}", "\u{feff}", "\u{fe0f}", "\u{e0041}", "\u{34f}"] {
            assert_eq!(fold(&format!("{c}del{c}ete{c}")), "delete", "{}", c.escape_unicode());
        }
        assert_eq!(fold("e\u{200b}\u{301}"), fold("é"));
    }

    #[test]
    fn written_names_differ_in_case_and_script_but_not_in_composition() {
        assert_eq!(as_written("Cafe\u{301}"), "Café");
        assert_ne!(as_written("GET_x"), as_written("get_x"));
        assert_ne!(as_written("gеt_x"), as_written("get_x"));
    }

    #[test]
    fn settled_characters_are_seen_and_folded_once_for_all() {
        for c in ('\0'..=char::MAX).filter(|c| is_settled(*c)) {
            assert!(!is_ignorable(c), "U+{:04X}", u32::from(c));
            for form in [fold, fold_plain, fold_unbroken] {
                let once = form(&c.to_string());
                assert_eq!(form(&once), once, "U+{:04X}", u32::from(c));
            }
        }
    }

    /// Ideographs, Hangul and private use have no case and no look-alike; without them the test is short.
    fn is_plain_script(c: char) -> bool {
        matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{e000}'..='\u{f8ff}'
            | '\u{17000}'..='\u{18cff}' | '\u{20000}'..='\u{2f7ff}' | '\u{2fa20}'..='\u{dffff}' | '\u{e1000}'..)
    }

    #[test]
    fn every_character_folds_to_a_form_that_stays() {
        for c in ('\0'..=char::MAX).filter(|c| !is_plain_script(*c)) {
            for form in [fold, fold_plain, fold_unbroken] {
                let once = form(&format!("x{c}Y"));
                assert_eq!(form(&once), once, "U+{:04X}", u32::from(c));
            }
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            for form in [fold, fold_plain, fold_unbroken] {
                let once = form(&text);
                prop_assert_eq!(form(&once), once);
            }
        }

        #[test]
        fn ascii_folds_to_ascii_and_loses_no_letter(text in "[ -~\\t\\n]{0,24}") {
            let folded = fold(&text);
            prop_assert!(folded.is_ascii());
            let letters = |s: &str| s.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
            prop_assert_eq!(letters(&folded), letters(&text));
        }

        #[test]
        fn the_ascii_path_agrees_with_the_long_one(text in "[ -~\\t\\n]{0,24}") {
            for breaks in [true, false] {
                let form = Form { breaks, look_alikes: true };
                prop_assert_eq!(fold_ascii(&text, breaks), fold_once(&text, form));
                prop_assert_eq!(fold_in(&text, form), fold_once(&text, form));
            }
        }
    }
}
