//! The settings of the guard `purchase`.
//! Written by `cargo xtask docs` from `guards/purchase/schema.json`: edit that, never this.

use agenthalt_json::Object;

use super::Setting;
use crate::{Amount, GuardSetup};

/// What an agent may buy.
///
/// ```
/// use agenthalt::settings::Purchase;
/// let purchase = Purchase {
///     max_single_purchase: Some("100".parse()?),
///     require_approval_above: Some("50".parse()?),
///     ..Purchase::default()
/// };
/// # Ok::<(), agenthalt::AmountError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// If set, a purchase must name a category, and only these, as they are written and the whole of them.
    ///
    /// Default: `[]`.
    pub allowed_categories: Vec<String>,
    /// Where a purchase states its amount, beside price, cost, value and total: a field at any depth.
    ///
    /// Default: `amount`.
    pub amount_field: String,
    /// Denies a purchase of these categories: one is met by whole words in a row, in any spelling.
    ///
    /// Default: `[]`.
    pub blocked_categories: Vec<String>,
    /// Where a purchase names its category, beside category: a field of the arguments or of their item or
    /// items.
    ///
    /// Default: `category`.
    pub category_field: String,
    /// What the amounts are in: a purchase that names another currency is denied.
    ///
    /// Default: `USD`.
    pub currency: String,
    /// Denies a purchase with which those of the calendar day would amount to more.
    ///
    /// Default: none.
    pub max_daily_purchases: Option<Amount>,
    /// Denies a purchase with which there would be more of them on the calendar day.
    ///
    /// Default: none.
    pub max_purchase_count_per_day: Option<u64>,
    /// Denies a single purchase of a larger amount.
    ///
    /// Default: none.
    pub max_single_purchase: Option<Amount>,
    /// The words in a function's name that make a call a purchase.
    ///
    /// Default: `[purchase, buy, order, checkout, make_payment, place_order, subscribe, subscription, pay,
    /// transfer_funds, send_money, wire_transfer, charge, donate, invest, bid]`.
    pub purchase_functions: Vec<String>,
    /// A human must approve a purchase of a larger amount.
    ///
    /// Default: none.
    pub require_approval_above: Option<Amount>,
}

impl Default for Purchase {
    fn default() -> Self {
        Purchase {
            allowed_categories: Vec::new(),
            amount_field: "amount".to_owned(),
            blocked_categories: Vec::new(),
            category_field: "category".to_owned(),
            currency: "USD".to_owned(),
            max_daily_purchases: None,
            max_purchase_count_per_day: None,
            max_single_purchase: None,
            purchase_functions: [
                "purchase",
                "buy",
                "order",
                "checkout",
                "make_payment",
                "place_order",
                "subscribe",
                "subscription",
                "pay",
                "transfer_funds",
                "send_money",
                "wire_transfer",
                "charge",
                "donate",
                "invest",
                "bid",
            ]
            .map(str::to_owned)
            .into(),
            require_approval_above: None,
        }
    }
}

impl From<Purchase> for GuardSetup {
    fn from(settings: Purchase) -> Self {
        let settings = Object::from_iter([
            ("allowed_categories", settings.allowed_categories.json()),
            ("amount_field", settings.amount_field.json()),
            ("blocked_categories", settings.blocked_categories.json()),
            ("category_field", settings.category_field.json()),
            ("currency", settings.currency.json()),
            ("max_daily_purchases", settings.max_daily_purchases.json()),
            ("max_purchase_count_per_day", settings.max_purchase_count_per_day.json()),
            ("max_single_purchase", settings.max_single_purchase.json()),
            ("purchase_functions", settings.purchase_functions.json()),
            ("require_approval_above", settings.require_approval_above.json()),
        ]);
        GuardSetup::built_in("purchase", settings)
    }
}
