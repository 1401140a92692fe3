//! Properties of the built-in guards in the real engine, each over thousands of random calls: what a
//! rule promises for one call it must hold for all.
//!
//! | module | what it holds |
//! |---|---|
//! | `bench` | an engine, and scenes in which nothing has happened yet |
//! | `tree` | JSON trees, and the many ways to write one |
//! | `call` | random calls near the rules' edges |
//! | `forms` | another way to write a call changes no verdict |
//! | `amounts` | a higher amount never loosens |
//! | `targets` | one more target never loosens |
//! | `lists` | one more denied name never loosens |
//! | `secret` | random secrets of every built-in pattern, and ways to hide them |
//! | `secrets` | no secret that a pattern finds runs |
//! | `fuel` | no tree traps a guard or burns its fuel |

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod amounts;
mod bench;
mod call;
mod forms;
mod fuel;
mod lists;
mod secret;
mod secrets;
mod targets;
mod tree;
