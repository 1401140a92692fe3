//! No tree traps a guard or burns its fuel. What each guard burns for a kilobyte of arguments is printed,
//! so that a rule that grows costly is seen.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write;

use agenthalt::{Evaluation, Fault, Verdict};
use proptest::prelude::*;
use proptest::string::string_regex;

use crate::bench::{Bench, holds};
use crate::call::{EVERY_RULE, function, number};
use crate::tree::Tree;

/// Arguments below this many bytes say nothing of the fuel for a byte.
const WORTH_MEASURING: usize = 512;

/// Each guard's fuel for this call.
fn fuel(evaluation: &Evaluation) -> BTreeMap<String, u64> {
    let mut fuel: BTreeMap<String, u64> = BTreeMap::new();
    let decided = evaluation.decisions.iter().map(|decision| (&decision.guard, decision.fuel));
    let silent = evaluation.silent.iter().map(|silence| (&silence.guard, silence.fuel));
    for (guard, burnt) in decided.chain(silent) {
        let most = fuel.entry(guard.clone()).or_default();
        *most = burnt.max(*most);
    }
    for rewrite in &evaluation.rewrites {
        let most = fuel.entry(rewrite.guard.clone()).or_default();
        *most = rewrite.fuel.max(*most);
    }
    fuel
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => string_regex("\\PC{0,40}").unwrap(),
        3 => string_regex("[ -~]{0,60}").unwrap(),
        2 => string_regex("[0-9 .-]{0,40}").unwrap(),
        2 => string_regex("[A-Za-z0-9+/=_%-]{0,80}").unwrap(),
        1 => prop::collection::vec(any::<char>(), 0..20).prop_map(String::from_iter),
    ]
}

/// Any tree, as wide as deep, with names that rules read among the keys.
fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        5 => text().prop_map(Tree::Text),
        3 => number(),
        1 => any::<bool>().prop_map(Tree::Bool),
        1 => Just(Tree::Null),
    ];
    let key = || {
        prop_oneof![
            3 => text(),
            2 => string_regex("(amount|price|total|items|quantity|id|ids|path|token|estimated_cost|category)").unwrap(),
        ]
    };
    let tree = leaf.prop_recursive(8, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::List),
            prop::collection::vec((key(), inner), 0..6).prop_map(Tree::object),
        ]
    });
    // Now and then the deepest that a call may be.
    (tree, prop_oneof![4 => Just(0_usize), 1 => 0_usize..54])
        .prop_map(|(tree, deeper)| (0..deeper).fold(tree, |tree, _| Tree::List(vec![tree])))
}

#[test]
fn no_tree_traps_a_guard() {
    let bench = Bench::new(&EVERY_RULE.replace("scan_depth: 5", "scan_depth: null"));
    let most: RefCell<BTreeMap<String, (u64, u64)>> = RefCell::default();
    let key = prop_oneof![text(), Just("items".to_owned()), Just("id".to_owned()), Just("amount".to_owned())];
    let arguments = prop::collection::vec((key, tree()), 0..5).prop_map(Tree::object);
    holds(10_000, (function(), arguments), |(function, arguments)| {
        let arguments = arguments.plain();
        let simulated = bench.scene().judge(function, &arguments);
        let evaluation = &simulated.evaluation;
        prop_assert_eq!(evaluation.fault(), None, "{} {}", function, arguments);
        prop_assert!(evaluation.malformed.is_none(), "{:?}: {}", evaluation.malformed, arguments);
        for (guard, burnt) in fuel(evaluation) {
            let mut most = most.borrow_mut();
            let (whole, kilobyte) = most.entry(guard).or_default();
            *whole = burnt.max(*whole);
            if arguments.len() >= WORTH_MEASURING {
                *kilobyte = (burnt * 1_024 / arguments.len() as u64).max(*kilobyte);
            }
        }
        Ok(())
    });
    // Written past the test's own capture: the figures are to be seen where all passes.
    let mut out = std::io::stdout();
    writeln!(out, "\nfuel of random trees: the most for a call, and for a KiB of arguments").unwrap();
    for (guard, (whole, kilobyte)) in most.into_inner() {
        writeln!(out, "{guard:<16} {whole:>9} {kilobyte:>9}").unwrap();
    }
}

/// Arguments of nearly a MiB, each of one kind of value.
fn large() -> Vec<(&'static str, String)> {
    let filled = |unit: &str| unit.repeat((1_000 << 10) / unit.len());
    let list = |unit: &str| format!("{{\"ids\":[{}]}}", filled(&format!("{unit},")).trim_end_matches(','));
    let keys: Vec<String> = (0..60_000).map(|number| format!("\"key_{number}\":1")).collect();
    vec![
        ("plain text", format!("{{\"t\":\"{}\"}}", filled("plain words and more, "))),
        ("letters without a space", format!("{{\"t\":\"{}\"}}", filled("abcdefghijklmnop"))),
        ("digits", format!("{{\"t\":\"{}\"}}", filled("4111 "))),
        ("dashes", format!("{{\"t\":\"{}\"}}", filled("-1"))),
        ("base64", format!("{{\"t\":\"{}\"}}", filled("c3NuIDEyMy00NS02Nzg5IGhlcmU= "))),
        ("percent", format!("{{\"t\":\"{}\"}}", filled("%2D"))),
        ("accents", format!("{{\"t\":\"{}\"}}", filled("\u{e9}\u{430}"))),
        ("escapes", format!("{{\"t\":\"{}\"}}", filled("\\u0041"))),
        ("commas", format!("{{\"id\":\"{}\"}}", filled("a,"))),
        ("path", format!("{{\"path\":\"{}\"}}", filled("a/../"))),
        ("stars", format!("{{\"id\":\"{}\"}}", filled("*a"))),
        ("small numbers", list("7")),
        ("decimals", list("0.25")),
        ("short texts", list("\"ab\"")),
        ("objects", list("{\"price\":1}")),
        ("keys", format!("{{{}}}", keys.join(","))),
    ]
}

#[test]
fn a_call_as_large_as_may_be_is_judged_or_denied_for_its_fuel() {
    let bench = Bench::new(&EVERY_RULE.replace("scan_depth: 5", "scan_depth: null"));
    let mut out = std::io::stdout();
    writeln!(out, "\nmillion fuel of a MiB, for each guard").unwrap();
    for function in ["buy", "delete"] {
        for (kind, arguments) in large() {
            assert!(arguments.len() <= 1 << 20, "{kind}: {} bytes", arguments.len());
            let simulated = bench.scene().judge(function, &arguments);
            let evaluation = &simulated.evaluation;
            assert!(evaluation.malformed.is_none(), "{kind}: {:?}", evaluation.malformed);
            let faults: Vec<&Fault> = evaluation.decisions.iter().filter_map(|d| d.fault.as_ref()).collect();
            assert!(faults.iter().all(|fault| matches!(fault, Fault::OutOfFuel(_))), "{kind}: {faults:?}");
            assert!(faults.is_empty() || evaluation.verdict == Verdict::Deny, "{kind}");
            let burnt: Vec<String> = fuel(evaluation).iter().map(|(g, f)| format!("{g} {}", f / 1_000_000)).collect();
            writeln!(
                out,
                "{function:<7} {kind:<24} {} {}",
                burnt.join(", "),
                if faults.is_empty() { "" } else { "(fuel)" }
            )
            .unwrap();
        }
    }
}

#[test]
fn a_call_larger_than_may_be_reaches_no_guard() {
    let bench = Bench::new("guards: {scope: {}}");
    for (bytes, verdict) in [(1 << 20, "allow"), ((1 << 20) + 1, "deny")] {
        let arguments = format!("{{\"t\":\"{}\"}}", "x".repeat(bytes - "{\"t\":\"\"}".len()));
        assert_eq!(arguments.len(), bytes);
        let evaluation = bench.scene().judge("f", &arguments).evaluation;
        assert_eq!(evaluation.verdict.as_str(), verdict, "{bytes}");
        assert_eq!(evaluation.decisions.is_empty(), verdict == "deny");
    }
}
