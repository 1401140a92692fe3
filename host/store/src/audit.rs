//! The chain of audit records, its pages and its proof. It appends; it never changes or removes.

use std::cmp::Ordering;
use std::fmt::Write as _;

use agenthalt_core::digest::Digest;
use agenthalt_core::time::Timestamp;
use agenthalt_json::write_string;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::error::{Failure, StoreError};
use crate::request::Record;
use crate::settlement::RecordsRequest;
use crate::store::StoreFuture;

/// How many records a proof looks at in one go; other work of the store comes between.
const PROOF_PAGE: u32 = 500;

/// One record as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRecord {
    /// Its place in the tenant's chain, from 1, without a gap.
    pub sequence: u64,
    /// The stamp of the call: milliseconds since 1970-01-01T00:00:00Z.
    pub at_ms: i64,
    /// What was done, such as `evaluation`.
    pub kind: String,
    /// The call's id.
    pub call_id: String,
    /// What came of it.
    pub verdict: String,
    /// Everything else: one JSON object in canonical form.
    pub body: String,
    /// The hash of the record before it; [`Digest::ZERO`] for the first.
    pub previous: Digest,
    /// Its own hash.
    pub hash: Digest,
}

/// The chain does not hold at this place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the audit chain is broken at record {sequence}: it was changed, removed, inserted or moved")]
pub struct Broken {
    /// The place of the first record that is not what was appended there.
    pub sequence: u64,
}

impl AuditRecord {
    /// The hash that a record of this content has in the chain of `tenant`: [`Digest::link`] over the
    /// record before it, its place, and its text. That is one line of JSON,
    /// `[at_ms,"kind","call_id","verdict"]`, a line feed, and the body.
    pub fn link(&self, tenant: &str) -> Digest {
        let before = Link { sequence: self.sequence.saturating_sub(1), hash: self.previous };
        before.then(tenant, self.at_ms, [&self.kind, &self.call_id, &self.verdict], &self.body)
    }
}

/// A page of a chain, with the chain's last link at the same moment.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) records: Vec<AuditRecord>,
    pub(crate) last: Link,
}

/// A place in a chain, and the hash there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) sequence: u64,
    pub(crate) hash: Digest,
}

impl Link {
    /// Before the first record.
    const BEGIN: Link = Link { sequence: 0, hash: Digest::ZERO };

    /// The hash of the record behind this one.
    fn then(self, tenant: &str, at_ms: i64, line: [&str; 3], body: &str) -> Digest {
        let mut text = String::with_capacity(body.len() + 128);
        // Writing to a string does not fail.
        let _ = write!(text, "[{at_ms}");
        for part in line {
            let _ = text.write_char(',').and_then(|()| write_string(&mut text, part));
        }
        text.push_str("]\n");
        text.push_str(body);
        Digest::link(&self.hash, tenant, self.sequence.saturating_add(1), &text)
    }

    /// The place of its record, as columns have it.
    pub(crate) fn place(&self) -> Result<i64, Failure> {
        i64::try_from(self.sequence).map_err(|_| Failure::Damaged("a chain is too long".to_owned()))
    }

    /// The link after this one, if the record is the one that belongs there.
    fn follow(self, tenant: &str, record: &AuditRecord) -> Result<Link, Broken> {
        let sequence = self.sequence + 1;
        let holds = record.sequence == sequence && record.previous == self.hash && record.link(tenant) == record.hash;
        if holds { Ok(Link { sequence, hash: record.hash }) } else { Err(Broken { sequence }) }
    }
}

/// What is to be appended to a tenant's chain.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRecord<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) call_id: &'a str,
    pub(crate) record: &'a Record,
}

/// Appends a record behind the last link of its tenant's chain, and gives the new last.
pub(crate) fn append(connection: &Connection, last: Link, new: &NewRecord<'_>) -> Result<Link, Failure> {
    let NewRecord { tenant, at, call_id, record } = *new;
    let at_ms = at.as_millis();
    let hash = last.then(tenant, at_ms, [&record.kind, call_id, &record.verdict], &record.body);
    let link = Link { sequence: last.sequence.saturating_add(1), hash };
    let place = link.place()?;
    connection
        .prepare_cached(
            "INSERT INTO audit (tenant, sequence, at_ms, kind, call_id, verdict, body, previous, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            tenant,
            place,
            at_ms,
            record.kind,
            call_id,
            record.verdict,
            record.body,
            last.hash.as_bytes(),
            hash.as_bytes(),
        ])?;
    connection
        .prepare_cached(
            "INSERT INTO chain (tenant, sequence, hash) VALUES (?1, ?2, ?3) \
             ON CONFLICT (tenant) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
        )?
        .execute(params![tenant, place, hash.as_bytes()])?;
    Ok(link)
}

/// Reads a page. Called within one transaction.
pub(crate) fn page(connection: &Connection, request: &RecordsRequest) -> Result<Page, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, at_ms, kind, call_id, verdict, body, previous, hash FROM audit \
         WHERE tenant = ?1 AND sequence > ?2 ORDER BY sequence LIMIT ?3",
    )?;
    let after = i64::try_from(request.after).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![request.tenant, after, request.most])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(record(row)?);
    }
    Ok(Page { records, last: last_link(connection, &request.tenant)? })
}

/// One record of a tenant's chain.
pub(crate) fn one(connection: &Connection, tenant: &str, sequence: i64) -> Result<AuditRecord, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT sequence, at_ms, kind, call_id, verdict, body, previous, hash FROM audit \
         WHERE tenant = ?1 AND sequence = ?2",
    )?;
    let found = statement.query_row(params![tenant, sequence], |row| Ok(record(row))).optional()?.transpose()?;
    found.ok_or_else(|| Failure::Damaged(format!("the record {sequence} of a call is missing")))
}

fn record(row: &Row<'_>) -> Result<AuditRecord, Failure> {
    Ok(AuditRecord {
        sequence: place(row.get(0)?)?,
        at_ms: row.get(1)?,
        kind: row.get(2)?,
        call_id: row.get(3)?,
        verdict: row.get(4)?,
        body: row.get(5)?,
        previous: crate::charge::digest(row, 6)?,
        hash: crate::charge::digest(row, 7)?,
    })
}

/// The last link of a tenant's chain.
pub(crate) fn last_link(connection: &Connection, tenant: &str) -> Result<Link, Failure> {
    let mut statement = connection.prepare_cached("SELECT sequence, hash FROM chain WHERE tenant = ?1")?;
    let mut rows = statement.query([tenant])?;
    match rows.next()? {
        Some(row) => Ok(Link { sequence: place(row.get(0)?)?, hash: crate::charge::digest(row, 1)? }),
        None => Ok(Link::BEGIN),
    }
}

fn place(column: i64) -> Result<u64, Failure> {
    u64::try_from(column).map_err(|_| Failure::Damaged(format!("a record stands at place {column}")))
}

/// Follows a chain to its end, a page at a time.
pub(crate) async fn verify(
    tenant: String,
    page_after: impl Fn(RecordsRequest) -> StoreFuture<Page>,
) -> Result<Result<u64, Broken>, StoreError> {
    let mut link = Link::BEGIN;
    loop {
        let request = RecordsRequest { tenant: tenant.clone(), after: link.sequence, most: PROOF_PAGE };
        let page = page_after(request).await?;
        for record in &page.records {
            link = match link.follow(&tenant, record) {
                Ok(next) => next,
                Err(broken) => return Ok(Err(broken)),
            };
        }
        // INVARIANT: the end is compared with the last link that was written, so that a chain which lost
        // its newest records, or got one more, does not pass for whole.
        if page.records.is_empty() || link.sequence > page.last.sequence {
            return Ok(match link.sequence.cmp(&page.last.sequence) {
                Ordering::Equal if link.hash == page.last.hash => Ok(link.sequence),
                Ordering::Equal => Err(Broken { sequence: link.sequence }),
                Ordering::Less => Err(Broken { sequence: link.sequence + 1 }),
                Ordering::Greater => Err(Broken { sequence: page.last.sequence + 1 }),
            });
        }
    }
}
