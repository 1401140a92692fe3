//! `agenthalt demo`: sessions of agents, judged call by call. Policy and sessions ship as data.

use std::io::Write;

use agenthalt::Simulation;

use crate::exit::Exit;
use crate::host::Host;
use crate::simulate::{self, Line};
use crate::text::Totals;

const POLICY: &str = include_str!("../data/demo-policy.yaml");
/// One call a line, as `simulate` takes them; a line that begins with `#` is a heading.
const SESSION: &str = include_str!("../data/demo-session.txt");
const HEADING: &str =
    "Five things that agents became known for, each call judged by six guards before it runs. Mail may be
read and sent, the inbox stays; a session costs 5 at most; purchases above 50 wait for a human; nobody
calls in circles; and no secret leaves.";

pub(crate) fn run(host: &Host) -> anyhow::Result<Exit> {
    let simulation = Simulation::new(host.builder().policy_text(POLICY, "."));
    host.say_notices();
    let simulation = simulation?;
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let mut totals = Totals::default();
    let mut number = 0;
    writeln!(out, "{HEADING}")?;
    for line in SESSION.lines() {
        if let Some(heading) = line.strip_prefix("# ") {
            writeln!(out, "\n{heading}")?;
            continue;
        }
        number += 1;
        let row = simulate::judge(&simulation, &Line::Text(line.to_owned()));
        totals.add(&row);
        writeln!(out, "{number:>3}  {row}")?;
        if let Some((given, runs)) = row.rewritten() {
            writeln!(out, "       given  {given}\n       runs   {runs}")?;
        }
    }
    writeln!(out, "{totals}")?;
    out.flush()?;
    Ok(Exit::Done)
}
