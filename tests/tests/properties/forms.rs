//! Another way to write a call changes no verdict: order of keys, space, escapes, forms of a number. All
//! six guards at once, every rule on, with what earlier calls left behind.

use agenthalt::{Json, Simulated};
use proptest::prelude::*;

use crate::bench::{Bench, holds};
use crate::call::{EVERY_RULE, arguments, function};
use crate::tree::Style;

#[test]
fn the_way_a_call_is_written_changes_no_verdict() {
    let bench = Bench::new(EVERY_RULE);
    let call = || (function(), arguments());
    // A call alone, or after one that is often the same, so that runs of equal calls come up.
    let calls = prop_oneof![
        2 => call().prop_map(|one| vec![one]),
        1 => call().prop_map(|one| vec![one.clone(), one]),
        1 => (call(), call()).prop_map(|(one, two)| vec![one, two]),
    ];
    holds(10_000, (calls, 1_u64..), |(calls, seed)| {
        let mut style = Style(seed);
        // One scene after the other: a clock that goes back would be a difference of its own.
        let plain = play(&bench, calls.iter().map(|(function, arguments)| (*function, arguments.plain())));
        let other = play(&bench, calls.iter().map(|(function, arguments)| (*function, arguments.written(&mut style))));
        for (plain, other) in plain.iter().zip(&other) {
            let forms = format!("{} or {}", plain.evaluation.original_arguments, other.evaluation.original_arguments);
            let said = format!("{}; {}", plain.evaluation.reason(), other.evaluation.reason());
            let verdicts = (plain.evaluation.verdict, other.evaluation.verdict);
            prop_assert_eq!(verdicts.0, verdicts.1, "{}: {}", forms, said);
            prop_assert_eq!(plain.runs, other.runs, "{}", forms);
            prop_assert_eq!(plain.evaluation.fault(), None);
            prop_assert_eq!(Json::parse(plain.arguments()), Json::parse(other.arguments()), "{}", forms);
        }
        Ok(())
    });
}

/// What comes of these calls in a scene of their own, where every question is answered with yes.
fn play<'a>(bench: &Bench, calls: impl Iterator<Item = (&'a str, String)>) -> Vec<Simulated> {
    let scene = bench.scene();
    calls.map(|(function, arguments)| scene.approve(function, &arguments)).collect()
}
