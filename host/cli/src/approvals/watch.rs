//! `agenthalt approvals watch`: what becomes of questions, told as it happens in whichever process.

use std::collections::BTreeMap;
use std::io::Write;
use std::thread;
use std::time::Duration;

use agenthalt::{Approval, ApprovalFilter, PolicyEngine, Standing};
use anyhow::Result;

use super::{print, show};
use crate::arguments::EvaluateFormat;
use crate::host::note;

/// How often state is looked at. It is read, not written, so nobody waits for it.
const EVERY: Duration = Duration::from_millis(500);

/// Tells of every question that waits, then of every change.
pub(super) fn run(engine: &PolicyEngine, format: EvaluateFormat) -> Result<()> {
    let mut told: BTreeMap<String, (Standing, usize)> = BTreeMap::new();
    if format == EvaluateFormat::Text {
        note("watching; answer with `agenthalt approvals approve ID` or `deny ID`, end with Ctrl-C");
    }
    loop {
        let open = engine.approvals_blocking(&ApprovalFilter::open())?;
        let mut still = BTreeMap::new();
        for approval in &open {
            let how = (approval.standing, approval.answers.len());
            if told.remove(&approval.id.to_string()) != Some(how) {
                tell(approval, format)?;
            }
            still.insert(approval.id.to_string(), how);
        }
        // Those that are open no more were answered, used, or are over.
        for id in told.keys() {
            if let Some(approval) = engine.approval_blocking(id.parse()?)? {
                tell(&approval, format)?;
            }
        }
        told = still;
        thread::sleep(EVERY);
    }
}

fn tell(approval: &Approval, format: EvaluateFormat) -> Result<()> {
    match format {
        EvaluateFormat::Text => Ok(writeln!(anstream::stdout(), "{}", show::row(approval))?),
        EvaluateFormat::Json => print(|out| serde_json::to_writer(out, approval)),
    }
}
