//! A handler that asks at the terminal of this process.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use agenthalt_core::approval::Standing;
use futures_channel::oneshot;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::termios::{QueueSelector, isatty, tcflush};

use super::Approver;
use super::handler::{ApprovalHandler, ApprovalRequest, ApprovalResponse, HandlerError};

/// For how long a question stands at the terminal, unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How often it is looked whether the question still waits.
const EVERY: Duration = Duration::from_millis(250);
/// The most bytes of an answer.
const MOST_BYTES: usize = 4_096;

/// Held while a question stands at a terminal: one after another, each with its own time.
static PROMPT: Mutex<()> = Mutex::new(());

/// Asks at the terminal of this process: shows the question and waits for `y` or `N`. Anything but a clear yes is a
/// no, and so are the end of the time, the end of the input and the lack of a terminal. What was typed before the
/// question stood there is no answer to it. Standard input and output are left alone.
///
/// ```no_run
/// # let engine = agenthalt::testing::engine("guards: {}");
/// use agenthalt::ConsoleApprovalHandler;
/// use std::time::Duration;
/// engine.set_approval_handler(ConsoleApprovalHandler::new().timeout(Duration::from_secs(60)))?;
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ConsoleApprovalHandler {
    timeout: Duration,
    terminal: PathBuf,
    approver: Option<String>,
}

impl ConsoleApprovalHandler {
    /// Asks at the terminal that controls this process, for 300 seconds.
    pub fn new() -> Self {
        ConsoleApprovalHandler { timeout: TIMEOUT, terminal: PathBuf::from("/dev/tty"), approver: None }
    }

    /// Asks for so long, from the moment at which the question stands there.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        ConsoleApprovalHandler { timeout, ..self }
    }

    /// Asks at another terminal.
    #[must_use]
    pub fn terminal(self, terminal: impl Into<PathBuf>) -> Self {
        ConsoleApprovalHandler { terminal: terminal.into(), ..self }
    }

    /// Who sits there, as the policy lists approvers; without this, the user of the system, who is recorded in any
    /// case.
    #[must_use]
    pub fn approver(self, name: impl Into<String>) -> Self {
        ConsoleApprovalHandler { approver: Some(name.into()), ..self }
    }
}

impl Default for ConsoleApprovalHandler {
    fn default() -> Self {
        ConsoleApprovalHandler::new()
    }
}

impl ApprovalHandler for ConsoleApprovalHandler {
    fn name(&self) -> &str {
        "console"
    }

    async fn ask(&self, request: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        let (sender, answered) = oneshot::channel();
        let console = self.clone();
        let prompt = move || {
            let answer = console.prompt(&request, || sender.is_canceled());
            // Where nobody waits any more, nobody is told.
            drop(sender.send(answer));
        };
        thread::Builder::new().name("agenthalt-console".to_owned()).spawn(prompt)?;
        answered.await?
    }
}

/// What was said at a terminal.
enum Heard {
    Line(String),
    End,
    Nothing,
    /// Others answered, or nobody waits any more.
    Over,
}

impl ConsoleApprovalHandler {
    fn prompt(&self, request: &ApprovalRequest, is_gone: impl Fn() -> bool) -> Result<ApprovalResponse, HandlerError> {
        let _one = PROMPT.lock().unwrap_or_else(PoisonError::into_inner);
        let mut terminal = open(&self.terminal)?;
        // INVARIANT: what was typed before the question stood there answers another one, or none.
        tcflush(&terminal, QueueSelector::IFlush)?;
        let (id, text) = (request.approval.id, request.approval.text());
        let seconds = self.timeout.as_secs();
        let question = format!("\n{id}: a human must decide\n\n{text}\nlet it run? [y/N] (a no after {seconds}s) ");
        terminal.write_all(question.as_bytes())?;
        let heard = self.listen(&mut terminal, request, is_gone)?;
        let user = whoami::username()?;
        let approver = Approver::named(self.approver.clone().unwrap_or_else(|| user.clone())).account(user);
        let (said, response) = match heard {
            Heard::Line(line) if ["y", "yes"].contains(&line.trim().to_lowercase().as_str()) => {
                ("approved".to_owned(), ApprovalResponse::yes(approver))
            }
            Heard::Line(_) => ("denied".to_owned(), ApprovalResponse::no(approver)),
            Heard::End => {
                let reason = "the input ended without an answer";
                (format!("denied: {reason}"), ApprovalResponse::no(Approver::named(self.name()).reason(reason)))
            }
            Heard::Nothing => {
                let reason = format!("nobody answered within {seconds} seconds");
                (format!("denied: {reason}"), ApprovalResponse::no(Approver::named(self.name()).reason(reason)))
            }
            Heard::Over => ("it is decided elsewhere".to_owned(), ApprovalResponse::left_to_others()),
        };
        // The answer stands, also where its echo cannot be shown.
        let _ = writeln!(terminal, "\n{id}: {said}");
        Ok(response)
    }

    fn listen(
        &self,
        terminal: &mut File,
        request: &ApprovalRequest,
        is_gone: impl Fn() -> bool,
    ) -> Result<Heard, HandlerError> {
        let start = Instant::now();
        let mut line = Vec::new();
        loop {
            let left = self.timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(Heard::Nothing);
            }
            let mut descriptors = [PollFd::new(terminal, PollFlags::IN)];
            let ready = poll(&mut descriptors, Some(&Timespec::try_from(left.min(EVERY))?))?;
            if ready == 0 {
                let waits = pollster::block_on(request.standing())? == Standing::Pending;
                if is_gone() || !waits {
                    return Ok(Heard::Over);
                }
                continue;
            }
            let mut bytes = [0; 256];
            // A terminal that is closed gives an error, or nothing.
            let Ok(read @ 1..) = terminal.read(&mut bytes) else { return Ok(Heard::End) };
            for byte in bytes.iter().take(read) {
                match byte {
                    b'\n' | b'\r' => return Ok(Heard::Line(String::from_utf8_lossy(&line).into_owned())),
                    // The key that ends the input, where the terminal hands it over.
                    4 => return Ok(Heard::End),
                    byte => line.push(*byte),
                }
            }
            if line.len() > MOST_BYTES {
                return Ok(Heard::Line(String::new()));
            }
        }
    }
}

fn open(terminal: &Path) -> Result<File, HandlerError> {
    // It must not become the terminal that controls a process which has none.
    let flags = i32::try_from(OFlags::NOCTTY.bits())?;
    let opened = OpenOptions::new().read(true).write(true).custom_flags(flags).open(terminal);
    let opened =
        opened.map_err(|error| format!("there is no terminal to ask at: `{}`: {error}", terminal.display()))?;
    if !isatty(&opened) {
        return Err(format!("`{}` is no terminal", terminal.display()).into());
    }
    Ok(opened)
}
