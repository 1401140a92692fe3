//! What a guard remembers: counters that the host keeps, their readings, and charges. Nothing here
//! changes a counter; the host does, after the final verdict.

use std::borrow::Cow;

use crate::{Amount, Error};

/// A number that the host keeps for the guard.
///
/// ```
/// use agenthalt_guard::Counter;
/// let spent_today = Counter::sum("daily_spend").per_agent().day();
/// let last_minute = Counter::count("minute").per_agent().per_function().rolling_ms(60_000);
/// # let _ = (spent_today, last_minute);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Names the counter within the guard: 1 to 64 of `a` to `z`, `0` to `9`, `_`.
    pub name: Cow<'static, str>,
    /// By what it is kept apart.
    pub partition: Partition,
    /// Which charges it still sees.
    pub window: Window,
    /// What its reading tells.
    pub measure: Measure,
}

impl Counter {
    /// A counter of all calls of the tenant, for ever.
    pub fn new(name: impl Into<Cow<'static, str>>, measure: Measure) -> Counter {
        Counter { name: name.into(), partition: Partition::default(), window: Window::Ever, measure }
    }

    /// The sum of the charged amounts.
    pub fn sum(name: impl Into<Cow<'static, str>>) -> Counter {
        Counter::new(name, Measure::Sum)
    }

    /// The number of charges.
    pub fn count(name: impl Into<Cow<'static, str>>) -> Counter {
        Counter::new(name, Measure::Count)
    }

    /// The time of the last charge.
    pub fn last_time(name: impl Into<Cow<'static, str>>) -> Counter {
        Counter::new(name, Measure::LastTime)
    }

    /// How many of the last charges came from calls equal to this one.
    pub fn run_of_same(name: impl Into<Cow<'static, str>>) -> Counter {
        Counter::new(name, Measure::RunOfSame)
    }

    /// How many of the last charges form with this call a sequence in which every second is equal.
    pub fn run_of_two(name: impl Into<Cow<'static, str>>) -> Counter {
        Counter::new(name, Measure::RunOfTwo)
    }

    /// Kept apart by agent, in its folded form; calls without one share one.
    pub fn per_agent(mut self) -> Counter {
        self.partition.agent = true;
        self
    }

    /// Kept apart by session, as given; calls without one share one.
    pub fn per_session(mut self) -> Counter {
        self.partition.session = true;
        self
    }

    /// Kept apart by function name, in its folded form.
    pub fn per_function(mut self) -> Counter {
        self.partition.function = true;
        self
    }

    /// Kept apart by function name and canonical original arguments.
    pub fn per_arguments(mut self) -> Counter {
        self.partition.arguments = true;
        self
    }

    /// Sees charges at most so many milliseconds old; one exactly as old still counts.
    pub fn rolling_ms(mut self, milliseconds: u64) -> Counter {
        self.window = Window::RollingMs(milliseconds);
        self
    }

    /// Sees the charges of the present calendar day in the policy's time zone.
    pub fn day(mut self) -> Counter {
        self.window = Window::Day;
        self
    }

    /// Sees the charges of the present calendar month in the policy's time zone.
    pub fn month(mut self) -> Counter {
        self.window = Window::Month;
        self
    }
}

/// By what a counter is kept apart; nothing set: one counter for all calls of the tenant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// By agent, in its folded form.
    pub agent: bool,
    /// By session, as given.
    pub session: bool,
    /// By function name, in its folded form.
    pub function: bool,
    /// By function name and canonical original arguments.
    pub arguments: bool,
}

/// Which charges a counter still sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Those at most this many milliseconds old; one exactly as old still counts.
    RollingMs(u64),
    /// Those of the present calendar day in the policy's time zone.
    Day,
    /// Those of the present calendar month in the policy's time zone.
    Month,
    /// All.
    Ever,
}

/// What the reading of a counter tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// The sum of the charged amounts.
    Sum,
    /// The number of charges.
    Count,
    /// The time of the last charge in milliseconds since 1970-01-01T00:00:00Z.
    LastTime,
    /// How many of the last charges, without a gap, came from calls equal to this one.
    RunOfSame,
    /// How many of the last charges, without a gap, form with this call a sequence in which every second
    /// call is equal.
    RunOfTwo,
}

/// The values of the guard's counters at the time of the call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readings(Vec<(String, Option<i64>)>);

impl Readings {
    /// Readings by the names of their counters.
    pub fn new(values: Vec<(String, Option<i64>)>) -> Readings {
        Readings(values)
    }

    /// The reading of a counter of sums: in millionths where the charges are.
    ///
    /// # Errors
    /// A fault where the host gave no such reading: the guard did not declare the counter.
    pub fn sum(&self, counter: &str) -> Result<i64, Error> {
        self.find(counter)?.ok_or_else(|| missing(counter))
    }

    /// The reading of a counter of sums that are amounts; nothing where the sum is below zero.
    ///
    /// # Errors
    /// As [`Readings::sum`].
    pub fn amount(&self, counter: &str) -> Result<Amount, Error> {
        Ok(Amount::from_millionths(self.sum(counter)?).unwrap_or_default())
    }

    /// The reading of a counter that counts: a number of charges or the length of a run.
    ///
    /// # Errors
    /// As [`Readings::sum`].
    pub fn count(&self, counter: &str) -> Result<u64, Error> {
        Ok(u64::try_from(self.sum(counter)?).unwrap_or_default())
    }

    /// The time of the last charge in milliseconds since 1970-01-01T00:00:00Z; none before the first.
    ///
    /// # Errors
    /// As [`Readings::sum`].
    pub fn last_time(&self, counter: &str) -> Result<Option<i64>, Error> {
        self.find(counter)
    }

    fn find(&self, counter: &str) -> Result<Option<i64>, Error> {
        self.0.iter().find(|(name, _)| name == counter).map(|(_, value)| *value).ok_or_else(|| missing(counter))
    }
}

fn missing(counter: &str) -> Error {
    Error::new(["the host gave no reading of the counter `", counter, "`: is it declared?"].concat())
}

/// An amount that the guard proposes to add to one of its counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The counter's name.
    pub counter: Cow<'static, str>,
    /// Zero or more; money in millionths of the unit.
    pub amount: i64,
    /// Whether it counts also when the call is refused.
    pub always: bool,
    /// Whether the settled cost of the call replaces the amount.
    pub settles: bool,
}

impl Charge {
    /// Counts if the call is let through, at once or after a human said yes.
    pub fn permitted(counter: impl Into<Cow<'static, str>>, amount: impl Into<i64>) -> Charge {
        Charge { counter: counter.into(), amount: amount.into(), always: false, settles: false }
    }

    /// Counts also when the call is refused.
    pub fn always(counter: impl Into<Cow<'static, str>>, amount: impl Into<i64>) -> Charge {
        Charge { always: true, ..Charge::permitted(counter, amount) }
    }

    /// Lets the settled cost of the call replace the amount once it is known.
    pub fn settles(mut self) -> Charge {
        self.settles = true;
        self
    }
}
