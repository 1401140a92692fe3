//! Claims about the human in the loop: a question outlives the process, an answer is final, a yes serves the very call
//! that was asked about, once, and is worth nothing against a denial.
//!
//! | module | what it holds |
//! |---|---|
//! | `stage` | engines that ask, and short words |
//! | `binding` | what a yes is bound to, and what it does not serve |
//! | `answers` | who may answer, how often, and whose answer counts |
//! | `limits` | a yes against limits, and what an approved call is charged |
//! | `retries` | a call that comes again while its question waits, and after |
//! | `shown` | what people are shown: no secret, and all the rest |
//! | `handlers` | handlers that answer, fail, wait and come too late |
//! | `console` | a terminal that answers, times out, closes |
//! | `webhook` | an address that answers, is slow, dead, replayed, badly signed |
//! | `slack` | the example in Slack's form, with a chat that signs and one that does not |
//! | `terms` | standing grants: a yes that serves calls like the one asked about |
//! | `killed` | processes that are killed between question, answer and execution |

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

mod answers;
mod binding;
mod console;
mod handlers;
mod killed;
mod limits;
mod retries;
mod shown;
mod slack;
mod stage;
mod terms;
mod webhook;
