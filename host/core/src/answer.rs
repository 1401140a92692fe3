//! What one guard says of one call, checked as if an enemy had typed it. It never repairs an answer.

use agenthalt_json::{Json, Limits as JsonLimits};

use crate::bounds::{Bounds, quoted};
use crate::counter::Charge;
use crate::description::Description;
use crate::fault::Fault;
use crate::subject::{Phase, Subject};
use crate::verdict::{Risk, Verdict};

/// An answer as it came over the border, nothing checked.
#[derive(Clone, Debug, PartialEq)]
pub struct RawAnswer {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason.
    pub reason: String,
    /// The risk, any number or none.
    pub risk: f64,
    /// The details, any text.
    pub details: String,
    /// What takes the place of what was judged, any text.
    pub replacement: Option<String>,
    /// The charges.
    pub charges: Vec<Charge>,
}

/// A checked answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// One sentence; empty only with the verdict allow.
    pub reason: String,
    /// How much harm the guard sees.
    pub risk: Risk,
    /// More for people and programs: an object.
    pub details: Option<Json>,
    /// What takes the place of what was judged: with the verdict modify and no other.
    pub replacement: Option<Subject>,
    /// Charges to declared counters, at most one each.
    pub charges: Vec<Charge>,
}

impl Answer {
    /// The only way from a fault to an answer.
    // INVARIANT: whatever the fault is, the answer is a denial without charges.
    pub fn of_fault(fault: &Fault, guard: &str) -> Self {
        let mut reason = format!("the guard `{guard}` cannot judge, so the call is denied: it {fault}");
        let most = Bounds::default().reason_bytes;
        if reason.len() > most {
            reason.truncate(reason.floor_char_boundary(most - '…'.len_utf8()));
            reason.push('…');
        }
        Answer {
            verdict: Verdict::Deny,
            reason,
            risk: Risk::FULL,
            details: None,
            replacement: None,
            charges: Vec::new(),
        }
    }
}

impl RawAnswer {
    /// Checks an answer given in a phase against what the guard said of itself.
    ///
    /// # Errors
    /// [`Fault::TooLarge`] and [`Fault::MalformedAnswer`].
    pub fn check(self, phase: Phase, description: &Description, bounds: &Bounds) -> Result<Answer, Fault> {
        let malformed = |text: String| Err(Fault::MalformedAnswer(text));
        let verdict = self.verdict;
        if !description.verdicts.contains(verdict) {
            return malformed(format!("the verdict `{verdict}` is not among those that the guard declares"));
        }
        if self.reason.len() > bounds.reason_bytes {
            return Err(Fault::TooLarge(format!("the reason is longer than {} bytes", bounds.reason_bytes)));
        }
        if self.reason.trim().is_empty() && verdict != Verdict::Allow {
            return malformed(format!("the verdict `{verdict}` comes without a reason"));
        }
        let Some(risk) = Risk::new(self.risk) else {
            return malformed(format!("the risk {} is not between 0 and 1", self.risk));
        };
        if self.details.len() > bounds.details_bytes {
            return Err(Fault::TooLarge(format!("the details are longer than {} bytes", bounds.details_bytes)));
        }
        let details = match self.details.as_str() {
            "" => None,
            text => Some(object(text, "details", bounds.arguments)?),
        };
        let replacement = match (verdict, self.replacement) {
            (Verdict::Modify, Some(text)) => Some(replacement(text, phase, bounds.arguments)?),
            (Verdict::Modify, None) => return malformed("the verdict `modify` comes without a replacement".to_owned()),
            (_, Some(_)) => return malformed(format!("the verdict `{verdict}` comes with a replacement")),
            (_, None) => None,
        };
        check_charges(&self.charges, description)?;
        Ok(Answer { verdict, reason: self.reason, risk, details, replacement, charges: self.charges })
    }
}

/// Checks what takes the place of what was judged in a phase.
fn replacement(text: String, phase: Phase, limits: JsonLimits) -> Result<Subject, Fault> {
    let what = match phase {
        Phase::Before => "new arguments are",
        Phase::After => "new output is",
    };
    if text.len() > limits.bytes {
        return Err(Fault::TooLarge(format!("the {what} longer than {} bytes", limits.bytes)));
    }
    match phase {
        Phase::Before => object(&text, "new arguments", limits).map(Subject::Arguments),
        Phase::After => Ok(Subject::Output(text)),
    }
}

fn object(text: &str, what: &str, limits: JsonLimits) -> Result<Json, Fault> {
    match Json::parse_within(text, limits) {
        Ok(value @ Json::Object(_)) => Ok(value),
        Ok(other) => Err(Fault::MalformedAnswer(format!("the {what} are {}, not an object", other.kind()))),
        Err(error) => Err(Fault::MalformedAnswer(format!("the {what} are unusable: {error}"))),
    }
}

fn check_charges(charges: &[Charge], description: &Description) -> Result<(), Fault> {
    if charges.len() > description.counters.len() {
        let (given, declared) = (charges.len(), description.counters.len());
        let counts = format!("{given} charges are given, at most one for each of {declared} declared counters may be");
        return Err(Fault::MalformedAnswer(counts));
    }
    for (index, charge) in charges.iter().enumerate() {
        let name = quoted(&charge.counter);
        if description.counter(&charge.counter).is_none() {
            return Err(Fault::MalformedAnswer(format!("a charge goes to the undeclared counter `{name}`")));
        }
        if charge.amount < 0 {
            return Err(Fault::MalformedAnswer(format!("the charge to `{name}` is {}, below zero", charge.amount)));
        }
        if charges.iter().take(index).any(|other| other.counter == charge.counter) {
            return Err(Fault::MalformedAnswer(format!("the counter `{name}` is charged twice")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::counter::{ChargeWhen, Counter, Measure, Partition, Window};
    use crate::description::{Phases, Verdicts};

    fn description() -> Description {
        let counter = Counter {
            name: "spend".to_owned(),
            partition: Partition::default(),
            window: Window::Day,
            measure: Measure::Sum,
        };
        Description {
            name: "test".to_owned(),
            version: "1".to_owned(),
            verdicts: Verdicts { allow: true, modify: true, deny: true, require_approval: false },
            phases: Phases { before: true, after: false },
            counters: vec![counter],
        }
    }

    fn allow() -> RawAnswer {
        RawAnswer {
            verdict: Verdict::Allow,
            reason: String::new(),
            risk: 0.0,
            details: String::new(),
            replacement: None,
            charges: Vec::new(),
        }
    }

    fn charge(counter: &str, amount: i64) -> Charge {
        Charge { counter: counter.to_owned(), amount, when: ChargeWhen::Permitted, settles: false }
    }

    fn fault(answer: RawAnswer) -> Fault {
        answer.check(Phase::Before, &description(), &Bounds::default()).unwrap_err()
    }

    #[test]
    fn every_fault_becomes_a_denial_that_spends_nothing() {
        for fault in [Fault::OutOfFuel(1), Fault::StackOverflow, Fault::HostFull("queue".to_owned())] {
            let answer = Answer::of_fault(&fault, "budget");
            assert_eq!((answer.verdict, answer.risk), (Verdict::Deny, Risk::FULL));
            assert!(answer.charges.is_empty());
            assert!(answer.reason.contains("budget"));
        }
    }

    #[test]
    fn a_plain_answer_passes() {
        let answer = RawAnswer { charges: vec![charge("spend", 5)], details: "{\"a\":1}".to_owned(), ..allow() };
        assert!(answer.check(Phase::Before, &description(), &Bounds::default()).is_ok());
        let answer = RawAnswer {
            verdict: Verdict::Modify,
            reason: "r".to_owned(),
            replacement: Some("{}".to_owned()),
            ..allow()
        };
        assert!(answer.check(Phase::Before, &description(), &Bounds::default()).is_ok());
    }

    #[test]
    fn what_the_types_do_not_hold_is_checked() {
        let text = |text: &str| text.to_owned();
        let deny = || RawAnswer { verdict: Verdict::Deny, reason: text("no"), ..allow() };
        for answer in [
            RawAnswer { verdict: Verdict::RequireApproval, reason: text("undeclared"), ..allow() },
            RawAnswer { reason: text(" "), ..deny() },
            RawAnswer { risk: f64::NAN, ..allow() },
            RawAnswer { risk: 1.5, ..allow() },
            RawAnswer { risk: -0.5, ..allow() },
            RawAnswer { details: text("[1]"), ..allow() },
            RawAnswer { details: text("{\"a\":1,\"a\":2}"), ..allow() },
            RawAnswer { replacement: Some(text("{}")), ..deny() },
            RawAnswer { verdict: Verdict::Modify, reason: text("r"), ..allow() },
            RawAnswer { verdict: Verdict::Modify, reason: text("r"), replacement: Some(text("[]")), ..allow() },
            RawAnswer { verdict: Verdict::Modify, reason: text("r"), replacement: Some(text("{")), ..allow() },
            RawAnswer { charges: vec![charge("other", 1)], ..allow() },
            RawAnswer { charges: vec![charge("spend", -1)], ..allow() },
            RawAnswer { charges: vec![charge("spend", 1), charge("spend", 1)], ..allow() },
        ] {
            assert!(matches!(fault(answer.clone()), Fault::MalformedAnswer(_)), "{answer:?}");
        }
        for answer in [
            RawAnswer { reason: "x".repeat(2_049), ..deny() },
            RawAnswer { details: "x".repeat(20_000), ..allow() },
            RawAnswer {
                verdict: Verdict::Modify,
                reason: text("r"),
                replacement: Some("x".repeat(2 << 20)),
                ..allow()
            },
        ] {
            assert!(matches!(fault(answer), Fault::TooLarge(_)));
        }
    }

    #[test]
    fn after_a_call_any_text_of_bounded_length_takes_the_place_of_the_output() {
        let modify = |text: &str| RawAnswer {
            verdict: Verdict::Modify,
            reason: "r".to_owned(),
            replacement: Some(text.to_owned()),
            ..allow()
        };
        let check = |answer: RawAnswer| answer.check(Phase::After, &description(), &Bounds::default());
        for text in ["", "{", "not json"] {
            let answer = check(modify(text)).unwrap();
            assert_eq!(answer.replacement, Some(Subject::Output(text.to_owned())));
        }
        assert!(matches!(check(modify(&"x".repeat(2 << 20))), Err(Fault::TooLarge(_))));
    }

    #[test]
    fn no_fault_makes_a_long_reason_or_quotes_a_long_name() {
        for text in ["x".repeat(1 << 20), "é".repeat(1 << 20), "😀".repeat(1 << 20)] {
            for guard in ["g", "gu", "gua", "guar"] {
                let reason = Answer::of_fault(&Fault::GuestError(text.clone()), guard).reason;
                assert!(reason.len() <= Bounds::default().reason_bytes, "{} bytes", reason.len());
                assert!(reason.ends_with('…'));
            }
            let Fault::MalformedAnswer(said) = fault(RawAnswer { charges: vec![charge(&text, 1)], ..allow() }) else {
                panic!("a malformed answer");
            };
            assert!(said.len() < 1_024 && said.ends_with("…`"), "{} bytes", said.len());
        }
    }

    #[test]
    fn a_long_key_is_not_quoted_in_full() {
        let key = "k".repeat(5_000);
        let details = format!("{{\"{key}\":1,\"{key}\":2}}");
        assert!(fault(RawAnswer { details, ..allow() }).to_string().len() < 1_024);
    }
}
