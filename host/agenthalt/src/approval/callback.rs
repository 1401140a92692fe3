//! A handler made of any async function.

use std::pin::Pin;

use super::handler::{ApprovalHandler, ApprovalRequest, ApprovalResponse, HandlerError};

type Asking = Pin<Box<dyn Future<Output = Result<ApprovalResponse, HandlerError>> + Send>>;

/// Puts questions to a function of the program.
///
/// ```
/// use agenthalt::{ApprovalResponse, Approver, Call, CallbackApprovalHandler, testing};
///
/// let handler = CallbackApprovalHandler::new("desk", async |request| {
///     let is_to_us = request.approval.asked.arguments.is_some_and(|arguments| arguments.contains("@example.org"));
///     let desk = Approver::named("desk");
///     Ok(if is_to_us { ApprovalResponse::yes(desk) } else { ApprovalResponse::no(desk.reason("only to us")) })
/// });
/// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// engine.set_approval_handler(handler)?;
/// assert!(engine.evaluate_blocking(&Call::new("send_mail", r#"{"to": "ada@example.org"}"#)).is_allowed());
/// assert!(!engine.evaluate_blocking(&Call::new("send_mail", r#"{"to": "ada@example.com"}"#)).is_allowed());
/// # Ok::<(), agenthalt::Error>(())
/// ```
pub struct CallbackApprovalHandler {
    name: String,
    ask: Box<dyn Fn(ApprovalRequest) -> Asking + Send + Sync>,
}

impl CallbackApprovalHandler {
    /// Asks by this function; `name` is the channel's, as it is recorded.
    pub fn new<F, A>(name: impl Into<String>, ask: F) -> Self
    where
        F: Fn(ApprovalRequest) -> A + Send + Sync + 'static,
        A: Future<Output = Result<ApprovalResponse, HandlerError>> + Send + 'static,
    {
        CallbackApprovalHandler { name: name.into(), ask: Box::new(move |request| Box::pin(ask(request))) }
    }
}

impl ApprovalHandler for CallbackApprovalHandler {
    fn name(&self) -> &str {
        &self.name
    }

    async fn ask(&self, request: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        (self.ask)(request).await
    }
}

impl std::fmt::Debug for CallbackApprovalHandler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallbackApprovalHandler").field("name", &self.name).finish_non_exhaustive()
    }
}
