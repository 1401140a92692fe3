//! A call on record: its answer, its charges, what came of it. It judges nothing and adds nothing up.

use agenthalt_core::digest::{Digest, Key};
use agenthalt_core::outcome::Status;
use agenthalt_core::verdict::Verdict;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::bytes::{Reader, Writer};
use crate::charge;
use crate::error::Failure;
use crate::request::{CallTag, NamedBy, is_open};

/// The first byte of every call on record.
const FORM: u8 = 1;

/// What a call is found by. Its id may be long and chosen by an agent; this is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallKey {
    pub(crate) id: Digest,
    pub(crate) caller: Digest,
}

impl CallKey {
    /// The key of a call; none where nothing is kept of it. Ids that the host gave are no caller's: a call that
    /// names one of them does not meet it.
    pub(crate) fn of(key: &Key, tenant: &str, call: &CallTag) -> Option<Self> {
        let by: &[u8] = match call.named_by {
            NamedBy::Caller => BY_CALLER,
            NamedBy::Host | NamedBy::HostBefore => BY_HOST,
            NamedBy::Nobody => return None,
        };
        Some(CallKey { id: id_digest(key, tenant, by, &call.id), caller: call.caller })
    }
}

const BY_CALLER: &[u8] = b"call of a caller";
const BY_HOST: &[u8] = b"call of the host";

fn id_digest(key: &Key, tenant: &str, by: &[u8], id: &str) -> Digest {
    key.digest(&[by, tenant.as_bytes(), id.as_bytes()])
}

/// The digests under which an id may stand, whoever gave it.
pub(crate) fn id_digests(key: &Key, tenant: &str, id: &str) -> [Digest; 2] {
    [BY_CALLER, BY_HOST].map(|by| id_digest(key, tenant, by, id))
}

/// A call on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) digest: Digest,
    /// The last instant at which it is on record.
    pub(crate) until: i64,
    pub(crate) verdict: Verdict,
    pub(crate) outcome: Option<Status>,
    /// The place of its record in the tenant's chain.
    pub(crate) sequence: i64,
    pub(crate) charges: Vec<CallCharge>,
}

/// A charge of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CallCharge {
    pub(crate) counter_id: i64,
    pub(crate) place: i64,
    pub(crate) charged_at: i64,
    pub(crate) amount: i64,
    /// Whether it is given back where the call does not run.
    pub(crate) permitted: bool,
    /// Whether the settled cost replaces the amount.
    pub(crate) settles: bool,
}

impl Remembered {
    /// Whether the call may be judged again; its charges are taken back then.
    pub(crate) fn is_open(&self) -> bool {
        is_open(self.verdict, self.outcome)
    }

    /// Writes it down; times and places as they are, since they stand alone.
    pub(crate) fn write(&self, to: &mut Writer) {
        let Remembered { digest, until, verdict, outcome, sequence, charges } = self;
        to.byte(FORM);
        to.digest(digest);
        [*until, *sequence].into_iter().for_each(|number| to.signed(number));
        to.unsigned(verdict_number(*verdict));
        to.unsigned(outcome_number(*outcome));
        to.length(charges.len());
        for charge in charges {
            let CallCharge { counter_id, place, charged_at, amount, permitted, settles } = charge;
            [*counter_id, *place, until.wrapping_sub(*charged_at), *amount].into_iter().for_each(|it| to.signed(it));
            to.unsigned(u64::from(*permitted) | u64::from(*settles) << 1);
        }
    }

    /// Reads it back; none where this is none.
    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        if from.byte()? != FORM {
            return None;
        }
        let digest = from.digest()?;
        let (until, sequence) = (from.signed()?, from.signed()?);
        let verdict = verdict_of(from.unsigned()?)?;
        let outcome = outcome_of(from.unsigned()?)?;
        let charges = from.list(|from| {
            let (counter_id, place, age, amount) = (from.signed()?, from.signed()?, from.signed()?, from.signed()?);
            let bits = from.unsigned()?;
            let charged_at = until.wrapping_sub(age);
            let (permitted, settles) = (bits & 1 == 1, bits >> 1 & 1 == 1);
            Some(CallCharge { counter_id, place, charged_at, amount, permitted, settles })
        })?;
        Some(Remembered { digest, until, verdict, outcome, sequence, charges })
    }

    fn from_row(row: &Row<'_>, column: usize) -> Result<Self, Failure> {
        let read = row.get_ref(column)?.as_blob().ok().and_then(|bytes| Reader::whole(bytes, Remembered::read));
        read.ok_or_else(|| Failure::Damaged("a call on record cannot be read".to_owned()))
    }

    /// Puts it into its table, in the place of what is there.
    pub(crate) fn save(&self, connection: &Connection, key: &CallKey) -> Result<(), Failure> {
        let mut bytes = Writer::default();
        self.write(&mut bytes);
        connection
            .prepare_cached(
                "INSERT INTO call (id, caller, until_ms, remembered) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (id, caller) DO UPDATE SET until_ms = excluded.until_ms, remembered = excluded.remembered",
            )?
            .execute(params![key.id.as_bytes(), key.caller.as_bytes(), self.until, bytes.into_bytes()])?;
        Ok(())
    }
}

/// The call in the table, expired or not.
pub(crate) fn load(connection: &Connection, key: &CallKey) -> Result<Option<Remembered>, Failure> {
    let mut statement = connection.prepare_cached("SELECT remembered FROM call WHERE id = ?1 AND caller = ?2")?;
    let found = statement.query_row([key.id.as_bytes(), key.caller.as_bytes()], |row| Ok(Remembered::from_row(row, 0)));
    found.optional()?.transpose()
}

/// The calls of an id in the table, expired or not, with their callers.
pub(crate) fn of_id(connection: &Connection, id: &Digest) -> Result<Vec<(Digest, Remembered)>, Failure> {
    let mut statement = connection.prepare_cached("SELECT caller, remembered FROM call WHERE id = ?1")?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((charge::digest(row, 0)?, Remembered::from_row(row, 1)?));
    }
    Ok(found)
}

/// Takes away calls that are not on record any more at `clock`, so many at most.
pub(crate) fn prune(connection: &Connection, clock: i64, most: i64) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "DELETE FROM call WHERE place IN (SELECT place FROM call WHERE until_ms < ?1 ORDER BY until_ms LIMIT ?2)",
        )?
        .execute([clock, most])?;
    Ok(())
}

fn verdict_number(verdict: Verdict) -> u64 {
    match verdict {
        Verdict::Allow => 0,
        Verdict::Modify => 1,
        Verdict::RequireApproval => 2,
        Verdict::Deny => 3,
    }
}

fn verdict_of(number: u64) -> Option<Verdict> {
    let all = [Verdict::Allow, Verdict::Modify, Verdict::RequireApproval, Verdict::Deny];
    all.into_iter().find(|verdict| verdict_number(*verdict) == number)
}

fn outcome_number(outcome: Option<Status>) -> u64 {
    match outcome {
        None => 0,
        Some(Status::Succeeded) => 1,
        Some(Status::Failed) => 2,
        Some(Status::NotStarted) => 3,
        Some(Status::Unknown) => 4,
    }
}

fn outcome_of(number: u64) -> Option<Option<Status>> {
    let statuses = [Status::Succeeded, Status::Failed, Status::NotStarted, Status::Unknown];
    let all = std::iter::once(None).chain(statuses.into_iter().map(Some));
    all.into_iter().find(|outcome| outcome_number(*outcome) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_on_record_comes_back_exactly() {
        let charge = CallCharge {
            counter_id: -3,
            place: i64::MAX,
            charged_at: i64::MIN,
            amount: 0,
            permitted: true,
            settles: false,
        };
        for (verdict, outcome) in [
            (Verdict::Allow, None),
            (Verdict::Modify, Some(Status::Succeeded)),
            (Verdict::RequireApproval, Some(Status::Failed)),
            (Verdict::Deny, Some(Status::NotStarted)),
            (Verdict::Allow, Some(Status::Unknown)),
        ] {
            let charges = vec![charge, CallCharge { settles: true, permitted: false, amount: i64::MAX, ..charge }];
            let call =
                Remembered { digest: Digest::of(b"call"), until: i64::MAX, verdict, outcome, sequence: 7, charges };
            let mut bytes = Writer::default();
            call.write(&mut bytes);
            let bytes = bytes.into_bytes();
            assert_eq!(Reader::whole(&bytes, Remembered::read).as_ref(), Some(&call));
            for length in 0..bytes.len() {
                let cut = bytes.get(..length).unwrap_or_default();
                assert!(Reader::whole(cut, Remembered::read).is_none(), "cut at {length}");
            }
        }
    }
}
