//! What every command needs of the machine: the sandbox with its cache and its compiler, and a word
//! to the person at the terminal. It judges nothing.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use agenthalt::{CONTRACT_VERSION, CompilerProcess, ENGINE_VERSION, PolicyEngine, PolicyEngineBuilder, Sandbox};
use anyhow::{Context, Result};

use crate::text;

/// The hidden command that compiles a component in a process of its own.
pub(crate) const COMPILE_WORD: &str = "compile-component";

/// What `--version` says.
pub(crate) fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        format!("{} (contract {CONTRACT_VERSION}, wasmtime {ENGINE_VERSION})", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}

/// The machine as the commands see it.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    sandbox: Sandbox,
}

impl Host {
    /// Makes the sandbox. Components are compiled by this program in a process of its own.
    pub(crate) fn new(cache_dir: Option<PathBuf>) -> Result<Self> {
        let program = std::env::current_exe().context("this program does not know where it lies")?;
        let mut builder = Sandbox::builder().compiler(CompilerProcess::new(program, [COMPILE_WORD]));
        match cache_dir.filter(|folder| !folder.as_os_str().is_empty()).or_else(default_cache_dir) {
            Some(folder) => builder = builder.cache(folder),
            None => note(
                "guards are compiled in every run: neither XDG_CACHE_HOME nor HOME is set; name a folder with --cache-dir",
            ),
        }
        Ok(Host { sandbox: builder.build()? })
    }

    /// An engine's builder on this sandbox, which tells a person at the terminal what takes long.
    pub(crate) fn builder(&self) -> PolicyEngineBuilder {
        let builder = PolicyEngine::builder().sandbox(self.sandbox.clone());
        if !std::io::stderr().is_terminal() {
            return builder;
        }
        builder.progress(|done, total| {
            let end = if done == total { "\n" } else { "" };
            let mut err = anstream::stderr();
            // Where the terminal is gone, nobody waits for the line.
            let _ = write!(err, "\rcompiling guards, first start only: {done}/{total}{end}");
            let _ = err.flush();
        })
    }

    /// The sandbox.
    pub(crate) fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Says what the sandbox noticed, each thing once.
    pub(crate) fn say_notices(&self) {
        self.sandbox.take_notices().iter().for_each(|notice| note(notice));
    }
}

/// A line to the person, beside the output.
pub(crate) fn note(text: &str) {
    tell(&format!("agenthalt: {text}\n"));
}

/// Text to the person, beside the output.
pub(crate) fn tell(text: &str) {
    // Where nobody listens, the exit code still tells how it went.
    drop(anstream::stderr().write_all(text::printable_lines(text).as_bytes()));
}

/// A line of output.
///
/// # Errors
/// Those of the output; that its reader has gone is none.
pub(crate) fn say(line: &str) -> std::io::Result<()> {
    match anstream::stdout().write_all(format!("{}\n", text::printable_lines(line)).as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

fn default_cache_dir() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("agenthalt"))
}
