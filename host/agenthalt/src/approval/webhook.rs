//! A handler that puts questions to an address by signed HTTP, and takes signed answers.

mod exchange;
mod signature;

use std::thread;
use std::time::Duration;

use futures_channel::oneshot;

use super::handler::{ApprovalHandler, ApprovalRequest, ApprovalResponse, HandlerError};
use super::stored::StoredApprovalHandler;

pub use signature::{BadSignature, WebhookSecret};

/// For how long one attempt may take, unless something else is said.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often an address is tried, unless something else is said.
const ATTEMPTS: u32 = 4;
/// What is waited before the second attempt; twice that before each further one.
const BACKOFF: Duration = Duration::from_millis(500);

/// Puts each question to an address as a signed `POST`, and takes a signed answer.
///
/// The body is the question as one JSON object, without secrets; see [`Approval`](crate::Approval)'s serialisation.
/// The headers `agenthalt-timestamp` (Unix seconds) and `agenthalt-signature` sign it: `v1=` and the hexadecimal
/// HMAC-SHA256, by the secret, of `v1:`, the timestamp, `:` and the body. The address answers in one of two ways:
///
/// - status 200 and the answer, signed in the same way within five minutes of now: `{"id": the question's, "approved":
///   true or false, "approver": a name, "account"?, "reason"?, "conditions"?: {"within": "5m"}}`;
/// - status 202 and nothing: somebody will answer later, by whatever channel; the call waits for it as with the
///   [`StoredApprovalHandler`].
///
/// An address that cannot be reached, that is too slow, or that gives 408, 429 or 5xx, is tried again, four times in
/// all. Anything else, and the last failure, denies.
///
/// ```
/// # let engine = agenthalt::testing::engine("guards: {}");
/// use agenthalt::{WebhookApprovalHandler, WebhookSecret};
///
/// let secret = WebhookSecret::new(*b"thirty-two bytes that nobody has")?;
/// let handler = WebhookApprovalHandler::new("https://desk.example.org/questions", secret);
/// engine.set_approval_handler(handler)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct WebhookApprovalHandler {
    url: String,
    secret: WebhookSecret,
    timeout: Duration,
    attempts: u32,
    backoff: Duration,
    later: StoredApprovalHandler,
}

impl WebhookApprovalHandler {
    /// Puts questions to this address.
    pub fn new(url: impl Into<String>, secret: WebhookSecret) -> Self {
        let (timeout, attempts, backoff) = (TIMEOUT, ATTEMPTS, BACKOFF);
        WebhookApprovalHandler { url: url.into(), secret, timeout, attempts, backoff, later: Default::default() }
    }

    /// Lets one attempt take so long, 10 seconds without this.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        WebhookApprovalHandler { timeout, ..self }
    }

    /// Tries the address so often, and waits so long before the second attempt, twice that before each further one:
    /// four times and half a second without this.
    #[must_use]
    pub fn attempts(self, attempts: u32, backoff: Duration) -> Self {
        WebhookApprovalHandler { attempts: attempts.max(1), backoff, ..self }
    }

    /// Waits so long for an answer that comes later, 300 seconds without this.
    #[must_use]
    pub fn wait(self, wait: Duration) -> Self {
        WebhookApprovalHandler { later: StoredApprovalHandler::new().timeout(wait), ..self }
    }
}

impl ApprovalHandler for WebhookApprovalHandler {
    fn name(&self) -> &str {
        "webhook"
    }

    async fn ask(&self, request: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        let (sender, answered) = oneshot::channel();
        let (handler, approval) = (self.clone(), request.approval.clone());
        let exchange = move || drop(sender.send(handler.exchange(&approval)));
        // A thread of its own, so that no runtime is needed.
        thread::Builder::new().name("agenthalt-webhook".to_owned()).spawn(exchange)?;
        match answered.await?? {
            Some(response) => Ok(response),
            None => self.later.ask(request).await,
        }
    }
}
