//! The totals that budget limits: of the session, of the day, of the month. A total without a limit is
//! neither declared nor charged.

use agenthalt_guard::{Amount, Counter};

use crate::{Per, Settings};

/// A total with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) kind: Kind,
    pub(crate) limit: Amount,
}

/// What a total is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Session,
    Day,
    Month,
}

impl Kind {
    /// The name of the counter.
    pub(crate) fn counter_name(self) -> &'static str {
        match self {
            Kind::Session => "session_spend",
            Kind::Day => "daily_spend",
            Kind::Month => "monthly_spend",
        }
    }

    /// The name of the setting that limits it.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Kind::Session => "max_session_spend",
            Kind::Day => "max_daily_spend",
            Kind::Month => "max_monthly_spend",
        }
    }

    /// What it is called in a sentence.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Kind::Session => "the session",
            Kind::Day => "the day",
            Kind::Month => "the month",
        }
    }
}

impl Total {
    pub(crate) fn counter(self, per: Per) -> Counter {
        let counter = Counter::sum(self.kind.counter_name());
        let counter = match self.kind {
            Kind::Session => return counter.per_session(),
            Kind::Day => counter.day(),
            Kind::Month => counter.month(),
        };
        match per {
            Per::Tenant => counter,
            Per::Agent => counter.per_agent(),
        }
    }
}

/// The totals that have a limit, in the order in which they are judged.
pub(crate) fn limited(settings: &Settings) -> impl Iterator<Item = Total> {
    let limits = [
        (Kind::Session, settings.max_session_spend),
        (Kind::Day, settings.max_daily_spend),
        (Kind::Month, settings.max_monthly_spend),
    ];
    limits.into_iter().filter_map(|(kind, limit)| limit.map(|limit| Total { kind, limit }))
}
