//! Handlers that ask nobody.

use super::Approver;
use super::handler::{ApprovalHandler, ApprovalRequest, ApprovalResponse, HandlerError};

/// Says no to every question.
///
/// ```
/// use agenthalt::AutoDenyHandler;
/// let handler = AutoDenyHandler::new("nobody is here at night");
/// ```
#[derive(Clone, Debug)]
pub struct AutoDenyHandler {
    reason: String,
}

impl AutoDenyHandler {
    /// Says no for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        AutoDenyHandler { reason: reason.into() }
    }
}

impl ApprovalHandler for AutoDenyHandler {
    fn name(&self) -> &str {
        "auto-deny"
    }

    async fn ask(&self, _: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        Ok(ApprovalResponse::no(Approver::named(self.name()).reason(self.reason.as_str())))
    }
}

/// Says yes to every question: for tests of programs. An engine takes it only where it was built to
/// [allow it](crate::PolicyEngineBuilder::allow_automatic_approval).
///
/// ```
/// use agenthalt::{AutoApproveHandler, Call, testing};
/// let policy = "guards: {scope: {require_approval_functions: ['send_*']}}";
/// assert!(testing::engine(policy).set_approval_handler(AutoApproveHandler::new()).is_err());
///
/// let engine = testing::builder(policy).allow_automatic_approval().build()?;
/// engine.set_approval_handler(AutoApproveHandler::new())?;
/// assert!(engine.evaluate_blocking(&Call::new("send_mail", "{}")).is_allowed());
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AutoApproveHandler(());

impl AutoApproveHandler {
    /// Says yes.
    pub fn new() -> Self {
        AutoApproveHandler(())
    }
}

impl ApprovalHandler for AutoApproveHandler {
    fn name(&self) -> &str {
        "auto-approve"
    }

    fn approves_by_itself(&self) -> bool {
        true
    }

    async fn ask(&self, _: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
        Ok(ApprovalResponse::yes(Approver::named(self.name())))
    }
}
