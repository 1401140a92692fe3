//! `agenthalt guard inspect`: what a guard is, and what it says of itself under a configuration. It runs
//! no call.

use std::path::Path;

use agenthalt::inspect::{self, Described, Inspected};
use agenthalt::{Counter, Json, Measure, Verdict, Window};
use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::arguments::EvaluateFormat;
use crate::exit::Exit;
use crate::host::{Host, note, say};

pub(crate) fn inspect(host: &Host, guard: &Path, settings: &str, format: EvaluateFormat) -> Result<Exit> {
    let settings = Json::parse(settings).context("`--settings` is no JSON")?;
    anyhow::ensure!(settings.as_object().is_some(), "`--settings` is {}, not an object", settings.kind());
    let name = guard.display().to_string();
    let inspected = inspect::component(guard).and_then(|bytes| inspect::inspect(host.sandbox(), &bytes, &settings));
    host.say_notices();
    let inspected = match inspected {
        Ok(inspected) => inspected,
        Err(fault) => {
            note(&format!("the guard `{name}` cannot serve: it {fault}"));
            return Ok(Exit::Usage);
        }
    };
    match format {
        EvaluateFormat::Text => show(&inspected)?,
        EvaluateFormat::Json => say(&to_json(&inspected).to_string())?,
    }
    match &inspected.described {
        Ok(_) => Ok(Exit::Done),
        Err(problems) => {
            for (pointer, message) in problems {
                let place = if pointer.is_empty() { "the settings" } else { pointer };
                note(&format!("{place}: {message}"));
            }
            note(&format!("the guard `{name}` refuses these settings; others are given with `--settings`"));
            Ok(Exit::Usage)
        }
    }
}

fn show(inspected: &Inspected) -> Result<()> {
    if let Ok(Described { description, configure_fuel, .. }) = &inspected.described {
        say(&format!("{} {}", description.name, description.version))?;
        say(&format!("  verdicts       {}", verdicts(inspected).join(", ")))?;
        say(&format!("  phases         {}", phases(inspected).join(", ")))?;
        let counters: Vec<String> = description.counters.iter().map(counter).collect();
        let counters = if counters.is_empty() { "none".to_owned() } else { counters.join("\n                 ") };
        say(&format!("  counters       {counters}"))?;
        say(&format!("  configure      {configure_fuel} fuel"))?;
    }
    say(&format!("  contract       {}", inspected.contract))?;
    say("  imports        none")?;
    let extra = &inspected.extra_exports;
    let extra = if extra.is_empty() { "none".to_owned() } else { extra.join(", ") };
    say(&format!("  extra exports  {extra}"))?;
    say(&format!("  sha256         {}", inspected.digest))?;
    say(&format!("  size           {} bytes", inspected.size))?;
    let schema: Value = serde_json::from_str(&inspected.schema.to_string())?;
    say(&format!("  settings, as a JSON Schema:\n{}", serde_json::to_string_pretty(&schema)?))?;
    Ok(())
}

fn to_json(inspected: &Inspected) -> Value {
    let described = inspected.described.as_ref().ok();
    let counters = described.map(|it| it.description.counters.iter().map(counter_json).collect::<Vec<_>>());
    let problems = inspected.described.as_ref().err().into_iter().flatten();
    let problems = problems.map(|(pointer, message)| json!({ "pointer": pointer, "message": message }));
    json!({
        "name": described.map(|it| &it.description.name),
        "version": described.map(|it| &it.description.version),
        "verdicts": described.map(|_| verdicts(inspected)),
        "phases": described.map(|_| phases(inspected)),
        "counters": counters,
        "configure_fuel": described.map(|it| it.configure_fuel),
        "problems": problems.collect::<Vec<_>>(),
        "contract": inspected.contract,
        "imports": [],
        "extra_exports": inspected.extra_exports,
        "sha256": inspected.digest.to_string(),
        "size": inspected.size,
        "schema": serde_json::from_str::<Value>(&inspected.schema.to_string()).unwrap_or_default(),
    })
}

fn verdicts(inspected: &Inspected) -> Vec<&'static str> {
    let Ok(described) = &inspected.described else { return Vec::new() };
    let declared = |verdict: &Verdict| described.description.verdicts.contains(*verdict);
    Verdict::ALL.into_iter().filter(declared).map(Verdict::as_str).collect()
}

fn phases(inspected: &Inspected) -> Vec<&'static str> {
    let Ok(described) = &inspected.described else { return Vec::new() };
    let phases = described.description.phases;
    [(phases.before, "before"), (phases.after, "after")]
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name)
        .collect()
}

/// A counter in one line: `daily_spend: the sum, by agent, of the day`.
fn counter(counter: &Counter) -> String {
    let by = partition(counter);
    let by = if by.is_empty() { "of all calls".to_owned() } else { format!("by {}", by.join(", ")) };
    let window = match counter.window {
        Window::RollingMs(milliseconds) => format!("of the last {milliseconds} ms"),
        Window::Day => "of the day".to_owned(),
        Window::Month => "of the month".to_owned(),
        Window::Ever => "ever".to_owned(),
    };
    format!("{}: {}, {by}, {window}", counter.name, measure(counter.measure))
}

fn counter_json(counter: &Counter) -> Value {
    let window = match counter.window {
        Window::RollingMs(milliseconds) => json!({ "rolling_ms": milliseconds }),
        Window::Day => json!("day"),
        Window::Month => json!("month"),
        Window::Ever => json!("ever"),
    };
    json!({
        "name": counter.name,
        "measure": measure(counter.measure),
        "partition": partition(counter),
        "window": window,
    })
}

fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::Sum => "sum",
        Measure::Count => "count",
        Measure::LastTime => "last time",
        Measure::RunOfSame => "run of same",
        Measure::RunOfTwo => "run of two",
    }
}

fn partition(counter: &Counter) -> Vec<&'static str> {
    let by = counter.partition;
    let parts = [(by.agent, "agent"), (by.session, "session"), (by.function, "function"), (by.arguments, "arguments")];
    parts.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect()
}
