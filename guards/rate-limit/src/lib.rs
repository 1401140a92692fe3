//! The built-in guard rate_limit: how often an agent may call. It judges every call by the calls before
//! it, looks into no argument, and counts only what it lets pass.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | the settings with their defaults, and the schema that stands beside this crate |
//! | `limits` | the limits that are set: what each counts, and how many earlier calls deny the next |
//! | `cooldown` | the time in which no call passes, after a burst of them |
//! | `rules` | the rules in their order |

mod cooldown;
mod limits;
mod rules;
mod settings;

use agenthalt_guard::{Call, Counter, Decision, Error, Guard, Problems, Readings, Verdicts};
use cooldown::Cooldown;
pub use settings::Settings;

/// The guard under one configuration.
pub struct RateLimit(Settings);

impl Guard for RateLimit {
    type Settings = Settings;
    const NAME: &'static str = "rate_limit";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        settings.check()?;
        Ok(RateLimit(settings))
    }

    fn verdicts(&self) -> Verdicts {
        Verdicts::ALLOW | Verdicts::DENY
    }

    fn counters(&self) -> Vec<Counter> {
        let cooldown = Cooldown::of(&self.0).map(|_| Cooldown::counter());
        cooldown.into_iter().chain(limits::set(&self.0).map(limits::Limit::counter)).collect()
    }

    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
        rules::judge(&self.0, call, readings).map(Some)
    }
}

agenthalt_guard::export!(RateLimit, schema = include_str!("../schema.json"));
