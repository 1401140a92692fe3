//! What a page tells its reader to do: the steps that its fenced blocks hold, in order. It follows none of
//! them, and refuses a block that it does not understand.

use std::path::{Component, Path};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

/// One thing to do.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Step {
    /// Write a file, from the present folder.
    File { path: String, text: String },
    /// Run a command, which then shows this.
    Run { run: String, shows: String },
}

/// The languages of blocks that are files. Rust is `rs` here: a block marked `rust` is a test of the crate
/// that shows the page in its documentation.
const LANGUAGES: [&str; 4] = ["rs", "toml", "yaml", "jsonl"];

/// The mark of programs that use the host. They are compiled with its documentation, so they are no steps.
const HOST: &str = "rust,no_run";

/// The programs of which a page may show what they print: what a compiler says depends on its release.
const COMPARED: [&str; 2] = ["agenthalt", "echo"];

/// The steps of a page.
pub(super) fn read(page: &str) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    let mut lines = (1..).zip(page.lines());
    while let Some((number, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```") else { continue };
        let mut text = String::new();
        loop {
            let (_, line) = lines.next().with_context(|| format!("line {number}: the block does not end"))?;
            if line == "```" {
                break;
            }
            text.push_str(line);
            text.push('\n');
        }
        steps.extend(block(info, text).with_context(|| format!("the block in line {number}"))?);
    }
    Ok(steps)
}

fn block(info: &str, text: String) -> Result<Vec<Step>> {
    if info == "console" {
        return commands(&text);
    }
    if info == HOST {
        return Ok(Vec::new());
    }
    match info.split_once(' ') {
        Some((language, path)) if LANGUAGES.contains(&language) => {
            let is_below = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
            ensure!(is_below, "`{path}` does not lie below the present folder");
            Ok(vec![Step::File { path: path.to_owned(), text }])
        }
        _ => bail!("nobody follows a block marked `{info}`: name a file, as in `yaml policy.yaml`, or use `console`"),
    }
}

/// Commands begin with `$ `; what stands below one is what it shows.
fn commands(text: &str) -> Result<Vec<Step>> {
    let mut steps: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push((command, String::new()));
            continue;
        }
        let (_, shows) = steps.last_mut().context("the first line is no command: begin it with `$ `")?;
        shows.push_str(line);
        shows.push('\n');
    }
    for (command, shows) in &steps {
        let is_compared = command.split(' ').next().is_some_and(|program| COMPARED.contains(&program));
        ensure!(is_compared || shows.is_empty(), "nobody compares what `{command}` shows: leave it out");
    }
    Ok(steps.into_iter().map(|(run, shows)| Step::Run { run: run.to_owned(), shows }).collect())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn wrong(page: &str) -> String {
        format!("{:#}", read(page).unwrap_err())
    }

    #[test]
    fn files_and_commands_come_in_their_order() {
        let page = "# T\n\n```console\n$ cargo new x\n$ agenthalt demo\none\ntwo\n```\n\ntext\n\n\
                    ```yaml a/b.yaml\nguards: {}\n```\n\n```rust,no_run\nfn main() {}\n```\n";
        let run = |run: &str, shows: &str| Step::Run { run: run.to_owned(), shows: shows.to_owned() };
        let file = Step::File { path: "a/b.yaml".to_owned(), text: "guards: {}\n".to_owned() };
        assert_eq!(read(page).unwrap(), [run("cargo new x", ""), run("agenthalt demo", "one\ntwo\n"), file]);
    }

    #[test]
    fn block_that_nobody_follows_is_refused_with_its_line() {
        for info in ["", "text", "yaml", "sh x.sh", "rust", "rust src/lib.rs", "rust,no_runs"] {
            let error = wrong(&format!("# T\n\n```{info}\nx\n```\n"));
            assert!(error.contains("line 3") && error.contains(&format!("`{info}`")), "{info}: {error}");
        }
    }

    #[test]
    fn block_without_an_end_is_refused() {
        assert!(wrong("```console\n$ cargo test\n").contains("does not end"));
    }

    #[test]
    fn file_elsewhere_is_refused() {
        for path in ["/etc/x.toml", "../x.toml", "a/../x.toml"] {
            assert!(wrong(&format!("```toml {path}\n```\n")).contains("does not lie below"), "{path}");
        }
    }

    #[test]
    fn output_that_nobody_compares_is_refused() {
        assert!(wrong("```console\n$ cargo test\ntest result: ok\n```\n").contains("nobody compares"));
        assert!(wrong("```console\ntest result: ok\n```\n").contains("no command"));
    }
}
