//! `cargo xtask`: the one door for everything a contributor does, CI included. It builds and checks
//! the project and never becomes a part of what is shipped.

mod apt;
mod bench_peer;
mod checkout;
mod component;
mod coverage;
mod docs;
mod finding;
mod guards;
mod guest;
mod lock;
mod package;
mod page;
mod process;
mod setup;
mod std_library;
mod steps;
mod tidy;
mod toolchain;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::checkout::Checkout;
use crate::steps::Step;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, checks and tests AgentHalt")]
struct Arguments {
    #[command(subcommand)]
    word: Word,
}

#[derive(Subcommand)]
enum Word {
    /// Makes the wasm target available that guards are built with
    Setup {
        /// Only say what there is, change nothing
        #[arg(long)]
        check: bool,
    },
    /// Does what CI does: every step in order, until one fails
    Test {
        /// Run this step only (may be given several times)
        #[arg(long, value_enum, value_name = "STEP")]
        only: Vec<Step>,
    },
    /// Builds or checks the guard components
    #[command(subcommand)]
    Guards(GuardsWord),
    /// Holds the floors, the manifests and the house rules against the tree
    Tidy,
    /// Writes docs/guards, and the settings types of the library, from the guards' schemas
    Docs,
    /// Measures which lines the tests reach, by cargo-llvm-cov
    Coverage {
        /// Arguments for cargo llvm-cov in place of `--workspace`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Measures this engine beside the Python package agenthalt 0.1.2, which it fetches from PyPI
    BenchPeer {
        /// Also write the report there, as Markdown
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Rounds that count, at least 9
        #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u16).range(9..))]
        rounds: u16,
        /// Calls in a round
        #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u16).range(100..))]
        calls: u16,
    },
}

#[derive(Subcommand)]
enum GuardsWord {
    /// Builds the built-in guards into guards/prebuilt and writes guards/guards.lock
    Build {
        /// Build these guards only (folder names); all when silent
        names: Vec<String>,
    },
    /// Rebuilds the built-in guards and compares them bit for bit with what is committed
    Check,
    /// Builds the example guards of the SDK into target/guests/examples, and follows docs/writing-guards.md
    Example,
}

fn main() -> ExitCode {
    match obey(Arguments::parse().word) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn obey(word: Word) -> Result<()> {
    let checkout = Checkout::find()?;
    match word {
        Word::Setup { check: true } => setup::report(&checkout),
        Word::Setup { check: false } => match setup::provide(&checkout)? {
            true => Ok(()),
            false => anyhow::bail!("there is no wasm target here"),
        },
        Word::Test { only } => steps::run(&checkout, &only),
        Word::Guards(GuardsWord::Build { names }) => guards::build(&checkout, &names),
        Word::Guards(GuardsWord::Check) => guards::check(&checkout),
        Word::Guards(GuardsWord::Example) => guards::build_examples(&checkout),
        Word::Tidy => tidy::run(&checkout),
        Word::Docs => docs::write(&checkout),
        Word::Coverage { arguments } => coverage::run(&checkout, &arguments),
        Word::BenchPeer { output, rounds, calls } => {
            bench_peer::run(&checkout, rounds.into(), calls.into(), output.as_deref())
        }
    }
}
