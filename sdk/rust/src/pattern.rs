//! Patterns by what they do. One type a way to compare, so that no rule compares in the wrong one: what
//! tightens can never meet less by a change of case, and what loosens can never meet more.

use std::borrow::Cow;

use agenthalt_names::{as_written, fold, fold_plain, fold_unbroken};

use crate::glob::{self, Compare};
use crate::name::{Name, has_capital};

/// A pattern that is no pattern; shown, it says why.
pub type BadPattern = String;

/// A pattern of a rule that tightens (denies, asks, protects): it meets the folded form of a name, and
/// the folded form of the name's last part.
///
/// ```
/// use agenthalt_guard::{Name, Tighten};
/// let pattern = Tighten::new("drop_*")?;
/// assert!(pattern.meets(&Name::new("mcp__db__dropTable")));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tighten {
    folded: String,
    /// Only where it differs from `folded`.
    unbroken: Option<String>,
}

impl Tighten {
    /// The pattern in the form that is compared.
    pub fn text(&self) -> &str {
        &self.folded
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// Says why it is none: a `[` that is never closed, a range that holds nothing.
    pub fn new(pattern: &str) -> Result<Tighten, BadPattern> {
        glob::check(pattern)?;
        let folded = glob::fold_plain_characters(pattern, fold);
        let unbroken = has_capital(pattern)
            .then(|| glob::fold_plain_characters(pattern, fold_unbroken))
            .filter(|unbroken| *unbroken != folded);
        Ok(Tighten { folded, unbroken })
    }

    /// Whether the pattern meets the name or its last part.
    pub fn meets(&self, name: &Name<'_>) -> bool {
        let compare = Compare::Folded(fold);
        name.parts().iter().any(|part| glob::matches(&self.folded, part, compare))
            || ((self.unbroken.is_some() || name.has_unbroken())
                && name.unbroken().iter().any(|part| glob::matches(self.unbroken(), part, compare)))
    }

    /// Whether the pattern meets a text that is folded already, the whole of it and never a part of it.
    ///
    /// For texts that are no names, as paths are: whoever asks takes them apart.
    pub fn meets_folded(&self, folded: &str) -> bool {
        let compare = Compare::Folded(fold);
        glob::matches(&self.folded, folded, compare)
            || self.unbroken.as_deref().is_some_and(|form| glob::matches(form, folded, compare))
    }

    /// Whether some text meets both the pattern and another one, whose plain characters are folded. A
    /// set counts as any character.
    pub fn overlaps(&self, folded: &str) -> bool {
        self.forms().any(|form| glob::overlap(folded, form))
    }

    /// The pattern in the forms that are compared: folded, and where that differs, folded without a
    /// boundary between a lower and an upper letter.
    pub fn forms(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.folded.as_str()).chain(self.unbroken.as_deref())
    }

    /// The pattern with its text changed, in every form that is compared.
    ///
    /// # Errors
    /// As [`Tighten::new`], where the changed text is no pattern.
    pub fn changed(&self, change: &dyn Fn(&str) -> String) -> Result<Tighten, BadPattern> {
        let folded = checked(change(&self.folded))?;
        let unbroken = self.unbroken.as_deref().map(|form| checked(change(form))).transpose()?;
        Ok(Tighten { folded, unbroken })
    }

    /// Whether the pattern is no more than this very name.
    pub fn is_exactly(&self, name: &Name<'_>) -> bool {
        !self.folded.contains(['*', '?', '['])
            && (self.folded == name.folded() || self.unbroken() == name.unbroken().whole)
    }

    fn unbroken(&self) -> &str {
        self.unbroken.as_deref().unwrap_or(&self.folded)
    }
}

/// A pattern of a rule that loosens (allows, exempts): it meets a name as it is written, the whole of it.
///
/// ```
/// use agenthalt_guard::{Loosen, Name};
/// let pattern = Loosen::new("get_*")?;
/// assert!(pattern.meets(&Name::new("get_user")));
/// assert!(!pattern.meets(&Name::new("GET_user")) && !pattern.meets(&Name::new("files.get_user")));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loosen(String);

impl Loosen {
    /// The pattern in the form that is compared.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// As [`Tighten::new`].
    pub fn new(pattern: &str) -> Result<Loosen, BadPattern> {
        glob::check(pattern)?;
        Ok(Loosen(as_written(pattern).into_owned()))
    }

    /// Whether the pattern meets the name as it is written.
    pub fn meets(&self, name: &Name<'_>) -> bool {
        glob::matches(&self.0, &name.written(), Compare::Written)
    }

    /// Whether the pattern meets a text that is no name as it is written.
    pub fn meets_written(&self, text: &str) -> bool {
        let written = if text.is_ascii() { Cow::Borrowed(text) } else { as_written(text) };
        glob::matches(&self.0, &written, Compare::Written)
    }

    /// The pattern with its text changed.
    ///
    /// # Errors
    /// As [`Tighten::new`], where the changed text is no pattern.
    pub fn changed(&self, change: &dyn Fn(&str) -> String) -> Result<Loosen, BadPattern> {
        checked(change(&self.0)).map(Loosen)
    }
}

fn checked(pattern: String) -> Result<String, BadPattern> {
    glob::check(&pattern).map(|()| pattern)
}

/// A text that is no name in the forms that [`Tighten::meets_folded`] compares: folded, and where that
/// differs, folded without a boundary between a lower and an upper letter.
///
/// ```
/// assert_eq!(agenthalt_guard::fold_forms("inBox"), ("in_box".to_owned(), Some("inbox".to_owned())));
/// assert_eq!(agenthalt_guard::fold_forms("INBOX "), ("inbox".to_owned(), None));
/// ```
pub fn fold_forms(text: &str) -> (String, Option<String>) {
    let folded = fold(text);
    let unbroken = has_capital(text).then(|| fold_unbroken(text)).filter(|unbroken| *unbroken != folded);
    (folded, unbroken)
}

/// A pattern of a rule that loosens, for names in the folded form without look-alikes, the whole of
/// them: another case is met, another script is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoosenFolded(Cow<'static, str>);

impl LoosenFolded {
    /// The pattern in the form that is compared.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// As [`Tighten::new`].
    pub fn new(pattern: &str) -> Result<LoosenFolded, BadPattern> {
        glob::check(pattern)?;
        Ok(LoosenFolded(Cow::Owned(glob::fold_plain_characters(pattern, fold_plain))))
    }

    /// A pattern that the guard brings: a good one, and in its folded form already.
    pub const fn brought(pattern: &'static str) -> LoosenFolded {
        LoosenFolded(Cow::Borrowed(pattern))
    }

    /// Whether the pattern meets the folded name.
    pub fn meets(&self, name: &Name<'_>) -> bool {
        glob::matches(&self.0, &name.plain(), Compare::Folded(fold_plain))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn tightens(pattern: &str, name: &str) -> bool {
        Tighten::new(pattern).unwrap().meets(&Name::new(name))
    }

    #[test]
    fn tightening_meets_every_disguise() {
        for name in ["drop_table", "DROP_TABLE", "dropTable", "drop-table", "drор_table", "db.drop_table", "a__drop_x"]
        {
            assert!(tightens("drop_*", name), "{name}");
        }
        assert!(!tightens("drop_*", "dropdown") && !tightens("drop_*", "db.dropdown") && !tightens("drop", "xdrop"));
    }

    #[test]
    fn tightening_meets_the_last_part_before_and_after_folding() {
        for name in
            ["mcp--db--drop_table", "db -dropTable", "mcp- db- drop_x", "db.drop--table", "db.drop-\u{200b}-table"]
        {
            assert!(tightens("drop_*", name), "{name}");
        }
        for name in ["drop--table", "db.drop-\u{200b}-table", "db.drop--TABLE"] {
            assert!(tightens("table", name), "{name}");
        }
        assert!(!Loosen::new("drop_*").unwrap().meets(&Name::new("mcp--db--drop_table")));
    }

    #[test]
    fn another_case_alone_escapes_nothing() {
        for pattern in ["droptable", "dropTable", "DROPTABLE"] {
            for name in ["droptable", "dropTable", "DropTable", "dROPtABLE", "db.dRopTable"] {
                assert!(tightens(pattern, name), "{pattern} {name}");
            }
        }
    }

    #[test]
    fn empty_pattern_tightens_only_the_empty_name() {
        assert!(tightens("", "") && !tightens("", "x") && !tightens("", "x."));
    }

    #[test]
    fn loosening_meets_only_what_is_written() {
        let pattern = Loosen::new("get_*").unwrap();
        assert!(pattern.meets(&Name::new("get_user")));
        for name in ["GET_user", "gеt_user", "files.get_user", "getUser"] {
            assert!(!pattern.meets(&Name::new(name)), "{name}");
        }
        assert!(Loosen::new("caf\u{e9}*").unwrap().meets(&Name::new("cafe\u{301}s")));
    }

    #[test]
    fn folded_loosening_meets_case_and_no_look_alike() {
        let pattern = LoosenFolded::new("get_*").unwrap();
        assert!(pattern.meets(&Name::new("GET_user")) && pattern.meets(&Name::new("getUser")));
        assert!(!pattern.meets(&Name::new("gеt_user")) && !pattern.meets(&Name::new("files.get_user")));
    }

    #[test]
    fn folded_texts_are_met_whole() {
        let pattern = Tighten::new("InBox").unwrap();
        assert!(pattern.meets_folded("in_box") && pattern.meets_folded("inbox"));
        assert!(!pattern.meets_folded("mail.inbox"));
        let inside = pattern.changed(&|form| ["*/", form, "/*"].concat()).unwrap();
        assert!(inside.meets_folded("mail/inbox/1") && inside.meets_folded("mail/in_box/1"));
        assert!(pattern.changed(&|form| [form, "["].concat()).is_err());
        assert!(pattern.overlaps("inb*") && pattern.overlaps("in_*") && !pattern.overlaps("temp_*"));
    }

    #[test]
    fn written_texts_are_met_as_they_are() {
        let pattern = Loosen::new("C:\\tmp\\*").unwrap();
        assert!(pattern.meets_written("C:\\tmp\\A") && !pattern.meets_written("c:\\tmp\\A"));
        assert!(pattern.changed(&|text| text.replace('\\', "/")).unwrap().meets_written("C:/tmp/A"));
    }

    #[test]
    fn exact_names_are_told_from_patterns() {
        let name = Name::new("GPT4_call");
        assert!(Tighten::new("gpt4_call").unwrap().is_exactly(&name));
        assert!(!Tighten::new("gpt*").unwrap().is_exactly(&name));
    }
}
