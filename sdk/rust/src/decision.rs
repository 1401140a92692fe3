//! What a guard says of one call. It never says what the call comes to: the host combines decisions.

use std::ops::{BitOr, BitOrAssign};

use agenthalt_json::{Json, Object};

use crate::Charge;

/// The most bytes that the contract takes as a reason.
const MOST_REASON_BYTES: usize = 2_048;

/// What may be said of a call or its output, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The call may run as it is.
    Allow,
    /// The call may run with other arguments, or its output be passed on as another text.
    Modify,
    /// A human decides.
    RequireApproval,
    /// The call must not run.
    Deny,
}

/// The verdicts that a guard may give; any other is a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdicts(u8);

impl Verdicts {
    /// The call may run as it is.
    pub const ALLOW: Verdicts = Verdicts(1);
    /// The call may run with other arguments.
    pub const MODIFY: Verdicts = Verdicts(2);
    /// A human decides.
    pub const REQUIRE_APPROVAL: Verdicts = Verdicts(4);
    /// The call must not run.
    pub const DENY: Verdicts = Verdicts(8);

    /// Whether a verdict is one of these.
    pub fn holds(self, verdict: Verdict) -> bool {
        let bit = match verdict {
            Verdict::Allow => Verdicts::ALLOW,
            Verdict::Modify => Verdicts::MODIFY,
            Verdict::RequireApproval => Verdicts::REQUIRE_APPROVAL,
            Verdict::Deny => Verdicts::DENY,
        };
        self.0 & bit.0 != 0
    }
}

impl Default for Verdicts {
    /// All but modify.
    fn default() -> Verdicts {
        Verdicts::ALLOW | Verdicts::REQUIRE_APPROVAL | Verdicts::DENY
    }
}

impl BitOr for Verdicts {
    type Output = Verdicts;

    fn bitor(self, other: Verdicts) -> Verdicts {
        Verdicts(self.0 | other.0)
    }
}

impl BitOrAssign for Verdicts {
    fn bitor_assign(&mut self, other: Verdicts) {
        *self = *self | other;
    }
}

/// What a guard says of one call.
///
/// ```
/// use agenthalt_guard::{Charge, Decision};
/// let decision = Decision::allow().charge(Charge::permitted("calls", 1));
/// let refusal = Decision::deny("`drop_table` meets a pattern of deny_functions");
/// # let _ = (decision, refusal);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    verdict: Verdict,
    reason: String,
    risk: f64,
    details: Option<Object>,
    replacement: Option<Replacement>,
    charges: Vec<Charge>,
}

/// What takes the place of what was judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Replacement {
    /// Before the call: other arguments.
    Arguments(Object),
    /// After it: another output.
    Output(String),
}

impl Decision {
    fn new(verdict: Verdict, reason: String, risk: f64) -> Decision {
        let mut reason = reason;
        clip(&mut reason, MOST_REASON_BYTES);
        Decision { verdict, reason, risk, details: None, replacement: None, charges: Vec::new() }
    }

    /// The call may run. Risk 0.
    pub fn allow() -> Decision {
        Decision::new(Verdict::Allow, String::new(), 0.0)
    }

    /// The call must not run. Risk 1.
    ///
    /// The reason is one sentence that names the rule, the number and the limit, fit to show to a model;
    /// it is cut at 2,048 bytes.
    pub fn deny(reason: impl Into<String>) -> Decision {
        Decision::new(Verdict::Deny, reason.into(), 1.0)
    }

    /// A human decides. Risk 0.7.
    pub fn require_approval(reason: impl Into<String>) -> Decision {
        Decision::new(Verdict::RequireApproval, reason.into(), 0.7)
    }

    /// The call may run with these arguments instead. Risk 0. Only in the phase before.
    pub fn modify(arguments: Object, reason: impl Into<String>) -> Decision {
        let replacement = Some(Replacement::Arguments(arguments));
        Decision { replacement, ..Decision::new(Verdict::Modify, reason.into(), 0.0) }
    }

    /// The output may be passed on as this text instead. Risk 0. Only in the phase after.
    pub fn modify_output(output: impl Into<String>, reason: impl Into<String>) -> Decision {
        let replacement = Some(Replacement::Output(output.into()));
        Decision { replacement, ..Decision::new(Verdict::Modify, reason.into(), 0.0) }
    }

    /// Sets the risk: clamped to 0 (harmless) to 1; what is no number is 1.
    pub fn risk(mut self, risk: f64) -> Decision {
        self.risk = if risk.is_nan() { 1.0 } else { risk.clamp(0.0, 1.0) };
        self
    }

    /// Adds a detail for people and programs.
    pub fn detail(mut self, key: &str, value: impl Into<Json>) -> Decision {
        self.details.get_or_insert_default().insert(key, value.into());
        self
    }

    /// Sets all details.
    pub fn details(mut self, details: Object) -> Decision {
        self.details = Some(details);
        self
    }

    /// Proposes a charge: at most one a counter.
    pub fn charge(mut self, charge: Charge) -> Decision {
        self.charges.push(charge);
        self
    }

    /// Proposes charges.
    pub fn charge_all(mut self, charges: impl IntoIterator<Item = Charge>) -> Decision {
        self.charges.extend(charges);
        self
    }

    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The reason; may be empty for allow.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// The risk, 0 to 1.
    pub fn risk_score(&self) -> f64 {
        self.risk
    }

    /// The details, where there are any.
    pub fn details_given(&self) -> Option<&Object> {
        self.details.as_ref()
    }

    /// The new arguments of a call that is modified.
    pub fn new_arguments(&self) -> Option<&Object> {
        match &self.replacement {
            Some(Replacement::Arguments(arguments)) => Some(arguments),
            Some(Replacement::Output(_)) | None => None,
        }
    }

    /// The new output of a call whose output is modified.
    pub fn new_output(&self) -> Option<&str> {
        match &self.replacement {
            Some(Replacement::Output(output)) => Some(output),
            Some(Replacement::Arguments(_)) | None => None,
        }
    }

    /// The proposed charges.
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn into_parts(self) -> (Verdict, String, f64, Option<Object>, Option<Replacement>, Vec<Charge>) {
        (self.verdict, self.reason, self.risk, self.details, self.replacement, self.charges)
    }
}

/// Cuts a text to so many bytes, at a whole character, and shows that it was cut.
fn clip(text: &mut String, most: usize) {
    const CUT: &str = "...";
    if text.len() <= most {
        return;
    }
    let mut end = most - CUT.len();
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push_str(CUT);
}

/// A name or another text of the call, fit to stand in a reason: in backticks, on one line, at most 120
/// bytes of it.
///
/// ```
/// assert_eq!(agenthalt_guard::quote("drop_a\nb`"), "`drop_a b'`");
/// ```
pub fn quote(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(124) + 2);
    shown.push('`');
    for c in text.chars() {
        if shown.len() > 120 {
            shown.push_str("...");
            break;
        }
        shown.push(match c {
            '`' => '\'',
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                ' '
            }
            c => c,
        });
    }
    shown.push('`');
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_are_cut_at_a_character() {
        let decision = Decision::deny("é".repeat(2_000));
        assert!(decision.reason().len() <= MOST_REASON_BYTES && decision.reason().ends_with("..."));
        assert!(quote(&"é".repeat(2_000)).len() < 130);
    }

    #[test]
    fn risk_stays_between_nothing_and_one() {
        for (risk, clamped) in [(2.0, 1.0), (-1.0, 0.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0), (0.25, 0.25)] {
            assert_eq!(Decision::allow().risk(risk).risk_score(), clamped);
        }
    }

    #[test]
    fn sets_of_verdicts_hold_what_was_put_in() {
        let verdicts = Verdicts::ALLOW | Verdicts::MODIFY;
        assert!(verdicts.holds(Verdict::Modify) && !verdicts.holds(Verdict::Deny));
        assert!(!Verdicts::default().holds(Verdict::Modify));
    }
}
