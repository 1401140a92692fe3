//! The settings of the guard `budget`.
//! Written by `cargo xtask docs` from `guards/budget/schema.json`: edit that, never this.

use std::collections::BTreeMap;

use agenthalt_json::{Json, Object};

use super::Setting;
use crate::{Amount, GuardSetup};

/// What calls may cost.
///
/// ```
/// use agenthalt::settings::Budget;
/// let budget = Budget {
///     max_call_cost: Some("1".parse()?),
///     max_daily_spend: Some("20".parse()?),
///     ..Budget::default()
/// };
/// # Ok::<(), agenthalt::AmountError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// By function name or pattern: what a call costs at least. The exact name wins, else the highest that
    /// meets.
    ///
    /// Default: `{}`.
    pub cost_estimator: BTreeMap<String, Amount>,
    /// Where a call states its cost: a field of its arguments, at any depth, and of its metadata.
    ///
    /// Default: `estimated_cost`.
    pub cost_field: String,
    /// What a call costs at least when no entry of cost_estimator meets its function.
    ///
    /// Default: `0.01`.
    pub default_cost: Amount,
    /// Denies a single call that costs more.
    ///
    /// Default: none.
    pub max_call_cost: Option<Amount>,
    /// Denies a call with which the calendar day would have cost more.
    ///
    /// Default: none.
    pub max_daily_spend: Option<Amount>,
    /// Denies a call with which the calendar month would have cost more.
    ///
    /// Default: none.
    pub max_monthly_spend: Option<Amount>,
    /// Denies a call with which its session would have cost more.
    ///
    /// Default: none.
    pub max_session_spend: Option<Amount>,
    /// What daily and monthly totals are counted by.
    ///
    /// Default: `tenant`.
    pub per: Per,
    /// The part of a session, daily or monthly limit above which a human must approve.
    ///
    /// Default: `0.8`.
    pub warn_threshold: Option<Amount>,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            cost_estimator: BTreeMap::new(),
            cost_field: "estimated_cost".to_owned(),
            default_cost: Amount::from_millionths(10_000),
            max_call_cost: None,
            max_daily_spend: None,
            max_monthly_spend: None,
            max_session_spend: None,
            per: Per::Tenant,
            warn_threshold: Some(Amount::from_millionths(800_000)),
        }
    }
}

impl From<Budget> for GuardSetup {
    fn from(settings: Budget) -> Self {
        let settings = Object::from_iter([
            ("cost_estimator", settings.cost_estimator.json()),
            ("cost_field", settings.cost_field.json()),
            ("default_cost", settings.default_cost.json()),
            ("max_call_cost", settings.max_call_cost.json()),
            ("max_daily_spend", settings.max_daily_spend.json()),
            ("max_monthly_spend", settings.max_monthly_spend.json()),
            ("max_session_spend", settings.max_session_spend.json()),
            ("per", settings.per.json()),
            ("warn_threshold", settings.warn_threshold.json()),
        ]);
        GuardSetup::built_in("budget", settings)
    }
}

/// What daily and monthly totals are counted by.
///
/// ```
/// use agenthalt::settings::{Budget, Per};
/// let budget = Budget { per: Per::Agent, ..Budget::default() };
/// assert_eq!(budget.per, Per::Agent);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// `tenant` in a policy.
    Tenant,
    /// `agent` in a policy.
    Agent,
}

impl Setting for Per {
    fn json(self) -> Json {
        Json::from(match self {
            Per::Tenant => "tenant",
            Per::Agent => "agent",
        })
    }
}
