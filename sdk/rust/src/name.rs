//! Names of functions, fields and agents, in the forms that rules compare. It never decides what a rule
//! does with a name that it meets.

use std::borrow::Cow;

use agenthalt_names::{as_written, fold, fold_plain, fold_unbroken, last_part};

/// A function's name in all the forms that patterns and words compare.
#[derive(Clone, Debug)]
pub struct Name<'a> {
    raw: &'a str,
    folded: Parts,
    /// Only where it differs from `folded`.
    unbroken: Option<Parts>,
}

/// A folded name and its last parts. A name has two where a separator only appears in folding: `-` and
/// blanks turn into `_`, a compatibility form opens, an invisible character goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) whole: String,
    /// Of the raw name, folded; only where it differs from `whole` and holds something.
    raw_last: Option<String>,
    /// Of the folded name; only where it differs from both others and holds something.
    folded_last: Option<String>,
}

impl Parts {
    fn new(raw: &str, fold: fn(&str) -> String) -> Parts {
        let whole = fold(raw);
        let last = last_part(raw);
        let is_new = |last: &str| !last.is_empty() && last != whole;
        let raw_last = (last.len() < raw.len()).then(|| fold(last)).filter(|last| is_new(last));
        let last = last_part(&whole);
        let folded_last = (is_new(last) && raw_last.as_deref() != Some(last)).then(|| last.to_owned());
        Parts { whole, raw_last, folded_last }
    }

    /// The last parts; the whole stands for the raw one where that is no other.
    pub(crate) fn lasts(&self) -> impl Iterator<Item = &str> {
        let raw_last = self.raw_last.as_deref().unwrap_or(&self.whole);
        std::iter::once(raw_last).chain(self.folded_last.as_deref())
    }

    /// The whole, and the last parts where they are others.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.whole.as_str()).chain(self.raw_last.as_deref()).chain(self.folded_last.as_deref())
    }
}

impl<'a> Name<'a> {
    /// A name as the agent gave it.
    pub fn new(raw: &'a str) -> Name<'a> {
        let folded = Parts::new(raw, fold);
        let unbroken = has_capital(raw).then(|| Parts::new(raw, fold_unbroken)).filter(|parts| *parts != folded);
        Name { raw, folded, unbroken }
    }

    /// The name as the agent gave it.
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// The folded form of the whole name.
    pub fn folded(&self) -> &str {
        &self.folded.whole
    }

    /// The name's last part, behind all namespaces, in the folded form: split off before folding and,
    /// where that is another, after it, as in `db--drop_table`. What tightens compares both.
    pub fn folded_last_parts(&self) -> impl Iterator<Item = &str> {
        self.folded.lasts()
    }

    /// The name as written, in composed form.
    pub(crate) fn written(&self) -> Cow<'a, str> {
        as_written(self.raw)
    }

    /// The folded form without look-alikes.
    pub(crate) fn plain(&self) -> Cow<'_, str> {
        if self.raw.is_ascii() { Cow::Borrowed(self.folded()) } else { Cow::Owned(fold_plain(self.raw)) }
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.folded
    }

    /// The form that knows no boundary between a lower and an upper letter.
    pub(crate) fn unbroken(&self) -> &Parts {
        self.unbroken.as_ref().unwrap_or(&self.folded)
    }

    pub(crate) fn has_unbroken(&self) -> bool {
        self.unbroken.is_some()
    }
}

/// Whether a text may have a boundary between a lower and an upper letter.
pub(crate) fn has_capital(text: &str) -> bool {
    !text.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase())
}

/// A name in the settings that is compared in its folded form: a field, an agent.
///
/// ```
/// use agenthalt_guard::FoldedName;
/// let field = FoldedName::new("estimated_cost");
/// for key in ["estimated_cost", "Estimated-Cost", "estimatedCost", "ESTIMATED COST"] {
///     assert!(field.meets(key));
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedName {
    folded: String,
    unbroken: String,
}

impl FoldedName {
    /// A name as the settings give it.
    pub fn new(text: &str) -> FoldedName {
        FoldedName { folded: fold(text), unbroken: fold_unbroken(text) }
    }

    /// The name in its folded form.
    pub fn text(&self) -> &str {
        &self.folded
    }

    /// Whether a text is this name.
    pub fn meets(&self, text: &str) -> bool {
        if text.is_ascii() && is_unbroken_ascii(text.trim(), &self.unbroken) {
            return true;
        }
        if has_capital(text) {
            return self.may_meet(text)
                && (fold(text) == self.folded || (!text.is_ascii() && fold_unbroken(text) == self.unbroken));
        }
        // Without a capital both forms are one.
        self.folded != self.unbroken && is_unbroken_ascii(text.trim(), &self.folded)
    }

    /// Whether a text that is not ASCII may be this name, found out one character after another: nearly
    /// all keys in other scripts are none with their first letter, and folding them would cost far more.
    fn may_meet(&self, text: &str) -> bool {
        if text.is_ascii() || !self.unbroken.is_ascii() {
            return true;
        }
        // A boundary may stand anywhere; without them the order of the letters is left.
        let is_boundary = |c: &char| *c == '_' || *c == '-' || c.is_whitespace();
        let mut wanted = self.unbroken.chars().filter(|c| !is_boundary(c));
        let mut is_next = |c: char| is_boundary(&c) || wanted.next() == Some(c);
        text.chars().all(|c| match c.is_ascii() {
            true => is_next(c.to_ascii_lowercase()),
            false => fold_unbroken(c.encode_utf8(&mut [0; 4])).chars().all(&mut is_next),
        })
    }
}

/// Compares an ASCII text with a folded one and makes no copy.
fn is_unbroken_ascii(text: &str, folded: &str) -> bool {
    text.len() == folded.len()
        && text.bytes().zip(folded.bytes()).all(|(b, f)| match b {
            b'-' => f == b'_',
            _ if char::from(b).is_whitespace() => f == b'_',
            _ => b.to_ascii_lowercase() == f,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_know_their_last_part() {
        for name in ["drop_table", "mcp__db__drop_table", "db.dropTable", "db/drop-table", "db:drop_table."] {
            assert!(Name::new(name).folded_last_parts().eq(["drop_table"]), "{name}");
        }
        assert!(Name::new("...").folded_last_parts().eq(["..."]));
    }

    #[test]
    fn separators_that_only_folding_shows_end_a_namespace_too() {
        for name in [
            "mcp--db--drop_table",
            "db -drop_table",
            "mcp- db- DropTable",
            "db-\u{200b}-drop_table",
            "x.db．drop_table",
        ] {
            let name = Name::new(name);
            assert!(name.folded_last_parts().any(|part| part == "drop_table"), "{name:?}");
        }
        for name in ["db.drop--table", "db.drop-\u{200b}-table"] {
            let name = Name::new(name);
            assert!(name.folded_last_parts().eq(["drop__table", "table"]), "{name:?}");
        }
    }

    #[test]
    fn another_case_is_no_other_name() {
        let bad = FoldedName::new("bad");
        for agent in ["bad", "BAD", "bAd", " bad ", "bаd", "b\u{200b}ad"] {
            assert!(bad.meets(agent), "{agent}");
        }
        assert!(!bad.meets("bad_") && !bad.meets("") && !bad.meets("good"));
        assert!(FoldedName::new("apiKey").meets("api_key") && FoldedName::new("apiKey").meets("apikey"));
    }

    /// The short cut takes a text apart, so no letter and mark may make an ASCII text only together.
    #[test]
    fn no_letter_becomes_ascii_by_a_mark_that_alone_does_not() {
        for mark in '\u{300}'..='\u{36f}' {
            for letter in ('a'..='z').chain('\u{c0}'..='\u{24f}').chain('\u{370}'..='\u{52f}') {
                let whole = fold_unbroken(&format!("{letter}{mark}"));
                let parts = [letter, mark].map(|c| fold_unbroken(&c.to_string())).concat();
                assert!(!whole.is_ascii() || whole == parts, "{letter} U+{:04X}", u32::from(mark));
            }
        }
    }

    proptest! {
        #[test]
        fn the_short_cuts_change_nothing(
            name in "[aBkK_ \\-é]{0,5}",
            text in "[aAbBkK_ \\-éаАКкΚﬁＫ\u{212a}\u{200b}\u{301}\u{308}\u{a0}\u{2010}]{0,5}",
        ) {
            let met = fold(&name) == fold(&text) || fold_unbroken(&name) == fold_unbroken(&text);
            prop_assert_eq!(FoldedName::new(&name).meets(&text), met);
        }
    }
}
