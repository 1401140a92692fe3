//! One side of the comparison: a child process that is asked and answers in lines. Its answer counts
//! only when every call of it was allowed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::statistics::{Round, Sample};

/// A running child.
pub(super) struct Side {
    /// As people are told it.
    pub(super) name: &'static str,
    /// What it runs on, in its own words.
    pub(super) about: String,
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

#[derive(Deserialize)]
struct About {
    about: String,
}

/// The answer to one `run`; times in nanoseconds.
#[derive(Deserialize)]
struct Answer {
    latencies: Vec<u64>,
    cpu: Option<u64>,
    wall: u64,
    refused: u64,
    reason: String,
}

impl Side {
    /// Starts the program and waits until it says what it is.
    pub(super) fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let line = format!("{command:?}");
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start `{line}`"))?;
        let input = child.stdin.take().context("the child has no standard input")?;
        let output = BufReader::new(child.stdout.take().context("the child has no standard output")?);
        let mut side = Self { name, about: String::new(), child, input, output };
        let about = side.read()?;
        side.about = serde_json::from_str::<About>(&about).with_context(|| format!("`{line}` said `{about}`"))?.about;
        Ok(side)
    }

    /// Has the child evaluate so many calls of a case.
    pub(super) fn run(&mut self, case: &str, calls: usize) -> Result<Round> {
        let asked = writeln!(self.input, "run {case} {calls}").and_then(|()| self.input.flush());
        asked.with_context(|| format!("`{}` takes no further case", self.name))?;
        let line = self.read()?;
        counted(&line, calls).with_context(|| format!("`{case}` of `{}` does not count", self.name))
    }

    fn read(&mut self) -> Result<String> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line).with_context(|| format!("`{}` cannot be read", self.name))?;
        ensure!(length > 0, "`{}` ended without an answer; what it said stands above", self.name);
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        // Nothing can be done about a child that ended before or cannot be ended.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Reads an answer. A call that was not allowed took another way through the guards, so its time says
/// nothing.
fn counted(line: &str, calls: usize) -> Result<Round> {
    let answer: Answer = serde_json::from_str(line).context("the answer is not the JSON expected")?;
    if answer.refused > 0 {
        bail!("{} of {calls} calls were not allowed, the last one by `{}`", answer.refused, answer.reason);
    }
    ensure!(answer.latencies.len() == calls, "{} calls were measured, not {calls}", answer.latencies.len());
    let latencies = Sample::new(answer.latencies).context("no call was measured")?;
    Ok(Round { latencies, cpu: answer.cpu, wall: answer.wall })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn error(line: &str, calls: usize) -> String {
        format!("{:#}", counted(line, calls).unwrap_err())
    }

    #[test]
    fn answer_of_allowed_calls_counts() {
        let line = r#"{"latencies":[30,10,20],"cpu":55,"wall":70,"refused":0,"reason":""}"#;
        let round = counted(line, 3).unwrap();
        assert_eq!((round.latencies.median(), round.cpu, round.wall), (20, Some(55), 70));
    }

    #[test]
    fn one_call_that_is_not_allowed_spoils_the_answer() {
        let line = r#"{"latencies":[1,2],"cpu":null,"wall":3,"refused":1,"reason":"deny: too many"}"#;
        assert_eq!(error(line, 2), "1 of 2 calls were not allowed, the last one by `deny: too many`");
    }

    #[test]
    fn answer_with_other_than_the_asked_calls_is_an_error() {
        let line = r#"{"latencies":[1,2],"cpu":null,"wall":3,"refused":0,"reason":""}"#;
        assert_eq!(error(line, 3), "2 calls were measured, not 3");
        assert!(error(r#"{"latencies":[],"cpu":null,"wall":3,"refused":0,"reason":""}"#, 0).contains("no call"));
        assert!(error("Traceback", 3).contains("not the JSON expected"));
    }

    fn start(argument: &str) -> String {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let started = Side::start("this side", command.arg(argument).stderr(Stdio::null()));
        format!("{:#}", started.err().unwrap())
    }

    #[test]
    fn child_that_ends_without_a_word_is_named() {
        assert_eq!(start("--no-such-option"), "`this side` ended without an answer; what it said stands above");
    }

    #[test]
    fn child_that_says_something_else_is_named() {
        assert!(start("--list").contains("--list\"` said `"), "{}", start("--list"));
    }
}
