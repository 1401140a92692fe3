//! Counters for people, as a table, and for programs, as JSON.

use std::io::Write;

use agenthalt::{Amount, CounterStatus, Measure, Mode, Who, Window};
use serde::Serialize;

use crate::text::printable_lines;

/// One part of a counter for programs. What is money is in millionths.
#[derive(Debug, Serialize)]
struct Part<'a> {
    guard: &'a str,
    mode: &'static str,
    counter: &'a str,
    window: String,
    measure: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<Option<&'a str>>,
    reading: Option<i64>,
    charges: u64,
    last_charged: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit<'a>>,
}

#[derive(Debug, Serialize)]
struct Limit<'a> {
    setting: &'a str,
    unit: &'a str,
    most: i64,
    left: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warns_above: Option<i64>,
}

/// Every counter, one JSON object a line.
pub(super) fn lines(counters: &[CounterStatus]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for counter in counters {
        serde_json::to_writer(&mut out, &part(counter))?;
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

/// The counters with a limit as one JSON list; with `all`, every counter.
pub(super) fn json(counters: &[CounterStatus], all: bool) -> anyhow::Result<()> {
    let parts: Vec<Part<'_>> = counters.iter().filter(|counter| all || counter.limit.is_some()).map(part).collect();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &parts)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// The counters with a limit, a row each: those on which something is spent; with `all`, every one.
pub(super) fn table(counters: &[CounterStatus], all: bool) -> anyhow::Result<()> {
    let limited = counters.iter().filter(|counter| counter.limit.is_some());
    let shown: Vec<&CounterStatus> = limited.filter(|it| all || is_shared(it) || it.reading != Some(0)).collect();
    let mut out = anstream::AutoStream::auto(std::io::stdout()).lock();
    if shown.is_empty() {
        let what = if counters.iter().any(|counter| counter.limit.is_some()) {
            "nothing is spent on any limit now"
        } else {
            "no limit of this policy counts anything yet"
        };
        writeln!(out, "{what}")?;
        return Ok(out.flush()?);
    }
    let head = ["guard", "limit", "of", "spent", "limit", "left"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(shown.into_iter().map(row)).collect();
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths = [0, 1, 2, 3, 4, 5].map(width);
    for row in &rows {
        let cells = row.iter().zip(widths).zip(0..).map(|((cell, width), column)| {
            // Numbers stand under each other by their end.
            if column < 3 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(out.flush()?)
}

fn row(counter: &CounterStatus) -> [String; 6] {
    let setting = counter.limit.as_ref().map_or("", |limit| limit.setting.as_str());
    let is_money = counter.limit.as_ref().is_some_and(|limit| limit.is_money());
    let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| shown(number, is_money));
    let shadow = if counter.mode == Mode::Shadow { " (shadow)" } else { "" };
    [
        format!("{}{shadow}", counter.guard),
        setting.to_owned(),
        printable_lines(&whose(counter)).replace('\n', " "),
        number(counter.reading),
        number(counter.limit.as_ref().map(|limit| limit.most)),
        number(counter.left()),
    ]
}

fn is_shared(counter: &CounterStatus) -> bool {
    counter.agent.is_none() && counter.session.is_none() && counter.function.is_none()
}

fn whose(counter: &CounterStatus) -> String {
    let parts = [("agent", &counter.agent), ("session", &counter.session), ("function", &counter.function)];
    let named = parts.into_iter().filter_map(|(what, who)| match who {
        None => None,
        Some(Who::Unnamed) => Some(format!("no {what}")),
        Some(Who::Named(name)) => Some(format!("{what} {name}")),
    });
    let named: Vec<String> = named.collect();
    if named.is_empty() { "all calls".to_owned() } else { named.join(", ") }
}

/// A number of a counter: millionths as a decimal.
fn shown(number: i64, is_money: bool) -> String {
    if !is_money {
        return number.to_string();
    }
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", Amount::from_millionths(number.unsigned_abs()))
}

fn part(counter: &CounterStatus) -> Part<'_> {
    let window = match counter.window {
        Window::RollingMs(length) => format!("rolling {length} ms"),
        Window::Day => "day".to_owned(),
        Window::Month => "month".to_owned(),
        Window::Ever => "ever".to_owned(),
    };
    let measure = match counter.measure {
        Measure::Sum => "sum",
        Measure::Count => "count",
        Measure::LastTime => "last_time",
        Measure::RunOfSame => "run_of_same",
        Measure::RunOfTwo => "run_of_two",
    };
    Part {
        guard: &counter.guard,
        mode: counter.mode.as_str(),
        counter: &counter.counter,
        window,
        measure,
        agent: counter.agent.as_ref().map(name),
        session: counter.session.as_ref().map(name),
        function: counter.function.as_ref().map(name),
        reading: counter.reading,
        charges: counter.charges,
        last_charged: counter.last_charged.map(|at| at.to_string()),
        limit: counter.limit.as_ref().map(|limit| Limit {
            setting: &limit.setting,
            unit: &limit.unit,
            most: limit.most,
            left: counter.left(),
            warns_above: limit.warns_above,
        }),
    }
}

fn name(who: &Who) -> Option<&str> {
    match who {
        Who::Unnamed => None,
        Who::Named(name) => Some(name),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn money_is_shown_in_its_unit_also_below_nothing() {
        assert_eq!([12_500_000, 0, -1, -2_000_000].map(|number| shown(number, true)), ["12.5", "0", "-0.000001", "-2"]);
        assert_eq!(shown(-3, false), "-3");
    }
}
