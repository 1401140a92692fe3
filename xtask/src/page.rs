//! Follows `docs/writing-guards.md` as its reader does: lays out the files of its blocks in an empty folder,
//! runs its commands there, and leaves the rest of it to the test that has the program `agenthalt`. It passes
//! over no block: one that nobody follows is an error.

mod linker;
mod step;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::checkout::Checkout;
use crate::guest::guest_cargo;
use crate::page::step::Step;
use crate::process;
use crate::toolchain::{TARGET, Toolchain};

/// The page, from the root.
const PAGE: &str = "docs/writing-guards.md";

/// The crates of this checkout that the reader's cargo would fetch, and where they lie.
const CRATES: [(&str, &str); 3] =
    [("agenthalt-guard", "sdk/rust"), ("agenthalt-json", "wit/json"), ("agenthalt-names", "wit/names")];

/// What is left to the test.
#[derive(Serialize)]
struct Rest<'p> {
    /// The page that was followed: the test notices when it is no longer this one.
    page: &'p str,
    steps: Vec<&'p Step>,
}

/// Follows the page, and leaves the components that come of it and the steps that are left in
/// `target/guests/page`.
pub(crate) fn follow(checkout: &Checkout, toolchain: &Toolchain) -> Result<()> {
    let page = fs::read_to_string(checkout.path(PAGE)).with_context(|| format!("cannot read `{PAGE}`"))?;
    let steps = step::read(&page).with_context(|| format!("cannot follow `{PAGE}`"))?;
    let reader = Reader::begin(checkout, toolchain)?;
    let (mut folder, mut left) = (reader.desk.path().to_owned(), Vec::new());
    for step in &steps {
        match step {
            Step::File { path, text } if is_source(path) => write(&folder.join(path), text)?,
            Step::Run { run, .. } if is_ours(run) => folder = reader.run(run, &folder)?,
            Step::File { .. } | Step::Run { .. } => left.push(step),
        }
    }
    let target = folder_of(checkout);
    for component in components(&folder)? {
        let name = component.file_name().context("a component has a name")?;
        fs::copy(&component, target.join(name)).with_context(|| format!("cannot copy `{}`", component.display()))?;
    }
    let rest = serde_json::to_string_pretty(&Rest { page: &page, steps: left })?;
    write(&target.join("rest.json"), &rest)
}

/// Where everything about the page lies that outlasts it.
fn folder_of(checkout: &Checkout) -> PathBuf {
    checkout.guests_target().join("page")
}

/// Whether a file of the page is for the compiler; the others are for the program `agenthalt`.
fn is_source(path: &str) -> bool {
    path.ends_with(".rs") || path.ends_with(".toml")
}

/// Whether a command of the page needs no more than cargo and the wasm target.
fn is_ours(command: &str) -> bool {
    matches!(command.split(' ').next(), Some("cargo" | "rustup" | "cd" | "cp"))
}

/// Someone who has a compiler and an empty folder, and does what the page says.
struct Reader<'a> {
    toolchain: &'a Toolchain,
    /// Outside of the checkout: `cargo new` below it would make the guard a member of this workspace.
    desk: tempfile::TempDir,
    /// Where the compiler's work of the last time lies.
    compiled: PathBuf,
    lock: PathBuf,
    path: std::ffi::OsString,
}

impl<'a> Reader<'a> {
    fn begin(checkout: &Checkout, toolchain: &'a Toolchain) -> Result<Self> {
        let desk = tempfile::tempdir().context("cannot make a temporary folder")?;
        write(&desk.path().join(".cargo/config.toml"), &patches(checkout)?)?;
        let compiled = folder_of(checkout).join("target");
        fs::create_dir_all(&compiled).with_context(|| format!("cannot make `{}`", compiled.display()))?;
        for stale in components(&folder_of(checkout))? {
            fs::remove_file(&stale).with_context(|| format!("cannot remove `{}`", stale.display()))?;
        }
        let path = linker::search_path(checkout, toolchain)?;
        Ok(Self { toolchain, desk, compiled, lock: checkout.path("Cargo.lock"), path })
    }

    /// Runs a command in a folder and says in which one the next is run.
    fn run(&self, command: &str, folder: &Path) -> Result<PathBuf> {
        println!("$ {command}");
        let words: Vec<&str> = command.split(' ').collect();
        match words.as_slice() {
            ["rustup", "target", "add", TARGET] => {
                println!("(passed over: {} has this target)", self.toolchain.version());
            }
            ["cd", name] => {
                let project = folder.join(name);
                self.prepare(&project)?;
                return Ok(project);
            }
            ["cp", from @ .., to] => {
                process::run(process::program("cp").args(from).arg(to).current_dir(folder))?;
            }
            ["cargo", arguments @ ..] => {
                let mut cargo = guest_cargo(self.toolchain);
                // The linker is what the page says: a variable would go before its configuration.
                cargo.env_remove("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER");
                cargo.env("RUSTDOC", self.toolchain.rustdoc()).env("PATH", &self.path).env("CARGO_TERM_QUIET", "true");
                // What stays on the disk until the next time is for that time only.
                cargo.env("CARGO_INCREMENTAL", "0").env("CARGO_PROFILE_DEV_DEBUG", "false");
                process::run(cargo.args(arguments).current_dir(folder))?;
            }
            _ => bail!("`{command}` is no command that can be followed"),
        }
        Ok(folder.to_owned())
    }

    /// Gives a project of the reader the versions that this checkout is tested with, and what was
    /// compiled for it the last time.
    fn prepare(&self, project: &Path) -> Result<()> {
        let lock = project.join("Cargo.lock");
        fs::copy(&self.lock, &lock).with_context(|| format!("cannot write `{}`", lock.display()))?;
        #[cfg(unix)]
        std::os::unix::fs::symlink(&self.compiled, project.join("target"))
            .with_context(|| format!("cannot link `{}`", self.compiled.display()))?;
        Ok(())
    }
}

/// The configuration that gives the crates of this checkout to a project that names released ones.
fn patches(checkout: &Checkout) -> Result<String> {
    let mut crates = toml::Table::new();
    for (name, folder) in CRATES {
        let path = checkout.path(folder).to_str().context("the checkout's path is not UTF-8")?.to_owned();
        crates.insert(name.to_owned(), toml::Table::from_iter([("path".to_owned(), path.into())]).into());
    }
    let patch = toml::Table::from_iter([("crates-io".to_owned(), crates.into())]);
    Ok(toml::Table::from_iter([("patch".to_owned(), toml::Value::from(patch))]).to_string())
}

/// The components that lie in a folder.
fn components(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm") {
            found.push(path);
        }
    }
    Ok(found)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))
}
