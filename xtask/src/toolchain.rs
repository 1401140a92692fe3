//! The compilers of this machine, as far as guards are concerned: which there are, what each can
//! build, and with which linker. It never installs anything.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::checkout::{Checkout, parse_release};
use crate::process;

/// The target that guards are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// One Rust compiler with the cargo that belongs to it.
pub(crate) struct Toolchain {
    sysroot: PathBuf,
    /// What `rustc -V` prints.
    version: String,
    release: (u32, u32),
    host: String,
    llvm: Option<String>,
    linker: Option<PathBuf>,
}

/// What a compiler lacks for building guards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lack {
    Cargo,
    StandardLibrary,
    Linker,
}

impl Toolchain {
    /// The compiler behind a `rustc`, be it a proxy or the compiler itself.
    pub(crate) fn of(rustc: &Path) -> Result<Self> {
        let sysroot = PathBuf::from(process::read(process::program(rustc).args(["--print", "sysroot"]))?);
        let own = sysroot.join("bin").join(format!("rustc{}", std::env::consts::EXE_SUFFIX));
        let version = process::read(process::program(&own).arg("-V"))?;
        let verbose = process::read(process::program(&own).arg("-vV"))?;
        let field = |name: &str| {
            verbose.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
        };
        let release = field("release").as_deref().and_then(parse_release).context("`rustc -vV` names no release")?;
        let host = field("host").context("`rustc -vV` names no host")?;
        let llvm = field("LLVM version").and_then(|version| Some(version.split('.').next()?.to_owned()));
        Ok(Self { sysroot, version, release, host, llvm, linker: None })
    }

    /// Every compiler that is new enough: the distribution's, then the one on the search path.
    pub(crate) fn all(checkout: &Checkout) -> Result<Vec<Self>> {
        let least = checkout.least_release()?;
        let mut found: Vec<Self> = Vec::new();
        for rustc in [Path::new("/usr/bin/rustc"), Path::new("rustc")] {
            // One that does not start is one that is not there.
            let Ok(toolchain) = Self::of(rustc) else { continue };
            let is_new = found.iter().all(|other| other.sysroot != toolchain.sysroot);
            if is_new && toolchain.release >= least {
                found.push(toolchain);
            }
        }
        // Any of them may bring the linker: it works alike for all.
        let linker = find_linker(&found);
        for toolchain in &mut found {
            toolchain.linker.clone_from(&linker);
        }
        Ok(found)
    }

    /// The compiler to build guards with: the one of this name if it can, else the first that can.
    pub(crate) fn choose(checkout: &Checkout, named: Option<&str>) -> Result<Option<Self>> {
        let mut able = Vec::new();
        for toolchain in Self::all(checkout)? {
            if toolchain.lacks()?.is_empty() {
                able.push(toolchain);
            }
        }
        let position = able.iter().position(|toolchain| Some(toolchain.version()) == named).unwrap_or(0);
        Ok(able.into_iter().nth(position))
    }

    /// What `rustc -V` prints.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// Where the compiler's libraries lie.
    pub(crate) fn sysroot(&self) -> &Path {
        &self.sysroot
    }

    /// The major version of the LLVM that the compiler was built with.
    pub(crate) fn llvm(&self) -> Option<&str> {
        self.llvm.as_deref()
    }

    /// The triple that the compiler runs on.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The linker for the wasm target.
    pub(crate) fn linker(&self) -> Option<&Path> {
        self.linker.as_deref()
    }

    /// Whether this is the distribution's own compiler.
    pub(crate) fn is_distribution(&self) -> bool {
        self.sysroot == Path::new("/usr")
    }

    /// The compiler itself.
    pub(crate) fn rustc(&self) -> PathBuf {
        self.tool("rustc")
    }

    /// The cargo of this very toolchain: another one may give other symbol names, so other bytes.
    pub(crate) fn cargo(&self) -> PathBuf {
        self.tool("cargo")
    }

    /// The tester of documentation of this very toolchain.
    pub(crate) fn rustdoc(&self) -> PathBuf {
        self.tool("rustdoc")
    }

    /// What is missing for building guards; tried, not guessed.
    pub(crate) fn lacks(&self) -> Result<Vec<Lack>> {
        let mut lacks = Vec::new();
        if !self.cargo().is_file() {
            lacks.push(Lack::Cargo);
        }
        if !self.has_standard_library()? {
            lacks.push(Lack::StandardLibrary);
        }
        if self.linker.is_none() {
            lacks.push(Lack::Linker);
        }
        Ok(lacks)
    }

    fn tool(&self, name: &str) -> PathBuf {
        self.sysroot.join("bin").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    fn has_standard_library(&self) -> Result<bool> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let source = folder.path().join("probe.rs");
        fs::write(&source, "pub fn probe(words: &[String]) -> String { words.concat() }\n")?;
        let mut rustc = process::program(self.rustc());
        rustc.args(["--target", TARGET, "--crate-type", "lib", "--emit", "metadata", "--out-dir"]);
        rustc.arg(folder.path()).arg(&source);
        Ok(rustc.output().is_ok_and(|output| output.status.success()))
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Cargo => "its own cargo",
            Self::StandardLibrary => "a standard library for wasm32-unknown-unknown",
            Self::Linker => "a linker for wasm (rust-lld or wasm-ld)",
        })
    }
}

fn find_linker(toolchains: &[Toolchain]) -> Option<PathBuf> {
    let bundled = toolchains.iter().map(|toolchain| {
        let bin = toolchain.sysroot.join("lib/rustlib").join(&toolchain.host).join("bin");
        bin.join(format!("rust-lld{}", std::env::consts::EXE_SUFFIX))
    });
    let versioned = toolchains.iter().filter_map(|toolchain| Some(format!("wasm-ld-{}", toolchain.llvm()?)));
    let named = versioned.chain(["wasm-ld".to_owned()]).filter_map(|name| process::find_on_path(&name));
    bundled.filter(|path| path.is_file()).chain(named).next()
}
