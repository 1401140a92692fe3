//! What the fields of a purchase are known by: their names, in the folded form. It never looks at what
//! they hold.

use agenthalt_guard::{FoldedName, Place, quote};

use crate::Settings;

/// The most characters outside ASCII that are folded in the names of one call: each takes thousands of
/// instructions. A name that stands in every line item is folded once.
const MOST_FOLDED: usize = 1_000;

/// What a field means for the amount of a purchase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// An amount, times the quantity beside it: the named field, price, cost.
    Amount,
    /// The same, but a word that means many things: `value`.
    Value,
    /// An amount that no quantity multiplies.
    Total,
    Quantity,
    Currency,
    /// Nothing, but there may be such fields below it.
    None,
}

/// What the fields mean whose names are fixed.
const MEANINGS: [(&str, Meaning); 11] = [
    ("price", Meaning::Amount),
    ("cost", Meaning::Amount),
    ("value", Meaning::Value),
    ("total", Meaning::Total),
    ("quantity", Meaning::Quantity),
    ("qty", Meaning::Quantity),
    ("count", Meaning::Quantity),
    ("units", Meaning::Quantity),
    ("currency", Meaning::Currency),
    ("currency_code", Meaning::Currency),
    // A name in camel case has no `_` where it is known without its boundary.
    ("currencycode", Meaning::Currency),
];

/// The names of a call's fields. It remembers those that it folded.
pub(crate) struct Names<'a> {
    folded: Vec<(&'a str, FoldedName)>,
    /// How many characters outside ASCII these have.
    characters: usize,
    /// How long a name outside ASCII may be that could still mean something; none where the settings
    /// themselves name a field outside ASCII.
    longest: Option<usize>,
}

impl<'a> Names<'a> {
    pub(crate) fn new(settings: &Settings) -> Names<'a> {
        let named = [settings.amount_field.text(), settings.category_field.text()];
        let fixed = MEANINGS.iter().map(|(name, _)| name.len());
        let longest = named.iter().map(|name| name.len()).chain(fixed).max();
        let longest = longest.filter(|_| named.iter().all(|name| name.is_ascii()));
        Names { folded: Vec::new(), characters: 0, longest }
    }

    /// A name, to be compared with many; the error is the reason of a denial.
    pub(crate) fn key(&mut self, raw: &'a str) -> Result<Key<'_>, String> {
        if raw.is_ascii() {
            return Ok(Key { raw, form: Form::Ascii(raw.trim()) });
        }
        if !self.longest.is_none_or(|longest| may_fold_to_ascii(raw, longest)) {
            return Ok(Key { raw, form: Form::Strange });
        }
        let known = self.folded.iter().position(|(known, _)| *known == raw);
        let at = match known {
            Some(at) => at,
            None => {
                self.characters += raw.chars().filter(|c| !c.is_ascii()).count();
                if self.characters > MOST_FOLDED {
                    let most = MOST_FOLDED.to_string();
                    let names = "the names of the purchase's fields have more than ";
                    return Err([names, &most, " characters outside ASCII that could hide a name"].concat());
                }
                self.folded.push((raw, FoldedName::new(raw)));
                self.folded.len() - 1
            }
        };
        let form = self.folded.get(at).map_or(Form::Strange, |(_, folded)| Form::Folded(folded));
        Ok(Key { raw, form })
    }
}

/// The name of a field.
pub(crate) struct Key<'k> {
    raw: &'k str,
    form: Form<'k>,
}

enum Form<'k> {
    /// Without the blanks around it.
    Ascii(&'k str),
    Folded(&'k FoldedName),
    /// No name that is known.
    Strange,
}

impl Key<'_> {
    /// Whether it is a name of small ASCII letters and `_`.
    pub(crate) fn is(&self, name: &str) -> bool {
        match &self.form {
            Form::Ascii(trimmed) => {
                trimmed.len() == name.len()
                    && trimmed.bytes().zip(name.bytes()).all(|(b, n)| match n {
                        b'_' => matches!(b, b'_' | b'-') || char::from(b).is_whitespace(),
                        n => b.to_ascii_lowercase() == n,
                    })
            }
            Form::Folded(folded) => folded.meets(name),
            Form::Strange => false,
        }
    }

    /// Whether it is a name of the settings.
    pub(crate) fn meets(&self, name: &FoldedName) -> bool {
        let (text, length) = (name.text(), name.text().len());
        match &self.form {
            // Folding makes an ASCII name at most twice as long, and never shorter.
            Form::Ascii(trimmed) => trimmed.len() <= length && length <= trimmed.len() * 2 && name.meets(self.raw),
            // Such a name has one form only.
            Form::Folded(folded) if text.is_ascii() && !text.contains('_') => folded.meets(text),
            Form::Folded(_) => name.meets(self.raw),
            Form::Strange => false,
        }
    }

    /// What the field means for the amount; the settings' own name comes first.
    pub(crate) fn meaning(&self, settings: &Settings) -> Meaning {
        if matches!(self.form, Form::Strange) {
            return Meaning::None;
        }
        if self.meets(&settings.amount_field) {
            return Meaning::Amount;
        }
        MEANINGS.iter().find(|(name, _)| self.is(name)).map_or(Meaning::None, |(_, meaning)| *meaning)
    }
}

/// Whether folding could make an ASCII text of at most so many characters of a name. It says no only
/// where that is certain, and spares the call the folding.
fn may_fold_to_ascii(raw: &str, longest: usize) -> bool {
    let mut visible = 0;
    for c in raw.chars() {
        visible += usize::from(c.is_ascii_graphic() || stays_visible(c));
        if stays_outside_ascii(c) || visible > longest {
            return false;
        }
    }
    true
}

/// Letters that folding turns into no ASCII letter: kana, ideographs but two, Hangul.
fn stays_outside_ascii(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{4e04}' | '\u{4e06}'..='\u{4e2a}' | '\u{4e2c}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// Characters that folding neither drops nor trims: most letters that there are.
fn stays_visible(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{2ff}' | '\u{370}'..='\u{5ff}' | '\u{620}'..='\u{6d5}' | '\u{900}'..='\u{10ff}'
        | '\u{1e00}'..='\u{1fff}' | '\u{ff01}'..='\u{ff9f}' | '\u{1d400}'..='\u{1d7ff}')
}

/// A field as a reason names it: by its place or, where that is too long to show, by its name.
pub(crate) fn shown(key: &str, at: &Place<'_>) -> String {
    let pointer = at.pointer();
    if pointer.len() <= 120 { quote(&pointer) } else { ["the field ", &quote(key), " deep inside"].concat() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn meaning(amount_field: &str, key: &str) -> Meaning {
        let settings = Settings { amount_field: FoldedName::new(amount_field), ..Settings::default() };
        Names::new(&settings).key(key).unwrap().meaning(&settings)
    }

    #[test]
    fn a_field_is_known_in_every_spelling() {
        for key in ["amount", "AMOUNT", "Amount", " amount ", "аmount", "ａｍｏｕｎｔ", "am\u{200b}ount"] {
            assert_eq!(meaning("amount", key), Meaning::Amount, "{key}");
        }
        for key in ["PRICE", "pRiCe", "рrice", "Cost", "сost"] {
            assert_eq!(meaning("amount", key), Meaning::Amount, "{key}");
        }
        for key in ["total_usd", "totalUsd", "Total-USD", "total usd", "TOTAL_USD", "totаl_usd"] {
            assert_eq!(meaning("total_usd", key), Meaning::Amount, "{key}");
        }
        for (key, expected) in [
            ("Value", Meaning::Value),
            ("ToTaL", Meaning::Total),
            ("QTY", Meaning::Quantity),
            ("Units", Meaning::Quantity),
            ("соunt", Meaning::Quantity),
            ("currencyCode", Meaning::Currency),
            ("Currency-Code", Meaning::Currency),
            ("currency code", Meaning::Currency),
            ("ＣＵＲＲＥＮＣＹ", Meaning::Currency),
        ] {
            assert_eq!(meaning("amount", key), expected, "{key}");
        }
    }

    #[test]
    fn other_fields_mean_nothing() {
        for key in ["amount_usd", "prices", "subtotal", "discount", "counter", "am0unt", "total_usd", "", " ", "値段"]
        {
            assert_eq!(meaning("usd", key), Meaning::None, "{key}");
        }
        assert_eq!(meaning("usd", "amount"), Meaning::None);
    }

    #[test]
    fn the_settings_name_comes_first() {
        assert_eq!(meaning("units", "units"), Meaning::Amount);
        assert_eq!(meaning("value", "Value"), Meaning::Amount);
        for key in ["金額", " 金額", "金\u{200b}額"] {
            assert_eq!(meaning("金額", key), Meaning::Amount, "{key}");
        }
        assert_eq!(meaning("金額", "値段"), Meaning::None);
    }

    #[test]
    fn what_is_said_of_characters_is_so() {
        for c in ('\u{80}'..=char::MAX).filter(|c| stays_outside_ascii(*c) || stays_visible(*c)) {
            let folded = FoldedName::new(&format!("x{c}y"));
            assert!(!folded.text().is_ascii() || folded.text().len() > 2, "U+{:04X}", u32::from(c));
            let alone = FoldedName::new(&c.to_string());
            assert!(!alone.text().is_empty(), "U+{:04X}", u32::from(c));
            assert!(!(stays_outside_ascii(c) && alone.text().is_ascii()), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn a_name_is_folded_once_and_only_where_it_may_mean_something() {
        let settings = Settings::default();
        let mut names = Names::new(&settings);
        for key in ["値段", "цена", "цена", "количествоединиц", "price", "prénom", "prénom"]
        {
            assert_eq!(
                names.key(key).unwrap().meaning(&settings),
                if key == "price" { Meaning::Amount } else { Meaning::None }
            );
        }
        assert_eq!((names.folded.len(), names.characters), (2, 5));
        let padded = format!("pri{}ce", "\u{200b}".repeat(900));
        assert_eq!(names.key(&padded).unwrap().meaning(&settings), Meaning::Amount);
        let other = format!("{padded}\u{200b}");
        assert!(names.key(&other).is_err());
    }
}
