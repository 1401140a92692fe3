//! The built-in guard purchase: what an agent may buy. It judges calls whose function's name says that
//! they buy, pay or order, and it never spends: it proposes charges.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | the settings with their defaults, and the schema that stands beside this crate |
//! | `field` | what the fields of a purchase are known by |
//! | `amount` | what a purchase costs: the largest figure in its arguments |
//! | `category` | what kinds of things a purchase names, and whether they may be bought |
//! | `rules` | the rules in their order |

mod amount;
mod category;
mod field;
mod rules;
mod settings;

use agenthalt_guard::{Call, Counter, Decision, Error, Guard, Problems, Readings};
pub use settings::Settings;

/// The guard under one configuration.
pub struct Purchase(Settings);

impl Guard for Purchase {
    type Settings = Settings;
    const NAME: &'static str = "purchase";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        Ok(Purchase(settings))
    }

    fn counters(&self) -> Vec<Counter> {
        rules::counters(&self.0)
    }

    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
        match self.0.purchase_functions.acting(&call.name()) {
            Some(_) => rules::judge(&self.0, call.arguments.object()?, readings).map(Some),
            None => Ok(None),
        }
    }
}

agenthalt_guard::export!(Purchase, schema = include_str!("../schema.json"));
