//! `agenthalt evaluate`: one call, stamped with this machine's clock.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use agenthalt::{ApprovalId, ErrorKind, State, Verdict};
use anyhow::{Context, Result};

use crate::arguments::EvaluateFormat;
use crate::exit::Exit;
use crate::host::{Host, note};
use crate::input::{self, ReadCall, Unreadable};
use crate::output::Answer;
use crate::text;

/// The largest call text in bytes: arguments and metadata of 1 MiB each, written wastefully.
const MOST_BYTES: u64 = 16 << 20;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) policy: PathBuf,
    pub(crate) state: Option<PathBuf>,
    pub(crate) approval: Option<ApprovalId>,
    pub(crate) format: EvaluateFormat,
    pub(crate) call: PathBuf,
}

pub(crate) fn run(host: &Host, request: &Request) -> Result<Exit> {
    let state = request.state.clone().map_or(State::AsThePolicySays, State::File);
    let built = host.builder().policy_file(&request.policy).state(state).build();
    host.say_notices();
    // INVARIANT: a call is denied, not an error, where there is a policy but no state to judge it by.
    let engine = match built {
        Ok(engine) => Ok(engine),
        Err(error) if error.kind() == ErrorKind::State => Err(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let bytes = match read_call(&request.call) {
        Ok(bytes) => bytes,
        Err(error) => {
            note(&format!("{error:#}"));
            return Ok(Exit::NoCall);
        }
    };
    let read = match read(&bytes) {
        Ok(read) => read,
        Err(unreadable) => return Ok(deny(&Answer::unreadable(&unreadable, None), request.format)),
    };
    let engine = match engine {
        Ok(engine) => engine,
        Err(error) => {
            let answer = Answer::without_state(read.call.id.as_deref(), &error);
            return Ok(deny(&answer, request.format));
        }
    };
    if engine.forgets() {
        note("no state is kept: every run starts at zero; name a file with --state, or `state:` in the policy");
    }
    let mut evaluation = match request.approval {
        Some(approval) => engine.evaluate_approved_blocking(&read.call, approval),
        None => engine.evaluate_blocking(&read.call),
    };
    if engine.forgets() {
        // It ends with this process, so nobody can answer it.
        evaluation.approval = None;
    }
    let told = match request.format {
        EvaluateFormat::Text => text::evaluation(&evaluation),
        EvaluateFormat::Json => print_json(&Answer::of(&evaluation)),
    };
    Ok(exit(evaluation.verdict, told))
}

fn read_call(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("the call `{}` cannot be read", path.display()))?;
    anyhow::ensure!(!bytes.trim_ascii().is_empty(), "there is no call to judge: `{}` is empty", path.display());
    Ok(bytes)
}

fn read(bytes: &[u8]) -> Result<ReadCall, Unreadable> {
    let refuse = |error: &str| Unreadable { call_id: None, error: error.to_owned() };
    if bytes.len() as u64 > MOST_BYTES {
        return Err(refuse("the call is larger than 16 MiB"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| refuse("the call is not UTF-8"))?;
    let read = input::read(text)?;
    if read.at.is_some() {
        return Err(refuse("a call brings no `timestamp` of its own: the host stamps it"));
    }
    if read.human.is_some() {
        return Err(refuse("a call brings no answer of a human with it; `human` is for `simulate`"));
    }
    Ok(read)
}

fn deny(answer: &Answer<'_>, format: EvaluateFormat) -> Exit {
    let told = match format {
        EvaluateFormat::Text => text::refusal(answer.reason()),
        EvaluateFormat::Json => print_json(answer),
    };
    exit(Verdict::Deny, told)
}

fn print_json(answer: &Answer<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, answer)?;
    writeln!(out)?;
    out.flush()
}

/// What the verdict comes to, once it was told.
fn exit(verdict: Verdict, told: std::io::Result<()>) -> Exit {
    let exit = match verdict {
        Verdict::Allow | Verdict::Modify => Exit::Done,
        Verdict::RequireApproval => Exit::ApprovalRequired,
        Verdict::Deny => Exit::Denied,
    };
    match told {
        Ok(()) => exit,
        // INVARIANT: a call runs only with arguments that its caller could read, and a denial stays one
        // where nobody listens.
        Err(error) => {
            note(&format!("the answer cannot be written: {error}"));
            if exit == Exit::Done { Exit::Denied } else { exit }
        }
    }
}
