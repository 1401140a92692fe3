//! `coverage`: which lines the tests reach, by cargo-llvm-cov. It finds the tools that it needs, and
//! never decides what coverage is enough.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::apt;
use crate::checkout::Checkout;
use crate::process;
use crate::toolchain::Toolchain;

/// Runs cargo-llvm-cov over the workspace, or with the arguments given.
pub(crate) fn run(checkout: &Checkout, arguments: &[String]) -> Result<()> {
    if process::read(process::cargo(checkout.root()).args(["llvm-cov", "--version"])).is_err() {
        bail!("cargo-llvm-cov is not installed; run `cargo install --locked cargo-llvm-cov`");
    }
    let mut cargo = process::cargo(checkout.root());
    cargo.arg("llvm-cov");
    if let Some((cov, profdata)) = tools()? {
        cargo.env("LLVM_COV", cov).env("LLVM_PROFDATA", profdata);
    }
    if arguments.is_empty() {
        cargo.arg("--workspace");
    }
    process::run(cargo.args(arguments))
}

/// The two programs of LLVM, where cargo-llvm-cov does not find them by itself.
fn tools() -> Result<Option<(PathBuf, PathBuf)>> {
    if std::env::var_os("LLVM_COV").is_some() && std::env::var_os("LLVM_PROFDATA").is_some() {
        return Ok(None);
    }
    let toolchain = Toolchain::of(Path::new("rustc")).context("there is no compiler")?;
    let bundled = toolchain.sysroot().join("lib/rustlib").join(toolchain.host()).join("bin");
    if bundled.join(format!("llvm-profdata{}", std::env::consts::EXE_SUFFIX)).is_file() {
        return Ok(None);
    }
    let llvm = toolchain.llvm().context("`rustc -vV` names no LLVM version")?;
    let package = format!("llvm-{llvm}");
    let named = || {
        let cov = process::find_on_path(&format!("llvm-cov-{llvm}"))?;
        Some((cov, process::find_on_path(&format!("llvm-profdata-{llvm}"))?))
    };
    if named().is_none() && apt::is_usable() && apt::has_candidate(&package) {
        apt::install(&[&package])?;
    }
    named().map(Some).with_context(|| {
        format!("llvm-cov and llvm-profdata are missing: `rustup component add llvm-tools`, or Debian's {package}")
    })
}
