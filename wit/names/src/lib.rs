//! The two ways to compare names, part of the contract: what tightens meets the folded form of a
//! name, what loosens meets the name as it is written.
//!
//! It never folds an ASCII letter or digit into another one: `1` and `l`, `0` and `O`, `rn` and `m`
//! stay apart.
//!
//! | module | what it holds |
//! |---|---|
//! | `fold` | [`fold`] and its two milder forms, and [`as_written`] |
//! | `part` | [`last_part`] of a name with namespaces, and the [`words`] of a folded one |
//! | `normal` | the composed forms of Unicode, NFC and NFKC |
//! | `ignorable` | which characters nobody sees |
//! | `look_alike` | which letters look like an ASCII one |
//!
//! ```
//! use agenthalt_names::{as_written, fold, last_part, words};
//! assert_eq!(fold("bulkDelete"), fold("BULK-delete "));
//! assert_eq!(fold("dеlete"), "delete"); // the second letter is Cyrillic
//! assert_eq!(as_written("Delete"), "Delete");
//! assert_eq!(last_part("mcp__db__drop_table"), "drop_table");
//! assert!(words("drop_table").eq(["drop", "table"]));
//! ```

mod fold;
mod ignorable;
mod look_alike;
mod normal;
mod part;

pub use fold::{as_written, fold, fold_plain, fold_unbroken};
pub use part::{last_part, words};
