//! `agenthalt check`: whether a policy can serve, or everything that is wrong with it.

use std::path::Path;

use agenthalt::{GuardStatus, Mode};

use crate::exit::Exit;
use crate::host::{Host, note, say, tell};

pub(crate) fn run(host: &Host, policy: &Path) -> anyhow::Result<Exit> {
    let checked = host.builder().policy_file(policy).check();
    host.say_notices();
    let file = policy.display();
    let guards = match checked {
        Ok(guards) => guards,
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
    let (enabled, disabled): (Vec<&GuardStatus>, Vec<_>) = guards.iter().partition(|guard| guard.enabled);
    for guard in &enabled {
        if let (Some(component), Some(digest)) = (&guard.component, guard.digest) {
            let mode = if guard.mode == Mode::Shadow { ", shadow" } else { "" };
            let short: String = digest.to_string().chars().take(12).collect();
            say(&format!("  {} ({component}{mode}, sha256 {short}…)", guard.name))?;
        }
    }
    for guard in disabled {
        say(&format!("  {} (switched off)", guard.name))?;
    }
    if enabled.iter().all(|guard| guard.fault.is_none()) {
        say(&format!("`{file}` is valid"))?;
        return Ok(Exit::Done);
    }
    for guard in &enabled {
        if let Some(fault) = &guard.fault {
            note(&format!("the guard `{}` cannot serve: it {fault}", guard.name));
        }
    }
    let denies = enabled.iter().any(|guard| guard.denies_every_call());
    let effect = if denies { "every call would be denied" } else { "they only watch" };
    note(&format!("`{file}` is valid, but not all of its guards can serve: {effect}"));
    Ok(Exit::Usage)
}
