//! What the exit code of `agenthalt` means. A released code keeps its meaning.

use std::process::ExitCode;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// The call may run, with the printed arguments; or the work was done.
    Done = 0,
    /// There is no call to judge, or the input cannot be read.
    NoCall = 1,
    /// The command line or the policy is unusable.
    Usage = 2,
    /// The call is denied: by a guard, as malformed, by a fault, or because state is unusable.
    Denied = 10,
    /// A human must decide.
    ApprovalRequired = 11,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}
