//! Runs every worked case through the real engine and holds the answers against what the case
//! expects. A case may differ only where `cases/disputed.toml` says why; none is left out.
//!
//! With `AGENTHALT_REBUILT_GUARDS=FOLDER` the components of that folder stand in for the built-in ones.
//!
//! | module | what it holds |
//! |---|---|
//! | `step` | one step: what the engine says beside what the case expects |
//! | `load` | one load case: whether the policy loads, and what a refusal says |
//! | `fuel` | what each guard burnt in each step, beside the committed table |

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod fuel;
mod load;
mod step;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use agenthalt::{PolicyEngine, PolicyEngineBuilder, Sandbox, Simulation, built_in_names};
use agenthalt_tests::case::{self, Case, Level, LoadCase, Step};

/// What all cases came to; they are run once for all claims.
static SETTLED: LazyLock<Vec<Settled>> = LazyLock::new(|| {
    let judged = case::judged().into_iter().map(Work::Judge);
    run(&judged.chain(case::loaded().into_iter().map(Work::Load)).collect::<Vec<_>>())
});

/// What one step came to.
struct Settled {
    id: String,
    step: usize,
    level: Level,
    difference: Option<String>,
    /// What each guard burnt.
    fuel: BTreeMap<String, u64>,
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
                let settle = |(step, index): (&Step, usize)| {
                    let simulated = simulation.judge(&step.call(&case.id, index), step.stamp(), step.human());
                    Settled {
                        id: case.id.clone(),
                        step: index,
                        level: step.level,
                        difference: step::difference(&simulation, &simulated, step),
                        fuel: fuel::of(&simulated.evaluation),
                    }
                };
                case.steps.iter().zip(1..).map(settle).collect()
            }
            Work::Load(case) => vec![Settled {
                id: case.id.clone(),
                step: 1,
                level: Level::Must,
                difference: load::difference(builder, case),
                fuel: BTreeMap::new(),
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
    let disputed = case::disputed();
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    let mut counts: BTreeMap<(String, Level), (usize, usize)> = BTreeMap::new();
    for Settled { id, step, level, difference, .. } in SETTLED.iter() {
        let (id, step, level) = (id.clone(), *step, *level);
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
    let ran = seen.iter().map(|(id, _)| id).collect::<BTreeSet<_>>().len();
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
