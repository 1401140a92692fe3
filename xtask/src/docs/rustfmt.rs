//! Generated Rust in the workspace's format, by the rustfmt of the toolchain that runs. It never
//! formats a file of the checkout in place.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process;

/// The texts of Rust files, by the files' names, each formatted as `cargo fmt` would in the checkout of
/// that root.
pub(super) fn formatted(root: &Path, files: &[(&str, &str)]) -> Result<Vec<String>> {
    // Without a file, rustfmt would wait for its standard input.
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let mut paths = Vec::new();
    for (name, text) in files {
        // What rustfmt says of a text names this path.
        let path = folder.path().join(name);
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        paths.push(path);
    }
    let mut rustfmt = process::program(program());
    rustfmt.args(["--edition", "2024", "--config-path"]).arg(root).args(&paths);
    process::read(&mut rustfmt).context("generated Rust cannot be formatted")?;
    let read = |path| fs::read_to_string(path).context("cannot read what rustfmt wrote");
    paths.iter().map(read).collect()
}

/// The rustfmt beside the cargo that started this program, else the one on the search path.
fn program() -> OsString {
    let cargo = std::env::var_os("CARGO").unwrap_or_default();
    let beside = Path::new(&cargo).with_file_name(format!("rustfmt{}", std::env::consts::EXE_SUFFIX));
    if beside.is_absolute() && beside.is_file() { beside.into_os_string() } else { OsString::from("rustfmt") }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    #[test]
    fn texts_come_back_in_their_order_and_the_workspaces_format() {
        // Wider than what rustfmt allows without the workspace's configuration.
        let wide = format!("const A: [&str; 1] = [\"{}\"];\n", "x".repeat(85));
        let texts = formatted(root(), &[("a.rs", "fn  a( ){}"), ("b.rs", &wide)]).unwrap();
        assert_eq!(texts, ["fn a() {}\n", &wide]);
    }

    #[test]
    fn no_text_is_none() {
        assert!(formatted(root(), &[]).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_rust_is_an_error_that_names_the_file() {
        let error = formatted(root(), &[("budget.rs", "struct A { type: u8 }")]).unwrap_err();
        assert!(format!("{error:#}").contains("budget.rs:1"), "{error:#}");
    }
}
