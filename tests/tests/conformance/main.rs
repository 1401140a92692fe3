//! Runs every worked case through the real engine and holds the answers against what the case
//! expects. A case may differ only where `cases/disputed.toml` says why; none is left out.
//!
//! With `AGENTHALT_REBUILT_GUARDS=FOLDER` the components of that folder stand in for the built-in ones.
//!
//! | module | what it holds |
//! |---|---|
//! | `case` | the files of cases, and what stands in them |
//! | `step` | one step: what the engine says beside what the case expects |
//! | `load` | one load case: whether the policy loads, and what a refusal says |

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod case;
mod load;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use agenthalt::{PolicyEngine, PolicyEngineBuilder, Sandbox, Simulation, built_in_names};

use case::{Case, Level, LoadCase};

/// What one step came to.
struct Settled {
    id: String,
    step: usize,
    level: Level,
    difference: Option<String>,
}

/// A case of either kind.
enum Work {
    Judge(Case),
    Load(LoadCase),
}

impl Work {
    fn policy(&self) -> String {
        match self {
            Work::Judge(case) => case.policy.to_string(),
            Work::Load(case) => case.text(),
        }
    }

    fn run(&self, sandbox: &Sandbox) -> Vec<Settled> {
        let builder = builder(sandbox, self.policy());
        match self {
            Work::Judge(case) => {
                let simulation = Simulation::new(builder).unwrap_or_else(|error| panic!("{}: {error}", case.id));
                let settle = |(step, index): (&case::Step, usize)| Settled {
                    id: case.id.clone(),
                    step: index,
                    level: step.level,
                    difference: step::difference(&simulation, &case.id, index, step),
                };
                case.steps.iter().zip(1..).map(settle).collect()
            }
            Work::Load(case) => vec![Settled {
                id: case.id.clone(),
                step: 1,
                level: Level::Must,
                difference: load::difference(builder, case),
            }],
        }
    }
}

/// An engine's builder for a policy, with the guards that are to be tested.
fn builder(sandbox: &Sandbox, policy: String) -> PolicyEngineBuilder {
    let mut builder = PolicyEngine::builder().sandbox(sandbox.clone()).policy_text(policy, ".");
    if let Some(folder) = std::env::var_os("AGENTHALT_REBUILT_GUARDS") {
        for name in built_in_names() {
            let path = PathBuf::from(&folder).join(format!("{}.wasm", name.replace('_', "-")));
            builder = builder.built_in(name, std::fs::read(path).unwrap());
        }
    }
    builder
}

/// Runs cases on every processor, and gives what came of each in the order of the files.
fn run(work: &[Work]) -> Vec<Settled> {
    let sandbox = Sandbox::builder().build().unwrap();
    let next = AtomicUsize::new(0);
    let settled = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((place, case)) = {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    work.get(place).map(|case| (place, case))
                } {
                    let came = case.run(&sandbox);
                    settled.lock().unwrap().insert(place, came);
                }
            });
        }
    });
    settled.into_inner().unwrap().into_values().flatten().collect()
}

#[test]
fn the_worked_cases_hold_but_for_those_disputed_with_a_reason() {
    let mut work: Vec<Work> = Vec::new();
    for file in ["guards.jsonl", "more.jsonl"] {
        work.extend(case::read(file).into_iter().map(Work::Judge));
    }
    for file in ["load.jsonl", "more-load.jsonl"] {
        work.extend(case::read(file).into_iter().map(Work::Load));
    }
    let ran = work.len();
    let disputed = case::disputed();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<(String, Level), (usize, usize)> = BTreeMap::new();
    for Settled { id, step, level, difference } in run(&work) {
        let group = id.split('-').next().unwrap_or_default().to_owned();
        let (passed, all) = counts.entry((group, level)).or_default();
        *all += 1;
        *passed += usize::from(difference.is_none());
        let listed = disputed.contains(&(id.clone(), step));
        match difference {
            Some(difference) if !listed => wrong.push(format!("{id} step {step} ({level:?}): {difference}")),
            None if listed => wrong.push(format!("{id} step {step} is listed as disputed, but passes")),
            _ => {}
        }
        assert!(seen.insert((id.clone(), step)), "the id `{id}` stands twice in the files");
    }
    // Written past the test's own capture: how much was tried is to be seen where all passes.
    let mut out = std::io::stdout();
    writeln!(out, "\ncases: {ran} ran").unwrap();
    for ((group, level), (passed, all)) in &counts {
        writeln!(out, "{group:<16} {level:?}: {passed} of {all} steps").unwrap();
    }
    for (id, step) in disputed.difference(&seen) {
        wrong.push(format!("{id} step {step} is listed as disputed, but was not run"));
    }
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
    assert!(ran >= 1_000, "{ran} cases ran; the files are cut");
}
