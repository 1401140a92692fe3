//! The totals that deletion limits, counted in targets: of the session, of the day. A total without a
//! limit is neither declared nor charged.

use agenthalt_guard::Counter;

use crate::Settings;

/// A total with a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) kind: Kind,
    pub(crate) limit: u64,
}

/// What a total is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Session,
    Day,
}

impl Kind {
    /// The name of the counter.
    pub(crate) fn counter_name(self) -> &'static str {
        match self {
            Kind::Session => "session_deletions",
            Kind::Day => "daily_deletions",
        }
    }

    /// The name of the setting that limits it.
    pub(crate) fn setting(self) -> &'static str {
        match self {
            Kind::Session => "max_deletions_per_session",
            Kind::Day => "max_deletions_per_day",
        }
    }

    /// What it is called in a sentence.
    pub(crate) fn shown(self) -> &'static str {
        match self {
            Kind::Session => "the session",
            Kind::Day => "the day",
        }
    }
}

impl Total {
    pub(crate) fn counter(self) -> Counter {
        let counter = Counter::sum(self.kind.counter_name());
        match self.kind {
            Kind::Session => counter.per_session(),
            Kind::Day => counter.day(),
        }
    }
}

/// The totals that have a limit, in the order in which they are judged.
pub(crate) fn limited(settings: &Settings) -> impl Iterator<Item = Total> {
    let limits = [(Kind::Session, settings.max_deletions_per_session), (Kind::Day, settings.max_deletions_per_day)];
    limits.into_iter().filter_map(|(kind, limit)| limit.map(|limit| Total { kind, limit }))
}
