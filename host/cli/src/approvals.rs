//! `agenthalt approvals`: questions to humans, for the humans. It judges no call.

mod show;
mod watch;

use std::io::{StdoutLock, Write};

use agenthalt::{Approval, ApprovalFilter, ApprovalId, Approver, Error, PolicyEngine, Standing, Terms};
use anyhow::{Context, Result};

use crate::arguments::{Answering, ApprovalsWord, EvaluateFormat, Lasting};
use crate::exit::Exit;
use crate::host::{Host, say};
use crate::state;

/// The channel by which these answers come.
const VIA: &str = "cli";

pub(crate) fn run(host: &Host, word: ApprovalsWord) -> Result<Exit> {
    match word {
        ApprovalsWord::List { of, all, format } => {
            let filter = ApprovalFilter { is_open: !all };
            let found = state::open(host, &of)?.approvals_blocking(&filter)?;
            match format {
                EvaluateFormat::Text => show::table(&found)?,
                EvaluateFormat::Json => print(|out| serde_json::to_writer_pretty(out, &found))?,
            }
        }
        ApprovalsWord::Show { id, of, format } => {
            let found = find(&state::open(host, &of)?, id)?;
            match format {
                EvaluateFormat::Text => show::at_length(&found)?,
                EvaluateFormat::Json => print(|out| serde_json::to_writer(out, &found))?,
            }
        }
        ApprovalsWord::Approve { answering, lasting } => {
            let terms = terms(&lasting)?;
            let narrow = |approver: Approver| {
                let approver = lasting.within.into_iter().fold(approver, Approver::within);
                terms.into_iter().fold(approver, Approver::on)
            };
            answer(host, answering, narrow, PolicyEngine::approve_blocking)?;
        }
        ApprovalsWord::Deny(answering) => answer(host, answering, |approver| approver, PolicyEngine::deny_blocking)?,
        ApprovalsWord::Revoke(answering) => {
            answer(host, answering, |approver| approver, PolicyEngine::revoke_blocking)?
        }
        ApprovalsWord::Watch { of, format } => watch::run(&state::open(host, &of)?, format)?,
    }
    Ok(Exit::Done)
}

/// JSON, and the end of its line.
fn print(write: impl FnOnce(&mut StdoutLock<'_>) -> serde_json::Result<()>) -> Result<()> {
    let mut out = std::io::stdout().lock();
    write(&mut out)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

fn find(engine: &PolicyEngine, id: ApprovalId) -> Result<Approval> {
    engine.approval_blocking(id)?.with_context(|| format!("there is no question `{id}`"))
}

type Answer = fn(&PolicyEngine, ApprovalId, Approver) -> Result<Standing, Error>;

/// On which terms a yes serves other calls, if it does.
fn terms(lasting: &Lasting) -> Result<Option<Terms>> {
    let Some(times) = lasting.times else { return Ok(None) };
    let terms = lasting.like.iter().cloned().fold(Terms::new(times)?, Terms::argument);
    Ok(Some(if lasting.any_session { terms.any_session() } else { terms }))
}

fn answer(host: &Host, answering: Answering, narrow: impl FnOnce(Approver) -> Approver, answer: Answer) -> Result<()> {
    let Answering { id, of, reason, name } = answering;
    let engine = state::open(host, &of)?;
    // INVARIANT: whatever name is said, the answer is recorded with the user of the system.
    let user = whoami::username().context("the user of this system has no name")?;
    let mut approver = Approver::named(name.unwrap_or_else(|| user.clone())).account(user).via(VIA);
    if let Some(reason) = reason {
        approver = approver.reason(reason);
    }
    let standing = answer(&engine, id, narrow(approver))?;
    let found = find(&engine, id)?;
    let more = (found.required as usize).saturating_sub(found.yeses());
    say(&match standing {
        Standing::Pending => format!("{id} waits for {more} more"),
        Standing::Approved => match &found.terms {
            Some(terms) => format!("{id} is approved for {} calls like it, until it ends or is revoked", terms.times()),
            None => format!("{id} is approved; the call may run once, when it is presented again"),
        },
        other => format!("{id} is {other}"),
    })?;
    Ok(())
}
