//! A handler that asks nobody itself: it waits until the question is answered from elsewhere.

use std::thread;
use std::time::{Duration, Instant};

use agenthalt_core::approval::Standing;
use futures_channel::oneshot;

use super::handler::{ApprovalHandler, ApprovalRequest, ApprovalResponse, HandlerError};

/// For how long a call waits, unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(300);
/// How often the question is looked at. It is read, not written, so nobody waits for that.
const EVERY: Duration = Duration::from_millis(200);

/// Waits until a question is answered from elsewhere: by another thread, by another process on the same state, by the
/// command line. Where nobody answers in time, the question goes on waiting, and the call does not run.
///
/// ```
/// # use agenthalt::{Call, testing};
/// use agenthalt::StoredApprovalHandler;
/// use std::time::Duration;
///
/// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// engine.set_approval_handler(StoredApprovalHandler::new().timeout(Duration::from_millis(50)))?;
/// assert!(engine.evaluate_blocking(&Call::new("send_mail", "{}")).needs_approval());
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct StoredApprovalHandler {
    timeout: Duration,
}

impl StoredApprovalHandler {
    /// Waits for 300 seconds.
    pub fn new() -> Self {
        StoredApprovalHandler { timeout: TIMEOUT }
    }

    /// Waits for so long.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        StoredApprovalHandler { timeout }
    }
}

impl Default for StoredApprovalHandler {
    fn default() -> Self {
        StoredApprovalHandler::new()
    }
}

impl ApprovalHandler for StoredApprovalHandler {
    fn name(&self) -> &str {
        "stored"
    }

    async fn ask(&self, request: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        let (sender, answered) = oneshot::channel();
        let timeout = self.timeout;
        // A thread of its own, so that no runtime is needed.
        thread::Builder::new().name("agenthalt-approval".to_owned()).spawn(move || wait(&request, timeout, sender))?;
        answered.await?
    }
}

type Answered = Result<ApprovalResponse, HandlerError>;

fn wait(request: &ApprovalRequest, timeout: Duration, sender: oneshot::Sender<Answered>) {
    let start = Instant::now();
    loop {
        // Who waited may have gone.
        if sender.is_canceled() {
            return;
        }
        let waits = pollster::block_on(request.standing()).map(|standing| standing == Standing::Pending);
        let left = timeout.saturating_sub(start.elapsed());
        match waits {
            Ok(true) if !left.is_zero() => thread::sleep(EVERY.min(left)),
            Ok(_) => return drop(sender.send(Ok(ApprovalResponse::left_to_others()))),
            Err(error) => return drop(sender.send(Err(error.into()))),
        }
    }
}
