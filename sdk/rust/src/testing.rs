//! Runs a guard natively, as the host would: a fresh guard for every call, counters that remember what
//! let-through calls were charged, and every answer held against the contract. It never runs in a
//! component.
//!
//! ```
//! use agenthalt_guard::{Call, Charge, Counter, Decision, Error, Guard, Problems, Readings, Verdict};
//! use agenthalt_guard::testing::{TestCall, TestGuard};
//!
//! #[derive(serde::Deserialize)]
//! struct Settings {
//!     most_a_day: u64,
//! }
//!
//! struct Daily(Settings);
//!
//! impl Guard for Daily {
//!     type Settings = Settings;
//!     const NAME: &'static str = "daily";
//!
//!     fn configure(settings: Settings) -> Result<Self, Problems> {
//!         Ok(Daily(settings))
//!     }
//!
//!     fn counters(&self) -> Vec<Counter> {
//!         vec![Counter::count("today").per_agent().day()]
//!     }
//!
//!     fn evaluate(&self, _: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
//!         let (calls, most) = (readings.count("today")? + 1, self.0.most_a_day);
//!         if calls > most {
//!             return Ok(Some(Decision::deny(format!("this is call {calls} of today, the limit is {most}"))));
//!         }
//!         Ok(Some(Decision::allow().charge(Charge::permitted("today", 1))))
//!     }
//! }
//!
//! let mut guard = TestGuard::<Daily>::new(r#"{"most_a_day":1}"#)?;
//! let call = TestCall::new("send_email").agent("mailer");
//! assert_eq!(guard.verdict(&call), Verdict::Allow);
//! assert_eq!(guard.verdict(&call), Verdict::Deny);
//! assert_eq!(guard.verdict(&call.clone().agent("other")), Verdict::Allow);
//! assert_eq!(guard.verdict(&call.seconds_later(24 * 3600)), Verdict::Allow);
//! # Ok::<(), Problems>(())
//! ```

mod call;
mod ledger;

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use call::TestCall;

use crate::{Call, Decision, Error, Guard, Phase, Problems, Readings, Verdict, read_settings};
use ledger::Ledger;

/// A guard under test with its settings and its counters.
pub struct TestGuard<G> {
    settings: String,
    ledger: Ledger,
    guard: PhantomData<G>,
}

impl<G: Guard> TestGuard<G> {
    /// Configures the guard with its settings as JSON.
    ///
    /// # Errors
    /// What is wrong with the settings, and with the counters that the guard declares.
    pub fn new(settings: &str) -> Result<TestGuard<G>, Problems> {
        let guard = configure::<G>(settings)?;
        let ledger = Ledger::new(guard.counters())?;
        Ok(TestGuard { settings: settings.to_owned(), ledger, guard: PhantomData })
    }

    /// Judges a call; what it is charged counts when the guard lets it through. `None`, too, where the
    /// guard does not judge the phase: the host does not ask it then.
    ///
    /// # Errors
    /// A fault: the guard's own, a panic, or an answer that the contract forbids.
    pub fn judge(&mut self, call: &TestCall) -> Result<Option<Decision>, Error> {
        self.judge_with(call, false)
    }

    /// Judges a call to which a human says yes if asked.
    ///
    /// # Errors
    /// As [`TestGuard::judge`].
    pub fn judge_approved(&mut self, call: &TestCall) -> Result<Option<Decision>, Error> {
        self.judge_with(call, true)
    }

    /// Judges a call and tells only the verdict, as the host takes it: no decision lets the call through,
    /// a fault denies.
    pub fn verdict(&mut self, call: &TestCall) -> Verdict {
        match self.judge(call) {
            Ok(Some(decision)) => decision.verdict(),
            Ok(None) => Verdict::Allow,
            Err(_) => Verdict::Deny,
        }
    }

    fn judge_with(&mut self, call: &TestCall, approved: bool) -> Result<Option<Decision>, Error> {
        let call = call.to_call();
        let readings = self.ledger.read(&call);
        let guard = configure::<G>(&self.settings).map_err(|_| Error::new("the settings were good once"))?;
        let is_judged = match call.phase {
            Phase::Before => guard.phases().before,
            Phase::After(_) => guard.phases().after,
        };
        if !is_judged {
            return Ok(None);
        }
        let decision = evaluate(&guard, &call, &readings)?;
        if let Some(decision) = &decision {
            check(&guard, decision, &call.phase)?;
            let let_through = match decision.verdict() {
                Verdict::Allow | Verdict::Modify => true,
                Verdict::RequireApproval => approved,
                Verdict::Deny => false,
            };
            self.ledger.charge(&call, decision.charges(), let_through)?;
        }
        Ok(decision)
    }
}

fn configure<G: Guard>(settings: &str) -> Result<G, Problems> {
    read_settings(settings).and_then(G::configure)
}

/// A panic is a fault here as it is in the host, with its text, which a component would lose.
fn evaluate<G: Guard>(guard: &G, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
    catch_unwind(AssertUnwindSafe(|| guard.evaluate(call, readings))).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("no text");
        Err(Error::new(format!("the guard panicked: {text}")))
    })
}

/// What the host checks of an answer.
fn check<G: Guard>(guard: &G, decision: &Decision, phase: &Phase) -> Result<(), Error> {
    let fault = |text: String| Err(Error::new(text));
    let verdict = decision.verdict();
    if !guard.verdicts().holds(verdict) {
        return fault(format!("the guard gave the verdict {verdict:?}, which it does not declare"));
    }
    if verdict != Verdict::Allow && decision.reason().trim().is_empty() {
        return fault(format!("the verdict {verdict:?} has no reason"));
    }
    let (fits, other) = (decision.new_arguments().is_some(), decision.new_output().is_some());
    let (fits, other, what) = match phase {
        Phase::Before => (fits, other, "new arguments"),
        Phase::After(_) => (other, fits, "a new output"),
    };
    if (verdict == Verdict::Modify) != fits || other {
        return fault(format!("{what}, and nothing else, comes with the verdict modify, and with no other"));
    }
    Ok(())
}
