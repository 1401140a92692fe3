//! What came of a call, told by the side that ran it. It judges nothing.

use agenthalt_core::amount::Amount;
use agenthalt_core::call::{Call, caller};
use agenthalt_core::digest::{Digest, Key};
use agenthalt_core::outcome::{Outcome, Status};
use agenthalt_core::time::Timestamp;
use agenthalt_store::{Settled as Kept, Settlement};

use crate::engine::PolicyEngine;
use crate::error::{Cause, Error};
use crate::events::{Event, SettlementEvent};
use crate::record;

/// Names a call that is to be settled: its id, and where several agents or sessions may use the same ids, whose it is.
///
/// ```
/// # use agenthalt::{Call, CallRef};
/// let by_id = CallRef::from("call-7");
/// let call = Call::new("search", "{}").id("call-7").agent("assistant");
/// assert_eq!(CallRef::of(&call), Some(by_id.by(Some("assistant"), None)));
/// assert_eq!(CallRef::of(&Call::new("search", "{}")), None, "the host names it; see `Evaluation::call_id`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRef {
    id: String,
    /// Agent and session; none where the id says enough.
    by: Option<(Option<String>, Option<String>)>,
}

impl CallRef {
    /// The call as it was judged; none where it has no id of its own.
    ///
    /// ```
    /// # use agenthalt::{Call, CallRef};
    /// assert!(CallRef::of(&Call::new("search", "{}").id("call-7")).is_some());
    /// ```
    pub fn of(call: &Call) -> Option<Self> {
        let id = call.id.clone().filter(|id| !id.is_empty())?;
        Some(CallRef { id, by: Some((call.agent_id.clone(), call.session_id.clone())) })
    }

    /// The call of this agent in this session; none for a call that named none.
    ///
    /// ```
    /// # use agenthalt::CallRef;
    /// let call = CallRef::from("call-7").by(Some("assistant"), Some("monday"));
    /// assert_ne!(call, CallRef::from("call-7"));
    /// ```
    #[must_use]
    pub fn by(self, agent: Option<&str>, session: Option<&str>) -> Self {
        CallRef { by: Some((agent.map(str::to_owned), session.map(str::to_owned))), ..self }
    }

    fn caller(&self, key: &Key) -> Option<Digest> {
        self.by.as_ref().map(|(agent, session)| caller(agent.as_deref(), session.as_deref(), key))
    }
}

impl From<&str> for CallRef {
    fn from(id: &str) -> Self {
        CallRef { id: id.to_owned(), by: None }
    }
}

impl From<&String> for CallRef {
    fn from(id: &String) -> Self {
        CallRef::from(id.as_str())
    }
}

/// What a settlement came to.
///
/// ```
/// # use agenthalt::{Call, Outcome, Settled, Status, testing};
/// let engine = testing::engine("guards: {budget: {default_cost: 1}}");
/// let call = engine.evaluate_blocking(&Call::new("search", "{}"));
/// assert_eq!(engine.settle_blocking(&call.call_id, Outcome::failed())?, Settled::Now);
/// assert_eq!(engine.settle_blocking(&call.call_id, Outcome::succeeded())?, Settled::Before(Status::Failed));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The charges of the call are what they are to be.
    Now,
    /// The call was settled before, as this; nothing has changed.
    Before(Status),
}

impl PolicyEngine {
    /// Tells what came of a call that was let through, and trues up its charges: in the windows in which they were
    /// made, not in today's. A call can be settled for as long as its answer is on record, 24 hours unless the policy
    /// says otherwise (`call: {remembered_for: ..}`). Settling twice is harmless; what is never settled stays charged
    /// as it was judged.
    ///
    /// Who settles can lower what was charged. Only the side that ran the tool may: never let an agent call this.
    ///
    /// ```
    /// # async fn run(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// use agenthalt::{Call, Outcome};
    /// let evaluation = engine.evaluate(&Call::new("search", r#"{"for": "cats"}"#)).await;
    /// if evaluation.is_allowed() {
    ///     // Run the tool, and find out what it cost.
    ///     engine.settle(&evaluation.call_id, Outcome::succeeded().cost("0.002".parse()?)).await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error`] of the kind [`Settlement`](crate::ErrorKind::Settlement) where no such call is on record, it was not
    /// let through, or the id names several; of [`Usage`](crate::ErrorKind::Usage) where a call that did not run has a
    /// cost; of [`State`](crate::ErrorKind::State) where state cannot be written. Nothing has changed then.
    pub async fn settle(&self, call: impl Into<CallRef>, outcome: Outcome) -> Result<Settled, Error> {
        let at = self.now().map_err(Cause::Clock)?;
        self.settle_stamped(call.into(), outcome, at).await
    }

    /// Tells what came of a call and waits for it; as [`settle`](Self::settle).
    ///
    /// ```
    /// # use agenthalt::{Call, Outcome, testing};
    /// let engine = testing::engine("guards: {budget: {max_daily_spend: 1, default_cost: 1, warn_threshold: null}}");
    /// let call = engine.evaluate_blocking(&Call::new("search", "{}"));
    /// assert!(!engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    /// engine.settle_blocking(&call.call_id, Outcome::not_started())?;
    /// assert!(engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub fn settle_blocking(&self, call: impl Into<CallRef>, outcome: Outcome) -> Result<Settled, Error> {
        pollster::block_on(self.settle(call, outcome))
    }

    /// Settles under a stamp of the host's, as [`evaluate_at`](Self::evaluate_at) judges.
    ///
    /// ```
    /// # async fn run(engine: agenthalt::PolicyEngine) -> Result<(), Box<dyn std::error::Error>> {
    /// let ended = agenthalt::Timestamp::from_rfc3339("2026-01-15T12:00:00Z")?;
    /// engine.settle_at("call-7", agenthalt::Outcome::unknown(), ended).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`settle`](Self::settle).
    pub async fn settle_at(&self, call: impl Into<CallRef>, outcome: Outcome, at: Timestamp) -> Result<Settled, Error> {
        self.settle_stamped(call.into(), outcome, at).await
    }

    async fn settle_stamped(&self, call: CallRef, outcome: Outcome, at: Timestamp) -> Result<Settled, Error> {
        let ran = match outcome.status {
            Status::Succeeded | Status::Failed => true,
            Status::NotStarted | Status::Unknown => false,
        };
        if !ran && outcome.cost.is_some_and(|cost| cost > Amount::ZERO) {
            return Err(Cause::CostOfNothing(outcome.status.as_str()).into());
        }
        let room = self.room();
        let caller = call.caller(room.store.key());
        let CallRef { id, .. } = call;
        let told = id.clone();
        let record = Box::new(move |settled: &_| record::of_settlement(&told, at, &outcome, settled));
        let settlement = Settlement { tenant: room.tenant.clone(), call_id: id.clone(), caller, at, outcome, record };
        let not_settled = |why: &'static str| Err(Cause::NotSettled(record::shown(&id).to_owned(), why).into());
        match room.store.settle(settlement).await.map_err(Cause::State)? {
            Kept::Done { sequence } => {
                self.listeners().tell(Event::Settlement(SettlementEvent { call_id: id, outcome, sequence }));
                Ok(Settled::Now)
            }
            Kept::Before(status) => Ok(Settled::Before(status)),
            Kept::Unknown => not_settled("no call of this id is on record"),
            Kept::NotLetThrough => not_settled("it was not let through, so nothing can have come of it"),
            Kept::Ambiguous => not_settled("several agents or sessions had a call of this id; say whose is meant"),
        }
    }
}
