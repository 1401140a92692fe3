//! The command line from outside: the built program is run, and what it prints, writes and ends with
//! is held against what it promises. Nothing in here calls into the host.
//!
//! | module | what it claims |
//! |---|---|
//! | `run` | the one harness: a folder, a run of the program, how it ended |
//! | `check` | a policy that can serve, or everything that is wrong with it |
//! | `approvals` | questions listed, shown, answered, and the call presented again |
//! | `evaluate` | one call: verdict, exit code, malformed calls |
//! | `state` | limits across processes, and state that cannot be used |
//! | `counters` | what is spent and left, shown, exported, begun anew |
//! | `simulate` | many calls: the answer lines, humans, the policy's own state |
//! | `guards` | what guards say of themselves, and the schema of policies |
//! | `lines` | input lines of every kind, well-formed and not |
//! | `terminal` | output that is closed early, and text that a terminal would obey |
//! | `people` | `init`, `demo`, `--version`, `--help`, `completions` |
//! | `cache` | where compiled guards are kept |

#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests fail by panicking"
)]

mod approvals;
mod cache;
mod check;
mod counters;
mod evaluate;
mod guards;
mod lines;
mod people;
mod run;
mod simulate;
mod state;
mod terminal;
