//! The figures as Markdown that a terminal shows well too. It judges nothing.

use anyhow::{Context, Result};

use super::statistics::{Ratio, Round, Summary};

/// What a row of the table is of.
pub(super) struct Row<'m> {
    pub(super) case: &'m str,
    pub(super) side: &'m str,
    pub(super) rounds: &'m [Round],
    /// The rounds of the Python package, to compare with; none in its own row.
    pub(super) peer: Option<&'m [Round]>,
}

/// How it was measured.
pub(super) struct Setting<'m> {
    pub(super) machine: &'m str,
    /// Each side's name with what it runs on.
    pub(super) abouts: &'m [(&'m str, &'m str)],
    pub(super) rounds: usize,
    pub(super) calls: usize,
}

const HEADINGS: [&str; 8] =
    ["case", "side", "median µs", "p10-p90 µs", "p99 µs", "CPU µs", "calls/s", "Python's median / this one"];

/// The whole report.
pub(super) fn render(setting: &Setting<'_>, rows: &[Row<'_>]) -> Result<String> {
    let mut cells = vec![HEADINGS.map(str::to_owned)];
    for row in rows {
        cells.push(figures(row)?);
    }
    let mut text = table(&cells);
    text.push('\n');
    text.push_str(&format!("- Machine: {}.\n", setting.machine));
    for (name, about) in setting.abouts {
        text.push_str(&format!("- {name}: {about}.\n"));
    }
    text.push_str(&notes(setting));
    Ok(text)
}

fn notes(setting: &Setting<'_>) -> String {
    format!(
        "- Each figure is of {} rounds of {} calls, after one round that does not count. The sides take turns within \
         a round, in another order each round. Each side is a process of its own that judges one call after another.\n\
         - Median: of the rounds' medians; p10-p90: of the rounds' medians; p99: of all calls. CPU: user and system time \
         of the whole process for a call. The ratio is of the medians; in brackets, the rounds where it is least and most.\n\
         - Both sides read one and the same policy and the same calls of `send_email`, and every call is allowed: a \
         call that is not ends the run. Ten seconds pass from call to call, so that no minute fills; no call repeats \
         the one before; the budget of a day is 1,000,000 so that it does not end. Deletion and purchase find that the \
         call is not their business.\n\
         - A call is measured from its arguments to the verdict. This engine gets them as JSON text, which it checks \
         and reads each time; the Python package gets them as a dictionary that was made before.\n\
         - This engine runs each guard in a sandbox, and writes counters and a chained audit record for each call \
         before it answers; in a file with `durability: process`, that is until the system has it, not the disk.\n\
         - The Python package runs in one event loop and keeps its counters in memory; it keeps no audit log here and \
         its logging is off.\n",
        setting.rounds, setting.calls,
    )
}

fn figures(row: &Row<'_>) -> Result<[String; 8]> {
    let summary = Summary::of(row.rounds).with_context(|| format!("`{}` was not measured", row.case))?;
    let ratio = row.peer.and_then(|peer| Ratio::of(peer, row.rounds));
    Ok([
        row.case.to_owned(),
        row.side.to_owned(),
        micros(summary.median),
        format!("{}-{}", micros(summary.spread.0), micros(summary.spread.1)),
        micros(summary.p99),
        summary.cpu.map_or("unknown".to_owned(), micros),
        summary.rate.to_string(),
        ratio.map_or(String::new(), |ratio| format!("{:.2} ({:.2}-{:.2})", ratio.whole, ratio.least, ratio.most)),
    ])
}

/// Nanoseconds as microseconds with one decimal.
fn micros(nanos: u64) -> String {
    let tenths = nanos.saturating_add(50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A table of Markdown whose columns stand under each other: two of words, then figures.
fn table(rows: &[[String; 8]]) -> String {
    let mut widths = [3; 8];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            text.push_str(&if column < 2 { format!("| {cell:<width$} ") } else { format!("| {cell:>width$} ") });
        }
        text.push_str("|\n");
        if number == 0 {
            for (column, width) in widths.into_iter().enumerate() {
                let line = "-".repeat(width.saturating_add(1));
                text.push_str(&if column < 2 { format!("|{line}-") } else { format!("|{line}:") });
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::super::statistics::Sample;
    use super::*;

    fn rounds(nanos: u64, cpu: Option<u64>) -> Vec<Round> {
        let round = || Round { latencies: Sample::new(vec![nanos; 2]).unwrap(), cpu, wall: nanos * 2 };
        vec![round(), round()]
    }

    #[test]
    fn row_has_every_figure_and_the_peers_own_row_no_ratio() {
        let (ours, peer) = (rounds(20_000, Some(60_000)), rounds(65_040, None));
        let rows = [
            Row { case: "one", side: "ours", rounds: &ours, peer: Some(&peer) },
            Row { case: "one", side: "peer", rounds: &peer, peer: None },
        ];
        let setting = Setting { machine: "two cores", abouts: &[("ours", "0.1.0")], rounds: 2, calls: 2 };
        let text = render(&setting, &rows).unwrap();
        let lines: Vec<Vec<_>> = text.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
        let expected = ["", "one", "ours", "20.0", "20.0-20.0", "20.0", "30.0", "50000", "3.25 (3.25-3.25)", ""];
        assert_eq!(lines.get(2).unwrap(), &expected, "{text}");
        let expected = ["", "one", "peer", "65.0", "65.0-65.0", "65.0", "unknown", "15375", "", ""];
        assert_eq!(lines.get(3).unwrap(), &expected, "{text}");
        assert!(text.contains("- Machine: two cores.\n- ours: 0.1.0.\n"), "{text}");
    }

    #[test]
    fn columns_stand_under_each_other() {
        let setting = Setting { machine: "", abouts: &[], rounds: 1, calls: 2 };
        let ours = rounds(1_234_567, Some(1));
        let row = Row { case: "a case of some length", side: "ours", rounds: &ours, peer: None };
        let text = render(&setting, &[row]).unwrap();
        let widths: Vec<_> = text.lines().take(3).map(|line| line.chars().count()).collect();
        assert!(widths.iter().all(|width| Some(width) == widths.first()), "{text}");
    }

    #[test]
    fn microseconds_are_rounded_to_a_tenth() {
        assert_eq!([0, 49, 50, 999, 1_000, 65_040].map(micros), ["0.0", "0.0", "0.1", "1.0", "1.0", "65.0"]);
    }

    #[test]
    fn side_that_was_not_measured_has_no_row() {
        let setting = Setting { machine: "", abouts: &[], rounds: 0, calls: 0 };
        assert!(render(&setting, &[Row { case: "one", side: "ours", rounds: &[], peer: None }]).is_err());
    }
}
