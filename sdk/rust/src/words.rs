//! Texts of the settings that are no patterns: a [`Phrase`] meets whole words in a row of what a call
//! names, a [`WrittenName`] the whole of it. Nothing here meets a part of a word.

use std::fmt;

use agenthalt_names::{as_written, fold, fold_unbroken, words};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::name::has_capital;
use crate::settings::special;

/// Stands before, between and behind the words of a text.
const SEPARATOR: u8 = b'_';

/// The words of a text that a call gives, in the folded form, made once for many phrases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    folded: String,
    /// Without a boundary between a lower and an upper letter; only where that differs.
    unbroken: Option<String>,
}

impl Words {
    /// The words of a text.
    pub fn new(text: &str) -> Words {
        let folded = separated(&fold(text));
        let unbroken = has_capital(text).then(|| separated(&fold_unbroken(text))).filter(|text| *text != folded);
        Words { folded, unbroken }
    }

    fn unbroken(&self) -> &str {
        self.unbroken.as_deref().unwrap_or(&self.folded)
    }
}

/// The words with a separator around each.
fn separated(folded: &str) -> String {
    let mut text = String::with_capacity(folded.len() + 2);
    text.push(char::from(SEPARATOR));
    if folded.is_ascii() {
        for byte in folded.bytes() {
            if byte.is_ascii_alphanumeric() {
                text.push(char::from(byte));
            } else if text.as_bytes().last() != Some(&SEPARATOR) {
                text.push(char::from(SEPARATOR));
            }
        }
        if text.as_bytes().last() != Some(&SEPARATOR) {
            text.push(char::from(SEPARATOR));
        }
        return text;
    }
    for word in words(folded) {
        text.push_str(word);
        text.push(char::from(SEPARATOR));
    }
    text
}

/// Words of a rule that tightens: it meets a text that holds them whole and in a row, in the folded form.
///
/// ```
/// use agenthalt_guard::{Phrase, Words};
/// let phrase = Phrase::new("art");
/// assert!(phrase.meets(&Words::new("modern ART")));
/// assert!(!phrase.meets(&Words::new("smart-home")));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    text: String,
    words: Words,
}

impl Phrase {
    /// A phrase as the settings give it; one that holds no letter and no digit meets nothing.
    pub fn new(text: &str) -> Phrase {
        Phrase { text: text.to_owned(), words: Words::new(text) }
    }

    /// The phrase as the settings give it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a text holds the phrase.
    pub fn meets(&self, text: &Words) -> bool {
        holds(&text.folded, &self.words.folded)
            || ((text.unbroken.is_some() || self.words.unbroken.is_some())
                && holds(text.unbroken(), self.words.unbroken()))
    }
}

/// Whether separated words stand in a text of separated words. By bytes: a search for a text is a large
/// piece of code in a guard.
fn holds(text: &str, words: &str) -> bool {
    let (text, words) = (text.as_bytes(), words.as_bytes());
    words.len() > 1
        && text
            .iter()
            .enumerate()
            .any(|(at, byte)| *byte == SEPARATOR && text.get(at..).is_some_and(|rest| rest.starts_with(words)))
}

/// A name of a rule that loosens: it is met only as it is written, the whole of it.
///
/// ```
/// use agenthalt_guard::WrittenName;
/// let name = WrittenName::new("caf\u{e9}");
/// assert_eq!(WrittenName::new("cafe\u{301}"), name);
/// assert_ne!(WrittenName::new("Caf\u{e9}"), name);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenName(String);

impl WrittenName {
    /// A name as it is given.
    pub fn new(text: &str) -> WrittenName {
        WrittenName(as_written(text).into_owned())
    }

    /// The name in composed form.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Phrase {
    /// Reads a text that holds a letter or a digit.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(special::WORD, TextVisitor(Phrase::new))
    }
}

impl<'de> Deserialize<'de> for WrittenName {
    /// Reads a text that is not blank.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct(special::NAME, TextVisitor(WrittenName::new))
    }
}

/// Makes a value of a text that the deserializer has checked.
struct TextVisitor<T>(fn(&str) -> T);

impl<'de, T> Visitor<'de> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        Ok((self.0)(text))
    }

    /// Only another deserializer than the SDK's comes here.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

/// What the settings' schema needs.
#[cfg(feature = "schema")]
mod schema {
    use std::borrow::Cow;

    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde::{Serialize, Serializer};

    use super::{Phrase, WrittenName};

    macro_rules! is_a_text {
        ($($type:ident)*) => {$(
            impl JsonSchema for $type {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    Cow::Borrowed(stringify!($type))
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    json_schema!({ "type": "string", "minLength": 1 })
                }
            }

            impl Serialize for $type {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.text())
                }
            }
        )*};
    }

    is_a_text!(Phrase WrittenName);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::{List, read_settings};

    fn meets(phrase: &str, text: &str) -> bool {
        Phrase::new(phrase).meets(&Words::new(text))
    }

    #[test]
    fn a_phrase_meets_whole_words_in_a_row() {
        for text in ["gambling", "online gambling site", "GAMBLING", "on-line/gambling", "gambling.", "a,gambling"] {
            assert!(meets("gambling", text), "{text}");
        }
        for text in ["smart-home", "arts", "quart", "", "a r t", "depart"] {
            assert!(!meets("art", text), "{text}");
        }
        for text in ["adult goods", "the ADULT-goods", "adultGoods", "x adult  goods"] {
            assert!(meets("adult goods", text), "{text}");
        }
        for text in ["goods adult", "adult and goods", "adults goods", "adult good", "adult"] {
            assert!(!meets("adult goods", text), "{text}");
        }
    }

    #[test]
    fn no_disguise_hides_a_phrase() {
        for text in ["gAmBlInG", "g\u{200b}ambling", "ｇａｍｂｌｉｎｇ", "gаmbling", "onlineGambling", "Gamblinɡ"]
        {
            assert!(meets("gambling", text), "{text}");
        }
        assert!(meets("eSports", "esports") && meets("esports", "eSports") && meets("e-sports", "eSports"));
        assert!(meets("казино", "КАЗИНО online"));
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_separates_as_the_long_one(text in "[a-z0-9_ .-]{0,12}") {
            let long: String = words(&text).map(|word| format!("{word}_")).collect();
            proptest::prop_assert_eq!(separated(&text), format!("_{long}"));
        }
    }

    #[test]
    fn a_phrase_without_words_meets_nothing() {
        for text in ["", "-", "x", "_"] {
            assert!(!meets("--", text) && !meets("", text), "{text}");
        }
    }

    #[test]
    fn a_written_name_is_met_by_itself_alone() {
        let office = WrittenName::new("office");
        for text in ["Office", "office ", "offi\u{200b}ce", "оffice", "office supplies", ""] {
            assert_ne!(WrittenName::new(text), office, "{text}");
        }
    }

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Settings {
        phrases: List<Phrase>,
        names: List<WrittenName>,
    }

    #[test]
    fn blank_ones_are_reported_together() {
        let problems = read_settings::<Settings>(r#"{"names":["a"," "],"phrases":["","x","--"]}"#).unwrap_err();
        let pointers: Vec<&str> = problems.as_slice().iter().map(|problem| problem.pointer.as_str()).collect();
        assert_eq!(pointers, ["/names/1", "/phrases/0", "/phrases/2"]);
        let settings: Settings = read_settings(r#"{"names":["Cafe\u0301"],"phrases":["Fast-Food"]}"#).unwrap();
        assert_eq!(settings.names.first().unwrap().text(), "Caf\u{e9}");
        assert_eq!(settings.phrases.first().unwrap().text(), "Fast-Food");
    }
}
