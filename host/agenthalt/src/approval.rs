//! Questions to humans, as programs see and answer them. What a question asks is shown without secrets; what an answer
//! means is decided elsewhere.

mod approver;
mod ask;
mod asked;
mod automatic;
mod callback;
#[cfg(unix)]
mod console;
mod handler;
mod json;
mod question;
mod redact;
mod stored;
mod text;
#[cfg(feature = "webhook")]
mod webhook;

use agenthalt_core::approval::{Answer, ApprovalId, Standing, Terms, Word};
use agenthalt_core::time::Timestamp;
use agenthalt_store::{Answering, Approval as Kept, ApprovalsRequest, NewAnswer};

use crate::engine::PolicyEngine;
use crate::error::{Cause, Error};
use crate::events::{AnswerEvent, Event};
use crate::record;

pub use approver::Approver;
pub(crate) use ask::Handling;
pub use asked::{Asked, Change, Cost, Reason};
pub use automatic::{AutoApproveHandler, AutoDenyHandler};
pub use callback::CallbackApprovalHandler;
#[cfg(unix)]
pub use console::ConsoleApprovalHandler;
use handler::Said;
pub use handler::{ApprovalHandler, ApprovalRequest, ApprovalResponse, HandlerError};
pub(crate) use redact::Redactor;
pub use stored::StoredApprovalHandler;
#[cfg(feature = "webhook")]
pub use webhook::{BadSignature, WebhookApprovalHandler, WebhookSecret};

/// How many questions are asked for at once.
const PAGE: u32 = 200;
/// A question to a human, with its answers.
///
/// ```
/// # use agenthalt::{Approver, Call, Standing, testing};
/// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// let question = engine.evaluate_blocking(&Call::new("send_mail", "{}")).approval.ok_or("a human must decide")?;
/// let approval = engine.approval_blocking(question)?.ok_or("it is kept")?;
/// assert_eq!((approval.standing, approval.required), (Standing::Pending, 1));
/// assert_eq!(approval.asked.function_name, "send_mail");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Approval {
    /// Its name.
    pub id: ApprovalId,
    /// How it stands.
    pub standing: Standing,
    /// When it was asked.
    pub created: Timestamp,
    /// The last instant at which it may be answered and its yes used; none where there is no such.
    pub expires: Option<Timestamp>,
    /// When its yes was used.
    pub used: Option<Timestamp>,
    /// How many must say yes.
    pub required: u32,
    /// Whether those who ask for the call may not approve it.
    pub not_the_requester: bool,
    /// Who may approve, by names in their folded form; anybody where this is none.
    pub approvers: Option<Vec<String>>,
    /// On which terms its yes serves calls like the one that was asked about; none where it serves this very call,
    /// once.
    pub terms: Option<Terms>,
    /// How many calls its yes has served.
    pub uses: u32,
    /// The answers that count, in the order in which they came.
    pub answers: Vec<Answer>,
    /// What is asked, without secrets.
    pub asked: Asked,
}

/// Which questions are meant; all where nothing is said.
///
/// ```
/// # use agenthalt::{ApprovalFilter, testing};
/// let engine = testing::engine("guards: {}");
/// assert!(engine.approvals_blocking(&ApprovalFilter::open())?.is_empty());
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalFilter {
    /// Only those that may still be answered or used.
    pub is_open: bool,
}

impl ApprovalFilter {
    /// Those that may still be answered or used.
    pub fn open() -> Self {
        ApprovalFilter { is_open: true }
    }
}

impl PolicyEngine {
    /// The questions to humans, in the order in which they were asked.
    ///
    /// ```
    /// # async fn list(engine: agenthalt::PolicyEngine) -> Result<(), agenthalt::Error> {
    /// for approval in engine.approvals(&agenthalt::ApprovalFilter::open()).await? {
    ///     println!("{} {}: {}", approval.id, approval.standing, approval.asked.function_name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error`] where state cannot be read.
    pub async fn approvals(&self, filter: &ApprovalFilter) -> Result<Vec<Approval>, Error> {
        let at = self.now().map_err(Cause::Clock)?;
        let room = self.room();
        let mut found: Vec<Approval> = Vec::new();
        let mut after = 0;
        loop {
            let request = ApprovalsRequest {
                tenant: room.tenant.clone(),
                at,
                id: None,
                is_open: filter.is_open,
                after,
                most: PAGE,
            };
            let page = room.store.approvals(request).await.map_err(Cause::State)?;
            let is_last = page.len() < PAGE as usize;
            after = page.last().map_or(after, |last| last.place);
            found.extend(page.into_iter().map(Approval::of));
            if is_last {
                return Ok(found);
            }
        }
    }

    /// The questions to humans, waiting for them; as [`approvals`](Self::approvals).
    ///
    /// ```
    /// # use agenthalt::{ApprovalFilter, Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// engine.evaluate_blocking(&Call::new("send_mail", "{}"));
    /// assert_eq!(engine.approvals_blocking(&ApprovalFilter::default())?.len(), 1);
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`approvals`](Self::approvals).
    pub fn approvals_blocking(&self, filter: &ApprovalFilter) -> Result<Vec<Approval>, Error> {
        pollster::block_on(self.approvals(filter))
    }

    /// The question of this name; none where there is none.
    ///
    /// ```
    /// # async fn show(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// let approval = engine.approval("ap-00c0ffee00c0ffee".parse()?).await?;
    /// assert!(approval.is_none());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error`] where state cannot be read.
    pub async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>, Error> {
        let at = self.now().map_err(Cause::Clock)?;
        let tenant = self.room().tenant.clone();
        let request = ApprovalsRequest { tenant, at, id: Some(id), is_open: false, after: 0, most: 1 };
        let found = self.room().store.approvals(request).await.map_err(Cause::State)?;
        Ok(found.into_iter().next().map(Approval::of))
    }

    /// The question of this name, waiting for it; as [`approval`](Self::approval).
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {}");
    /// assert!(engine.approval_blocking("ap-00c0ffee00c0ffee".parse()?)?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`approval`](Self::approval).
    pub fn approval_blocking(&self, id: ApprovalId) -> Result<Option<Approval>, Error> {
        pollster::block_on(self.approval(id))
    }

    /// Says yes to a question, and tells how it stands then: where more than one yes is needed, it may still wait. A
    /// yes runs nothing: the agent presents its call again, and all guards judge it then.
    ///
    /// ```
    /// # async fn answer(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// use agenthalt::{Approver, Standing};
    /// let question = "ap-00c0ffee00c0ffee".parse()?;
    /// let standing = engine.approve(question, Approver::named("ann").reason("as agreed")).await?;
    /// if standing == Standing::Pending {
    ///     println!("one more must say yes");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error`] of the kind [`Approval`](crate::ErrorKind::Approval) where there is no such question, it waits for no
    /// answer any more, or another one must answer; of [`Usage`](crate::ErrorKind::Usage) where nobody is named or a
    /// text is too long; of [`State`](crate::ErrorKind::State) where state cannot be written. Nothing has changed then.
    pub async fn approve(&self, id: ApprovalId, approver: Approver) -> Result<Standing, Error> {
        self.answer(id, Word::Yes, approver).await
    }

    /// Says yes and waits for it; as [`approve`](Self::approve).
    ///
    /// ```
    /// # use agenthalt::{Approver, Call, ErrorKind, Standing, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let question = engine.evaluate_blocking(&Call::new("send_mail", "{}")).approval.ok_or("a human must decide")?;
    /// assert_eq!(engine.approve_blocking(question, Approver::named("ann"))?, Standing::Approved);
    /// let late = engine.deny_blocking(question, Approver::named("bob")).unwrap_err();
    /// assert_eq!(late.kind(), ErrorKind::Approval);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`approve`](Self::approve).
    pub fn approve_blocking(&self, id: ApprovalId, approver: Approver) -> Result<Standing, Error> {
        pollster::block_on(self.approve(id, approver))
    }

    /// Says no to a question. That is final: the call, presented again by its id, is denied with the reason.
    ///
    /// ```
    /// # async fn answer(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// let question = "ap-00c0ffee00c0ffee".parse()?;
    /// engine.deny(question, agenthalt::Approver::named("ann").reason("too much")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`approve`](Self::approve); anybody may say no.
    pub async fn deny(&self, id: ApprovalId, approver: Approver) -> Result<Standing, Error> {
        self.answer(id, Word::No, approver).await
    }

    /// Says no and waits for it; as [`deny`](Self::deny).
    ///
    /// ```
    /// # use agenthalt::{Approver, Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let call = Call::new("send_mail", "{}").id("call-7");
    /// let question = engine.evaluate_blocking(&call).approval.ok_or("a human must decide")?;
    /// engine.deny_blocking(question, Approver::named("ann").reason("not to customers"))?;
    /// assert!(engine.evaluate_blocking(&call).reason().contains("not to customers"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`deny`](Self::deny).
    pub fn deny_blocking(&self, id: ApprovalId, approver: Approver) -> Result<Standing, Error> {
        pollster::block_on(self.deny(id, approver))
    }

    /// Takes back a question, or a yes that was not used yet.
    ///
    /// ```
    /// # async fn answer(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// engine.revoke("ap-00c0ffee00c0ffee".parse()?, agenthalt::Approver::named("ann")).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`approve`](Self::approve); anybody may take back.
    pub async fn revoke(&self, id: ApprovalId, approver: Approver) -> Result<Standing, Error> {
        self.answer(id, Word::Revoke, approver).await
    }

    /// Takes back and waits for it; as [`revoke`](Self::revoke).
    ///
    /// ```
    /// # use agenthalt::{Approver, Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let call = Call::new("send_mail", "{}");
    /// let question = engine.evaluate_blocking(&call).approval.ok_or("a human must decide")?;
    /// engine.approve_blocking(question, Approver::named("ann"))?;
    /// engine.revoke_blocking(question, Approver::named("ann"))?;
    /// assert!(!engine.evaluate_approved_blocking(&call, question).is_allowed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`revoke`](Self::revoke).
    pub fn revoke_blocking(&self, id: ApprovalId, approver: Approver) -> Result<Standing, Error> {
        pollster::block_on(self.revoke(id, approver))
    }

    /// Takes the answer of a channel of the program's own, with its conditions; as [`approve`](Self::approve) and
    /// [`deny`](Self::deny). An answer that is left to others changes nothing.
    ///
    /// ```
    /// # async fn received(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// use agenthalt::{ApprovalResponse, Approver};
    /// let response = ApprovalResponse::yes(Approver::named("ann")).condition("within", "5m");
    /// engine.respond("ap-00c0ffee00c0ffee".parse()?, response, "chat").await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`approve`](Self::approve).
    pub async fn respond(&self, id: ApprovalId, response: ApprovalResponse, via: &str) -> Result<Standing, Error> {
        match response.narrowed() {
            Said::Yes(approver) => self.approve(id, approver.or_via(via)).await,
            Said::No(approver) => self.deny(id, approver.or_via(via)).await,
            Said::Nothing => Ok(self.approval(id).await?.ok_or(Cause::NoSuchQuestion(id))?.standing),
        }
    }

    async fn answer(&self, id: ApprovalId, word: Word, approver: Approver) -> Result<Standing, Error> {
        let at = self.now().map_err(Cause::Clock)?;
        let approver = match approver.has_terms() {
            true => approver.about(self.approval(id).await?.as_ref())?,
            false => approver,
        };
        let answer = approver.answer(word, at)?;
        let told = answer.clone();
        let record = Box::new(move |standing| record::of_answer(id, &told, standing));
        let new = NewAnswer { tenant: self.room().tenant.clone(), id, answer: answer.clone(), record };
        match self.room().store.answer(new).await.map_err(Cause::State)? {
            Answering::Done { standing, sequence } => {
                self.listeners().tell(Event::Answer(AnswerEvent { id, answer, standing, sequence }));
                Ok(standing)
            }
            Answering::Refused(why) => Err(Cause::NotAnswered(id, why).into()),
            Answering::Unknown => Err(Cause::NoSuchQuestion(id).into()),
        }
    }
}

impl Approval {
    fn of(kept: Kept) -> Self {
        let Kept { id, question, standing, shown, .. } = kept;
        Approval {
            id,
            standing,
            created: question.created,
            expires: question.expires,
            used: question.used,
            terms: question.terms().cloned(),
            uses: question.uses,
            required: question.rules.required,
            not_the_requester: question.rules.not_the_requester,
            approvers: question.rules.approvers.map(|names| names.into_iter().collect()),
            answers: question.answers,
            asked: Asked::read(&shown),
        }
    }
}
