//! What each guard burnt in each step of the cases, beside the committed table. For the same component and
//! the same engine release the figures are equal; after a change, a guard burns at most a tenth more until
//! the table is written anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use agenthalt::{ENGINE_VERSION, Evaluation, built_in_names};
use agenthalt_tests::case;

use crate::{SETTLED, builder};

/// The table, beside the cases.
const TABLE: &str = "fuel.txt";
/// How the table is written anew.
const COMMAND: &str = "cargo test -p agenthalt-tests --test conformance -- --ignored write_the_fuel_table";

/// The fuel of one guard in one step.
type Figures = BTreeMap<(String, usize, String), u64>;

/// What the guards burnt that judged; a guard that rewrites is counted in its last round.
pub(crate) fn of(evaluation: &Evaluation) -> BTreeMap<String, u64> {
    let decided = evaluation.decisions.iter().map(|decision| (decision.guard.clone(), decision.fuel));
    decided.chain(evaluation.silent.iter().map(|silence| (silence.guard.clone(), silence.fuel))).collect()
}

/// The figures of this run.
fn measured() -> Figures {
    let of_step = |settled: &crate::Settled| {
        let (id, step) = (settled.id.clone(), settled.step);
        let figure = move |(guard, fuel): (&String, &u64)| ((id.clone(), step, guard.clone()), *fuel);
        settled.fuel.iter().map(figure).collect::<Vec<_>>()
    };
    SETTLED.iter().flat_map(of_step).collect()
}

/// What figures are equal for: the engine's release, and the component of each guard.
fn conditions() -> BTreeMap<String, String> {
    let all: Vec<String> = built_in_names().iter().map(|name| format!("{name}: {{}}")).collect();
    let sandbox = agenthalt::Sandbox::builder().build().unwrap();
    let engine = builder(&sandbox, format!("guards: {{{}}}", all.join(", "))).build().unwrap();
    let digests = engine.guards().into_iter().map(|guard| (guard.name, guard.digest.unwrap().to_string()));
    digests.chain([("engine".to_owned(), ENGINE_VERSION.to_owned())]).collect()
}

/// Reads the table: conditions as `NAME VALUE`, then figures as `CASE STEP GUARD=FUEL ...`.
fn read() -> (BTreeMap<String, String>, Figures) {
    let text = std::fs::read_to_string(case::path(TABLE)).unwrap_or_else(|error| panic!("{TABLE}: {error}; {COMMAND}"));
    let (mut conditions, mut figures) = (BTreeMap::new(), Figures::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            [name, value] if !value.contains('=') && value.parse::<usize>().is_err() => {
                conditions.insert((*name).to_owned(), (*value).to_owned());
            }
            [case, step, guards @ ..] => {
                for figure in guards {
                    let (guard, fuel) = figure.split_once('=').unwrap();
                    let key = ((*case).to_owned(), step.parse().unwrap(), guard.to_owned());
                    figures.insert(key, fuel.parse().unwrap());
                }
            }
            _ => panic!("{TABLE}: `{line}`"),
        }
    }
    (conditions, figures)
}

#[test]
fn guards_burn_what_the_table_says() {
    let (now, measured) = (conditions(), measured());
    let (then, table) = read();
    let keys = |figures: &Figures| figures.keys().cloned().collect::<BTreeSet<_>>();
    let differing: Vec<_> = keys(&measured).symmetric_difference(&keys(&table)).take(5).cloned().collect();
    assert_eq!(differing, [], "these stand only in the table or only in the cases; run `{COMMAND}`");
    for guard in built_in_names() {
        let of_guard = || table.iter().filter(|((_, _, name), _)| name == guard);
        if now.get("engine") == then.get("engine") && now.get(guard) == then.get(guard) {
            for (key, fuel) in of_guard() {
                assert_eq!(measured.get(key), Some(fuel), "{key:?}: the same component burns another figure");
            }
            continue;
        }
        let before: u64 = of_guard().map(|(_, fuel)| fuel).sum();
        let after: u64 = of_guard().filter_map(|(key, _)| measured.get(key)).sum();
        assert!(
            after <= before + before / 10,
            "{guard} burns {after} where the table has {before}; if it must, run `{COMMAND}`"
        );
    }
}

#[test]
#[ignore = "rewrites a file"]
fn write_the_fuel_table() {
    let mut text = String::from(
        "# The fuel that each guard burnt in each step of the cases, for these components and this release of the engine.\n\
         # Written by a test; CONTRIBUTING.md says how.\n",
    );
    for (name, value) in conditions() {
        writeln!(text, "{name} {value}").unwrap();
    }
    let mut steps: BTreeMap<(String, usize), Vec<String>> = BTreeMap::new();
    for ((case, step, guard), fuel) in measured() {
        steps.entry((case, step)).or_default().push(format!("{guard}={fuel}"));
    }
    for ((case, step), guards) in steps {
        writeln!(text, "{case} {step} {}", guards.join(" ")).unwrap();
    }
    std::fs::write(case::path(TABLE), text).unwrap();
}
