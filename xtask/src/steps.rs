//! `test`: the steps of CI in their order, each with a heading and its time. It ends at the first
//! step that fails and never passes over one in silence.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::checkout::Checkout;
use crate::{guards, package, process, setup, tidy};

/// Tells the tests that the example guards are missing on purpose.
const WITHOUT_EXAMPLES: &str = "AGENTHALT_WITHOUT_EXAMPLES";

/// One step of `test`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Step {
    /// The wasm target
    Setup,
    /// Formatting
    Fmt,
    /// Floors, manifests and house rules
    Tidy,
    /// Lints
    Clippy,
    /// The committed guards against their sources
    Guards,
    /// The example guards
    Examples,
    /// All programs, as the tests run them
    Build,
    /// All tests
    Test,
    /// The documentation
    Docs,
    /// What would be published
    Package,
}

/// How a step ended.
enum End {
    Passed,
    /// It cannot be done here; why was printed.
    LeftOut,
}

impl Step {
    const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Fmt => "fmt",
            Self::Tidy => "tidy",
            Self::Clippy => "clippy",
            Self::Guards => "guards",
            Self::Examples => "examples",
            Self::Build => "build",
            Self::Test => "test",
            Self::Docs => "docs",
            Self::Package => "package",
        }
    }

    const fn needs_target(self) -> bool {
        matches!(self, Self::Guards | Self::Examples)
    }

    fn take(self, checkout: &Checkout, has_target: bool) -> Result<End> {
        let cargo = |words: &[&str]| -> Command {
            let mut cargo = process::cargo(checkout.root());
            cargo.args(words);
            cargo
        };
        match self {
            Self::Setup => {
                return Ok(if setup::provide(checkout)? { End::Passed } else { End::LeftOut });
            }
            Self::Fmt => process::run(&mut cargo(&["fmt", "--all", "--check"]))?,
            Self::Tidy => tidy::run(checkout)?,
            Self::Clippy => {
                process::run(&mut cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
            }
            Self::Guards => guards::check(checkout)?,
            Self::Examples => guards::build_examples(checkout)?,
            // All targets of all packages: building the command line alone would choose other features
            // of its dependencies, and compile the engine twice.
            Self::Build => process::run(&mut cargo(&["build", "--workspace", "--all-targets"]))?,
            Self::Test => {
                let mut test = cargo(&["test", "--workspace"]);
                if !has_target {
                    test.env(WITHOUT_EXAMPLES, "1");
                }
                process::run(&mut test)?;
            }
            // Libraries only: the program has the name of the library that it shows.
            Self::Docs => {
                process::run(cargo(&["doc", "--workspace", "--no-deps", "--lib"]).env("RUSTDOCFLAGS", "-Dwarnings"))?;
            }
            // Packed, not built from the packages: that compiles the engine once more, for minutes.
            Self::Package => {
                process::run(&mut cargo(&["package", "--workspace", "--no-verify", "--allow-dirty", "--quiet"]))?;
                package::check(checkout)?;
            }
        }
        Ok(End::Passed)
    }
}

/// Takes the steps in order, or only some of them.
pub(crate) fn run(checkout: &Checkout, only: &[Step]) -> Result<()> {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    let mut has_target = true;
    let mut taken = Vec::new();
    for step in Step::value_variants().iter().copied().filter(|step| only.is_empty() || only.contains(step)) {
        println!("\n== {}", step.name());
        let start = Instant::now();
        let end = if step.needs_target() && !has_target {
            println!("left out: there is no wasm target here");
            End::LeftOut
        } else {
            step.take(checkout, has_target).with_context(|| format!("step `{}` failed", step.name()))?
        };
        let is_left_out = matches!(end, End::LeftOut);
        if is_left_out && is_ci {
            bail!("step `{}` failed: CI leaves nothing out", step.name());
        }
        has_target &= !(is_left_out && step == Step::Setup);
        taken.push((step, is_left_out, start.elapsed()));
    }
    println!("\n{}", summary(&taken));
    Ok(())
}

fn summary(taken: &[(Step, bool, Duration)]) -> String {
    let mut lines = Vec::new();
    let mut total = Duration::ZERO;
    for (step, is_left_out, time) in taken {
        total = total.saturating_add(*time);
        let left_out = if *is_left_out { "   LEFT OUT" } else { "" };
        lines.push(format!("{:<10}{:>8.1} s{left_out}", step.name(), time.as_secs_f64()));
    }
    lines.push(format!("{:<10}{:>8.1} s", "total", total.as_secs_f64()));
    let left_out: Vec<_> = taken.iter().filter(|(_, is_left_out, _)| *is_left_out).collect();
    if !left_out.is_empty() {
        let names: Vec<_> = left_out.iter().map(|(step, _, _)| step.name()).collect();
        lines.push(format!("NOT TESTED HERE: {} (see `setup` above)", names.join(", ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_names_what_was_left_out() {
        let taken = [(Step::Fmt, false, Duration::from_millis(1500)), (Step::Guards, true, Duration::ZERO)];
        let text = summary(&taken);
        assert!(text.contains("fmt            1.5 s\n"), "{text}");
        assert!(text.contains("NOT TESTED HERE: guards"), "{text}");
    }

    #[test]
    fn steps_that_rebuild_guards_need_the_target() {
        let names: Vec<_> = Step::value_variants().iter().filter(|step| step.needs_target()).collect();
        assert_eq!(names, [&Step::Guards, &Step::Examples]);
    }
}
