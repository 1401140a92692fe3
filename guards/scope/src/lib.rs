//! The built-in guard scope: which functions an agent may call. It judges every call by its name and
//! its agent alone, and remembers nothing.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | the settings with their defaults, and the schema that stands beside this crate |
//! | `rules` | the rules in their order |

mod rules;
mod settings;

use agenthalt_guard::{Call, Decision, Error, Guard, Problems, Readings};
pub use settings::Settings;

/// The guard under one configuration.
pub struct Scope(Settings);

impl Guard for Scope {
    type Settings = Settings;
    const NAME: &'static str = "scope";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        Ok(Scope(settings))
    }

    fn evaluate(&self, call: &Call, _: &Readings) -> Result<Option<Decision>, Error> {
        Ok(Some(rules::judge(&self.0, &call.name(), call.agent.as_deref())))
    }
}

agenthalt_guard::export!(Scope, schema = include_str!("../schema.json"));
