//! The settings of budget. They never hold a pattern or an amount that is no good: reading them reports
//! it.

use agenthalt_guard::{Amount, FoldedName, Fraction, Map, Tighten};
use serde::Deserialize;

/// What calls may cost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Denies a single call that costs more.
    pub max_call_cost: Option<Amount>,
    /// Denies a call with which its session would have cost more.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "session_spend", "unit": "money" })))]
    pub max_session_spend: Option<Amount>,
    /// Denies a call with which the calendar day would have cost more.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "daily_spend", "unit": "money" })))]
    pub max_daily_spend: Option<Amount>,
    /// Denies a call with which the calendar month would have cost more.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "monthly_spend", "unit": "money" })))]
    pub max_monthly_spend: Option<Amount>,
    /// Where a call states its cost: a field of its arguments, at any depth, and of its metadata.
    pub cost_field: FoldedName,
    /// What a call costs at least when no entry of cost_estimator meets its function.
    pub default_cost: Amount,
    /// The part of a session, daily or monthly limit above which a human must approve.
    #[cfg_attr(test, schemars(extend("x-warns" = ["max_session_spend", "max_daily_spend", "max_monthly_spend"])))]
    pub warn_threshold: Option<Fraction>,
    /// By function name or pattern: what a call costs at least. The exact name wins, else the highest that meets.
    pub cost_estimator: Map<Tighten, Amount>,
    /// What daily and monthly totals are counted by.
    pub per: Per,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_call_cost: None,
            max_session_spend: None,
            max_daily_spend: None,
            max_monthly_spend: None,
            cost_field: FoldedName::new("estimated_cost"),
            default_cost: Amount::hundredths(1),
            warn_threshold: Some(Fraction::percent(80)),
            cost_estimator: Map::default(),
            per: Per::default(),
        }
    }
}

/// What daily and monthly totals are counted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// All calls of the tenant together.
    #[default]
    Tenant,
    /// Each agent for itself.
    Agent,
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::{Json, read_settings, schema_text};

    fn problems(text: &str) -> Vec<String> {
        let problems = read_settings::<Settings>(text).unwrap_err();
        problems.as_slice().iter().map(|problem| problem.pointer.clone()).collect()
    }

    #[test]
    fn limits_and_warnings_can_be_switched_off() {
        let text = r#"{"max_call_cost":null,"warn_threshold":null,"cost_estimator":null}"#;
        let settings: Settings = read_settings(text).unwrap();
        assert!(settings.warn_threshold.is_none() && settings.cost_estimator.is_empty());
        assert_eq!(problems(r#"{"default_cost":null}"#), ["/default_cost"]);
        assert_eq!(problems(r#"{"per":null}"#), ["/per"]);
    }

    #[test]
    fn bad_amounts_and_names_are_reported_together() {
        let text = r#"{"cost_estimator":{"a[":1,"f":-1},"cost_field":" ","default_cost":-1,"max_call_cost":1e99,
            "warn_threshold":80}"#;
        let expected = [
            "/cost_estimator/a[",
            "/cost_estimator/f",
            "/cost_field",
            "/default_cost",
            "/max_call_cost",
            "/warn_threshold",
        ];
        assert_eq!(problems(text), expected);
        assert_eq!(problems(r#"{"max_daily_spend":"ten"}"#), ["/max_daily_spend"]);
        assert_eq!(problems(r#"{"max_daily_spent":10}"#), ["/max_daily_spent"]);
    }

    #[test]
    fn the_schema_is_the_one_of_the_settings() {
        let committed = Json::parse(include_str!("../schema.json")).unwrap();
        assert!(
            committed == Json::parse(&schema_text::<Settings>()).unwrap(),
            "schema.json differs: run `cargo test -p agenthalt-guard-budget -- --ignored write_the_schema`"
        );
    }

    #[test]
    #[ignore = "rewrites a file"]
    fn write_the_schema() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), schema_text::<Settings>()).unwrap();
    }
}
