//! Answers for people: one call at length, many calls as rows, and what they add up to.

use std::fmt;
use std::io::Write;
use std::time::Duration;

use agenthalt::{Call, Evaluation, Human, Mode, Simulated, Verdict, printable};
use anstyle::{AnsiColor, Style};

use crate::input::Unreadable;
use crate::output::Answer;

/// How a verdict is coloured where colours are shown.
fn style(verdict: Verdict) -> Style {
    let colour = match verdict {
        Verdict::Allow => AnsiColor::Green,
        Verdict::Modify => AnsiColor::Cyan,
        Verdict::RequireApproval => AnsiColor::Yellow,
        Verdict::Deny => AnsiColor::Red,
    };
    Style::new().fg_color(Some(colour.into()))
}

/// One evaluation at length.
pub(crate) fn evaluation(evaluation: &Evaluation) -> std::io::Result<()> {
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let (style, verdict) = (style(evaluation.verdict), evaluation.verdict);
    let name = printable(&evaluation.function_name);
    let repeats = if evaluation.repeats { ", answered before" } else { "" };
    writeln!(out, "{style}{verdict}{style:#}  {name}  (call {}{repeats})", printable(&evaluation.call_id))?;
    for reason in evaluation.denial_reasons().iter().chain(&evaluation.approval_reasons()) {
        writeln!(out, "  {}", printable(reason))?;
    }
    match evaluation.approval {
        Some(id) if evaluation.needs_approval() => writeln!(out, "  the question is {id}; see `agenthalt approvals`")?,
        Some(id) => writeln!(out, "  under the yes to {id}")?,
        None => {}
    }
    for rewrite in &evaluation.rewrites {
        writeln!(out, "  rewritten by {}: {}", rewrite.guard, printable(&rewrite.reason))?;
    }
    if verdict == Verdict::Modify {
        writeln!(out, "  runs with {}", printable(&evaluation.final_arguments))?;
    }
    for decision in &evaluation.decisions {
        let mode = if decision.mode == Mode::Shadow { " (shadow)" } else { "" };
        writeln!(
            out,
            "  {:<14} {:<16} risk {:.2}  fuel {}{mode}",
            decision.guard,
            decision.verdict,
            decision.risk.value(),
            decision.fuel,
        )?;
    }
    out.flush()
}

/// A call that is denied without having been judged.
pub(crate) fn refusal(error: &str) -> std::io::Result<()> {
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    let style = style(Verdict::Deny);
    writeln!(out, "{style}deny{style:#}  {}", printable(error))?;
    out.flush()
}

/// One call of many.
#[derive(Debug)]
pub(crate) struct Row {
    function_name: String,
    human: Option<Human>,
    said: Said,
}

#[derive(Debug)]
enum Said {
    Judged(Box<Simulated>),
    Unreadable(Unreadable),
}

impl Row {
    pub(crate) fn judged(call: &Call, simulated: Simulated, human: Option<Human>) -> Self {
        Row { function_name: call.function_name.clone(), human, said: Said::Judged(Box::new(simulated)) }
    }

    pub(crate) fn unreadable(unreadable: Unreadable) -> Self {
        Row { function_name: "?".to_owned(), human: None, said: Said::Unreadable(unreadable) }
    }

    /// The row for programs.
    pub(crate) fn answer(&self) -> Answer<'_> {
        match &self.said {
            Said::Judged(simulated) => Answer::simulated(simulated),
            Said::Unreadable(unreadable) => Answer::unreadable(unreadable, Some(false)),
        }
    }

    /// The arguments as they were given and as they run, where these differ.
    pub(crate) fn rewritten(&self) -> Option<(String, String)> {
        match &self.said {
            Said::Judged(simulated) if simulated.runs && !simulated.evaluation.rewrites.is_empty() => {
                Some((printable(&simulated.evaluation.original_arguments), printable(simulated.arguments())))
            }
            Said::Judged(_) | Said::Unreadable(_) => None,
        }
    }

    fn verdict(&self) -> Verdict {
        match &self.said {
            Said::Judged(simulated) => simulated.evaluation.verdict,
            Said::Unreadable(_) => Verdict::Deny,
        }
    }

    /// The guard whose word decides, and why.
    fn why(&self) -> (String, String) {
        match &self.said {
            Said::Unreadable(unreadable) => (String::new(), unreadable.error.clone()),
            Said::Judged(simulated) => {
                let evaluation = &simulated.evaluation;
                let guard = match evaluation.verdict {
                    Verdict::Allow => None,
                    Verdict::Modify => evaluation.rewrites.first().map(|rewrite| rewrite.guard.clone()),
                    Verdict::RequireApproval | Verdict::Deny => evaluation.decided_by.clone(),
                };
                (
                    guard.unwrap_or_default(),
                    if evaluation.is_allowed() && evaluation.rewrites.is_empty() {
                        String::new()
                    } else {
                        evaluation.reason()
                    },
                )
            }
        }
    }

    /// What came of a question.
    fn outcome(&self) -> &'static str {
        match (&self.said, self.human) {
            (Said::Judged(simulated), human) if simulated.evaluation.needs_approval() => {
                match (human, simulated.runs) {
                    (Some(Human::Approve), true) => " (a human said yes: it runs)",
                    (Some(Human::Approve), false) => " (a human said yes, but a limit was reached: it does not run)",
                    (Some(Human::Deny), _) => " (a human said no: it does not run)",
                    (None, _) => " (nobody answered: it does not run)",
                }
            }
            _ => "",
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = self.verdict();
        let style = style(verdict);
        let (guard, reason) = self.why();
        let name: String = printable(&self.function_name).chars().take(28).collect();
        let width = 16_usize.saturating_sub(verdict.as_str().len());
        let (reason, outcome) = (printable(&reason), self.outcome());
        let line = format!("{name:<28} {style}{verdict}{style:#}{:width$} {guard:<14} {reason}{outcome}", "");
        f.write_str(line.trim_end())
    }
}

/// What many calls add up to.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    calls: usize,
    verdicts: [usize; 4],
    ran: usize,
    fuel: u64,
    times: Vec<Duration>,
}

impl Totals {
    pub(crate) fn add(&mut self, row: &Row) {
        self.calls += 1;
        let verdict = row.verdict();
        let place = Verdict::ALL.iter().position(|other| *other == verdict);
        if let Some(count) = place.and_then(|place| self.verdicts.get_mut(place)) {
            *count += 1;
        }
        if let Said::Judged(simulated) = &row.said {
            self.ran += usize::from(simulated.runs);
            for evaluation in std::iter::once(&simulated.evaluation).chain(&simulated.granted) {
                self.fuel += evaluation.fuel();
                self.times.push(evaluation.elapsed);
            }
        }
    }
}

impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = Verdict::ALL.iter().zip(self.verdicts).filter(|(_, count)| *count > 0);
        let counts: Vec<String> = counts.map(|(verdict, count)| format!("{count} {verdict}")).collect();
        let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
        write!(f, "\n{} calls: {counts}; {} ran", self.calls, self.ran)?;
        let mut times = self.times.clone();
        times.sort_unstable();
        if let Some(median) = times.get(times.len() / 2) {
            let fuel = self.fuel / times.len() as u64;
            write!(f, "\nan evaluation took {} µs (median) and burnt {fuel} fuel (mean)", median.as_micros())?;
        }
        Ok(())
    }
}

/// Text of several lines, without what else a terminal would obey.
pub(crate) fn printable_lines(text: &str) -> String {
    text.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}
