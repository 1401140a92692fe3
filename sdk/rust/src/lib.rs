//! Write AgentHalt guards in Rust: implement [`Guard`], export it with [`export!`], test it natively with
//! [`testing`].
//!
//! A guard imports nothing and keeps nothing: a call and readings go in, a decision comes out. Nothing
//! here reads a clock, a file or the environment.
//!
//! | module | what it holds |
//! |---|---|
//! | `guard` | [`Guard`], its [`Error`] and its [`Problems`] |
//! | `call` | the [`Call`] that is judged |
//! | `decision` | the [`Decision`] on it |
//! | `counter` | what the host remembers for a guard: [`Counter`], [`Readings`], [`Charge`] |
//! | `settings` | the types that settings are made of: [`List`], [`Map`], [`Fraction`] |
//! | `amount` | [`Amount`]: decimals, exact to a millionth |
//! | `pattern` | [`Tighten`], [`Loosen`] and [`LoosenFolded`], over one small matcher in `glob` |
//! | `name`, `function_words` | [`Name`], [`FoldedName`], [`FunctionWords`] |
//! | `words` | [`Phrase`], [`WrittenName`]: texts of the settings that are no patterns |
//! | `path` | [`normalised_path`]: a path without `//`, `.` and `..` |
//! | `field`, `place` | fields of a JSON tree by their folded name, and their places |
//! | `schema` | the JSON Schema of a settings type (feature `schema`) |
//! | `export` | [`export!`]; for wasm also `adapter`, `arena` and the generated `bindings` |
//! | [`testing`] | runs a guard natively, with counters that work |

mod amount;
mod call;
mod counter;
mod decision;
mod export;
mod field;
mod function_words;
mod glob;
mod guard;
mod name;
mod path;
mod pattern;
mod place;
#[cfg(feature = "schema")]
mod schema;
mod settings;
mod words;

#[cfg(target_arch = "wasm32")]
mod adapter;
#[cfg(target_arch = "wasm32")]
mod arena;
#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod bindings;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use agenthalt_json::{Error as JsonError, Json, Number, Object};
pub use amount::{Amount, Malformed};
pub use call::{Call, CivilTime, Document, Phase, Phases};
pub use counter::{Charge, Counter, Measure, Partition, Readings, Window};
pub use decision::{Decision, Verdict, Verdicts, quote};
pub use field::visit_fields;
pub use function_words::{DELETION_WORDS, FunctionWords, PURCHASE_WORDS};
pub use guard::{Error, Guard, Problem, Problems};
pub use name::{FoldedName, Name};
pub use path::normalised_path;
pub use pattern::{BadPattern, Loosen, LoosenFolded, Tighten, fold_forms};
pub use place::Place;
#[cfg(feature = "schema")]
pub use schema::schema_text;
pub use settings::{Fraction, List, Map, read_settings};
pub use words::{Phrase, Words, WrittenName};

/// What [`export!`] uses; nothing here is for other hands.
#[doc(hidden)]
pub mod private {
    #[cfg(target_arch = "wasm32")]
    pub use crate::adapter::{Adapter, Exported};
    #[cfg(target_arch = "wasm32")]
    pub use crate::arena::Arena;
    #[cfg(target_arch = "wasm32")]
    pub use crate::bindings;
}

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
