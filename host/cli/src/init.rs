//! `agenthalt init`: a commented policy to start from. It never overwrites.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::exit::Exit;
use crate::host::{note, say};

/// The policy that a newcomer starts from.
const STARTER: &str = include_str!("../data/starter.yaml");

pub(crate) fn run(file: &Path) -> anyhow::Result<Exit> {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(file)
        .and_then(|mut created| created.write_all(STARTER.as_bytes()));
    if let Err(error) = written {
        let why = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "it exists already, and stays as it is".to_owned(),
            _ => error.to_string(),
        };
        note(&format!("`{}` is not written: {why}", file.display()));
        return Ok(Exit::Usage);
    }
    say(&format!("wrote {}\nnext: agenthalt check {}", file.display(), shell_word(file)))?;
    Ok(Exit::Done)
}

/// A path as one types it in a shell.
fn shell_word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
