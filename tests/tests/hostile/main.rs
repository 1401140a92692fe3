//! Guards that are out to harm: each is denied with the right fault, the host stays alive, and the next
//! call is judged normally. Nothing in here sleeps or asserts a time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod answers;
mod cache;
mod compile;
mod components;
mod configure;
mod corrupted;
mod guest;
mod outputs;
mod policies;
mod resources;
mod rewriting;
mod snapshots;
mod stage;
