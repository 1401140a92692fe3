//! Claims about state as those see it who rely on it: whatever befalls the processes, the file and the disk, no limit
//! is overspent and nothing that was answered is lost.
//!
//! | module | what it holds |
//! |---|---|
//! | `stage` | engines on a state file, children of this program, and what a file says in the end |
//! | `limit` | many threads and processes take exactly what a limit gives |
//! | `killed` | processes that are killed at any instant |
//! | `files` | files that are damaged, cut, or of another release |
//! | `locked` | a file that another process keeps locked |
//! | `mounts` | a disk that is full, and one that may only be read |

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod files;
mod killed;
mod limit;
mod locked;
mod mounts;
mod stage;
