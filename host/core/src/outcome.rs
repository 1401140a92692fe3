//! What came of a call that was let through, as the side that ran it says. It changes no counter itself.

use crate::amount::Amount;

/// What came of a call.
///
/// ```
/// # use agenthalt_core::outcome::{Outcome, Status};
/// let ran = Outcome::succeeded().cost("0.25".parse()?);
/// assert_eq!((ran.status, ran.cost.map(|cost| cost.millionths())), (Status::Succeeded, Some(250_000)));
/// assert_eq!(Outcome::not_started().cost, None);
/// # Ok::<(), agenthalt_core::amount::AmountError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whether it ran, and how.
    pub status: Status,
    /// What it cost in the end; none where that is not known. Only a call that ran has a cost.
    pub cost: Option<Amount>,
}

/// Whether a call ran, and how.
///
/// ```
/// # use agenthalt_core::outcome::Status;
/// assert_eq!(Status::NotStarted.as_str(), "not_started");
/// assert!(Status::Failed.is_final() && !Status::Unknown.is_final());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It ran and did what it should: its cost replaces the estimated one.
    Succeeded,
    /// It ran and failed: it counts all the same, and its cost replaces the estimated one.
    Failed,
    /// It did not run: what it was charged is given back, but for what counts attempts.
    NotStarted,
    /// Nobody knows: all that was charged stays.
    Unknown,
}

impl Outcome {
    /// It ran and did what it should.
    pub const fn succeeded() -> Self {
        Outcome { status: Status::Succeeded, cost: None }
    }

    /// It ran and failed.
    pub const fn failed() -> Self {
        Outcome { status: Status::Failed, cost: None }
    }

    /// It did not run.
    pub const fn not_started() -> Self {
        Outcome { status: Status::NotStarted, cost: None }
    }

    /// Nobody knows whether it ran.
    pub const fn unknown() -> Self {
        Outcome { status: Status::Unknown, cost: None }
    }

    /// The same, with what it cost.
    #[must_use]
    pub const fn cost(self, cost: Amount) -> Self {
        Outcome { cost: Some(cost), ..self }
    }

    /// What becomes of a charge of the call: its amount then; none where it is given back.
    ///
    /// ```
    /// # use agenthalt_core::outcome::Outcome;
    /// let ran = Outcome::failed().cost("2".parse()?);
    /// // An estimated cost, and a count, which no cost replaces.
    /// assert_eq!([true, false].map(|settles| ran.amount(5_000_000, true, settles)), [Some(2_000_000), Some(5_000_000)]);
    /// // Only what counts attempts stays of a call that did not run.
    /// assert_eq!([true, false].map(|permitted| Outcome::not_started().amount(1, permitted, false)), [None, Some(1)]);
    /// # Ok::<(), agenthalt_core::amount::AmountError>(())
    /// ```
    pub fn amount(&self, amount: i64, permitted: bool, settles: bool) -> Option<i64> {
        match self.status {
            Status::NotStarted if permitted => None,
            Status::NotStarted | Status::Unknown => Some(amount),
            Status::Succeeded | Status::Failed => match self.cost {
                Some(cost) if settles => Some(i64::try_from(cost.millionths()).unwrap_or(i64::MAX)),
                Some(_) | None => Some(amount),
            },
        }
    }
}

impl Status {
    /// The word for programs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Succeeded => "succeeded",
            Status::Failed => "failed",
            Status::NotStarted => "not_started",
            Status::Unknown => "unknown",
        }
    }

    /// Whether nothing else can be said of the call any more.
    pub const fn is_final(self) -> bool {
        match self {
            Status::Succeeded | Status::Failed | Status::NotStarted => true,
            Status::Unknown => false,
        }
    }

    /// Whether the call ran, as far as is known.
    pub const fn ran(self) -> bool {
        match self {
            Status::Succeeded | Status::Failed => true,
            Status::NotStarted | Status::Unknown => false,
        }
    }
}

impl std::str::FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let all = [Status::Succeeded, Status::Failed, Status::NotStarted, Status::Unknown];
        all.into_iter().find(|status| status.as_str() == text).ok_or_else(|| UnknownStatus(crate::bounds::quoted(text)))
    }
}

/// The text names no status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no outcome of a call: `succeeded`, `failed`, `not_started` or `unknown`")]
pub struct UnknownStatus(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_stays_and_an_unknown_outcome_changes_nothing() {
        let cost = Amount::from_millionths(7);
        assert_eq!(Outcome::unknown().cost(cost).amount(5, true, true), Some(5));
        assert_eq!(Outcome::not_started().cost(cost).amount(5, false, true), Some(5));
        assert_eq!(Outcome::succeeded().amount(5, true, true), Some(5));
        assert_eq!(Outcome::succeeded().cost(Amount::ZERO).amount(5, false, true), Some(0));
    }

    #[test]
    fn statuses_read_back_from_their_words() {
        for status in [Status::Succeeded, Status::Failed, Status::NotStarted, Status::Unknown] {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("Succeeded".parse::<Status>().is_err());
    }
}
