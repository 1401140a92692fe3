//! Makes the table of built-in guards from `guards.lock`. Nothing that is wrong with the lock or the
//! components stops the build: the host finds out when it loads them, and denies.

#[path = "src/table.rs"]
mod table;

use std::path::PathBuf;
use std::{env, fs};

use crate::table::Table;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let table = Table::read(&folder);
    // The folder too: a component that comes back is not among the files that were watched.
    for path in ["build.rs", "guards.lock", "prebuilt"].into_iter().chain(table.files.iter().map(String::as_str)) {
        println!("cargo::rerun-if-changed={path}");
    }
    for warning in &table.warnings {
        println!("cargo::warning={warning}");
    }
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("builtins.rs"), &table.source)?;
    Ok(())
}
