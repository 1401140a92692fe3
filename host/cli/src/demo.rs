//! `agenthalt demo`: an agent's session, judged call by call. Policy and session ship as data.

use std::io::Write;

use agenthalt::Simulation;

use crate::exit::Exit;
use crate::host::Host;
use crate::simulate::{self, Line};
use crate::text::Totals;

const POLICY: &str = include_str!("../data/demo-policy.yaml");
const SESSION: &str = include_str!("../data/demo-session.jsonl");
const HEADING: &str =
    "A research assistant's session, judged before each call runs. The policy: tables are read and never
dropped, mails wait for a human, the summariser may not search, and a session costs 5 at most.";

pub(crate) fn run(host: &Host) -> anyhow::Result<Exit> {
    let simulation = Simulation::new(host.builder().policy_text(POLICY, "."));
    host.say_notices();
    let simulation = simulation?;
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let mut totals = Totals::default();
    writeln!(out, "{HEADING}\n")?;
    for (number, line) in SESSION.lines().enumerate() {
        let row = simulate::judge(&simulation, &Line::Text(line.to_owned()));
        totals.add(&row);
        writeln!(out, "{:>3}  {row}", number + 1)?;
    }
    writeln!(out, "{totals}")?;
    out.flush()?;
    Ok(Exit::Done)
}
