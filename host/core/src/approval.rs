//! Questions to humans: what a policy asks of those who answer, and what all answers come to. It keeps nothing and
//! knows no clock.

mod function;
mod rules;
mod terms;

use std::fmt;
use std::str::FromStr;

use agenthalt_names::fold;

use crate::time::Timestamp;

pub use function::{BadFunctionPattern, FunctionPattern};
pub use rules::{ApprovalPolicy, ApprovalRules, ApprovalSetting, Expiry};
pub use terms::{ArgumentTerm, BadTerm, Terms};

/// Names a question and the grant that may come of it: `ap-` and 16 hexadecimal digits.
///
/// ```
/// # use agenthalt_core::approval::ApprovalId;
/// let id: ApprovalId = "ap-00c0ffee00c0ffee".parse()?;
/// assert_eq!(id, ApprovalId::new([0, 0xc0, 0xff, 0xee, 0, 0xc0, 0xff, 0xee]));
/// assert!("ap-7".parse::<ApprovalId>().is_err());
/// # Ok::<(), agenthalt_core::approval::NotAnApprovalId>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApprovalId([u8; 8]);

impl ApprovalId {
    /// The name made of random bytes.
    pub fn new(bytes: [u8; 8]) -> Self {
        ApprovalId(bytes)
    }
}

impl fmt::Display for ApprovalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("ap-{:016x}", u64::from_be_bytes(self.0)))
    }
}

/// A text that names no approval.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an approval is named by `ap-` and 16 hexadecimal digits")]
pub struct NotAnApprovalId;

impl FromStr for ApprovalId {
    type Err = NotAnApprovalId;

    fn from_str(text: &str) -> Result<Self, NotAnApprovalId> {
        let digits = text.strip_prefix("ap-").filter(|digits| digits.len() == 16).ok_or(NotAnApprovalId)?;
        // A sign would be read, too.
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let number = u64::from_str_radix(digits, 16).ok().filter(|_| is_plain).ok_or(NotAnApprovalId)?;
        Ok(ApprovalId(number.to_be_bytes()))
    }
}

/// What somebody says to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// The call may run.
    Yes,
    /// The call must not run.
    No,
    /// A question, or a yes that was not used yet, is taken back.
    Revoke,
}

impl Word {
    /// The word for programs: `yes`, `no`, `revoke`.
    pub fn as_str(self) -> &'static str {
        match self {
            Word::Yes => "yes",
            Word::No => "no",
            Word::Revoke => "revoke",
        }
    }
}

/// An answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What is said.
    pub word: Word,
    /// The name of who says it, as a policy lists approvers.
    pub by: String,
    /// Who that is, as far as the channel itself knows: the user of the system, or of a sign-in.
    pub account: String,
    /// The channel: `cli`, `console`, `webhook`, ..
    pub via: String,
    /// Why, if it is said.
    pub reason: Option<String>,
    /// Within how many milliseconds a yes must be used; none where the question's own time counts.
    pub within_ms: Option<u64>,
    /// On which terms a yes serves calls like this one; none where it serves this very call, once.
    pub terms: Option<Terms>,
    /// When.
    pub at: Timestamp,
}

/// How a question stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for answers.
    Pending,
    /// It got every yes that it needs; the call may be presented.
    Approved,
    /// Somebody said no.
    Denied,
    /// It was taken back.
    Revoked,
    /// Its time was over before it was answered, or before its yes was used.
    Expired,
    /// Its yes was used.
    Used,
}

impl Standing {
    /// All of them.
    pub const ALL: [Standing; 6] =
        [Standing::Pending, Standing::Approved, Standing::Denied, Standing::Revoked, Standing::Expired, Standing::Used];

    /// The word for programs: `pending`, `approved`, `denied`, `revoked`, `expired`, `used`.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Pending => "pending",
            Standing::Approved => "approved",
            Standing::Denied => "denied",
            Standing::Revoked => "revoked",
            Standing::Expired => "expired",
            Standing::Used => "used",
        }
    }
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an answer does not count. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnswered {
    /// The question waits for no answer any more.
    #[error("the question is {0} already")]
    Closed(Standing),
    /// The policy names who may answer.
    #[error("`{by}` is none of those who may approve: {}", approvers.join(", "))]
    NotAnApprover {
        /// Who answered.
        by: String,
        /// Who may.
        approvers: Vec<String>,
    },
    /// Nobody may approve what they ask for themselves.
    #[error("`{0}` asked for this call, and another one must approve it")]
    TheRequester(String),
    /// A yes that serves other calls is nobody's to give where others must agree.
    #[error("{0} must say yes to this, so no single yes can stand for calls like it")]
    NotAlone(u32),
    /// One yes is one.
    #[error("`{by}` or another name of the account `{account}` has said yes already; somebody else must, too")]
    Twice {
        /// Who answered.
        by: String,
        /// Their account.
        account: String,
    },
}

/// A question and its answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What the policy asks of those who answer.
    pub rules: ApprovalRules,
    /// Who asks for the call: the names, as given, of its agent and of those on whose behalf it acts.
    pub requesters: Vec<String>,
    /// When it was asked.
    pub created: Timestamp,
    /// The last instant at which it may be answered and its yes used, as its answers leave it; none where there is no
    /// such.
    pub expires: Option<Timestamp>,
    /// The answers that count, in the order in which they came.
    pub answers: Vec<Answer>,
    /// How many calls its yes has served.
    pub uses: u32,
    /// When its yes was used for the last call that it serves.
    pub used: Option<Timestamp>,
}

impl Question {
    /// How the question stands at an instant.
    pub fn standing(&self, now: Timestamp) -> Standing {
        let said = |word: Word| self.answers.iter().any(|answer| answer.word == word);
        let is_over = self.expires.is_some_and(|end| now > end);
        if self.used.is_some() {
            Standing::Used
        } else if said(Word::Revoke) {
            Standing::Revoked
        } else if said(Word::No) {
            Standing::Denied
        } else if is_over {
            Standing::Expired
        } else if self.yeses() >= self.rules.required {
            Standing::Approved
        } else {
            Standing::Pending
        }
    }

    /// On which terms its yes serves calls like the one that was asked about; none where it serves this very call, once.
    pub fn terms(&self) -> Option<&Terms> {
        self.answers.iter().find_map(|answer| answer.terms.as_ref())
    }

    /// Serves a call with its yes.
    pub fn serve(&mut self, now: Timestamp) {
        self.uses = self.uses.saturating_add(1);
        if self.uses >= self.terms().map_or(1, Terms::times) {
            self.used = Some(now);
        }
    }

    /// How many said yes.
    pub fn yeses(&self) -> u32 {
        let yeses = self.answers.iter().filter(|answer| answer.word == Word::Yes).count();
        u32::try_from(yeses).unwrap_or(u32::MAX)
    }

    /// Takes an answer, and tells how the question stands then.
    ///
    /// # Errors
    /// [`NotAnswered`], and the answer is none.
    // INVARIANT: the first answer that decides is the last: neither a no nor a yes is ever overridden, but for taking
    // back what did not run yet.
    pub fn answer(&mut self, answer: Answer) -> Result<Standing, NotAnswered> {
        let now = answer.at;
        let standing = self.standing(now);
        match (answer.word, standing) {
            (Word::Revoke, Standing::Pending | Standing::Approved) | (_, Standing::Pending) => {}
            _ => return Err(NotAnswered::Closed(standing)),
        }
        if answer.word == Word::Yes {
            self.may_approve(&answer)?;
        }
        if let (Word::Yes, Some(within)) = (answer.word, answer.within_ms) {
            let end = now.saturating_add(within);
            self.expires = Some(self.expires.map_or(end, |expires| expires.min(end)));
        }
        self.answers.push(answer);
        Ok(self.standing(now))
    }

    fn may_approve(&self, answer: &Answer) -> Result<(), NotAnswered> {
        let ApprovalRules { not_the_requester, approvers, .. } = &self.rules;
        let (by, account) = (fold(&answer.by), fold(&answer.account));
        if let Some(approvers) = approvers
            && !approvers.contains(&by)
        {
            let approvers = approvers.iter().cloned().collect();
            return Err(NotAnswered::NotAnApprover { by: answer.by.clone(), approvers });
        }
        let is_requester = |name: &String| [&by, &account].contains(&&fold(name));
        if *not_the_requester && self.requesters.iter().any(is_requester) {
            return Err(NotAnswered::TheRequester(answer.by.clone()));
        }
        if answer.terms.is_some() && self.rules.required > 1 {
            return Err(NotAnswered::NotAlone(self.rules.required));
        }
        let same = |other: &Answer| fold(&other.by) == by || fold(&other.account) == account;
        if self.answers.iter().any(|other| other.word == Word::Yes && same(other)) {
            return Err(NotAnswered::Twice { by: answer.by.clone(), account: answer.account.clone() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
