//! `agenthalt check`: whether a policy can serve, or everything that is wrong with it.

use std::path::Path;

use agenthalt::check;

use crate::exit::Exit;
use crate::host::{Host, note, say, tell};

pub(crate) fn run(host: &Host, policy: &Path) -> anyhow::Result<Exit> {
    let checked = check::check(&host.builder().policy_file(policy));
    host.say_notices();
    let file = policy.display();
    let report = match checked {
        Ok(report) => report,
        Err(error) => {
            match error.problems() {
                Some(problems) => {
                    let count = problems.list().len();
                    tell(&problems.render(&file.to_string()));
                    let noun = if count == 1 { "problem" } else { "problems" };
                    note(&format!("`{file}` is refused: {count} {noun}"));
                }
                None => note(&format!("{:#}", anyhow::Error::from(error))),
            }
            return Ok(Exit::Usage);
        }
    };
    for guard in &report.guards {
        let mode = if guard.mode == "shadow" { ", shadow" } else { "" };
        let short: String = guard.digest.chars().take(12).collect();
        say(&format!("  {} ({}{mode}, sha256 {short}…)", guard.name, guard.component))?;
    }
    for name in &report.disabled {
        say(&format!("  {name} (switched off)"))?;
    }
    if report.faults.is_empty() {
        say(&format!("`{file}` is valid"))?;
        return Ok(Exit::Done);
    }
    for (name, fault) in &report.faults {
        note(&format!("the guard `{name}` cannot serve: it {fault}"));
    }
    let effect = if report.denies_every_call { "every call would be denied" } else { "they only watch" };
    note(&format!("`{file}` is valid, but not all of its guards can serve: {effect}"));
    Ok(Exit::Usage)
}
