//! Who answers a question, why, and for how long a yes is meant.

use std::time::Duration;

use agenthalt_core::approval::{Answer, Terms, Word};
use agenthalt_core::time::Timestamp;
use agenthalt_json::Json;

use super::Approval;
use super::redact::MARK;
use crate::error::Cause;

/// The most bytes of a name in an answer.
const MOST_NAME_BYTES: usize = 256;
/// The most bytes of the reason of an answer.
const MOST_REASON_BYTES: usize = 4_096;

/// Who answers a question, and why.
///
/// ```
/// use agenthalt::Approver;
/// use std::time::Duration;
///
/// let ann = Approver::named("ann").account("ann@example.org").via("chat").reason("the customer called");
/// let in_a_hurry = ann.within(Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approver {
    by: String,
    account: Option<String>,
    via: Option<String>,
    reason: Option<String>,
    within: Option<Duration>,
    terms: Option<Terms>,
}

impl Approver {
    /// Somebody of this name, as a policy lists approvers. Whether they are who they say must be known to the program.
    pub fn named(by: impl Into<String>) -> Self {
        Approver { by: by.into(), account: None, via: None, reason: None, within: None, terms: None }
    }

    /// Who that is, as far as the channel itself knows: the user of the system, or of a sign-in. Without this it is
    /// the name. Two yeses of one account are one.
    #[must_use]
    pub fn account(self, account: impl Into<String>) -> Self {
        Approver { account: Some(account.into()), ..self }
    }

    /// The channel by which the answer came; without this, `program`, or the name of the handler.
    #[must_use]
    pub fn via(self, via: impl Into<String>) -> Self {
        Approver { via: Some(via.into()), ..self }
    }

    /// Why. It is recorded, and of a no it is told to the caller.
    #[must_use]
    pub fn reason(self, reason: impl Into<String>) -> Self {
        Approver { reason: Some(reason.into()), ..self }
    }

    /// Lets a yes serve only so long. It never makes the time longer that the policy gives.
    #[must_use]
    pub fn within(self, time: Duration) -> Self {
        Approver { within: Some(time), ..self }
    }

    /// Lets a yes serve calls like the one that was asked about, on these terms: a standing grant. Calls like it are
    /// those of the same agent and function with the same metadata, in the same session unless the terms say otherwise, whose arguments meet
    /// the terms; of a value of which no term speaks, the very value that was shown is meant. It ends when the yes
    /// does, and is taken back by [`revoke`](crate::PolicyEngine::revoke).
    ///
    /// ```
    /// # use agenthalt::{Approver, Call, Terms, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let mail = |to: &str| Call::new("send_mail", format!(r#"{{"to": "{to}"}}"#));
    /// let question = engine.evaluate_blocking(&mail("ada@example.org")).approval.ok_or("a human must decide")?;
    /// let terms = Terms::new(3)?.argument("/to=*@example.org".parse()?);
    /// engine.approve_blocking(question, Approver::named("ann").on(terms))?;
    /// assert!(engine.evaluate_blocking(&mail("bea@example.org")).is_allowed());
    /// assert!(engine.evaluate_blocking(&mail("bea@example.com")).needs_approval());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on(self, terms: Terms) -> Self {
        Approver { terms: Some(terms), ..self }
    }

    /// The same, with terms for all that was asked.
    ///
    /// # Errors
    /// [`Cause::HiddenTerm`] where that was not shown.
    pub(crate) fn about(self, approval: Option<&Approval>) -> Result<Self, Cause> {
        let Some(terms) = self.terms.clone() else { return Ok(self) };
        let shown = approval.and_then(|approval| Json::parse(approval.asked.arguments.as_ref()?).ok());
        let terms = shown.and_then(|shown| terms.about(&shown, MARK)).ok_or(Cause::HiddenTerm)?;
        Ok(Approver { terms: Some(terms), ..self })
    }

    /// Whether it speaks of calls besides the one that was asked about.
    pub(crate) fn has_terms(&self) -> bool {
        self.terms.is_some()
    }

    /// The same, by this channel where it names none.
    pub(crate) fn or_via(self, via: &str) -> Self {
        let via = self.via.or_else(|| Some(via.to_owned()));
        Approver { via, ..self }
    }

    pub(crate) fn answer(self, word: Word, at: Timestamp) -> Result<Answer, Cause> {
        let Approver { by, account, via, reason, within, terms } = self.or_via("program");
        let by = by.trim().to_owned();
        if by.is_empty() {
            return Err(Cause::NobodyAnswers);
        }
        let (account, via) = (account.unwrap_or_else(|| by.clone()), via.unwrap_or_default());
        let names = [("the name of who answers", &by), ("their account", &account), ("the name of the channel", &via)];
        for (what, name) in names {
            if name.len() > MOST_NAME_BYTES {
                return Err(Cause::TooLong(what, MOST_NAME_BYTES));
            }
        }
        if reason.as_ref().is_some_and(|reason| reason.len() > MOST_REASON_BYTES) {
            return Err(Cause::TooLong("the reason of an answer", MOST_REASON_BYTES));
        }
        let within_ms = within.map(|within| u64::try_from(within.as_millis()).unwrap_or(u64::MAX));
        let terms = terms.filter(|_| word == Word::Yes);
        Ok(Answer { word, by, account, via, reason, within_ms, terms, at })
    }
}
