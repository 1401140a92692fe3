//! A higher amount never loosens: what is denied or asked about at one figure is not let through at a
//! higher one, whatever was spent before and wherever in the call the figure stands.

use proptest::prelude::*;

use crate::bench::{Bench, holds};
use crate::tree::Tree;

/// Policies whose limits lie where random figures reach them, alone and together.
const POLICIES: [&str; 10] = [
    "budget: {max_call_cost: 50}",
    "budget: {max_daily_spend: 100, default_cost: 5}",
    "budget: {max_session_spend: 80, warn_threshold: 0.5}",
    "budget: {max_session_spend: 90, max_daily_spend: 100, warn_threshold: null, cost_estimator: {buy: 20}}",
    "purchase: {max_single_purchase: 100, require_approval_above: 50}",
    "purchase: {max_daily_purchases: 120}",
    "purchase: {require_approval_above: 0, max_purchase_count_per_day: 1}",
    "purchase: {max_single_purchase: 99.99, max_daily_purchases: 150, require_approval_above: 20}",
    "purchase: {max_single_purchase: 60}, budget: {max_daily_spend: 100, warn_threshold: 0.3}",
    "purchase: {require_approval_above: 30}, budget: {max_call_cost: 70, per: agent, max_daily_spend: 110}",
];

/// The ways in which a call may state a figure.
const SHAPES: usize = 16;

/// The arguments of a call that states this figure; `beside` is another one in the same call.
fn stating(shape: usize, figure: i64, beside: i64) -> Tree {
    let amount = || Tree::Number(figure, -2);
    let other = || Tree::Number(beside, -2);
    let one = |key: &str, value: Tree| Tree::object([(key.to_owned(), value)]);
    let two = |(a, x): (&str, Tree), (b, y): (&str, Tree)| Tree::object([(a.to_owned(), x), (b.to_owned(), y)]);
    match shape {
        0 => one("amount", amount()),
        1 => one("amount", Tree::text(format!("{}.{:02}", figure / 100, figure % 100))),
        2 => two(("price", amount()), ("quantity", Tree::Number(3, 0))),
        3 => one("item", one("cost", amount())),
        4 => one("items", Tree::List(vec![one("price", amount()), one("price", other())])),
        5 => two(("total", amount()), ("amount", other())),
        6 => two(("quantity", Tree::Number(2, 0)), ("item", one("price", amount()))),
        7 => one("amount", one("value", amount())),
        8 => two(("amount", other()), ("estimated_cost", amount())),
        9 => one("calls", Tree::List(vec![one("estimated_cost", amount()), one("estimated_cost", other())])),
        // A quantity of nothing is malformed, and denied; above it more is more.
        10 => two(("price", other()), ("quantity", Tree::Number(figure + 1, -2))),
        11 => two(("amount", amount()), ("estimated_cost", amount())),
        12 => two(("order", one("lines", Tree::List(vec![one("total", amount())]))), ("amount", other())),
        13 => {
            two(("items", Tree::List(vec![two(("price", amount()), ("qty", Tree::Number(2, 0)))])), ("total", other()))
        }
        14 => two(("value", amount()), ("o", one("value", Tree::text("blue")))),
        _ => two(("amount", Tree::List(vec![amount(), other()])), ("category", Tree::text("office"))),
    }
}

#[test]
fn a_higher_amount_is_never_treated_more_gently() {
    let benches: Vec<Bench> = POLICIES.iter().map(|guards| Bench::new(&format!("guards: {{{guards}}}"))).collect();
    let figure = prop_oneof![3 => 0_i64..=12_000, 1 => 0_i64..=300, 1 => 0_i64..=9_000_000_000];
    let before = prop::collection::vec(0_i64..=6_000, 0..2);
    let raise = prop_oneof![0_i64..=200, 0_i64..=10_000, 0_i64..=10_000_000_000];
    let case = (0..benches.len(), before, 0..SHAPES, figure, raise, 0_i64..=4_000);
    holds(10_000, case, |(policy, before, shape, figure, raise, beside)| {
        let bench = &benches[policy];
        let verdicts = [figure, figure + raise].map(|figure| {
            let scene = bench.scene();
            for spent in &before {
                let first = stating(11, *spent, 0);
                scene.approve("buy", &first.plain());
            }
            scene.judge("buy", &stating(shape, figure, beside).plain()).evaluation.verdict
        });
        let (low, high) = (stating(shape, figure, beside).plain(), stating(shape, figure + raise, beside).plain());
        let said = format!("{}: {low} is {}, {high} is {}", POLICIES[policy], verdicts[0], verdicts[1]);
        prop_assert!(verdicts[0] <= verdicts[1], "after {:?}, {}", before, said);
        Ok(())
    });
}
