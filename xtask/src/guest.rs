//! One guest crate and how it becomes a core module: with which flags, so that the bytes depend on
//! the sources and the compiler only. It never decides where the result goes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::checkout::{Checkout, read_toml};
use crate::process;
use crate::toolchain::{TARGET, Toolchain};

/// How much stack a guest has, in bytes: it lies in the guest's own memory.
const STACK_BYTES: u32 = 65_536;

/// A guest crate of the checkout.
pub(crate) struct Guest {
    name: String,
    package: String,
    version: String,
}

impl Guest {
    /// Reads the guest crate in a folder.
    pub(crate) fn read(checkout: &Checkout, folder: &Path) -> Result<Self> {
        let name = folder.file_name().context("a guest's folder has a name")?.to_string_lossy().into_owned();
        let manifest = read_toml(&folder.join("Cargo.toml"))?;
        let field = |name: &str| manifest.get("package").and_then(|package| package.get(name)).cloned();
        let package = field("name").and_then(|name| Some(name.as_str()?.to_owned()));
        let own = field("version").and_then(|version| Some(version.as_str()?.to_owned()));
        let version = match own {
            Some(version) => Some(version),
            None => checkout.workspace_package()?.get("version").and_then(|v| Some(v.as_str()?.to_owned())),
        };
        let missing = |field: &str| format!("`{}` names no {field}", folder.join("Cargo.toml").display());
        Ok(Self {
            name,
            package: package.with_context(|| missing("package"))?,
            version: version.with_context(|| missing("version"))?,
        })
    }

    /// The folder's name, as `rate-limit`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The name in policies, as `rate_limit`.
    pub(crate) fn policy_name(&self) -> String {
        self.name.replace('-', "_")
    }

    /// The crate's version.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Compiles the guest to a core module and gives its bytes.
    ///
    /// Each guest has a cargo call of its own: in a common one the features of one guest would reach
    /// the others, and their bytes would depend on who else is built.
    pub(crate) fn compile(&self, checkout: &Checkout, toolchain: &Toolchain) -> Result<Vec<u8>> {
        let target = checkout.guests_target().join("cargo");
        let mut cargo = guest_cargo(toolchain);
        cargo.current_dir(checkout.root());
        cargo.args(["build", "--quiet", "--locked", "--lib", "--profile", "guest"]);
        cargo.args(["--target", TARGET, "--package", &self.package, "--target-dir"]).arg(&target);
        cargo.env("CARGO_ENCODED_RUSTFLAGS", flags(checkout.root(), toolchain)?);
        process::run(&mut cargo)?;
        let file = format!("{}.wasm", self.package.replace('-', "_"));
        let module = target.join(TARGET).join("guest").join(file);
        std::fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))
    }
}

/// The cargo of a toolchain, without any setting of the caller's that could change bytes.
pub(crate) fn guest_cargo(toolchain: &Toolchain) -> Command {
    let mut cargo = process::program(toolchain.cargo());
    for (name, _) in std::env::vars_os() {
        if changes_bytes(&name.to_string_lossy()) {
            cargo.env_remove(name);
        }
    }
    cargo.env("RUSTC", toolchain.rustc());
    if let Some(linker) = toolchain.linker() {
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    }
    cargo
}

/// Where cargo keeps the sources of dependencies.
pub(crate) fn cargo_home() -> Result<PathBuf> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(PathBuf::from(home));
    }
    let home = std::env::home_dir().context("there is neither CARGO_HOME nor a home folder")?;
    Ok(home.join(".cargo"))
}

/// The arguments that replace folders of this machine by names that every machine has, separated as
/// cargo wants it in `CARGO_ENCODED_RUSTFLAGS`. Where two prefixes meet a path, the compiler takes the
/// later one.
pub(crate) fn encode_flags(mut flags: Vec<OsString>, replaced: &[(&Path, &str)]) -> OsString {
    for (folder, name) in replaced {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(folder);
        flag.push("=");
        flag.push(name);
        flags.push(flag);
    }
    flags.join(std::ffi::OsStr::new("\u{1f}"))
}

fn flags(root: &Path, toolchain: &Toolchain) -> Result<OsString> {
    let stack = OsString::from(format!("-Clink-arg=-zstack-size={STACK_BYTES}"));
    let home = cargo_home()?;
    let library = toolchain.sysroot().join("lib/rustlib/src/rust");
    let replaced = [(library.as_path(), "/rust"), (home.as_path(), "/cargo"), (root, "/agenthalt")];
    Ok(encode_flags(vec![stack], &replaced))
}

/// Whether a variable of the environment could change what cargo and rustc produce. What cargo needs
/// to fetch dependencies stays.
fn changes_bytes(name: &str) -> bool {
    const KEPT: [&str; 6] =
        ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_", "CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_BUILD_JOBS"];
    let is_kept = KEPT.iter().any(|kept| name.starts_with(kept));
    let is_of_tools = name.starts_with("CARGO") || name.starts_with("RUSTC") || name == "RUSTFLAGS";
    (is_of_tools && !is_kept) || name == "RUSTUP_TOOLCHAIN" || name == "SOURCE_DATE_EPOCH"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_caller_do_not_reach_a_guest() {
        for name in ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "CARGO_PROFILE_GUEST_LTO", "CARGO"] {
            assert!(changes_bytes(name), "{name} would reach the guest's compiler");
        }
        for name in ["CARGO_HOME", "CARGO_NET_OFFLINE", "PATH", "HOME"] {
            assert!(!changes_bytes(name), "{name} is kept from cargo");
        }
    }

    #[test]
    fn flag_may_hold_spaces() {
        let flags = encode_flags(vec!["-Ca".into()], &[(Path::new("/my home/x"), "/cargo")]);
        assert_eq!(flags, OsString::from("-Ca\u{1f}--remap-path-prefix=/my home/x=/cargo"));
    }
}
