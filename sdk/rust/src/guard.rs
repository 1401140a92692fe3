//! What a guard is. It never sees the host: a call and readings go in, a decision comes out.

use std::fmt;

use serde::de::DeserializeOwned;

use crate::{Call, Counter, Decision, Phases, Readings, Verdicts};

/// A guard: rules under one configuration.
///
/// The host makes a fresh one for every call, so it keeps nothing; what it wants to remember it declares
/// as counters.
///
/// ```
/// use agenthalt_guard::{Call, Decision, Error, Guard, Problems, Readings};
///
/// #[derive(serde::Deserialize)]
/// #[serde(default, deny_unknown_fields)]
/// struct Settings {
///     most_bytes: usize,
/// }
///
/// impl Default for Settings {
///     fn default() -> Self {
///         Settings { most_bytes: 10_000 }
///     }
/// }
///
/// struct ShortArguments(Settings);
///
/// impl Guard for ShortArguments {
///     type Settings = Settings;
///     const NAME: &'static str = "short-arguments";
///
///     fn configure(settings: Settings) -> Result<Self, Problems> {
///         Ok(ShortArguments(settings))
///     }
///
///     fn evaluate(&self, call: &Call, _: &Readings) -> Result<Option<Decision>, Error> {
///         let (bytes, most) = (call.arguments.text().len(), self.0.most_bytes);
///         if bytes <= most {
///             return Ok(None);
///         }
///         Ok(Some(Decision::deny(format!("the arguments are {bytes} bytes long, the limit is {most}"))))
///     }
/// }
/// ```
pub trait Guard: Sized + 'static {
    /// The settings, read from the policy.
    type Settings: DeserializeOwned;

    /// The guard's own name, for people.
    const NAME: &'static str;

    /// Makes the guard from its settings.
    ///
    /// # Errors
    /// All that is wrong with the settings beyond their types, at once.
    fn configure(settings: Self::Settings) -> Result<Self, Problems>;

    /// The verdicts it may give with these settings; any other is a fault. All but modify, unless told.
    fn verdicts(&self) -> Verdicts {
        Verdicts::default()
    }

    /// The phases it judges with these settings. Before the call, unless told.
    fn phases(&self) -> Phases {
        Phases::BEFORE
    }

    /// The counters it reads and charges with these settings; at most 32. None, unless told.
    fn counters(&self) -> Vec<Counter> {
        Vec::new()
    }

    /// Judges one call. `None`: the call is not this guard's business.
    ///
    /// # Errors
    /// A fault, which denies: the guard could not judge.
    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error>;
}

/// A fault in a guard: it could not judge, and the call is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// A fault, said in one sentence.
    pub fn new(text: impl Into<String>) -> Error {
        Error(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// What is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A JSON pointer (RFC 6901) into the settings; empty for the whole.
    pub pointer: String,
    /// What is wrong and what to do about it, in one sentence.
    pub message: String,
}

/// All that is wrong with the settings, collected before the guard gives up.
///
/// ```
/// use agenthalt_guard::Problems;
/// let mut problems = Problems::new();
/// problems.add("/cost_field", "is blank: name the field that holds the cost");
/// assert!(problems.none_or(()).is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// No problem yet.
    pub fn new() -> Problems {
        Problems::default()
    }

    /// Adds a problem at a JSON pointer.
    pub fn add(&mut self, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Problem { pointer: pointer.into(), message: message.into() });
    }

    /// The value, if there is no problem.
    ///
    /// # Errors
    /// The problems, if there are any.
    pub fn none_or<T>(self, value: T) -> Result<T, Problems> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The problems, in the order they were found.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Problems {
        Problems(vec![problem])
    }
}

impl From<Vec<Problem>> for Problems {
    fn from(problems: Vec<Problem>) -> Problems {
        Problems(problems)
    }
}

impl From<Problems> for Vec<Problem> {
    fn from(problems: Problems) -> Vec<Problem> {
        problems.0
    }
}
