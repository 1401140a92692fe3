//! Puts questions to the engine's handler: each to one human at a time, whoever waits for it.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::task::Poll;

use agenthalt_core::approval::{ApprovalId, Standing};

use super::handler::{Answering, ApprovalHandler, ApprovalRequest, Asks, cut};
use super::{ApprovalResponse, Approver};
use crate::engine::PolicyEngine;
use crate::error::{Cause, Error};

/// The handler of an engine, and the questions that are put to it now.
#[derive(Default)]
pub(crate) struct Handling {
    handler: RwLock<Option<Arc<dyn Asks>>>,
    /// Whether a handler may say yes by itself.
    pub(crate) allows_automatic: bool,
    turns: Mutex<HashMap<ApprovalId, Turn>>,
}

/// Held while a question is put; whether it was put already.
type Turn = Arc<tokio::sync::Mutex<bool>>;

impl Handling {
    /// Takes a handler in the place of the last one.
    ///
    /// # Errors
    /// [`Cause::AutomaticApproval`] for one that may not be used.
    pub(crate) fn set(&self, handler: impl ApprovalHandler + 'static) -> Result<(), Cause> {
        // INVARIANT: nothing approves by itself unless the program says that it may.
        if handler.approves_by_itself() && !self.allows_automatic {
            return Err(Cause::AutomaticApproval(ApprovalHandler::name(&handler).to_owned()));
        }
        *self.handler.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(handler));
        Ok(())
    }

    fn current(&self) -> Option<Arc<dyn Asks>> {
        self.handler.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn turn(&self, id: ApprovalId) -> Turn {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default().clone()
    }
}

/// One who waits for a question to be put.
struct Waiting<'a> {
    handling: &'a Handling,
    id: ApprovalId,
    turn: Turn,
}

impl<'a> Waiting<'a> {
    fn new(handling: &'a Handling, id: ApprovalId) -> Self {
        Waiting { handling, id, turn: handling.turn(id) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut turns = self.handling.turns.lock().unwrap_or_else(PoisonError::into_inner);
        // The last one who waits; the list holds another.
        if Arc::strong_count(&self.turn) <= 2 {
            turns.remove(&self.id);
        }
    }
}

impl PolicyEngine {
    /// Lets a handler put questions to humans while their calls wait, in the place of the last one. Without one, a
    /// call about which a human must decide does not run until it is presented again.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// use agenthalt::{AutoDenyHandler, Call};
    /// engine.set_approval_handler(AutoDenyHandler::new("nobody is here at night"))?;
    /// let evaluation = engine.evaluate_blocking(&Call::new("send_mail", "{}"));
    /// assert!(evaluation.reason().contains("nobody is here at night"));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] for a handler that approves by itself, unless the engine was built to
    /// [allow it](crate::PolicyEngineBuilder::allow_automatic_approval).
    pub fn set_approval_handler(&self, handler: impl ApprovalHandler + 'static) -> Result<(), Error> {
        Ok(self.handling().set(handler)?)
    }

    /// Puts a question to the handler, if there is one. Tells whether it waits no more.
    pub(crate) async fn is_decided(&self, id: ApprovalId) -> bool {
        let Some(handler) = self.handling().current() else { return false };
        let waiting = Waiting::new(self.handling(), id);
        let mut was_put = waiting.turn.lock().await;
        if !*was_put {
            self.put(&*handler, id).await;
            // Not before: who is dropped while a human thinks leaves the question to the next one.
            *was_put = true;
        }
        drop(was_put);
        drop(waiting);
        matches!(self.approval(id).await, Ok(Some(approval)) if approval.standing != Standing::Pending)
    }

    // INVARIANT: whatever goes wrong with a handler, its question is not approved by it.
    async fn put(&self, handler: &dyn Asks, id: ApprovalId) {
        let approval = match self.approval(id).await {
            Ok(Some(approval)) if approval.standing == Standing::Pending => approval,
            // It was answered meanwhile, or is lost with its state; judging again tells.
            Ok(_) | Err(_) => return,
        };
        let name = handler.name();
        let response = unpanicked(|| handler.ask(ApprovalRequest::new(approval, self.clone()))).await;
        let response = response.unwrap_or_else(|text| {
            ApprovalResponse::no(Approver::named(name).reason(cut(&format!("the handler failed: {text}"))))
        });
        if let Err(error) = self.respond(id, response, name).await {
            tracing::warn!(question = %id, handler = name, "the answer does not count: {error}");
        }
    }
}

/// What a handler gives back, or the text of its error or panic.
async fn unpanicked<'a>(ask: impl FnOnce() -> Answering<'a>) -> Result<ApprovalResponse, String> {
    let panicked = || "it panicked".to_owned();
    let mut asking = catch_unwind(AssertUnwindSafe(ask)).map_err(|_| panicked())?;
    let response =
        std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| asking.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(response)) => Poll::Ready(Some(response)),
            Err(_) => Poll::Ready(None),
        });
    response.await.ok_or_else(panicked)?.map_err(|error| error.to_string())
}
