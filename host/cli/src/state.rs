//! `agenthalt state`: what is spent and left, all of it for programs, and letting limits begin anew. It judges no
//! call.

mod show;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use agenthalt::{CounterFilter, PolicyEngine, State};
use anyhow::{Context, Result, bail};

use crate::arguments::{EvaluateFormat, StateFile, StateWord};
use crate::exit::Exit;
use crate::host::{Host, note, say};

pub(crate) fn run(host: &Host, word: &StateWord) -> Result<Exit> {
    match word {
        StateWord::Show { of, filter, all, format } => {
            let counters = counting(host, of)?.counters_blocking(&filter.counters(None))?;
            match format {
                EvaluateFormat::Text => show::table(&counters, *all)?,
                EvaluateFormat::Json => show::json(&counters, *all)?,
            }
            Ok(Exit::Done)
        }
        StateWord::Export { of } => {
            show::lines(&counting(host, of)?.counters_blocking(&CounterFilter::default())?)?;
            Ok(Exit::Done)
        }
        StateWord::Reset { of, guard, filter, yes } => {
            let engine = counting(host, of)?;
            let meant = filter.counters(Some(guard));
            let whose = whose(&meant);
            if !yes && !is_confirmed(guard, &whose)? {
                note("nothing is reset");
                return Ok(Exit::Done);
            }
            let parts = engine.reset_blocking(guard, &meant)?;
            if parts == 0 && engine.guard(guard).is_none() {
                bail!("there is no guard `{guard}`, in the policy or in the state");
            }
            let noun = if parts == 1 { "counter" } else { "counters" };
            say(&format!("reset {parts} {noun} of `{guard}`{whose}"))?;
            Ok(Exit::Done)
        }
    }
}

/// The engine whose counters are meant.
fn counting(host: &Host, of: &StateFile) -> Result<PolicyEngine> {
    let engine = open(host, of)?;
    for (guard, fault) in engine.faults() {
        note(&format!("the guard `{guard}` cannot serve, so its counters are not known: it {fault}"));
    }
    Ok(engine)
}

/// The engine on a state that is there: looking for one makes none.
pub(crate) fn open(host: &Host, of: &StateFile) -> Result<PolicyEngine> {
    let state = match &of.state {
        Some(path) if !path.is_file() => bail!("there is no state file `{}`", path.display()),
        Some(path) => State::File(PathBuf::clone(path)),
        None => State::AsThePolicySays,
    };
    let engine = host.builder().policy_file(Path::new(&of.policy)).state(state).build();
    host.say_notices();
    let engine = engine?;
    if engine.forgets() {
        bail!("`{}` keeps no state; name a file with --state, or `state:` in the policy", of.policy.display());
    }
    Ok(engine)
}

/// Whose parts are meant, to be said behind the guard's name.
fn whose(filter: &CounterFilter) -> String {
    let agent = filter.agent.as_ref().map(|agent| format!(" of the agent `{agent}`"));
    let session = filter.session.as_ref().map(|session| format!(" in the session `{session}`"));
    agent.into_iter().chain(session).collect()
}

/// Asks the person at the terminal.
fn is_confirmed(guard: &str, whose: &str) -> Result<bool> {
    let mut input = std::io::stdin();
    if !input.is_terminal() {
        bail!("nobody can be asked here; say --yes to let the limits of `{guard}` begin anew");
    }
    let question = format!("Let the limits of `{guard}`{whose} begin anew? What is spent is forgotten. [y/N] ");
    let mut err = anstream::stderr();
    err.write_all(crate::text::printable_lines(&question).as_bytes()).and_then(|()| err.flush())?;
    let mut answer = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(&mut input), &mut answer)
        .context("the answer cannot be read")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
