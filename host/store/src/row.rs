//! A counter's row: its version, its clock and its running total. It decides no reading.

use agenthalt_core::counter::Window;
use agenthalt_core::time::{TimeZone, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::call::CallCharge;
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

    /// The sum in two columns, and back.
    pub(crate) fn split(self) -> (i64, i64) {
        let low = i64::try_from(self.sum & i128::from(i64::MAX)).unwrap_or(i64::MAX);
        (i64::try_from(self.sum >> 63).unwrap_or(i64::MAX), low)
    }

    pub(crate) fn join(high: i64, low: i64, count: i64) -> Total {
        Total { sum: (i128::from(high) << 63) + i128::from(low), count }
    }

    pub(crate) fn without_all<'a>(self, charges: impl Iterator<Item = &'a CallCharge>) -> Total {
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

/// How a counter stands: what every charge changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// 0 where there was no charge yet.
    pub(crate) version: i64,
    pub(crate) clock: Option<i64>,
    pub(crate) newest: i64,
    /// Charges up to this place do not count any more: the counter was reset.
    pub(crate) floor: i64,
    pub(crate) longest_ms: i64,
    pub(crate) running: Option<RunningTotal>,
}

/// One part of a counter, as the tables have it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CounterRow {
    /// None where there is no row yet.
    pub(crate) id: Option<i64>,
    pub(crate) standing: Standing,
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
            "SELECT id, version, clock_ms, newest, floor, longest_ms, total_since_ms, total_high, total_low, \
             total_count FROM counter WHERE tenant = ?1 AND name = ?2 AND partition = ?3",
        )?;
        let row = statement.query_row(params![tenant, counter, partition], CounterRow::from_row).optional()?;
        Ok(row.unwrap_or_default())
    }

    /// Those of a call's charges that are this row's and still count.
    pub(crate) fn own<'c>(&self, charges: &'c [CallCharge]) -> impl Iterator<Item = &'c CallCharge> + use<'c> {
        let (id, floor) = (self.id, self.standing.floor);
        charges.iter().filter(move |charge| Some(charge.counter_id) == id && charge.place > floor)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<CounterRow> {
        let since: Option<i64> = row.get(6)?;
        let total = Total::join(row.get(7)?, row.get(8)?, row.get(9)?);
        let standing = Standing {
            version: row.get(1)?,
            clock: Some(row.get(2)?),
            newest: row.get(3)?,
            floor: row.get(4)?,
            longest_ms: row.get(5)?,
            running: since.map(|since| RunningTotal { since, total }),
        };
        Ok(CounterRow { id: Some(row.get(0)?), standing })
    }
}

/// Whose row it is: tenant, counter and partition.
pub(crate) fn names(connection: &Connection, id: i64) -> Result<(String, String, String), Failure> {
    let mut statement = connection.prepare_cached("SELECT tenant, name, partition FROM counter WHERE id = ?1")?;
    let names = statement.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
    names.ok_or_else(|| Failure::Damaged("a charge has no counter".to_owned()))
}

/// Makes an empty row, so that charges can refer to it. Its version is that of no row.
pub(crate) fn insert(
    connection: &Connection,
    tenant: &str,
    counter: &str,
    partition: &str,
    clock: i64,
) -> Result<i64, Failure> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO counter (tenant, name, partition, version, clock_ms, newest, floor, longest_ms, total_high, \
         total_low, total_count) VALUES (?1, ?2, ?3, 0, ?4, 0, 0, 0, 0, 0, 0)",
    )?;
    Ok(statement.insert(params![tenant, counter, partition, clock])?)
}

impl Standing {
    /// Writes it to the counter's row.
    pub(crate) fn save(&self, connection: &Connection, id: i64) -> Result<(), Failure> {
        let running = self.running;
        let (high, low) = running.map_or((0, 0), |running| running.total.split());
        let mut statement = connection.prepare_cached(
            "UPDATE counter SET version = ?2, clock_ms = ?3, newest = ?4, floor = ?5, longest_ms = ?6, \
             total_since_ms = ?7, total_high = ?8, total_low = ?9, total_count = ?10 WHERE id = ?1",
        )?;
        statement.execute(params![
            id,
            self.version,
            self.clock,
            self.newest,
            self.floor,
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

    /// The instant at which a window begins for a call, by the row's clock.
    pub(crate) fn window_start(&self, window: Window, at: Timestamp, zone: &TimeZone) -> Result<i64, Failure> {
        Ok(window.start(self.effective(at)?, zone))
    }

    /// Changes the total by what becomes of a charge of this counter. Charges that are in no total change none.
    pub(crate) fn amend(&mut self, place: i64, charged_at: i64, before: i64, after: Option<i64>) {
        if let Some(running) = &mut self.running
            && charged_at >= running.since
            && place > self.floor
        {
            running.total = running.total.without(before);
            if let Some(after) = after {
                running.total = running.total.with(after);
            }
        }
    }

    /// What the charges that a window still sees come to, `own` left out. `own` are charges of this row;
    /// `counted` looks at the charges since the window's start one by one.
    pub(crate) fn total(
        &self,
        window: Window,
        start: i64,
        own: &[CallCharge],
        counted: impl FnOnce() -> Result<Total, Failure>,
    ) -> Result<Total, Failure> {
        if self.clock.is_none_or(|clock| start > clock) {
            return Ok(Total::default());
        }
        let own_since = |since: i64| own.iter().filter(move |charge| charge.charged_at >= since);
        let counted = || Ok::<_, Failure>(counted()?.without_all(own_since(start)));
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_beyond_one_column_comes_back_exactly() {
        for sum in [0, 1, i128::from(i64::MAX), i128::from(i64::MAX) + 1, i128::from(i64::MAX) * 1_000_003 + 17] {
            let (high, low) = Total { sum, count: 0 }.split();
            assert_eq!(Total::join(high, low, 0).sum, sum);
        }
    }

    #[test]
    fn a_total_never_falls_below_nothing() {
        assert_eq!(Total::default().without(5), Total::default());
        assert_eq!(Total::default().with(5).with(7).without(5), Total { sum: 7, count: 1 });
    }
}
