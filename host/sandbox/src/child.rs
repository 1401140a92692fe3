//! The child process that compiles foreign components, both sides: the parent bounds its time, the
//! child bounds its own memory and CPU before it reads a byte.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use agenthalt_core::fault::Fault;
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::engine::{self, Allocation};
use crate::trap::cut;

/// The largest compiled component in bytes.
const MOST_CODE: u64 = 512 << 20;

/// What compiling one component may take in a child process. There is no "unlimited".
///
/// ```
/// # use agenthalt_sandbox::CompileLimits;
/// let limits = CompileLimits::new(20, 1 << 30)?;
/// assert_eq!((limits.time().as_secs(), limits.memory_bytes()), (20, 1 << 30));
/// let default = CompileLimits::default();
/// assert_eq!((default.time().as_secs(), default.memory_bytes()), (30, 2 << 30));
/// # Ok::<(), agenthalt_sandbox::CompileLimitsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    time: Duration,
    memory_bytes: u64,
}

/// The limits of compiling are nothing, or more than a host should give.
///
/// ```
/// # use agenthalt_sandbox::{CompileLimits, CompileLimitsError};
/// assert_eq!(CompileLimits::new(0, 1 << 30), Err(CompileLimitsError));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("compiling is given from 1 s to 600 s and from 16 MiB to 16 GiB")]
pub struct CompileLimitsError;

impl CompileLimits {
    /// Limits of wall and CPU time, in whole seconds, and of address space in bytes.
    ///
    /// # Errors
    /// [`CompileLimitsError`] outside 1 to 600 seconds and 16 MiB to 16 GiB.
    pub fn new(seconds: u64, memory_bytes: u64) -> Result<Self, CompileLimitsError> {
        if !(1..=600).contains(&seconds) || !((16 << 20)..=(16 << 30)).contains(&memory_bytes) {
            return Err(CompileLimitsError);
        }
        Ok(CompileLimits { time: Duration::from_secs(seconds), memory_bytes })
    }

    /// Wall and CPU time.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// Address space in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }
}

impl Default for CompileLimits {
    /// 30 seconds, 2 GiB.
    fn default() -> Self {
        CompileLimits { time: Duration::from_secs(30), memory_bytes: 2 << 30 }
    }
}

/// A program that, started with these arguments, calls [`run_as_child`] and nothing else.
///
/// ```
/// # use agenthalt_sandbox::{CompilerProcess, Sandbox};
/// let compiler = CompilerProcess::new(std::env::current_exe()?, ["compile-guard"]);
/// // It is started when a component must be compiled, not before.
/// let sandbox = Sandbox::builder().compiler(compiler).build()?;
/// assert_eq!(sandbox.compiled(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct CompilerProcess {
    program: PathBuf,
    arguments: Vec<OsString>,
}

impl CompilerProcess {
    /// A compiler that is started as `program` with `arguments`.
    pub fn new(program: impl Into<PathBuf>, arguments: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        CompilerProcess { program: program.into(), arguments: arguments.into_iter().map(Into::into).collect() }
    }

    /// Compiles in a child process.
    ///
    /// # Errors
    /// [`Fault::NotAComponent`] where the compiler refuses the bytes, [`Fault::FailedToCompile`] where
    /// it does not come to an end within the limits.
    pub(crate) fn compile(&self, bytes: &[u8], limits: CompileLimits) -> Result<Vec<u8>, Fault> {
        let failed = |text: String| Fault::FailedToCompile(text);
        // Elsewhere the child cannot bound its own address space.
        #[cfg(not(target_os = "linux"))]
        crate::structure::check(bytes)?;
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env(TIME_VARIABLE, limits.time.as_secs().max(1).to_string())
            .env(MEMORY_VARIABLE, limits.memory_bytes.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(format!("the compiler `{}` does not start: {error}", self.program.display())))?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(failed("the compiler has no pipes".to_owned()));
        };
        // INVARIANT: the child is gone before its output is waited for, whatever it does with its pipes.
        let (code, text, status) = std::thread::scope(|scope| {
            // A child that ends early closes its end; what it says then tells more than the failed write.
            scope.spawn(move || drop(stdin.write_all(bytes)));
            let code = scope.spawn(move || read_all(stdout));
            let text = scope.spawn(move || read_all(stderr.take(64 << 10)));
            let status = wait(&mut child, limits.time);
            (code.join().unwrap_or_default(), text.join().unwrap_or_default(), status)
        });
        let status = status.map_err(|error| failed(format!("the compiler is lost: {error}")))?;
        let text = cut(&String::from_utf8_lossy(&text));
        match status.code() {
            Some(0) if !code.is_empty() => Ok(code),
            Some(code) if code == i32::from(REFUSED) => Err(Fault::NotAComponent(text)),
            _ => Err(failed(explain(status, limits, &text))),
        }
    }
}

/// Waits for the child to end, and ends it where it takes longer than it may.
fn wait(child: &mut Child, most: Duration) -> std::io::Result<ExitStatus> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > most {
            child.kill()?;
            return child.wait();
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn read_all(from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    match from.take(MOST_CODE).read_to_end(&mut bytes) {
        Ok(_) => bytes,
        Err(_) => Vec::new(),
    }
}

fn explain(status: ExitStatus, limits: CompileLimits, text: &str) -> String {
    let (time, memory) = (limits.time.as_secs(), limits.memory_bytes >> 20);
    format!("the compiler ended with {status} under its limits of {time} s and {memory} MiB {text}")
        .trim_end()
        .to_owned()
}

const TIME_VARIABLE: &str = "AGENTHALT_COMPILE_SECONDS";
const MEMORY_VARIABLE: &str = "AGENTHALT_COMPILE_BYTES";
/// The exit code for bytes that are no component.
const REFUSED: u8 = 3;

/// The child's side: limits itself, reads a component from standard input, writes compiled code to
/// standard output. Meant to be all that its process does.
///
/// ```
/// # use agenthalt_sandbox::run_as_child;
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if std::env::args().nth(1).as_deref() == Some("compile-guard") {
///         return run_as_child();
///     }
///     // Here the program begins, with a `CompilerProcess` of itself and `compile-guard`.
///     ExitCode::SUCCESS
/// }
/// ```
pub fn run_as_child() -> ExitCode {
    match compile_as_child() {
        Ok(()) => ExitCode::SUCCESS,
        Err((code, text)) => {
            // Nobody is left to tell if this fails too; the exit code says it.
            drop(writeln!(std::io::stderr(), "{text}"));
            ExitCode::from(code)
        }
    }
}

fn compile_as_child() -> Result<(), (u8, String)> {
    let failed = |text: String| (1, text);
    let number = |name: &str| {
        let text = std::env::var(name).map_err(|_| failed(format!("`{name}` is not set")))?;
        text.parse::<u64>().map_err(|_| failed(format!("`{name}` is no number")))
    };
    limit(Resource::Cpu, number(TIME_VARIABLE)?).map_err(failed)?;
    // A process that is limited in address space cannot reserve what a pool would.
    #[cfg(target_os = "linux")]
    limit(Resource::As, number(MEMORY_VARIABLE)?).map_err(failed)?;
    limit(Resource::Core, 0).map_err(failed)?;
    limit(Resource::Fsize, 0).map_err(failed)?;
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes).map_err(|error| failed(error.to_string()))?;
    let engine = engine::new(Allocation::OnDemand).map_err(|error| failed(error.to_string()))?;
    let code = engine.precompile_component(&bytes).map_err(|error| (REFUSED, format!("{error:#}")))?;
    let mut out = std::io::stdout().lock();
    out.write_all(&code).and_then(|()| out.flush()).map_err(|error| failed(error.to_string()))
}

fn limit(resource: Resource, most: u64) -> Result<(), String> {
    setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
        .map_err(|error| format!("the limit {resource:?} cannot be set: {error}"))
}
