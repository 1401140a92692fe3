//! An example guard: asks a human before a mail is sent or a payment made outside business hours. It
//! knows no holidays.

use agenthalt_guard::{Call, Decision, Error, Guard, Problems, Readings, Tighten, export, quote};

/// Who must wait for a human outside 9 to 17, Monday to Friday, in the policy's time zone.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The functions that wait.
    #[serde(default = "waiting")]
    functions: Vec<Tighten>,
}

fn waiting() -> Vec<Tighten> {
    ["send_email", "make_payment"].into_iter().flat_map(Tighten::new).collect()
}

/// The guard under one configuration.
pub struct BusinessHours(Settings);

impl Guard for BusinessHours {
    type Settings = Settings;
    const NAME: &'static str = "business-hours";

    fn configure(settings: Settings) -> Result<Self, Problems> {
        Ok(BusinessHours(settings))
    }

    fn evaluate(&self, call: &Call, _: &Readings) -> Result<Option<Decision>, Error> {
        let is_open = call.civil.weekday <= 5 && (9..17).contains(&call.civil.hour);
        let name = call.name();
        if is_open || !self.0.functions.iter().any(|pattern| pattern.meets(&name)) {
            return Ok(None);
        }
        let function = quote(&call.function_name);
        Ok(Some(Decision::require_approval(format!("{function} runs from 9 to 17 on weekdays; now a human decides"))))
    }
}

export!(BusinessHours);

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::Verdict::{self, Allow, RequireApproval};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    const HOUR: i64 = 3_600;

    /// The verdict on a call made so many hours after Thursday noon.
    fn verdict(function: &str, hours: i64) -> Verdict {
        let call = TestCall::new(function).seconds_later(hours * HOUR);
        TestGuard::<BusinessHours>::new("{}").unwrap().verdict(&call)
    }

    #[test]
    fn mails_and_payments_wait_outside_business_hours() {
        for (hours, expected) in [(0, Allow), (-3, Allow), (-4, RequireApproval), (4, Allow), (5, RequireApproval)] {
            assert_eq!(verdict("send_email", hours), expected, "{hours}");
            assert_eq!(verdict("bank.makePayment", hours), expected, "{hours}");
        }
        assert_eq!(verdict("send_email", 24), Allow);
        assert_eq!(verdict("send_email", 48), RequireApproval);
    }

    #[test]
    fn other_functions_are_not_its_business() {
        assert_eq!(verdict("read_email", 12), Allow);
    }

    #[test]
    fn the_clock_is_the_policys() {
        let settings = r#"{"functions":["send_email"]}"#;
        let call = TestCall::new("send_email").offset_seconds(9 * 3_600);
        let decision = TestGuard::<BusinessHours>::new(settings).unwrap().judge(&call).unwrap().unwrap();
        assert_eq!(decision.reason(), "`send_email` runs from 9 to 17 on weekdays; now a human decides");
    }

    #[test]
    fn settings_that_name_a_bad_pattern_are_refused() {
        let problems = TestGuard::<BusinessHours>::new(r#"{"functions":["a["]}"#).err().unwrap();
        assert_eq!(problems.as_slice().first().map(|problem| problem.pointer.as_str()), Some("/functions/0"));
    }
}
