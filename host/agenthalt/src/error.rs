//! The one error of this crate, opaque but for its kind. A denial is no error.

use std::fmt;
use std::path::Path;

use agenthalt_core::policy::Problems;

/// What kind of thing went wrong.
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
    /// The builder was not told what it needs.
    Usage,
}

/// Why an engine could not be made.
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
    #[error("no policy was given; use `policy_file` or `policy_text`")]
    NoPolicy,
    #[error("there is no built-in guard `{0}`")]
    NoSuchBuiltIn(String),
}

impl Error {
    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        match &*self.0 {
            Cause::Policy { .. } => ErrorKind::Policy,
            Cause::Io { .. } => ErrorKind::Io,
            Cause::State(_) => ErrorKind::State,
            Cause::Sandbox(_) => ErrorKind::Sandbox,
            Cause::NoPolicy | Cause::NoSuchBuiltIn(_) => ErrorKind::Usage,
        }
    }

    /// What is wrong with the policy's text, where that is the cause.
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
