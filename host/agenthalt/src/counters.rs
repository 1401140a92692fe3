//! What is spent and counted, for people: each part of each counter with its limit, and letting counters begin anew.
//! It judges nothing.

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::digest::Digest;
use agenthalt_core::policy::Mode;
use agenthalt_core::time::Timestamp;
use agenthalt_json::Json;
use agenthalt_store::{CallTag, Committed, CounterPart, CounterRead, CountersRequest, NamedBy, ReadRequest, Reset};

use crate::engine::PolicyEngine;
use crate::error::{Cause, Error};
use crate::limit::{self, CounterLimit};
use crate::record;
use crate::roster::Seat;

/// How many parts of counters are asked for at once.
const PAGE: u32 = 1_000;
/// How often a reset is tried while others charge.
const MOST_TRIES: usize = 64;

/// Which counters are meant; all where nothing is said.
///
/// ```
/// # use agenthalt::{CounterFilter, testing};
/// let engine = testing::engine("guards: {rate_limit: {}}");
/// let of_bot = CounterFilter { agent: Some("bot".into()), ..CounterFilter::default() };
/// assert!(engine.counters_blocking(&of_bot)?.is_empty());
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CounterFilter {
    /// Those of the guard of this name.
    pub guard: Option<String>,
    /// Parts of this agent; counters that are not kept by agent are not meant then.
    pub agent: Option<String>,
    /// Parts of this session; counters that are not kept by session are not meant then.
    pub session: Option<String>,
}

/// One part of a counter.
///
/// ```
/// # use agenthalt::{Call, CounterFilter, testing};
/// let engine = testing::engine("guards: {budget: {max_daily_spend: 10, default_cost: 3}}");
/// engine.evaluate_blocking(&Call::new("search", "{}"));
/// let spent = &engine.counters_blocking(&CounterFilter::default())?[0];
/// assert_eq!((spent.guard.as_str(), spent.reading, spent.left()), ("budget", Some(3_000_000), Some(7_000_000)));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterStatus {
    /// The guard's name in the policy.
    pub guard: String,
    /// Whether the guard's word counts.
    pub mode: Mode,
    /// The counter's name within the guard.
    pub counter: String,
    /// Which charges count.
    pub window: Window,
    /// What the reading tells.
    pub measure: Measure,
    /// The agent whose part it is, in its folded form; none where the counter is not kept by agent.
    pub agent: Option<Who>,
    /// The session whose part it is; none where the counter is not kept by session.
    pub session: Option<Who>,
    /// The function whose part it is, in its folded form; none where the counter is not kept by function.
    pub function: Option<Who>,
    /// What the counter shows now; none for the time of the last charge where there is none, and for runs, which
    /// belong to one call.
    pub reading: Option<i64>,
    /// When it was charged last; none where it never was.
    pub last_charged: Option<Timestamp>,
    /// How many charges were ever made, those given back included.
    pub charges: u64,
    /// The limit, where the guard's schema tells it.
    pub limit: Option<CounterLimit>,
}

/// An agent, a session or a function of a part.
///
/// ```
/// # use agenthalt::Who;
/// assert_ne!(Who::Named("bot".into()), Who::Unnamed);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Calls that name none share this part.
    Unnamed,
    /// By name.
    Named(String),
}

impl CounterStatus {
    /// How much is left until the limit; none without one. Below zero where a call cost more than was estimated, or
    /// the limit was lowered.
    ///
    /// ```
    /// # use agenthalt::{CounterFilter, testing};
    /// let engine = testing::engine("guards: {budget: {max_daily_spend: 10}}");
    /// assert_eq!(engine.counters_blocking(&CounterFilter::default())?[0].left(), Some(10_000_000));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn left(&self) -> Option<i64> {
        Some(self.limit.as_ref()?.most.saturating_sub(self.reading?))
    }
}

impl PolicyEngine {
    /// What is spent and counted now, by the counters that the policy's guards declare: in the policy's order, each
    /// part that was ever charged, and the counters that all calls share in any case.
    ///
    /// ```
    /// # async fn show(engine: agenthalt::PolicyEngine) -> Result<(), agenthalt::Error> {
    /// for counter in engine.counters(&agenthalt::CounterFilter::default()).await? {
    ///     if let (Some(limit), Some(left)) = (&counter.limit, counter.left()) {
    ///         println!("{} {}: {left} of {} left", counter.guard, limit.setting, limit.most);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error`] where state cannot be read.
    pub async fn counters(&self, filter: &CounterFilter) -> Result<Vec<CounterStatus>, Error> {
        let at = self.now().map_err(Cause::Clock)?;
        let roster = self.roster();
        let parts = self.parts().await?;
        let mut found = Vec::new();
        for seat in roster.enabled().filter(|seat| filter.means_guard(seat.name())) {
            for declared in declared(seat) {
                let of_counter = parts.iter().filter(|part| part.counter == declared.key);
                let mut of_counter: Vec<Found> = of_counter.filter_map(|part| declared.part(part)).collect();
                if of_counter.is_empty() && declared.is_shared {
                    of_counter.push(declared.found(String::new(), declared.status.clone()));
                }
                of_counter.retain(|found| filter.means(&found.status));
                of_counter.sort_by_key(|found| {
                    let CounterStatus { agent, session, function, .. } = &found.status;
                    (agent.clone(), session.clone(), function.clone())
                });
                found.extend(of_counter);
            }
        }
        let mut statuses = Vec::with_capacity(found.len());
        for page in found.chunks(PAGE as usize) {
            let (id, zero) = (String::new(), Digest::ZERO);
            let room = self.room();
            let request = ReadRequest {
                tenant: room.tenant.clone(),
                call: CallTag { id, caller: zero, digest: zero, named_by: NamedBy::Nobody },
                at,
                zone: roster.policy.time_zone.clone(),
                remembered_ms: roster.policy.remembered_ms,
                counters: page.iter().map(Found::read).collect(),
            };
            let snapshot = room.store.read(request).await.map_err(Cause::State)?;
            let read = page.iter().zip(snapshot.readings).map(|(found, reading)| {
                let status = found.status.clone();
                match status.measure {
                    Measure::Sum | Measure::Count | Measure::LastTime => CounterStatus { reading, ..status },
                    Measure::RunOfSame | Measure::RunOfTwo => status,
                }
            });
            statuses.extend(read);
        }
        Ok(statuses)
    }

    /// What is spent and counted now, waiting for it; as [`counters`](Self::counters).
    ///
    /// ```
    /// # use agenthalt::{CounterFilter, testing};
    /// let engine = testing::engine("guards: {scope: {}}");
    /// assert!(engine.counters_blocking(&CounterFilter::default())?.is_empty());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`counters`](Self::counters).
    pub fn counters_blocking(&self, filter: &CounterFilter) -> Result<Vec<CounterStatus>, Error> {
        pollster::block_on(self.counters(filter))
    }

    /// Lets the counters of a guard begin at nothing, also those of a guard that the policy does not name any more,
    /// and records it. Tells how many parts there were. Clocks stay, so that no window that has passed opens again.
    /// Whoever may call this may lift every limit.
    ///
    /// ```
    /// # use agenthalt::{Call, CounterFilter, testing};
    /// let engine = testing::engine("guards: {budget: {max_daily_spend: 1, default_cost: 1, warn_threshold: null}}");
    /// engine.evaluate_blocking(&Call::new("search", "{}"));
    /// assert!(!engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    /// assert_eq!(engine.reset_blocking("budget", &CounterFilter::default())?, 1);
    /// assert!(engine.evaluate_blocking(&Call::new("search", "{}")).is_allowed());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where state cannot be written; nothing has changed then.
    pub async fn reset(&self, guard: &str, filter: &CounterFilter) -> Result<usize, Error> {
        let at = self.now().map_err(Cause::Clock)?;
        let prefixes = [format!("{guard}/"), format!("shadow:{guard}/")];
        for _ in 0..MOST_TRIES {
            let parts = self.parts().await?;
            let meant = parts.into_iter().filter(|part| {
                let is_of_guard = prefixes.iter().any(|prefix| part.counter.starts_with(prefix));
                is_of_guard && Owner::read(&part.partition).is_some_and(|owner| filter.means_owner(&owner))
            });
            let counters: Vec<(String, String)> = meant.map(|part| (part.counter, part.partition)).collect();
            let count = counters.len();
            if count == 0 {
                return Ok(0);
            }
            let (agent, session) = (filter.agent.as_deref(), filter.session.as_deref());
            let record = record::of_reset(at, guard, (agent, session), count);
            let reset = Reset { tenant: self.room().tenant.clone(), at, counters, record };
            match self.room().store.reset(reset).await.map_err(Cause::State)? {
                Committed::Done { .. } => return Ok(count),
                Committed::Conflict | Committed::Open(_) => {}
            }
        }
        Err(Cause::NeverStill.into())
    }

    /// Lets counters begin at nothing and waits for it; as [`reset`](Self::reset).
    ///
    /// ```
    /// # use agenthalt::{CounterFilter, testing};
    /// let engine = testing::engine("guards: {scope: {}}");
    /// assert_eq!(engine.reset_blocking("budget", &CounterFilter::default())?, 0);
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`reset`](Self::reset).
    pub fn reset_blocking(&self, guard: &str, filter: &CounterFilter) -> Result<usize, Error> {
        pollster::block_on(self.reset(guard, filter))
    }

    async fn parts(&self) -> Result<Vec<CounterPart>, Error> {
        let room = self.room();
        let mut parts: Vec<CounterPart> = Vec::new();
        loop {
            let after = parts.last().map_or(0, |part| part.place);
            let request = CountersRequest { tenant: room.tenant.clone(), after, most: PAGE };
            let page = room.store.counters(request).await.map_err(Cause::State)?;
            if page.is_empty() {
                return Ok(parts);
            }
            parts.extend(page);
        }
    }
}

impl CounterFilter {
    fn means_guard(&self, guard: &str) -> bool {
        self.guard.as_deref().is_none_or(|meant| meant == guard)
    }

    fn means(&self, status: &CounterStatus) -> bool {
        let CounterStatus { agent, session, function, .. } = status.clone();
        self.means_owner(&Owner { agent, session, function })
    }

    fn means_owner(&self, owner: &Owner) -> bool {
        let is = |who: &Option<Who>, name: String| *who == Some(Who::Named(name));
        self.agent.as_deref().is_none_or(|agent| is(&owner.agent, agenthalt_names::fold(agent)))
            && self.session.as_ref().is_none_or(|session| is(&owner.session, session.clone()))
    }
}

/// Whose part of a counter it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Owner {
    agent: Option<Who>,
    session: Option<Who>,
    function: Option<Who>,
}

impl Owner {
    /// From the name of a part, as `spending` writes it; none where this is none.
    fn read(partition: &str) -> Option<Owner> {
        if partition.is_empty() {
            return Some(Owner::default());
        }
        let parts = Json::parse(partition).ok()?;
        let parts = parts.as_object()?;
        let who = |name: &str| {
            parts.get(name).map(|value| value.as_str().map_or(Who::Unnamed, |name| Who::Named(name.to_owned())))
        };
        Some(Owner { agent: who("agent"), session: who("session"), function: who("function") })
    }
}

/// A counter that a guard declares, as a part of it is shown.
struct Declared {
    key: String,
    /// Whether it is one for all calls.
    is_shared: bool,
    status: CounterStatus,
}

/// A part that is shown, and where it is read.
struct Found {
    key: String,
    partition: String,
    status: CounterStatus,
}

impl Declared {
    /// A part of this counter; none where its name says nothing.
    fn part(&self, part: &CounterPart) -> Option<Found> {
        let Owner { agent, session, function } = Owner::read(&part.partition)?;
        let last_charged = Timestamp::from_millis(part.clock_ms).ok();
        let charges = part.charges;
        let status = CounterStatus { agent, session, function, last_charged, charges, ..self.status.clone() };
        Some(self.found(part.partition.clone(), status))
    }

    fn found(&self, partition: String, status: CounterStatus) -> Found {
        Found { key: self.key.clone(), partition, status }
    }
}

impl Found {
    fn read(&self) -> CounterRead {
        CounterRead {
            counter: self.key.clone(),
            partition: self.partition.clone(),
            window: self.status.window,
            measure: self.status.measure,
            sequence: Digest::ZERO,
        }
    }
}

fn declared(seat: &Seat) -> Vec<Declared> {
    let limits = limit::of(seat);
    let counters = seat.description().map_or(&[][..], |description| &description.counters);
    let declared = counters.iter().map(|counter| Declared {
        key: seat.entry.counter_key(&counter.name, counter.window, counter.measure),
        is_shared: counter.partition == Default::default(),
        status: CounterStatus {
            guard: seat.name().to_owned(),
            mode: seat.entry.mode,
            counter: counter.name.clone(),
            window: counter.window,
            measure: counter.measure,
            agent: None,
            session: None,
            function: None,
            reading: None,
            last_charged: None,
            charges: 0,
            limit: limits.iter().find(|(name, _)| *name == counter.name).map(|(_, limit)| limit.clone()),
        },
    });
    declared.collect()
}
