//! The settings of purchase. They never hold an amount, a category or a word that is no good: reading
//! them reports it.

use agenthalt_guard::{Amount, FoldedName, FunctionWords, List, PURCHASE_WORDS, Phrase, WrittenName};
use serde::Deserialize;

/// What an agent may buy.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema, serde::Serialize))]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Denies a single purchase of a larger amount.
    pub max_single_purchase: Option<Amount>,
    /// Denies a purchase with which those of the calendar day would amount to more.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "daily_purchases", "unit": "money" })))]
    pub max_daily_purchases: Option<Amount>,
    /// Denies a purchase with which there would be more of them on the calendar day.
    #[cfg_attr(test, schemars(extend("x-limit" = { "counter": "daily_purchase_count", "unit": "purchases" })))]
    pub max_purchase_count_per_day: Option<u64>,
    /// A human must approve a purchase of a larger amount.
    pub require_approval_above: Option<Amount>,
    /// Denies a purchase of these categories: one is met by whole words in a row, in any spelling.
    pub blocked_categories: List<Phrase>,
    /// If set, a purchase must name a category, and only these, as they are written and the whole of them.
    pub allowed_categories: List<WrittenName>,
    /// Where a purchase states its amount, beside price, cost, value and total: a field at any depth.
    pub amount_field: FoldedName,
    /// Where a purchase names its category, beside category: a field of the arguments or of their item or items.
    pub category_field: FoldedName,
    /// What the amounts are in: a purchase that names another currency is denied.
    pub currency: WrittenName,
    /// The words in a function's name that make a call a purchase.
    pub purchase_functions: FunctionWords,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            max_single_purchase: None,
            max_daily_purchases: None,
            max_purchase_count_per_day: None,
            require_approval_above: None,
            blocked_categories: List::default(),
            allowed_categories: List::default(),
            amount_field: FoldedName::new("amount"),
            category_field: FoldedName::new("category"),
            currency: WrittenName::new("USD"),
            purchase_functions: FunctionWords::of(PURCHASE_WORDS),
        }
    }
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
    fn null_switches_limits_off_and_empties_lists() {
        let text = r#"{"max_single_purchase":null,"max_daily_purchases":null,"max_purchase_count_per_day":null,
            "require_approval_above":null,"blocked_categories":null,"allowed_categories":null}"#;
        assert_eq!(read_settings::<Settings>(text).unwrap(), Settings::default());
        let none = read_settings::<Settings>(r#"{"purchase_functions":null}"#).unwrap();
        assert_eq!(none.purchase_functions.iter().count(), 0);
        for setting in ["amount_field", "category_field", "currency"] {
            assert_eq!(problems(&format!(r#"{{"{setting}":null}}"#)), [format!("/{setting}")]);
        }
    }

    #[test]
    fn bad_amounts_words_and_names_are_reported_together() {
        let text = r#"{"max_single_purchase":-1,"max_daily_purchases":1e99,"require_approval_above":-0.5,
            "blocked_categories":["ok",""],"allowed_categories":[" "],"amount_field":"","category_field":" ",
            "currency":"","purchase_functions":["buy",""]}"#;
        let mut expected = [
            "/max_single_purchase",
            "/max_daily_purchases",
            "/require_approval_above",
            "/blocked_categories/1",
            "/allowed_categories/0",
            "/amount_field",
            "/category_field",
            "/currency",
            "/purchase_functions/1",
        ];
        expected.sort_unstable();
        assert_eq!(problems(text), expected);
    }

    #[test]
    fn other_types_are_refused() {
        for (setting, value) in [
            ("max_single_purchase", "\"10\""),
            ("max_single_purchase", "true"),
            ("max_purchase_count_per_day", "2.5"),
            ("max_purchase_count_per_day", "-1"),
            ("max_purchase_count_per_day", "\"2\""),
            ("max_purchase_count_per_day", "true"),
            ("blocked_categories", "\"luxury\""),
            ("allowed_categories", "{}"),
            ("purchase_functions", "\"buy\""),
            ("currency", "840"),
            ("max_purchases", "1"),
        ] {
            assert_eq!(problems(&format!(r#"{{"{setting}":{value}}}"#)), [format!("/{setting}")], "{value}");
        }
        let whole: Settings = read_settings(r#"{"max_purchase_count_per_day":3.0}"#).unwrap();
        assert_eq!(whole.max_purchase_count_per_day, Some(3));
    }

    #[test]
    fn the_schema_is_the_one_of_the_settings() {
        let committed = Json::parse(include_str!("../schema.json")).unwrap();
        assert!(
            committed == Json::parse(&schema_text::<Settings>()).unwrap(),
            "schema.json differs: run `cargo test -p agenthalt-guard-purchase -- --ignored write_the_schema`"
        );
    }

    #[test]
    #[ignore = "rewrites a file"]
    fn write_the_schema() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.json"), schema_text::<Settings>()).unwrap();
    }
}
