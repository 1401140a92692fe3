//! Another way to write a call changes no verdict: order of keys, space, escapes, forms of a number. All
//! six guards at once, every rule on, with what earlier calls left behind.

use agenthalt::Json;
use proptest::prelude::*;

use crate::bench::{Bench, holds};
use crate::call::{EVERY_RULE, arguments, function};
use crate::tree::Style;

#[test]
fn the_way_a_call_is_written_changes_no_verdict() {
    let bench = Bench::new(EVERY_RULE);
    let call = || (function(), arguments());
    // The second of two calls is often the first again, so that runs of equal calls come up.
    let calls = (call(), proptest::option::of(call())).prop_map(|(first, second)| {
        let second = second.unwrap_or_else(|| first.clone());
        [first, second]
    });
    holds(10_000, (calls, 1_u64..), |(calls, seed)| {
        let mut style = Style(seed);
        let (plain, other) = (bench.scene(), bench.scene());
        for (function, arguments) in calls {
            let (one_way, another) = (arguments.plain(), arguments.written(&mut style));
            let (one, two) = (plain.approve(function, &one_way), other.approve(function, &another));
            let verdicts = (one.evaluation.verdict, two.evaluation.verdict);
            prop_assert_eq!(verdicts.0, verdicts.1, "{} {} or {}", function, one_way, another);
            prop_assert_eq!(one.runs, two.runs, "{} {} or {}", function, one_way, another);
            prop_assert_eq!(one.evaluation.fault(), None);
            prop_assert_eq!(Json::parse(one.arguments()), Json::parse(two.arguments()), "{} or {}", one_way, another);
        }
        Ok(())
    });
}
