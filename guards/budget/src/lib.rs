//! The built-in guard budget: what calls may cost. It judges every call by its cost and by what was
//! spent before, and it never spends: it proposes charges.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | the settings with their defaults, and the schema that stands beside this crate |
//! | `cost` | what a call costs: the operator's figure, or a higher one that the call states |
//! | `totals` | the limited totals: session, day, month |
//! | `rules` | the rules in their order |

mod cost;
mod rules;
mod settings;
mod totals;

use agenthalt_guard::{Call, Counter, Decision, Error, Guard, Problems, Readings};
pub use settings::{Per, Settings};

/// The guard under one configuration.
pub struct Budget(Settings);

impl Guard for Budget {
    type Settings = Settings;
    const NAME: &'static str = "budget";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        Ok(Budget(settings))
    }

    fn counters(&self) -> Vec<Counter> {
        totals::limited(&self.0).map(|total| total.counter(self.0.per)).collect()
    }

    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
        rules::judge(&self.0, call, readings).map(Some)
    }
}

agenthalt_guard::export!(Budget, schema = include_str!("../schema.json"));
