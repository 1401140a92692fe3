//! The types that settings are made of, and how they are read. It never guesses: `true` is no number,
//! `"10"` is no number, `30.5` is no whole number, and an unknown setting is a problem.
//!
//! Null switches a limit off (`Option<Amount>`) and empties a list ([`List`], [`Map`]). Amounts,
//! fractions, patterns and words that are no good are collected and reported together; any other
//! mistake is reported alone, as the host has held the settings against the schema before.

mod deserializer;
mod fraction;
mod list;
mod text;

pub use deserializer::read_settings;
pub use fraction::Fraction;
pub use list::{List, Map};

/// The names by which types ask the deserializer for a value that it checks itself.
pub(crate) mod special {
    /// A number, by its text; an amount of at most six decimal places.
    pub(crate) const AMOUNT: &str = "$agenthalt::amount";
    /// A number from 0 to 1, by its text.
    pub(crate) const FRACTION: &str = "$agenthalt::fraction";
    /// A pattern.
    pub(crate) const GLOB: &str = "$agenthalt::glob";
    /// A text that is not blank once folded.
    pub(crate) const NAME: &str = "$agenthalt::name";
    /// A text that holds a letter or a digit.
    pub(crate) const WORD: &str = "$agenthalt::word";
}
