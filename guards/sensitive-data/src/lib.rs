//! The built-in guard sensitive_data: which data a call may carry. It judges every call by what stands in
//! it, and its output if told; it remembers nothing, and what it reports never holds a piece of what it
//! found.
//!
//! | module | what it holds |
//! |---|---|
//! | `settings` | the settings with their defaults, and the schema that stands beside this crate |
//! | `pattern` | the names of the built-in patterns, and what a pattern is |
//! | `built_in` | the built-in patterns: one pass over a text, and a module for each family |
//! | `custom` | the policy's own regular expressions |
//! | `field` | which field names are sensitive |
//! | `folded` | a text with its odd digits, dashes and invisible characters made plain |
//! | `encoding` | what stands behind percent-encoding and base64 |
//! | `altered` | a text made from another, and the way back to the places in that |
//! | `seek` | the next byte of a class, found fast |
//! | `span` | what was found in a text: merged, and taken out of it |
//! | `detector` | all of these on one text |
//! | `survey` | the walk through a tree |
//! | `report` | what is said of the findings |
//! | `rules` | the rules in their order |

mod altered;
mod built_in;
mod custom;
mod detector;
mod encoding;
mod field;
mod folded;
mod pattern;
#[cfg(test)]
mod properties;
mod report;
mod rules;
mod seek;
mod settings;
mod span;
mod survey;

use agenthalt_guard::{Call, Decision, Error, Guard, Phases, Problems, Readings, Verdicts};
use detector::Detector;
use field::FieldNames;
pub use settings::Settings;

/// The guard under one configuration.
pub struct SensitiveData {
    settings: Settings,
    detector: Detector,
    fields: FieldNames,
}

impl Guard for SensitiveData {
    type Settings = Settings;
    const NAME: &'static str = "sensitive_data";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        let mut problems = Problems::new();
        let detector = Detector::new(&settings, &mut problems);
        let fields = FieldNames::new(&settings.sensitive_fields, &mut problems);
        problems.none_or(SensitiveData { settings, detector, fields })
    }

    fn verdicts(&self) -> Verdicts {
        let refusing = Verdicts::ALLOW | Verdicts::DENY;
        if self.settings.redact_on_modify { refusing | Verdicts::MODIFY } else { refusing }
    }

    fn phases(&self) -> Phases {
        match (self.settings.scan_arguments, self.settings.scan_output) {
            (true, true) => Phases::BEFORE | Phases::AFTER,
            (false, true) => Phases::AFTER,
            // A guard that is switched off has a phase all the same, and nothing to say in it.
            (true, false) | (false, false) => Phases::BEFORE,
        }
    }

    fn evaluate(&self, call: &Call, _: &Readings) -> Result<Option<Decision>, Error> {
        rules::judge(self, call)
    }
}

agenthalt_guard::export!(SensitiveData, schema = include_str!("../schema.json"));
