//! `agenthalt`: the command line. Each command has a file of its own; this one only hands over.
//!
//! | module | what it holds |
//! |---|---|
//! | `arguments` | the command line's words |
//! | `exit` | what the exit code means |
//! | `host` | sandbox, cache, compiler, notes to the person |
//! | `input`, `output` | calls as they come in, answers as they go out |
//! | `text` | answers for people |
//! | `approvals`, `check`, `evaluate`, `simulate`, `state`, `demo`, `guard`, `schema`, `init` | one command each |

mod approvals;
mod arguments;
mod check;
mod demo;
mod evaluate;
mod exit;
mod guard;
mod host;
mod init;
mod input;
mod output;
mod schema;
mod simulate;
mod state;
mod text;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::{Arguments, GuardWord, Word};
use crate::exit::Exit;
use crate::host::Host;

fn main() -> ExitCode {
    let Arguments { cache_dir, word } = Arguments::parse();
    if matches!(word, Word::CompileComponent) {
        return agenthalt::run_as_child();
    }
    let judges_one = matches!(word, Word::Evaluate { .. });
    match run(cache_dir, word) {
        Ok(exit) => exit.into(),
        // Who reads our output may stop reading; that is no failure of ours.
        // INVARIANT: where the exit code is a verdict, no failure at all becomes the one that lets a call run.
        Err(error) if !judges_one && is_closed_pipe(&error) => Exit::Done.into(),
        Err(error) => {
            host::note(&format!("{error:#}"));
            Exit::Usage.into()
        }
    }
}

fn run(cache_dir: Option<std::path::PathBuf>, word: Word) -> anyhow::Result<Exit> {
    match word {
        Word::Check { policy } => check::run(&Host::new(cache_dir)?, &policy),
        Word::Evaluate { policy, state, approval, format, call } => {
            evaluate::run(&Host::new(cache_dir)?, &evaluate::Request { policy, state, approval, format, call })
        }
        Word::Simulate { policy, calls, format } => simulate::run(&Host::new(cache_dir)?, &policy, &calls, format),
        Word::Approvals { word } => approvals::run(&Host::new(cache_dir)?, word),
        Word::State { word } => state::run(&Host::new(cache_dir)?, &word),
        Word::Guard { word: GuardWord::Inspect { guard, settings, format } } => {
            guard::inspect(&Host::new(cache_dir)?, &guard, &settings, format)
        }
        Word::Schema => schema::run(&Host::new(cache_dir)?),
        Word::Demo => demo::run(&Host::new(cache_dir)?),
        Word::Init { file } => init::run(&file),
        Word::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut arguments::visible(), "agenthalt", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(Exit::Done)
        }
        Word::CompileComponent => Ok(Exit::Usage),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let kind = |cause: &(dyn std::error::Error + 'static)| {
        let io = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        io.or_else(|| cause.downcast_ref::<serde_json::Error>()?.io_error_kind())
    };
    error.chain().find_map(kind) == Some(std::io::ErrorKind::BrokenPipe)
}
