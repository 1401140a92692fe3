//! The standard library for the wasm target, built once from the sources that a distribution ships
//! with its compiler. It never touches a compiler that rustup manages.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::guest::{cargo_home, encode_flags, guest_cargo};
use crate::process;
use crate::toolchain::{TARGET, Toolchain};

/// Says that a library was built by `build`: its paths are in the bytes of every guard, so one that
/// was built otherwise gives other bytes.
const MARKER: &str = "built-by-agenthalt-xtask.txt";

/// The crate that is built for the sake of the libraries below it.
const EMPTY: &str = "empty";

/// Whether the library was built by `build` for this very compiler.
fn is_current(toolchain: &Toolchain) -> bool {
    fs::read_to_string(folder(toolchain).join(MARKER)).is_ok_and(|text| text == marker(toolchain))
}

/// Whether others who set up this compiler have the same library, so that they get the same bytes:
/// rustup's is the same everywhere, a distribution's is if `build` made it.
pub(crate) fn is_repeatable(toolchain: &Toolchain) -> bool {
    !toolchain.is_distribution() || is_current(toolchain)
}

/// Whether the library can be built: the sources are there.
pub(crate) fn has_sources(toolchain: &Toolchain) -> bool {
    sources(toolchain).join("library/std").is_dir()
}

/// Whether a package owns the library, so that it is not ours to replace.
pub(crate) fn is_packaged(toolchain: &Toolchain) -> bool {
    process::read(process::program("dpkg").arg("--search").arg(folder(toolchain).join("lib"))).is_ok()
}

/// Builds the library and installs it among the compiler's own.
pub(crate) fn build(toolchain: &Toolchain) -> Result<()> {
    println!("building the standard library for {TARGET} with {} (about a minute)", toolchain.version());
    let folder = folder(toolchain);
    let fresh = folder.with_extension("fresh");
    remove(&fresh)?;
    fs::create_dir_all(fresh.join("lib")).with_context(|| format!("cannot make `{}`", fresh.display()))?;
    let work = tempfile::tempdir().context("cannot make a temporary folder")?;
    compile(toolchain, work.path())?;
    copy_libraries(&work.path().join("target").join(TARGET).join("release/deps"), &fresh.join("lib"))?;
    fs::write(fresh.join(MARKER), marker(toolchain))?;
    remove(&folder)?;
    fs::rename(&fresh, &folder).with_context(|| format!("cannot install `{}`", folder.display()))
}

fn compile(toolchain: &Toolchain, work: &Path) -> Result<()> {
    fs::create_dir(work.join("src"))?;
    fs::write(work.join("src/lib.rs"), "#![no_std]\n")?;
    let manifest = format!("[package]\nname = \"{EMPTY}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n");
    fs::write(work.join("Cargo.toml"), manifest)?;
    let mut cargo = guest_cargo(toolchain);
    cargo.current_dir(work).args(["build", "--quiet", "--release", "--target", TARGET, "--target-dir", "target"]);
    // Building the library is an unstable feature of cargo; what comes of it is an ordinary library.
    cargo.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
    let home = cargo_home()?;
    let linked = sources(toolchain);
    let real = fs::canonicalize(&linked).with_context(|| format!("cannot find `{}`", linked.display()))?;
    let replaced = [(home.as_path(), "/cargo"), (linked.as_path(), "/rust"), (real.as_path(), "/rust")];
    process::run(cargo.env("CARGO_ENCODED_RUSTFLAGS", encode_flags(Vec::new(), &replaced)))
}

fn copy_libraries(from: &Path, to: &Path) -> Result<()> {
    let own = format!("lib{EMPTY}-");
    let mut has_std = false;
    for entry in fs::read_dir(from).with_context(|| format!("cannot list `{}`", from.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".rlib") && !name.starts_with(&own) {
            has_std |= name.starts_with("libstd-");
            fs::copy(&path, to.join(&name)).with_context(|| format!("cannot copy `{name}`"))?;
        }
    }
    if !has_std {
        bail!("the build of the standard library left none in `{}`", from.display());
    }
    Ok(())
}

fn folder(toolchain: &Toolchain) -> PathBuf {
    toolchain.sysroot().join("lib/rustlib").join(TARGET)
}

fn sources(toolchain: &Toolchain) -> PathBuf {
    toolchain.sysroot().join("lib/rustlib/src/rust")
}

fn marker(toolchain: &Toolchain) -> String {
    format!("std and panic_abort by {}, paths as /cargo and /rust\n", toolchain.version())
}

fn remove(folder: &Path) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    fs::remove_dir_all(folder).with_context(|| format!("cannot remove `{}`", folder.display()))
}
