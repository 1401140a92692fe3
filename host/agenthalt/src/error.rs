//! The one error of this crate, opaque but for its kind. A denial is no error.

use std::fmt;
use std::path::Path;

use agenthalt_core::approval::{ApprovalId, NotAnswered};
use agenthalt_core::policy::Problems;

/// What kind of thing went wrong.
///
/// ```
/// # use agenthalt::{ErrorKind, PolicyEngine};
/// match PolicyEngine::builder().build() {
///     Err(error) if error.kind() == ErrorKind::Policy => println!("mend the policy: {error}"),
///     Err(error) => println!("{error}"),
///     Ok(_) => {}
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The policy's text is refused.
    Policy,
    /// A file could not be read.
    Io,
    /// State cannot be used.
    State,
    /// The sandbox cannot be made.
    Sandbox,
    /// A call cannot be settled: it is not on record, was not let through, or is not told from another.
    Settlement,
    /// A question to a human cannot be answered: there is none of this name, it is closed, or another one must answer.
    Approval,
    /// The host's clock failed.
    Clock,
    /// What was asked makes no sense: no policy was given, or there is no such guard.
    Usage,
}

/// Why an engine could not be made or changed, a call not settled, a question not answered. It shows what to do, for people; programs ask for its
/// [`kind`](Error::kind).
///
/// ```
/// use agenthalt::{ErrorKind, PolicyEngine};
///
/// let error = PolicyEngine::from_policy_file("no-such-file.yaml").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Io);
/// ```
#[derive(Debug)]
pub struct Error(Box<Cause>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("the policy `{file}` is refused:\n{}", problems.render(file).trim_end())]
    Policy { file: String, problems: Problems },
    #[error("the policy `{file}` cannot be read")]
    Io { file: String, source: std::io::Error },
    #[error("state is unusable: {0}")]
    State(#[source] agenthalt_store::StoreError),
    #[error("{0}")]
    Sandbox(#[source] agenthalt_sandbox::SandboxError),
    #[error("no policy was given; add a guard, or use `policy_file` or `policy_text`")]
    NoPolicy,
    #[error("there is no guard `{0}`")]
    NoSuchGuard(String),
    #[error(
        "the policy `{0}` keeps its state elsewhere, or in another way; a running engine keeps the state that it has"
    )]
    StateMoved(String),
    #[error("the call `{0}` cannot be settled: {1}")]
    NotSettled(String, &'static str),
    #[error("a call that is `{0}` has no cost; settle it without one")]
    CostOfNothing(&'static str),
    #[error("there is no question `{0}`")]
    NoSuchQuestion(ApprovalId),
    #[error("`{0}` cannot be answered so: {1}")]
    NotAnswered(ApprovalId, NotAnswered),
    #[error("an answer names who gives it")]
    NobodyAnswers,
    #[error("the handler `{0}` approves by itself; build the engine with `allow_automatic_approval` where it may")]
    AutomaticApproval(String),
    #[error("terms must be said for every value that was not shown, as the secrets taken out of it")]
    HiddenTerm,
    #[error("{0} is longer than {1} bytes")]
    TooLong(&'static str, usize),
    #[error("the counters never stood still; stop the engines that charge them, or try again")]
    NeverStill,
    #[error("{0}")]
    Clock(#[source] agenthalt_core::fault::Fault),
    #[error("there is no built-in guard `{0}`")]
    NoSuchBuiltIn(String),
}

impl Error {
    /// What kind of thing went wrong.
    ///
    /// ```
    /// # use agenthalt::{ErrorKind, PolicyEngine};
    /// assert_eq!(PolicyEngine::builder().build().unwrap_err().kind(), ErrorKind::Usage);
    /// ```
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Cause::Policy { .. } => ErrorKind::Policy,
            Cause::Io { .. } => ErrorKind::Io,
            Cause::State(_) | Cause::NeverStill => ErrorKind::State,
            Cause::Sandbox(_) => ErrorKind::Sandbox,
            Cause::NotSettled(..) => ErrorKind::Settlement,
            Cause::NoSuchQuestion(_) | Cause::NotAnswered(..) => ErrorKind::Approval,
            Cause::Clock(_) => ErrorKind::Clock,
            Cause::NoPolicy
            | Cause::NoSuchBuiltIn(_)
            | Cause::NoSuchGuard(_)
            | Cause::StateMoved(_)
            | Cause::NobodyAnswers
            | Cause::AutomaticApproval(_)
            | Cause::HiddenTerm
            | Cause::TooLong(..)
            | Cause::CostOfNothing(_) => ErrorKind::Usage,
        }
    }

    /// What is wrong with the policy, all of it, where that is the cause.
    ///
    /// ```
    /// # use agenthalt::PolicyEngine;
    /// let error = PolicyEngine::builder().policy_text("guards: {scope: {read_only: 1}}", ".").build().unwrap_err();
    /// let problem = &error.problems().unwrap().list()[0];
    /// assert_eq!(problem.at.map(|at| at.line), Some(1));
    /// ```
    pub fn problems(&self) -> Option<&Problems> {
        match &*self.0 {
            Cause::Policy { problems, .. } => Some(problems),
            _ => None,
        }
    }

    pub(crate) fn cannot_read(file: &Path, source: std::io::Error) -> Self {
        Cause::Io { file: file.display().to_string(), source }.into()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

impl From<Cause> for Error {
    fn from(cause: Cause) -> Self {
        Error(Box::new(cause))
    }
}
