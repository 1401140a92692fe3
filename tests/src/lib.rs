//! What the tests in `tests/` share: the worked cases. Nothing ships from here.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

pub mod case;
