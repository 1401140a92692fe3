//! `agenthalt schema`: the JSON Schema of policies, with what the built-in guards say of their settings.

use agenthalt::inspect;

use crate::exit::Exit;
use crate::host::{Host, note, say};

pub(crate) fn run(host: &Host) -> anyhow::Result<Exit> {
    let schema = inspect::policy_schema(host.sandbox());
    host.say_notices();
    match schema {
        Ok(schema) => {
            let tree: serde_json::Value = serde_json::from_str(&schema.to_string())?;
            say(&serde_json::to_string_pretty(&tree)?)?;
            Ok(Exit::Done)
        }
        Err((guard, fault)) => {
            note(&format!("the guard `{guard}` cannot be asked for its schema: it {fault}"));
            Ok(Exit::Usage)
        }
    }
}
