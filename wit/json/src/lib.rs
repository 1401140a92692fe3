//! The JSON of the guard contract: strict, exact and canonical, on both sides of the border.
//!
//! It never passes a number through a float, never keeps the second of two equal keys, and never
//! reads deeper than it was told to.
//!
//! | module | what it holds |
//! |---|---|
//! | [`value`](Json) | the tree: [`Json`], [`Object`], and where in it a thing stands |
//! | [`number`](Number) | numbers by their exact decimal value |
//! | `parse` | text to tree, with [`Limits`] and an [`Error`] that names the place |
//! | `write` | tree to canonical text |
//! | `scan` | how far a text needs no escape |
//! | `sort` | values in the order of their keys |
//!
//! ```
//! use agenthalt_json::Json;
//! let call = Json::parse(r#"{ "b": 12345678901234567890, "a": 1.50e0 }"#)?;
//! assert_eq!(call.to_string(), r#"{"a":1.5,"b":12345678901234567890}"#);
//! # Ok::<(), agenthalt_json::Error>(())
//! ```

mod number;
mod parse;
mod scan;
mod sort;
mod value;
mod write;

pub use number::Number;
pub use parse::{Error, ErrorKind, Limits};
pub use value::{Json, Object, push_pointer};
pub use write::write_string;
