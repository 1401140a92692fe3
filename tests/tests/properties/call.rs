//! Random calls near the edges of the rules: names that act and names that do not, fields that rules
//! read, figures around the limits. It judges nothing.

use proptest::prelude::*;
use proptest::sample::select;

use crate::tree::Tree;

/// A policy in which every rule of every built-in guard is on, with limits that random calls reach.
pub(crate) const EVERY_RULE: &str = r#"
guards:
  budget:
    max_call_cost: 60
    max_session_spend: 90
    max_daily_spend: 100
    max_monthly_spend: 1000000
    cost_estimator: { "gpt*": 5, web_search: 1 }
  purchase:
    max_single_purchase: 100
    max_daily_purchases: 150
    max_purchase_count_per_day: 2
    require_approval_above: 50
    blocked_categories: [luxury]
    allowed_categories: [office, luxury]
  deletion:
    allow_patterns: ["temp_*", "/tmp/*", "inbox", "4?"]
    deny_patterns: ["*_production"]
    protected_resources: [inbox, /etc]
    max_deletions_per_session: 4
    max_deletions_per_day: 5
    max_bulk_delete: 3
    soft_delete_only: true
    cooldown_seconds: 0.5
  rate_limit:
    max_calls_per_minute: 3
    max_calls_per_minute_per_function: 2
    max_calls_per_session: 3
    max_identical_calls: 1
    burst_threshold: 3
  scope:
    deny_functions: ["drop_*"]
    require_approval_functions: ["send_*"]
    allow_by_agent: { someone: ["get_*"] }
    deny_by_agent: { someone: ["get_secret"] }
  sensitive_data:
    redact_on_modify: true
    scan_depth: 5
"#;

const FUNCTIONS: [&str; 14] = [
    "buy",
    "pay_invoice",
    "shop.order",
    "delete_file",
    "emails.trash",
    "purge",
    "delete",
    "get_user",
    "list_items",
    "drop_table",
    "send_email",
    "gpt4_call",
    "web_search",
    "search_then_buy",
];

const KEYS: [&str; 34] = [
    "amount",
    "price",
    "total",
    "cost",
    "value",
    "quantity",
    "qty",
    "items",
    "item",
    "category",
    "currency",
    "id",
    "ids",
    "name",
    "path",
    "resource_id",
    "targets",
    "table",
    "url",
    "estimated_cost",
    "permanent",
    "force",
    "password",
    "text",
    "note",
    "options",
    "Amount",
    "apiKey",
    "x",
    "y",
    "max_tokens",
    "count",
    "key",
    "file",
];

const TEXTS: [&str; 26] = [
    "temp_1",
    "temp_2,temp_3",
    "inbox",
    "INBOX",
    "/tmp/a",
    "/tmp/../etc/passwd",
    "db_production",
    "office",
    "luxury",
    "10",
    "99.5",
    "1e2",
    "nan",
    "",
    " ",
    "USD",
    "EUR",
    "*",
    "yes",
    "no",
    "hello world",
    "ssn 123-45-6789",
    "4111 1111 1111 1111",
    "caf\u{e9}/\u{1f600}",
    "c3NuIDEyMy00NS02Nzg5IGhlcmU=",
    "123%2D45%2D6789",
];

pub(crate) fn function() -> impl Strategy<Value = &'static str> {
    select(&FUNCTIONS[..])
}

fn key() -> impl Strategy<Value = String> {
    select(&KEYS[..]).prop_map(str::to_owned)
}

/// Whole numbers and decimals around the limits, seldom anything else.
pub(crate) fn number() -> impl Strategy<Value = Tree> {
    prop_oneof![
        6 => (0_i64..=160).prop_map(|whole| Tree::Number(whole, 0)),
        3 => (0_i64..=16_000).prop_map(|cents| Tree::Number(cents, -2)),
        1 => (0_i64..=9, 0_i8..=3).prop_map(|(whole, power)| Tree::Number(whole, power)),
        1 => (-9_i64..=0, -3_i8..=3).prop_map(|(whole, power)| Tree::Number(whole, power)),
        1 => (any::<i64>(), -20_i8..=20).prop_map(|(whole, power)| Tree::Number(whole, power)),
        1 => Just(Tree::Number(4_111_111_111_111_111, 0)),
    ]
}

fn leaf() -> impl Strategy<Value = Tree> {
    prop_oneof![
        5 => number(),
        5 => select(&TEXTS[..]).prop_map(Tree::text),
        1 => any::<bool>().prop_map(Tree::Bool),
        1 => Just(Tree::Null),
    ]
}

fn value() -> impl Strategy<Value = Tree> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            prop::collection::vec((key(), inner), 0..4).prop_map(Tree::object),
        ]
    })
}

/// What a purchase, a deletion or a costly call states that may well be let through.
fn sensible() -> impl Strategy<Value = Vec<(String, Tree)>> {
    let figure = |most: i64| (0..=most).prop_map(|cents| Tree::Number(cents, -2));
    let office = || ("category".to_owned(), Tree::text("office"));
    let target =
        || select(&["temp_1", "temp_2", "/tmp/a", "/tmp/b/../c", "42", "temp_3,temp_4"][..]).prop_map(Tree::text);
    prop_oneof![
        figure(7_000).prop_map(move |amount| vec![("amount".to_owned(), amount), office()]),
        (figure(2_000), 1_i64..=4).prop_map(move |(price, quantity)| {
            vec![("price".to_owned(), price), ("quantity".to_owned(), Tree::Number(quantity, 0)), office()]
        }),
        prop::collection::vec(figure(2_500), 1..4).prop_map(move |prices| {
            let items = prices.into_iter().map(|price| Tree::object([("price".to_owned(), price)])).collect();
            vec![("items".to_owned(), Tree::List(items)), office()]
        }),
        target().prop_map(|target| vec![("id".to_owned(), target)]),
        prop::collection::vec(target(), 1..4).prop_map(|targets| vec![("ids".to_owned(), Tree::List(targets))]),
        figure(6_500).prop_map(|cost| vec![("estimated_cost".to_owned(), cost)]),
    ]
}

/// An object of arguments: any, or sensible ones with little beside them.
pub(crate) fn arguments() -> impl Strategy<Value = Tree> {
    let any = prop::collection::vec((key(), value()), 0..5);
    let beside = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec((key(), value()), 1..3)];
    let sensible = (sensible(), beside).prop_map(|(mut sensible, beside)| {
        sensible.extend(beside);
        sensible
    });
    prop_oneof![2 => any, 3 => sensible].prop_map(Tree::object)
}
