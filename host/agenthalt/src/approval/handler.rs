//! What puts a question to a human while its call waits, and what it gives back.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use agenthalt_core::approval::Standing;
use agenthalt_core::limits::parse_time_ms;

use super::{Approval, Approver};
use crate::engine::PolicyEngine;
use crate::error::Error;

/// Why a handler has no answer. Whatever it is, the question is denied.
pub type HandlerError = Box<dyn std::error::Error + Send + Sync>;

/// The one condition that is known: a yes serves only so long after it was said.
const WITHIN: &str = "within";

/// Puts a question to a human while its call waits, and gives back the answer. The call waits for it, whatever time
/// it takes; where it fails or panics, the question is denied. The answer counts if it is the first.
///
/// ```
/// use agenthalt::{ApprovalHandler, ApprovalRequest, ApprovalResponse, Approver, HandlerError};
///
/// struct OnlySmall;
///
/// impl ApprovalHandler for OnlySmall {
///     fn name(&self) -> &str {
///         "only-small"
///     }
///
///     async fn ask(&self, request: ApprovalRequest) -> Result<ApprovalResponse, HandlerError> {
///         let cost: i64 = request.approval.asked.costs.iter().map(|cost| cost.amount).sum();
///         let rule = Approver::named("only-small");
///         Ok(if cost < 5_000_000 { ApprovalResponse::yes(rule) } else { ApprovalResponse::no(rule) })
///     }
/// }
/// # let engine = agenthalt::testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// engine.set_approval_handler(OnlySmall)?;
/// assert!(engine.evaluate_blocking(&agenthalt::Call::new("send_mail", "{}")).is_allowed());
/// # Ok::<(), agenthalt::Error>(())
/// ```
pub trait ApprovalHandler: Send + Sync {
    /// The name of the channel, as it is recorded.
    fn name(&self) -> &str;

    /// Whether it says yes without asking anybody. Such a handler is refused unless the program allows it.
    fn approves_by_itself(&self) -> bool {
        false
    }

    /// Asks. A question that was put before a restart is put again when its call comes again.
    ///
    /// # Errors
    /// Anything; the question is denied then, with its text as the reason.
    fn ask(&self, request: ApprovalRequest) -> impl Future<Output = Result<ApprovalResponse, HandlerError>> + Send;
}

/// What is to be asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ApprovalRequest {
    /// The question; it holds no secret in clear.
    pub approval: Approval,
    engine: PolicyEngine,
}

impl ApprovalRequest {
    pub(super) fn new(approval: Approval, engine: PolicyEngine) -> Self {
        ApprovalRequest { approval, engine }
    }

    /// How the question stands now: others may have answered it meanwhile.
    ///
    /// # Errors
    /// [`Error`] where state cannot be read.
    pub async fn standing(&self) -> Result<Standing, Error> {
        let found = self.engine.approval(self.approval.id).await?;
        Ok(found.map_or(Standing::Revoked, |approval| approval.standing))
    }
}

/// What a handler gives back.
///
/// ```
/// use agenthalt::{ApprovalResponse, Approver};
/// let ann = Approver::named("ann").reason("as agreed");
/// let yes = ApprovalResponse::yes(ann).condition("within", "5m");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalResponse {
    pub(super) said: Said,
    conditions: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Yes(Approver),
    No(Approver),
    /// Nothing: whatever others have said counts.
    Nothing,
}

impl ApprovalResponse {
    /// The call may run.
    pub fn yes(approver: Approver) -> Self {
        ApprovalResponse { said: Said::Yes(approver), conditions: BTreeMap::new() }
    }

    /// The call must not run.
    pub fn no(approver: Approver) -> Self {
        ApprovalResponse { said: Said::No(approver), conditions: BTreeMap::new() }
    }

    /// No answer of its own: the question stands as others answered it, and waits where nobody did.
    pub fn left_to_others() -> Self {
        ApprovalResponse { said: Said::Nothing, conditions: BTreeMap::new() }
    }

    /// Narrows a yes. Known is `within`: a time such as `5m` in which the call must be presented. A condition that is
    /// not known here makes a no of it.
    #[must_use]
    pub fn condition(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.conditions.insert(name.into(), value.into());
        self
    }

    /// What comes of it: the conditions are met by the answer itself, or nothing is allowed.
    // INVARIANT: a condition that is not understood never widens; it denies.
    pub(super) fn narrowed(self) -> Said {
        let ApprovalResponse { said, conditions } = self;
        let Said::Yes(mut approver) = said else { return said };
        for (name, value) in conditions {
            match parse_time_ms(&value).filter(|_| name == WITHIN) {
                Some(time) => approver = approver.within(Duration::from_millis(time)),
                None => {
                    let reason = format!("approved under a condition that is not known here: {name}: {value}");
                    return Said::No(approver.reason(cut(&reason)));
                }
            }
        }
        Said::Yes(approver)
    }
}

/// The beginning of a text that others made.
pub(super) fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(2_048)).unwrap_or_default()
}

/// A handler as the engine holds it.
pub(crate) trait Asks: Send + Sync {
    fn name(&self) -> &str;
    fn ask<'a>(&'a self, request: ApprovalRequest) -> Answering<'a>;
}

pub(crate) type Answering<'a> = Pin<Box<dyn Future<Output = Result<ApprovalResponse, HandlerError>> + Send + 'a>>;

impl<H: ApprovalHandler> Asks for H {
    fn name(&self) -> &str {
        ApprovalHandler::name(self)
    }

    fn ask<'a>(&'a self, request: ApprovalRequest) -> Answering<'a> {
        Box::pin(ApprovalHandler::ask(self, request))
    }
}
