//! The harness: a folder of its own for each test, runs of the built program in it, and how they ended.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// The built program, beside the folder that this test lies in.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let program = test.parent().and_then(Path::parent).unwrap().join("agenthalt");
    assert!(program.is_file(), "`{}` is missing: run `cargo build -p agenthalt-cli` first", program.display());
    program
}

/// Where all tests keep compiled guards, but those about the cache: so that each is compiled once.
fn shared_cache() -> &'static Path {
    Path::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/cli-cache"))
}

/// The component of a built-in guard, which serves as a custom one just as well.
pub(crate) fn component(name: &str) -> Vec<u8> {
    let file = name.replace('_', "-");
    std::fs::read(format!("{}/../guards/prebuilt/{file}.wasm", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The digest that the lock names for a built-in guard's component.
pub(crate) fn digest(name: &str) -> String {
    let lock = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../guards/guards.lock")).unwrap();
    let lock: toml::Table = toml::from_str(&lock).unwrap();
    let guards = lock["guard"].as_array().unwrap();
    let guard = guards.iter().find(|guard| guard["name"].as_str() == Some(name)).unwrap();
    guard["sha256"].as_str().unwrap().to_owned()
}

/// A folder of a test's own, in which its runs start.
pub(crate) struct Dir(TempDir);

impl Dir {
    pub(crate) fn new() -> Self {
        Dir(tempfile::tempdir().unwrap())
    }

    /// With this text as `policy.yaml`.
    pub(crate) fn with_policy(text: &str) -> Self {
        let dir = Dir::new();
        dir.write("policy.yaml", text);
        dir
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The built program, for a test that starts it in a way of its own.
    pub(crate) fn program(&self) -> PathBuf {
        program()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// The names of all that lies in the folder, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A run of the program with these arguments, on the shared cache.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_without_cache(arguments).env("AGENTHALT_CACHE_DIR", shared_cache())
    }

    /// A run that knows no folder for compiled guards.
    pub(crate) fn run_without_cache(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.0.path());
        for name in
            ["HOME", "XDG_CACHE_HOME", "AGENTHALT_CACHE_DIR", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"]
        {
            command.env_remove(name);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Run { command, input: Vec::new() }
    }

    /// Judges one call, given on standard input, under `policy.yaml`.
    pub(crate) fn evaluate(&self, arguments: &[&str], call: &str) -> Ended {
        self.run(&[&["evaluate", "--policy", "policy.yaml"], arguments].concat()).stdin(call).ends()
    }

    /// Judges many calls, given on standard input, under `policy.yaml`: one answer for each.
    pub(crate) fn simulate(&self, calls: impl AsRef<[u8]>) -> Vec<Value> {
        let arguments = ["simulate", "--policy", "policy.yaml", "--calls", "-", "--format", "jsonl"];
        self.run(&arguments).stdin(calls).ends().exits(0).json_lines()
    }
}

/// A run of the program that has not begun.
pub(crate) struct Run {
    command: Command,
    input: Vec<u8>,
}

impl Run {
    pub(crate) fn stdin(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_owned();
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    pub(crate) fn stderr(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stderr(to);
        self
    }

    /// Runs it to its end.
    pub(crate) fn ends(self) -> Ended {
        self.begins().ends()
    }

    /// Starts it, and lets others start beside it.
    pub(crate) fn begins(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that has seen enough closes its input; that is no failure of the test.
        let feeder = std::thread::spawn(move || drop(stdin.write_all(&self.input)));
        Running { child, feeder }
    }
}

/// A run of the program that goes on.
pub(crate) struct Running {
    child: Child,
    feeder: std::thread::JoinHandle<()>,
}

impl Running {
    pub(crate) fn ends(self) -> Ended {
        let output = self.child.wait_with_output().unwrap();
        self.feeder.join().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Asserts the exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        self
    }

    /// The output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The output as one JSON value a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The answer with 1 for every figure of fuel, which changes with the guards' bytes.
pub(crate) fn with_plain_fuel(mut answer: Value) -> Value {
    for decision in answer["decisions"].as_array_mut().unwrap() {
        assert!(decision["fuel"].as_u64().is_some_and(|fuel| fuel > 0), "{decision}");
        decision["fuel"] = 1.into();
    }
    answer
}
