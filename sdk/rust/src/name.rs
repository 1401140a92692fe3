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

/// A folded name and its last part, where that is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) whole: String,
    last: Option<String>,
}

impl Parts {
    fn new(raw: &str, fold: fn(&str) -> String) -> Parts {
        let whole = fold(raw);
        let raw_last = last_part(raw);
        let mut last = if raw_last.len() < raw.len() { fold(raw_last) } else { String::new() };
        if !raw.is_ascii() {
            // A separator may be hidden in a compatibility form, which folding has opened.
            let inner = last_part(if last.is_empty() { &whole } else { &last });
            if inner.len() < whole.len() {
                last = inner.to_owned();
            }
        }
        let last = (!last.is_empty() && last != whole).then_some(last);
        Parts { whole, last }
    }

    /// The last part; the whole where there is no other.
    pub(crate) fn last(&self) -> &str {
        self.last.as_deref().unwrap_or(&self.whole)
    }

    /// The whole, and the last part where it is another.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.whole.as_str()).chain(self.last.as_deref())
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

    /// The folded form of the name's last part, behind all namespaces.
    pub fn folded_last_part(&self) -> &str {
        self.folded.last()
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
            return fold(text) == self.folded || (!text.is_ascii() && fold_unbroken(text) == self.unbroken);
        }
        // Without a capital both forms are one.
        self.folded != self.unbroken && is_unbroken_ascii(text.trim(), &self.folded)
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
        for name in ["mcp__db__drop_table", "db.dropTable", "db/drop-table", "db．drop_table", "db:drop_table."] {
            assert_eq!(Name::new(name).folded_last_part(), "drop_table", "{name}");
        }
        assert_eq!(Name::new("drop_table").folded_last_part(), "drop_table");
        assert_eq!(Name::new("...").folded_last_part(), "...");
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

    proptest! {
        #[test]
        fn the_short_cuts_change_nothing(name in "[aB_ \\-é]{0,5}", text in "[aAbB_ \\-é]{0,5}") {
            let met = fold(&name) == fold(&text) || fold_unbroken(&name) == fold_unbroken(&text);
            prop_assert_eq!(FoldedName::new(&name).meets(&text), met);
        }
    }
}
