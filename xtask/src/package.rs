//! What the packages of the crates must hold, beside their sources: the contract, and the built-in guards.
//! It publishes nothing.

use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::checkout::Checkout;
use crate::process;

/// A crate, and a file that it cannot be built without and that does not lie in its own folder or is no
/// source.
const NEEDED: [(&str, &str); 4] = [
    ("agenthalt-sandbox", "wit/guard.wit"),
    ("agenthalt-guard", "wit/guard.wit"),
    ("agenthalt-builtins", "guards.lock"),
    ("agenthalt-builtins", "prebuilt/scope.wasm"),
];

/// Holds the list of files of the packages against what they must hold.
pub(crate) fn check(checkout: &Checkout) -> Result<()> {
    for (package, file) in NEEDED {
        let mut list: Command = process::cargo(checkout.root());
        list.args(["package", "--list", "--allow-dirty", "-p", package]);
        let listed = list.output().with_context(|| format!("cargo cannot list the files of `{package}`"))?;
        let files = String::from_utf8_lossy(&listed.stdout);
        ensure!(listed.status.success(), "the files of `{package}` cannot be listed");
        ensure!(files.lines().any(|line| line == file), "the package `{package}` lacks `{file}`");
    }
    Ok(())
}
