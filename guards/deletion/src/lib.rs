//! The built-in guard deletion: what an agent may delete. It judges calls whose function's name deletes,
//! by the targets that their arguments name and by how much was deleted before. It never counts a
//! deletion that does not run: it proposes charges.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | the settings with their defaults, and the schema that stands beside this crate |
//! | `targets` | which fields name targets, and how many they name |
//! | `text` | the ways to read a text that names targets: its parts, and what stands behind its encoding |
//! | `marks` | what kinds of characters a text holds |
//! | `patterns` | the lists of patterns, and what they say of a target |
//! | `reading` | one way to read a target in the forms that are compared |
//! | `protected` | what a protected resource covers |
//! | `hard` | what makes a deletion a hard one: words of the name, flags |
//! | `totals` | the limited totals: session, day |
//! | `rules` | the rules in their order |

mod hard;
mod marks;
mod patterns;
mod protected;
mod reading;
mod rules;
mod settings;
mod targets;
mod text;
mod totals;

use agenthalt_guard::{Call, Counter, Decision, Error, Guard, Problems, Readings};
pub use settings::Settings;

/// The guard under one configuration.
pub struct Deletion(Settings);

impl Guard for Deletion {
    type Settings = Settings;
    const NAME: &'static str = "deletion";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        Ok(Deletion(settings))
    }

    fn counters(&self) -> Vec<Counter> {
        rules::counters(&self.0)
    }

    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
        rules::judge(&self.0, call, readings)
    }
}

agenthalt_guard::export!(Deletion, schema = include_str!("../schema.json"));
