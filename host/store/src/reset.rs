//! Which counters there are, and that some begin anew. It removes no counter: versions and clocks only rise.

use rusqlite::params;

use crate::audit::{self, NewRecord};
use crate::charge;
use crate::connection::State;
use crate::error::Failure;
use crate::request::Committed;
use crate::row::{CounterRow, Standing};
use crate::settlement::{CounterPart, CountersRequest, Reset};
use crate::transaction::Transaction;

impl State {
    /// A page of counters, as they are in their table.
    pub(crate) fn counters(&mut self, request: &CountersRequest) -> Result<Vec<CounterPart>, Failure> {
        self.fold(i64::MAX)?;
        let transaction = Transaction::reading(&self.connection)?;
        let mut statement = transaction.prepare_cached(
            "SELECT id, name, partition, clock_ms, newest FROM counter WHERE tenant = ?1 AND id > ?2 \
             ORDER BY id LIMIT ?3",
        )?;
        let after = i64::try_from(request.after).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![request.tenant, after, request.most])?;
        let mut parts = Vec::new();
        while let Some(row) = rows.next()? {
            parts.push(CounterPart {
                place: number(row.get(0)?)?,
                counter: row.get(1)?,
                partition: row.get(2)?,
                clock_ms: row.get(3)?,
                charges: number(row.get(4)?)?,
            });
        }
        Ok(parts)
    }

    /// Lets counters begin anew, and records it.
    pub(crate) fn reset(&mut self, reset: &Reset) -> Result<Committed, Failure> {
        let done = self.reset_all(reset);
        // Counters have changed beside the entries, so nothing that was known of them is relied on.
        self.cache.forget();
        done
    }

    fn reset_all(&mut self, reset: &Reset) -> Result<Committed, Failure> {
        self.fold(i64::MAX)?;
        let transaction = Transaction::alone(&self.connection)?;
        self.cache.renew(&transaction)?;
        if self.cache.pending() > 0 {
            // Another process has committed in between; its charges are not in their table yet.
            return Ok(Committed::Conflict);
        }
        for (counter, partition) in &reset.counters {
            let CounterRow { id, standing } = CounterRow::load(&transaction, &reset.tenant, counter, partition)?;
            let Some(id) = id else { continue };
            let version = standing.version.saturating_add(1);
            // INVARIANT: the clock stays, so that no window that has passed opens again.
            Standing { version, floor: standing.newest, running: None, ..standing }.save(&transaction, id)?;
            charge::prune_up_to(&transaction, id, standing.newest)?;
        }
        let Reset { tenant, at, record, .. } = reset;
        let last = audit::last_link(&transaction, tenant)?;
        let last = audit::append(&transaction, last, &NewRecord { tenant, at: *at, call_id: "", record })?;
        // Whoever knows counters reads them anew when this number is another.
        transaction.prepare_cached("UPDATE state SET folded = folded + 1 WHERE id = 1")?.execute(())?;
        transaction.commit()?;
        Ok(Committed::Done { sequence: last.sequence, hash: last.hash })
    }
}

fn number(column: i64) -> Result<u64, Failure> {
    u64::try_from(column).map_err(|_| Failure::Damaged(format!("a counter has {column} of something")))
}
