//! The words and pure rules of AgentHalt. No input or output, no clock, no thread.
//!
//! | module | what it holds |
//! |---|---|
//! | [`call`] | a call as received, and as judged: checked, canonical, digested |
//! | [`verdict`] | what may be said of a call, and how all that is said comes to one verdict |
//! | [`bounds`] | how large the parts of what a guard says may be |
//! | [`answer`] | what one guard says, checked as if an enemy had typed it; and the one way from a fault to a denial |
//! | [`description`] | what a guard says of itself, checked likewise |
//! | [`fault`] | what goes wrong in a guard or around it |
//! | [`counter`] | counters, partitions, windows, readings and charges |
//! | [`subject`] | what guards judge in each phase, and may replace |
//! | [`time`] | stamps, civil time, where days and months begin |
//! | [`amount`] | amounts as settings name them: exact to a millionth |
//! | [`limits`] | what a guard may use |
//! | [`digest`] | digests, plain and keyed, and the link of the audit chain |
//! | [`outcome`] | what came of a call that was let through |
//! | [`approval`] | questions to humans: what a policy asks of those who answer, and what all answers come to |
//! | [`policy`] | from the text of a policy to a checked one, with every problem at its place |

pub mod amount;
pub mod answer;
pub mod approval;
pub mod bounds;
pub mod call;
pub mod counter;
pub mod description;
pub mod digest;
pub mod fault;
pub mod limits;
pub mod outcome;
pub mod policy;
pub mod subject;
pub mod time;
pub mod verdict;
