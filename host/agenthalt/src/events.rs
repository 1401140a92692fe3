//! What happens in an engine, for those who listen. A listener never delays a verdict: what it does not
//! take in time is lost to it, and counted.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use agenthalt_core::approval::{Answer, ApprovalId, Standing};
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::outcome::Outcome;
use futures_channel::mpsc;
use futures_core::Stream;

use crate::evaluation::Evaluation;

/// The most events that wait for one listener; each may hold a call of a mebibyte.
const MOST_WAITING: usize = 65_536;

/// Something that happened. An evaluation holds the call's arguments in clear: mind where it goes.
///
/// ```
/// # let engine = agenthalt::testing::engine("guards: {scope: {deny_functions: ['drop_*']}}");
/// # let mut events = engine.listen(10);
/// # engine.evaluate_blocking(&agenthalt::Call::new("drop_table", "{}"));
/// use agenthalt::Event;
/// while let Some(event) = events.try_next() {
///     match event {
///         Event::Evaluation(evaluation) => println!("{}: {}", evaluation.function_name, evaluation.verdict),
///         Event::Approval(evaluation) => println!("someone must decide about {}", evaluation.call_id),
///         Event::Fault(event) => eprintln!("{:?}: {}", event.guard, event.fault.code()),
///         Event::Policy(event) => println!("the policy is {} now", event.now),
///         _ => {}
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call or an output was judged.
    Evaluation(Arc<Evaluation>),
    /// A human must decide about a call.
    Approval(Arc<Evaluation>),
    /// A question to a human was answered.
    Answer(AnswerEvent),
    /// Something went wrong in a guard, in a hook or in the host.
    Fault(FaultEvent),
    /// It was told what came of a call.
    Settlement(SettlementEvent),
    /// Other rules hold from now on.
    Policy(PolicyEvent),
}

/// What came of a call.
///
/// ```
/// # use agenthalt::{Call, Event, Outcome, testing};
/// # let engine = testing::engine("guards: {budget: {}}");
/// let call = engine.evaluate_blocking(&Call::new("search", "{}"));
/// let mut events = engine.listen(10);
/// engine.settle_blocking(&call.call_id, Outcome::succeeded())?;
/// let Some(Event::Settlement(told)) = events.try_next() else { panic!("a settlement") };
/// assert_eq!((told.call_id, told.outcome), (call.call_id, Outcome::succeeded()));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettlementEvent {
    /// Names the call.
    pub call_id: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The record's number in the tenant's audit chain.
    pub sequence: u64,
}

/// An answer to a question.
///
/// ```
/// # use agenthalt::{Approver, Call, Event, Standing, testing};
/// # let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
/// let question = engine.evaluate_blocking(&Call::new("send_mail", "{}")).approval.ok_or("a human must decide")?;
/// let mut events = engine.listen(10);
/// engine.deny_blocking(question, Approver::named("ann"))?;
/// let Some(Event::Answer(told)) = events.try_next() else { panic!("an answer") };
/// assert_eq!((told.id, told.standing), (question, Standing::Denied));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerEvent {
    /// Names the question.
    pub id: ApprovalId,
    /// The answer.
    pub answer: Answer,
    /// How the question stands now.
    pub standing: Standing,
    /// The record's number in the tenant's audit chain.
    pub sequence: u64,
}

/// What went wrong while a call was judged.
///
/// ```
/// # use agenthalt::{Call, Event, GuardSetup, testing};
/// # let engine = testing::engine("guards: {}");
/// engine.add_guard(GuardSetup::component("hours", "missing.wasm"))?;
/// let mut events = engine.listen(10);
/// engine.evaluate_blocking(&Call::new("search", "{}"));
/// let faults = std::iter::from_fn(|| events.try_next());
/// let guards: Vec<_> = faults.filter_map(|event| if let Event::Fault(event) = event { event.guard } else { None }).collect();
/// assert_eq!(guards, ["hours"]);
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FaultEvent {
    /// Names the call.
    pub call_id: String,
    /// The guard in which it went wrong; none where it was the host or a hook.
    pub guard: Option<String>,
    /// What went wrong.
    pub fault: Fault,
}

/// A change of the rules.
///
/// ```
/// # use agenthalt::{Event, testing};
/// # let engine = testing::engine("guards: {scope: {}}");
/// let mut events = engine.listen(10);
/// engine.disable_guard("scope")?;
/// let Some(Event::Policy(change)) = events.try_next() else { panic!("a change of the policy") };
/// assert_eq!(change.now, engine.policy_digest());
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyEvent {
    /// The policy that held before.
    pub before: Digest,
    /// The policy that holds now.
    pub now: Digest,
    /// The guards of it that cannot serve, and why.
    pub faults: Vec<(String, Fault)>,
}

/// The receiving end of a listener. Dropping it ends the listening.
///
/// ```
/// use agenthalt::{Call, Event, PolicyEngine, settings::Budget};
///
/// let engine = PolicyEngine::builder().guard(Budget::default()).build()?;
/// let mut events = engine.listen(100);
/// engine.evaluate_blocking(&Call::new("search", "{}"));
/// let Some(Event::Evaluation(evaluation)) = events.try_next() else { panic!("an evaluation is an event") };
/// assert_eq!((evaluation.function_name.as_str(), events.lost()), ("search", 0));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Debug)]
pub struct Events {
    received: mpsc::Receiver<Event>,
    lost: Arc<AtomicU64>,
}

impl Events {
    /// The next event; none once the engine and all its clones are gone.
    ///
    /// ```
    /// # async fn listen(engine: agenthalt::PolicyEngine) {
    /// let mut events = engine.listen(1_000);
    /// while let Some(event) = events.next().await {
    ///     if let agenthalt::Event::Fault(event) = event {
    ///         eprintln!("{}: {}", event.call_id, event.fault.code());
    ///     }
    /// }
    /// # }
    /// ```
    pub async fn next(&mut self) -> Option<Event> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// The next event, waiting for it on this thread; none once the engine and all its clones are gone.
    ///
    /// ```
    /// # fn listen(engine: agenthalt::PolicyEngine) {
    /// let mut events = engine.listen(1_000);
    /// std::thread::spawn(move || {
    ///     while let Some(event) = events.next_blocking() {
    ///         if let agenthalt::Event::Fault(event) = event {
    ///             eprintln!("{}: {}", event.call_id, event.fault.code());
    ///         }
    ///     }
    /// });
    /// # }
    /// ```
    pub fn next_blocking(&mut self) -> Option<Event> {
        pollster::block_on(self.next())
    }

    /// An event that waits; none where there is none.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {}");
    /// assert!(engine.listen(10).try_next().is_none());
    /// ```
    pub fn try_next(&mut self) -> Option<Event> {
        self.received.try_recv().ok()
    }

    /// How many events this listener was too slow for.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {}");
    /// assert_eq!(engine.listen(10).lost(), 0);
    /// ```
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Stream for Events {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        Pin::new(&mut self.received).poll_next(context)
    }
}

/// Everybody who listens to an engine.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    all: Mutex<Vec<Listener>>,
    /// How many there are, so that an engine without any does nothing for them.
    count: AtomicUsize,
}

#[derive(Debug)]
struct Listener {
    sender: mpsc::Sender<Event>,
    lost: Arc<AtomicU64>,
}

impl Listeners {
    /// One more listener, for whom at least `capacity` events may wait.
    pub(crate) fn add(&self, capacity: usize) -> Events {
        let (sender, received) = mpsc::channel(capacity.min(MOST_WAITING));
        let lost = Arc::<AtomicU64>::default();
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(Listener { sender, lost: lost.clone() });
        self.count.store(all.len(), Ordering::Release);
        Events { received, lost }
    }

    /// Tells of an evaluation, and of what went wrong in it.
    pub(crate) fn evaluated(&self, evaluation: &Evaluation) {
        if self.is_empty() {
            return;
        }
        let told = Arc::new(evaluation.clone());
        self.tell(Event::Evaluation(told.clone()));
        if told.needs_approval() {
            self.tell(Event::Approval(told.clone()));
        }
        let of_guards = told.decisions.iter().map(|decision| (Some(decision.guard.clone()), decision.fault.clone()));
        let of_host = std::iter::once((None, told.refusal.clone()));
        for (guard, fault) in of_guards.chain(of_host) {
            if let Some(fault) = fault {
                self.tell(Event::Fault(FaultEvent { call_id: told.call_id.clone(), guard, fault }));
            }
        }
    }

    /// Tells of what went wrong in the hooks behind an evaluation.
    pub(crate) fn hook_failed(&self, call_id: &str, fault: Fault) {
        self.tell(Event::Fault(FaultEvent { call_id: call_id.to_owned(), guard: None, fault }));
    }

    /// Hands an event to everybody who has room for it, and forgets who is gone.
    pub(crate) fn tell(&self, event: Event) {
        if self.is_empty() {
            return;
        }
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        // INVARIANT: handing over never waits.
        all.retain_mut(|listener| match listener.sender.try_send(event.clone()) {
            Ok(()) => true,
            Err(error) => {
                listener.lost.fetch_add(1, Ordering::Relaxed);
                !error.is_disconnected()
            }
        });
        self.count.store(all.len(), Ordering::Release);
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
}
