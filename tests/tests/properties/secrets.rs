//! No secret that a pattern finds runs: wherever in the call it stands and however it is encoded, it is
//! gone from the final arguments, what stood beside it is still there, and nothing is found again.

use proptest::prelude::*;
use proptest::sample::select;

use crate::bench::{Bench, holds};
use crate::secret::{EVERY_PATTERN, hiding, secret};
use crate::tree::Tree;

/// What stands around the secret.
const BEFORE: [&str; 7] = ["", "see ", "(", "\u{e9} ", "of 2026: ", "\"", "\n"];
const AFTER: [&str; 6] = ["", " end", ")", " \u{1f600}", "\"", "\n"];
/// What stands beside it and is harmless.
const BESIDE: &str = "nothing to see";

/// One level around a value.
#[derive(Clone, Copy, Debug)]
enum Around {
    List,
    ListAfter,
    Object(&'static str),
}

impl Around {
    fn wrap(self, value: Tree) -> Tree {
        match self {
            Around::List => Tree::List(vec![value, Tree::text(BESIDE)]),
            Around::ListAfter => Tree::List(vec![Tree::Number(5, 0), value]),
            Around::Object(key) => Tree::object([(key.to_owned(), value), ("beside".to_owned(), Tree::text(BESIDE))]),
        }
    }
}

fn around() -> impl Strategy<Value = Around> {
    prop_oneof![
        Just(Around::List),
        Just(Around::ListAfter),
        select(&["a", "note", "a.b", "x/y", "~0", "", "\u{e9}"][..]).prop_map(Around::Object)
    ]
}

#[test]
fn no_secret_that_a_pattern_finds_runs() {
    let bench = Bench::new(EVERY_PATTERN);
    let levels = prop::collection::vec(around(), 0..7);
    let case = (secret(), hiding(), select(&BEFORE[..]), select(&AFTER[..]), levels);
    holds(10_000, case, |(secret, hiding, before, after, levels)| {
        let hidden = hiding.hide(&secret);
        let text = Tree::text(format!("{before}{hidden}{after}"));
        let tree = levels.iter().fold(text, |tree, around| around.wrap(tree));
        let arguments = Around::Object("t").wrap(tree).plain();
        let simulated = bench.scene().judge("note_down", &arguments);
        let verdict = simulated.evaluation.verdict;
        prop_assert_eq!(verdict.as_str(), "modify", "{:?} {:?} in {}", secret, hiding, arguments);
        let runs = simulated.arguments();
        prop_assert!(!runs.contains(&secret) && !runs.contains(&hidden), "{} runs as {}", arguments, runs);
        prop_assert!(runs.contains("[REDACTED]") && runs.contains(BESIDE), "{} runs as {}", arguments, runs);
        let again = bench.scene().judge("note_down", runs);
        prop_assert_eq!(again.evaluation.verdict.as_str(), "allow", "{} again", runs);
        Ok(())
    });
}
