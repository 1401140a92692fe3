//! A counter's row: its version, its clock and its running total. It decides no reading.

use agenthalt_core::counter::Window;
use agenthalt_core::time::{TimeZone, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::charge::{self, OwnCharge};
use crate::error::Failure;

/// What some charges come to. The sum is exact: no number of charges makes it wrap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) sum: i128,
    pub(crate) count: i64,
}

impl Total {
    pub(crate) fn with(self, amount: i64) -> Total {
        Total { sum: self.sum.saturating_add(i128::from(amount)), count: self.count.saturating_add(1) }
    }

    pub(crate) fn without(self, amount: i64) -> Total {
        Total { sum: (self.sum - i128::from(amount)).max(0), count: (self.count - 1).max(0) }
    }

    fn without_all<'a>(self, charges: impl Iterator<Item = &'a OwnCharge>) -> Total {
        charges.fold(self, |total, charge| total.without(charge.amount))
    }

    fn larger(self, other: Total) -> Total {
        Total { sum: self.sum.max(other.sum), count: self.count.max(other.count) }
    }
}

/// The total of all charges since an instant, kept so that a reading costs the same however many
/// there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunningTotal {
    pub(crate) since: i64,
    pub(crate) total: Total,
}

/// One part of a counter, as it is kept or as it would begin.
#[derive(Clone, Debug)]
pub(crate) struct CounterRow {
    /// None where there is no row yet.
    pub(crate) id: Option<i64>,
    /// 0 where there is no row yet.
    pub(crate) version: i64,
    pub(crate) clock: Option<i64>,
    pub(crate) newest: i64,
    pub(crate) longest_ms: i64,
    pub(crate) running: Option<RunningTotal>,
}

impl CounterRow {
    /// Reads the row of a part of a counter.
    pub(crate) fn load(
        connection: &Connection,
        tenant: &str,
        counter: &str,
        partition: &str,
    ) -> Result<CounterRow, Failure> {
        let mut statement = connection.prepare_cached(
            "SELECT id, version, clock_ms, newest, longest_ms, total_since_ms, total_high, total_low, total_count \
             FROM counter WHERE tenant = ?1 AND name = ?2 AND partition = ?3",
        )?;
        let row = statement.query_row(params![tenant, counter, partition], CounterRow::from_row).optional()?;
        Ok(row.unwrap_or(CounterRow { id: None, version: 0, clock: None, newest: 0, longest_ms: 0, running: None }))
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<CounterRow> {
        let since: Option<i64> = row.get(5)?;
        let (high, low): (i64, i64) = (row.get(6)?, row.get(7)?);
        let total = Total { sum: (i128::from(high) << 63) + i128::from(low), count: row.get(8)? };
        Ok(CounterRow {
            id: Some(row.get(0)?),
            version: row.get(1)?,
            clock: Some(row.get(2)?),
            newest: row.get(3)?,
            longest_ms: row.get(4)?,
            running: since.map(|since| RunningTotal { since, total }),
        })
    }

    /// Writes the row back with the next version.
    pub(crate) fn save(&self, connection: &Connection) -> Result<(), Failure> {
        let running = self.running;
        let (high, low) = split(running.map_or(0, |running| running.total.sum));
        let mut statement = connection.prepare_cached(
            "UPDATE counter SET version = version + 1, clock_ms = ?2, newest = ?3, longest_ms = ?4, \
             total_since_ms = ?5, total_high = ?6, total_low = ?7, total_count = ?8 WHERE id = ?1",
        )?;
        statement.execute(params![
            self.id,
            self.clock,
            self.newest,
            self.longest_ms,
            running.map(|running| running.since),
            high,
            low,
            running.map_or(0, |running| running.total.count),
        ])?;
        Ok(())
    }

    /// The instant at which a call is judged and charged here.
    // INVARIANT: never before the row's clock, so that a stamp that goes back opens no window again.
    pub(crate) fn effective(&self, at: Timestamp) -> Result<Timestamp, Failure> {
        match self.clock {
            Some(clock) if clock > at.as_millis() => Timestamp::from_millis(clock)
                .map_err(|_| Failure::Damaged(format!("a counter's clock shows {clock}, which is no time"))),
            Some(_) | None => Ok(at),
        }
    }

    /// What the charges that a window still sees come to, `own` left out. `own` are charges of this row.
    pub(crate) fn total(
        &self,
        connection: &Connection,
        window: Window,
        start: i64,
        own: &[OwnCharge],
    ) -> Result<Total, Failure> {
        let (Some(id), Some(clock)) = (self.id, self.clock) else { return Ok(Total::default()) };
        if start > clock {
            return Ok(Total::default());
        }
        let own_since = |since: i64| own.iter().filter(move |charge| charge.charged_at >= since);
        let counted = || Ok::<_, Failure>(charge::total_since(connection, id, start)?.without_all(own_since(start)));
        match (window, self.running) {
            (Window::RollingMs(_), _) | (_, None) => counted(),
            (_, Some(kept)) if kept.since == start => Ok(kept.total.without_all(own_since(start))),
            // The day begins at another instant than it did: the policy's time zone was changed. The
            // charges themselves tell what it holds. Where it begins earlier than the kept total does,
            // the larger figure counts, so that nothing that was known is forgotten.
            (_, Some(kept)) if start < kept.since => {
                Ok(counted()?.larger(kept.total.without_all(own_since(kept.since))))
            }
            (_, Some(_)) => counted(),
        }
    }

    /// The instant at which a window begins for a call, by the row's clock.
    pub(crate) fn window_start(&self, window: Window, at: Timestamp, zone: &TimeZone) -> Result<i64, Failure> {
        Ok(window.start(self.effective(at)?, zone))
    }
}

/// Makes an empty row, so that charges can refer to it. Its version is that of no row until it is saved.
pub(crate) fn insert(
    connection: &Connection,
    tenant: &str,
    counter: &str,
    partition: &str,
    clock: i64,
) -> Result<i64, Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO counter (tenant, name, partition, version, clock_ms, newest, longest_ms, total_high, total_low, \
         total_count) VALUES (?1, ?2, ?3, 0, ?4, 0, 0, 0, 0, 0)",
    )?;
    Ok(statement.insert(params![tenant, counter, partition, clock])?)
}

fn split(sum: i128) -> (i64, i64) {
    let low = i64::try_from(sum & i128::from(i64::MAX)).unwrap_or(i64::MAX);
    (i64::try_from(sum >> 63).unwrap_or(i64::MAX), low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_beyond_one_column_comes_back_exactly() {
        for sum in [0, 1, i128::from(i64::MAX), i128::from(i64::MAX) + 1, i128::from(i64::MAX) * 1_000_003 + 17] {
            let (high, low) = split(sum);
            assert_eq!((i128::from(high) << 63) + i128::from(low), sum);
        }
    }

    #[test]
    fn a_total_never_falls_below_nothing() {
        assert_eq!(Total::default().without(5), Total::default());
        assert_eq!(Total::default().with(5).with(7).without(5), Total { sum: 7, count: 1 });
    }
}
