//! The linker that makes components, `wasm-component-ld`, for compilers that come without it. It changes
//! nothing outside of `target`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::checkout::Checkout;
use crate::process;
use crate::toolchain::Toolchain;

const NAME: &str = "wasm-component-ld";

/// The search path on which the compiler finds the linker, and the linker the one of wasm that it needs.
pub(super) fn search_path(checkout: &Checkout, toolchain: &Toolchain) -> Result<OsString> {
    let present = std::env::var_os("PATH").unwrap_or_default();
    let folder = folder(checkout, toolchain)?;
    let folders = std::iter::once(folder).chain(std::env::split_paths(&present));
    std::env::join_paths(folders).context("a folder of the search path cannot stand in one")
}

/// A folder that has both: that of a compiler from rustup, else one of our own.
fn folder(checkout: &Checkout, toolchain: &Toolchain) -> Result<PathBuf> {
    let linker = toolchain.linker().context("the compiler has no linker for wasm")?;
    if let Some(beside) = linker.parent().filter(|folder| has_program(folder)) {
        return Ok(beside.to_owned());
    }
    let tools = checkout.guests_target().join("tools");
    let folder = tools.join("bin");
    if !has_program(&folder) {
        println!("installing {NAME} below `{}`, as the page says (about a minute)", tools.display());
        let mut cargo = process::cargo(checkout.root());
        cargo.args(["install", "--quiet", "--locked", NAME, "--root"]).arg(&tools);
        process::run(&mut cargo)?;
    }
    link(linker, &folder)?;
    Ok(folder)
}

fn has_program(folder: &Path) -> bool {
    folder.join(format!("{NAME}{}", std::env::consts::EXE_SUFFIX)).is_file()
}

/// Gives the linker of wasm a name under which it is looked for, and by which it knows what it is:
/// distributions add their version to it.
#[cfg(unix)]
fn link(linker: &Path, folder: &Path) -> Result<()> {
    let is_of_rust = linker.file_stem().is_some_and(|stem| stem == "rust-lld");
    let name = folder.join(if is_of_rust { "rust-lld" } else { "wasm-ld" });
    if name.symlink_metadata().is_ok() {
        fs::remove_file(&name).with_context(|| format!("cannot remove `{}`", name.display()))?;
    }
    std::os::unix::fs::symlink(linker, &name).with_context(|| format!("cannot link `{}`", name.display()))
}

#[cfg(not(unix))]
fn link(linker: &Path, _: &Path) -> Result<()> {
    anyhow::bail!("`{}` has no {NAME} beside it: use a compiler from rustup", linker.display())
}
