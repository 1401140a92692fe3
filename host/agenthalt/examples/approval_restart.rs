//! An agent with three things to do. A human must decide about the second: the agent waits, may be killed, is started
//! again, and goes on where it was once somebody has said yes. What ran before is not run again.
//!
//! ```sh
//! cargo run -p agenthalt --example approval_restart -- FOLDER     # waits; kill it
//! agenthalt approvals list --policy FOLDER/policy.yaml            # from anywhere
//! agenthalt approvals approve ID --policy FOLDER/policy.yaml
//! cargo run -p agenthalt --example approval_restart -- FOLDER     # goes on
//! ```

use std::collections::BTreeSet;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use agenthalt::{Call, Event, Events, Outcome, PolicyEngine, StoredApprovalHandler};

const POLICY: &str = include_str!("approval_restart.yaml");

/// What the agent wants to do. Its calls have names of their own, so that it can be told from record what was decided.
const PLAN: [(&str, &str); 3] = [
    ("search_orders", r#"{"customer": 42}"#),
    ("issue_refund", r#"{"order": 4711, "amount": 75}"#),
    ("send_mail", r#"{"to": "ada@example.org", "text": "your money is on its way"}"#),
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("name a folder to keep policy, state and journal in")?);
    fs::create_dir_all(&folder)?;
    let policy = folder.join("policy.yaml");
    fs::write(&policy, POLICY)?;
    let engine = PolicyEngine::from_policy_file(&policy)?;
    // While a call waits for its human, this process waits with it.
    engine.set_approval_handler(StoredApprovalHandler::new().timeout(Duration::from_secs(3_600)))?;
    let events = engine.listen(100);
    thread::spawn(move || tell(events, &policy));

    let mut journal = Journal::open(&folder.join("journal.txt"))?;
    for (step, (function, arguments)) in (1..).zip(PLAN) {
        let id = format!("refund-run-1/step-{step}");
        if journal.done.contains(&id) {
            println!("step {step}: {function} ran already");
            continue;
        }
        // After a restart this is the same call under the same name: it gets the answer that it had, or is judged
        // under the yes that came meanwhile.
        let evaluation = engine.evaluate_blocking(&Call::new(function, arguments).id(&id).agent("desk"));
        if !evaluation.is_allowed() {
            return Err(format!("step {step}: {function} does not run: {}", evaluation.reason()).into());
        }
        println!("step {step}: {function} runs with {}", evaluation.final_arguments);
        journal.write(&id)?;
        engine.settle_blocking(&id, Outcome::succeeded())?;
    }
    println!("all is done");
    Ok(())
}

/// Tells the person at the terminal that somebody must decide.
fn tell(mut events: Events, policy: &Path) {
    while let Some(event) = events.next_blocking() {
        if let Event::Approval(evaluation) = event
            && let Some(question) = evaluation.approval
        {
            println!("waits for a human: {}", evaluation.reason());
            println!("  agenthalt approvals approve {question} --policy {}", policy.display());
        }
    }
}

/// What this agent has done: its own memory, as every agent has one.
struct Journal {
    file: fs::File,
    done: BTreeSet<String>,
}

impl Journal {
    fn open(path: &Path) -> std::io::Result<Self> {
        let done = fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect();
        Ok(Journal { file: OpenOptions::new().create(true).append(true).open(path)?, done })
    }

    fn write(&mut self, id: &str) -> std::io::Result<()> {
        writeln!(self.file, "{id}")?;
        self.file.sync_data()
    }
}
