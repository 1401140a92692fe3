//! `guards/guards.lock`: which built-in guards there are, their digests, and which compiler made
//! them. It is data; nothing is built here.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// What the lock says to whoever opens it.
const HEADER: &str = "\
# The built-in guards: what the host embeds and the digest that it demands when it loads them.
# Written by `cargo xtask guards build`, compared with the sources by `cargo xtask guards check`.

";

/// The whole lock.
#[derive(Serialize, Deserialize, PartialEq, Eq, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lock {
    pub(crate) toolchain: LockedToolchain,
    /// By name.
    #[serde(default, rename = "guard")]
    pub(crate) guards: Vec<LockedGuard>,
}

/// What built the guards.
#[derive(Serialize, Deserialize, PartialEq, Eq, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedToolchain {
    /// What `rustc -V` printed.
    pub(crate) rustc: String,
}

/// One built-in guard.
#[derive(Serialize, Deserialize, PartialEq, Eq, Debug, Clone)]
#[serde(deny_unknown_fields)]
pub(crate) struct LockedGuard {
    /// The name in policies, with underscores.
    pub(crate) name: String,
    pub(crate) version: String,
    /// The contract version, as `0.1`.
    pub(crate) contract: String,
    /// In lower-case hexadecimal.
    pub(crate) sha256: String,
    /// Relative to the lock's folder.
    pub(crate) file: String,
}

impl Lock {
    /// Reads a lock.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("`{}` is no lock of guards", path.display()))
    }

    /// The compiler that a lock names, if there is a lock.
    pub(crate) fn named_rustc(path: &Path) -> Option<String> {
        Self::read(path).ok().map(|lock| lock.toolchain.rustc)
    }

    /// The entry of a guard.
    pub(crate) fn guard(&self, name: &str) -> Option<&LockedGuard> {
        self.guards.iter().find(|guard| guard.name == name)
    }

    /// Puts an entry in the place of the one with its name.
    pub(crate) fn put(&mut self, entry: LockedGuard) {
        self.guards.retain(|guard| guard.name != entry.name);
        self.guards.push(entry);
        self.guards.sort_by(|one, other| one.name.cmp(&other.name));
    }

    /// The lock as text.
    pub(crate) fn to_text(&self) -> Result<String> {
        Ok(format!("{HEADER}{}", toml::to_string(self)?))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn entry(name: &str, sha256: &str) -> LockedGuard {
        LockedGuard {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            contract: "0.1".to_owned(),
            sha256: sha256.to_owned(),
            file: format!("prebuilt/{name}.wasm"),
        }
    }

    fn lock() -> Lock {
        let toolchain = LockedToolchain { rustc: "rustc 1.96.0 (ac68faa20 2026-05-25)".to_owned() };
        Lock { toolchain, guards: vec![entry("scope", "00")] }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let read: Lock = toml::from_str(&lock().to_text().unwrap()).unwrap();
        assert_eq!(read, lock());
    }

    #[test]
    fn entry_takes_the_place_of_its_name() {
        let mut lock = lock();
        lock.put(entry("budget", "01"));
        lock.put(entry("scope", "02"));
        let names: Vec<_> = lock.guards.iter().map(|guard| guard.name.as_str()).collect();
        assert_eq!(names, ["budget", "scope"]);
        assert_eq!(lock.guard("scope").unwrap().sha256, "02");
    }
}
