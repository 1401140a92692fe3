//! The checkout that is worked on: where its folders are and which guests it holds. It reads
//! manifests and never writes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::guest::Guest;

/// The root folder of a checkout.
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// The checkout that this program was started from.
    pub(crate) fn find() -> Result<Self> {
        // Cargo tells the folder at run time too: a program that was built in another checkout must
        // not work on that one.
        let own = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&own).parent().context("the folder of xtask has no parent")?;
        Ok(Self { root: root.to_path_buf() })
    }

    /// The root folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Where everything about guests that is not committed lies.
    pub(crate) fn guests_target(&self) -> PathBuf {
        self.path("target/guests")
    }

    /// The built-in guards, by folder name.
    pub(crate) fn guards(&self) -> Result<Vec<Guest>> {
        self.guests_below("guards")
    }

    /// The example guards of the SDK, by folder name.
    pub(crate) fn examples(&self) -> Result<Vec<Guest>> {
        self.guests_below("sdk/rust/examples")
    }

    /// The least compiler version that the workspace states, as (major, minor).
    pub(crate) fn least_release(&self) -> Result<(u32, u32)> {
        let manifest = self.workspace_package()?;
        let text = manifest.get("rust-version").and_then(toml::Value::as_str).unwrap_or("1.0");
        parse_release(text).with_context(|| format!("`{text}` is no Rust version"))
    }

    /// The table `workspace.package` of the root manifest.
    pub(crate) fn workspace_package(&self) -> Result<toml::Table> {
        let manifest = read_toml(&self.path("Cargo.toml"))?;
        let package = manifest.get("workspace").and_then(|workspace| workspace.get("package"));
        Ok(package.and_then(toml::Value::as_table).cloned().unwrap_or_default())
    }

    fn guests_below(&self, folder: &str) -> Result<Vec<Guest>> {
        let path = self.path(folder);
        let mut guests = Vec::new();
        for entry in fs::read_dir(&path).with_context(|| format!("cannot list `{}`", path.display()))? {
            let below = entry?.path();
            if below.join("Cargo.toml").is_file() {
                guests.push(Guest::read(self, &below)?);
            }
        }
        if guests.is_empty() {
            bail!("`{}` holds no guard", path.display());
        }
        guests.sort_by(|one, other| one.name().cmp(other.name()));
        Ok(guests)
    }
}

/// Reads a TOML file.
pub(crate) fn read_toml(path: &Path) -> Result<toml::Table> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    text.parse().with_context(|| format!("`{}` is not TOML", path.display()))
}

/// The first two numbers of a version.
pub(crate) fn parse_release(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn release_is_the_first_two_numbers() {
        assert_eq!(parse_release("1.95"), Some((1, 95)));
        assert_eq!(parse_release("1.96.0"), Some((1, 96)));
        assert_eq!(parse_release("stable"), None);
    }
}
