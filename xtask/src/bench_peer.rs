//! `bench-peer`: this engine beside the Python package of the same name, measured in turns in one run.
//! It fails only when it cannot measure, whatever the figures say, and leaves nothing behind but the
//! report that was asked for.

mod environment;
mod machine;
mod report;
mod scenario;
mod side;
mod statistics;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result};

use self::report::{Row, Setting};
use self::scenario::CASES;
use self::side::Side;
use self::statistics::Round;
use crate::checkout::Checkout;
use crate::process;

/// The program of the Python side.
const PROGRAM: &str = include_str!("bench_peer/peer.py");

/// Measures, prints the report and writes it where asked: at least nine rounds that count, after one
/// that does not.
pub(crate) fn run(checkout: &Checkout, rounds: usize, calls: usize, output: Option<&Path>) -> Result<()> {
    // Sides are declared after the folder that they work in, so that they end before it is removed.
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    scenario::write(folder.path())?;
    eprintln!("installing {} into a temporary environment", environment::PACKAGE);
    let python = environment::make(folder.path())?;
    eprintln!("building the example `peer` of this engine");
    let example = build(checkout)?;
    let mut sides = start(folder.path(), &python, &example)?;
    let machine = machine::describe(folder.path());
    let measured = measure(&mut sides, rounds, calls)?;
    let abouts: Vec<_> = sides.iter().map(|side| (side.name, side.about.as_str())).collect();
    let setting = Setting { machine: &machine, abouts: &abouts, rounds, calls };
    let text = report::render(&setting, &rows(&sides, &measured))?;
    print!("{text}");
    if let Some(path) = output {
        fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    Ok(())
}

/// Builds this engine's side and gives its program.
fn build(checkout: &Checkout) -> Result<PathBuf> {
    let mut cargo = process::cargo(checkout.root());
    cargo.args(["build", "--release", "--package", "agenthalt", "--example", "peer"]);
    cargo.args(["--message-format", "json-render-diagnostics"]).stderr(Stdio::inherit());
    executable(&process::read(&mut cargo)?).context("cargo names no program of the example `peer`")
}

/// The program among cargo's messages: where the target folder lies is the user's choice.
fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let mut built = messages.filter(|message| message.pointer("/target/name").is_some_and(|name| name == "peer"));
    built.find_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
}

/// Starts every side; the Python package comes last.
fn start(folder: &Path, python: &Path, example: &Path) -> Result<[Side; 3]> {
    let ours = |name, state| Side::start(name, process::program(example).arg(folder).arg(state));
    let program = folder.join("peer.py");
    fs::write(&program, PROGRAM).with_context(|| format!("cannot write `{}`", program.display()))?;
    let mut peer = process::program(python);
    // Isolated: neither variables nor packages of the user change what is measured.
    peer.arg("-I").arg(&program).arg(folder);
    Ok([
        ours("this engine, state in a file", "file")?,
        ours("this engine, state in memory", "memory")?,
        Side::start("Python package, state in memory", &mut peer)?,
    ])
}

/// The rounds of each case and side, in the order of the cases and of the sides.
type Measured = Vec<[Vec<Round>; 3]>;

fn measure(sides: &mut [Side; 3], rounds: usize, calls: usize) -> Result<Measured> {
    let mut measured: Measured = CASES.iter().map(|_| Default::default()).collect();
    for number in 0..=rounds {
        eprintln!("round {number} of {rounds}{}", if number == 0 { " (does not count)" } else { "" });
        for (case, of_case) in CASES.iter().zip(&mut measured) {
            let mut turns: Vec<_> = sides.iter_mut().zip(of_case).collect();
            for place in order(number) {
                let Some((side, of_side)) = turns.get_mut(place) else { continue };
                let round = side.run(case.word, calls)?;
                if number > 0 {
                    of_side.push(round);
                }
            }
        }
    }
    Ok(measured)
}

/// Who comes when in a round: in six rounds every order once, so that nobody always comes first or
/// after the same side.
fn order(round: usize) -> [usize; 3] {
    let mut order = [0, 1, 2];
    order.rotate_left(round % 3);
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

fn rows<'m>(sides: &'m [Side; 3], measured: &'m Measured) -> Vec<Row<'m>> {
    let mut rows = Vec::new();
    for (case, of_case) in CASES.iter().zip(measured) {
        let [file, memory, peer] = of_case;
        let compared = [(file, Some(peer)), (memory, Some(peer)), (peer, None)];
        for (side, (rounds, peer)) in sides.iter().zip(compared) {
            rows.push(Row { case: case.title, side: side.name, rounds, peer: peer.map(Vec::as_slice) });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_rounds_have_every_order_once() {
        let orders: std::collections::BTreeSet<_> = (1..=6).map(order).collect();
        assert_eq!(orders.len(), 6);
    }

    #[test]
    fn program_is_found_among_the_messages_of_cargo() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"agenthalt"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"peer"},"executable":"/target/examples/peer"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages), Some(PathBuf::from("/target/examples/peer")));
        assert_eq!(executable("not a message"), None);
    }
}
