//! How the SDK's own types are read from settings: each asks the deserializer for a text that has been
//! checked, and never fails on one.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use super::{Fraction, List, special};
use crate::{Amount, FoldedName, FunctionWords, Loosen, LoosenFolded, Tighten};

/// A type that is made from a checked text.
trait FromText: Sized {
    /// What the deserializer checks.
    const SPECIAL: &'static str;
    /// What the schema says it is.
    const EXPECTED: &'static str;

    fn from_text(text: &str) -> Result<Self, String>;
}

/// One of the words of [`FunctionWords`].
struct Word(String);

impl<'de> Deserialize<'de> for FunctionWords {
    /// Reads a list of words; null is an empty one, which meets nothing.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = List::<Word>::deserialize(deserializer)?;
        Ok(FunctionWords::new(words.iter().map(|word| word.0.as_str())))
    }
}

struct TextVisitor<T>(PhantomData<T>);

impl<'de, T: FromText> Visitor<'de> for TextVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    /// Only another deserializer than the SDK's comes here.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_str(self)
    }
}

macro_rules! read_from_text {
    ($($type:ty: $special:expr, $expected:literal, $from:expr;)*) => {$(
        impl FromText for $type {
            const SPECIAL: &'static str = $special;
            const EXPECTED: &'static str = $expected;

            fn from_text(text: &str) -> Result<Self, String> {
                $from(text)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_newtype_struct(<$type as FromText>::SPECIAL, TextVisitor(PhantomData))
            }
        }
    )*};
}

read_from_text! {
    Amount: special::AMOUNT, "a number", |text| Amount::exact(text).map_err(str::to_owned);
    Fraction: special::FRACTION, "a number from 0 to 1", |text| Fraction::exact(text).map_err(str::to_owned);
    Tighten: special::GLOB, "a pattern", Tighten::new;
    Loosen: special::GLOB, "a pattern", Loosen::new;
    LoosenFolded: special::GLOB, "a pattern", LoosenFolded::new;
    Word: special::WORD, "a word", |text: &str| Ok(Word(text.to_owned()));
    FoldedName: special::NAME, "a name", |text| Ok(FoldedName::new(text));
}
