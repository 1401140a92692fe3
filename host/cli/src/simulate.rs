//! `agenthalt simulate`: many calls in order under their own stamps. A line that is no call is denied
//! and the run goes on.

use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use agenthalt::Simulation;
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::SimulateFormat;
use crate::exit::Exit;
use crate::host::{Host, note};
use crate::input::{self, Unreadable};
use crate::text::{Row, Totals};

/// The longest line in bytes; a longer one is denied as a whole.
const MOST_LINE_BYTES: usize = 16 << 20;

pub(crate) fn run(host: &Host, policy: &Path, calls: &Path, format: SimulateFormat) -> Result<Exit> {
    let simulation = Simulation::new(host.builder().policy_file(policy));
    host.say_notices();
    let simulation = simulation?;
    let (input, size): (Box<dyn BufRead>, _) = if calls == Path::new("-") {
        (Box::new(std::io::stdin().lock()), None)
    } else {
        match File::open(calls) {
            Ok(file) => {
                let size = file.metadata().map(|metadata| metadata.len()).ok();
                (Box::new(BufReader::new(file)), size)
            }
            Err(error) => {
                note(&format!("the calls `{}` cannot be read: {error}", calls.display()));
                return Ok(Exit::NoCall);
            }
        }
    };
    let bar = progress_bar(size);
    let mut lines = Lines { input, read: 0 };
    let mut totals = Totals::default();
    let stdout = std::io::stdout();
    // Answers for programs go out byte for byte; a stream for people would leave out what shows nothing.
    let mut out: Box<dyn Write> = match format {
        SimulateFormat::Jsonl => Box::new(stdout.lock()),
        SimulateFormat::Table => Box::new(anstream::AutoStream::auto(stdout).lock()),
    };
    loop {
        let line = match lines.next() {
            Ok(Some(line)) => line,
            Ok(None) => break,
            Err(error) => {
                note(&format!("the calls `{}` cannot be read on: {error}", calls.display()));
                return Ok(Exit::NoCall);
            }
        };
        let row = judge(&simulation, &line);
        totals.add(&row);
        match format {
            SimulateFormat::Jsonl => {
                serde_json::to_writer(&mut out, &row.answer()).context("the answer cannot be written")?;
                writeln!(out)?;
            }
            SimulateFormat::Table => writeln!(out, "{row}")?,
        }
        bar.set_position(lines.read);
    }
    bar.finish_and_clear();
    if format == SimulateFormat::Table {
        writeln!(out, "{totals}")?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// Judges one line.
pub(crate) fn judge(simulation: &Simulation, line: &Line) -> Row {
    let unreadable = |call_id, error: &str| Row::unreadable(Unreadable { call_id, error: error.to_owned() });
    let text = match line {
        Line::Text(text) => text,
        Line::Unusable(error) => return unreadable(None, error),
    };
    match input::read(text) {
        Err(error) => Row::unreadable(error),
        Ok(read) => match read.at {
            None => unreadable(read.call.id, "the call has no `timestamp`"),
            Some(at) => Row::judged(&read.call, simulation.judge(&read.call, at, read.human), read.human),
        },
    }
}

/// One line of input.
#[derive(Debug)]
pub(crate) enum Line {
    /// Text.
    Text(String),
    /// Too long, or no text.
    Unusable(&'static str),
}

struct Lines {
    input: Box<dyn BufRead>,
    read: u64,
}

impl Lines {
    /// The next line that is not blank; none at the end.
    fn next(&mut self) -> std::io::Result<Option<Line>> {
        loop {
            let mut bytes = Vec::new();
            let (length, ended) = self.take_line(&mut bytes)?;
            if length > MOST_LINE_BYTES {
                return Ok(Some(Line::Unusable("the line is longer than 16 MiB")));
            }
            if !bytes.trim_ascii().is_empty() {
                let line = String::from_utf8(bytes);
                return Ok(Some(line.map_or(Line::Unusable("the line is not UTF-8"), Line::Text)));
            }
            if ended {
                return Ok(None);
            }
        }
    }

    /// Reads up to the end of a line, keeping no more than the longest one may have. Tells how long it
    /// was, and whether the input ended there.
    fn take_line(&mut self, bytes: &mut Vec<u8>) -> std::io::Result<(usize, bool)> {
        let mut length = 0;
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok((length, true));
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
            length += part.len();
            if length <= MOST_LINE_BYTES {
                bytes.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            self.read += used as u64;
            if end.is_some() {
                return Ok((length, false));
            }
        }
    }
}

/// A bar on a terminal, once it has taken a while; nothing elsewhere.
fn progress_bar(size: Option<u64>) -> ProgressBar {
    let Some(size) = size.filter(|_| std::io::stderr().is_terminal() && !std::io::stdout().is_terminal()) else {
        return ProgressBar::hidden();
    };
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template("judging {bar:40} {percent}% ({eta} left)") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
