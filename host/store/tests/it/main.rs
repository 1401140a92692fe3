//! What a store promises, tried on real SQLite in memory and in files, with threads and processes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod approvals;
mod boundaries;
mod calls;
mod chain;
mod in_line;
mod memory;
mod model;
mod plain;
mod questions;
mod refusals;
mod reset;
mod settling;
mod sharing;
mod support;
mod versions;
