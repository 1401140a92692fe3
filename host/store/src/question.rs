//! The tables of questions and answers. What an answer means is decided by the rules of `agenthalt-core`.

use std::collections::BTreeSet;

use agenthalt_core::approval::{Answer, ApprovalId, ApprovalRules, Question, Standing, Terms, Word};
use agenthalt_core::digest::Digest;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::Granted;
use agenthalt_json::Json;
use rusqlite::{Connection, Row, params};

use crate::approval::{Answering, Approval, ApprovalsRequest, Approving, NewAnswer, NewQuestion, OpenQuestion};
use crate::audit::NewRecord;
use crate::commit::Written;
use crate::connection::State;
use crate::error::Failure;
use crate::request::Commit;
use crate::transaction::Transaction;

const COLUMNS: &str = "place, id, digest, policy, created_ms, expires_ms, required, not_the_requester, approvers, \
                       requesters, shown, used_ms, guards, unmatched, session, uses";

/// What becomes of a commit, as far as its question goes.
pub(crate) enum Step {
    /// It may be written, and this is done already.
    Taken,
    /// What was known of the question does not hold any more.
    Conflict,
    /// The question is not asked.
    Open(OpenQuestion),
}

/// Takes the step of a commit, at the latest stamp of all.
// INVARIANT: a yes is used in the transaction that lets its call through, by one call alone; and what is not approved
// at that very moment, for whatever reason, lets nothing through.
pub(crate) fn step(connection: &Connection, commit: &Commit, now: Timestamp) -> Result<Step, Failure> {
    let tenant = &commit.tenant;
    match &commit.approving {
        None => Ok(Step::Taken),
        Some(Approving::Asks(question)) => match open(connection, tenant, question, now)? {
            Some(open) => Ok(Step::Open(open)),
            None => {
                insert(connection, tenant, question, now)?;
                Ok(Step::Taken)
            }
        },
        Some(Approving::Joins(id)) => {
            let standing = load(connection, tenant, *id, now)?.map(|approval| approval.standing);
            Ok(if standing == Some(Standing::Pending) { Step::Taken } else { Step::Conflict })
        }
        Some(Approving::Uses(id)) => match load(connection, tenant, *id, now)? {
            Some(approval) if approval.standing == Standing::Approved && commit.verdict.lets_through() => {
                take(connection, tenant, &approval, now)?;
                Ok(Step::Taken)
            }
            Some(_) | None => Ok(Step::Conflict),
        },
    }
}

/// Uses a yes. Where it serves one call alone, those to earlier questions about the same, of which it says no less, are
/// used with it.
fn take(connection: &Connection, tenant: &str, approval: &Approval, now: Timestamp) -> Result<(), Failure> {
    let Approval { place, digest, policy, question, .. } = approval;
    let mut question = question.clone();
    question.serve(now);
    connection
        .prepare_cached("UPDATE approval SET uses = ?2, used_ms = ?3, is_closed = ?3 IS NOT NULL WHERE place = ?1")?
        .execute(params![column(*place), question.uses, question.used.map(Timestamp::as_millis)])?;
    if question.terms().is_none() {
        connection
            .prepare_cached(
                "UPDATE approval SET uses = 1, used_ms = ?5, is_closed = 1 \
                 WHERE tenant = ?1 AND digest = ?2 AND policy = ?3 AND is_closed = 0 AND place < ?4 \
                 AND coalesce(expires_ms >= ?5, TRUE) \
                 AND NOT EXISTS (SELECT 1 FROM answer WHERE approval = place AND terms IS NOT NULL)",
            )?
            .execute(params![tenant, digest.as_bytes(), policy.as_bytes(), column(*place), now.as_millis()])?;
    }
    Ok(())
}

impl State {
    /// A page of questions.
    pub(crate) fn approvals(&mut self, request: &ApprovalsRequest) -> Result<Vec<Approval>, Failure> {
        let transaction = Transaction::reading(&self.connection)?;
        self.cache.renew(&transaction)?;
        let now = self.cache.now(request.at);
        if let Some(id) = request.id {
            return Ok(load(&transaction, &request.tenant, id, now)?.into_iter().collect());
        }
        let mut statement = transaction.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM approval WHERE tenant = ?1 AND place > ?2 AND is_closed <= ?3 ORDER BY place"
        ))?;
        let mut rows = statement.query(params![request.tenant, column(request.after), !request.is_open])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let approval = approval(&transaction, row, now)?;
            // What is over is closed only once somebody looks at it.
            if !request.is_open || matches!(approval.standing, Standing::Pending | Standing::Approved) {
                found.push(approval);
            }
            if found.len() >= request.most as usize {
                break;
            }
        }
        Ok(found)
    }

    /// Takes an answer, and records it.
    pub(crate) fn answer(&mut self, new: &NewAnswer) -> Result<Answering, Failure> {
        self.alone()?.end(|connection, _, cache| {
            let now = cache.now(new.answer.at);
            let Some(mut approval) = load(connection, &new.tenant, new.id, now)? else {
                return Ok((None, Answering::Unknown));
            };
            let answer = Answer { at: now, ..new.answer.clone() };
            let turn = approval.question.answers.len();
            let standing = match approval.question.answer(answer.clone()) {
                Ok(standing) => standing,
                Err(refused) => return Ok((None, Answering::Refused(refused))),
            };
            let is_closed = !matches!(standing, Standing::Pending | Standing::Approved);
            let Answer { word, by, account, via, reason, within_ms, terms, .. } = &answer;
            connection
                .prepare_cached(
                    "INSERT INTO answer (approval, turn, word, by_name, account, via, reason, within_ms, terms, at_ms) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                )?
                .execute(params![
                    column(approval.place),
                    turn as i64,
                    word.as_str(),
                    by,
                    account,
                    via,
                    reason,
                    within_ms.map(column),
                    terms.as_ref().map(|terms| terms.to_json().to_string()),
                    now.as_millis()
                ])?;
            connection
                .prepare_cached("UPDATE approval SET is_closed = ?2, expires_ms = ?3 WHERE place = ?1")?
                .execute(params![
                    column(approval.place),
                    is_closed,
                    approval.question.expires.map(Timestamp::as_millis)
                ])?;
            let record = (new.record)(standing);
            let call_id = new.id.to_string();
            let written = NewRecord { tenant: &new.tenant, at: now, call_id: &call_id, record: &record };
            let Written { last, made, entry, .. } = Written::of(connection, cache, &written, |_| None)?;
            let done = Answering::Done { standing, sequence: last.sequence };
            Ok((Some(Written { tenant: &new.tenant, made, entry, last }), done))
        })
    }
}

/// What keeps a question from being asked, if anything does.
fn open(
    connection: &Connection,
    tenant: &str,
    question: &NewQuestion,
    now: Timestamp,
) -> Result<Option<OpenQuestion>, Failure> {
    let mut same = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM approval WHERE tenant = ?1 AND digest = ?2 AND policy = ?3 AND is_closed = 0 \
         ORDER BY place DESC"
    ))?;
    let mut rows = same.query(params![tenant, question.digest.as_bytes(), question.policy.as_bytes()])?;
    let (mut is_earlier, mut pending) = (false, None);
    while let Some(row) = rows.next()? {
        let approval = approval(connection, row, now)?;
        is_earlier |= question.beside == Some(approval.id);
        match approval.standing {
            Standing::Pending => pending = pending.or(Some(approval.id)),
            Standing::Approved if !is_earlier => return Ok(Some(OpenQuestion::Approved(Box::new(approval)))),
            Standing::Approved | Standing::Denied | Standing::Revoked | Standing::Expired | Standing::Used => {}
        }
    }
    let alike = if question.is_unlike { Vec::new() } else { alike(connection, tenant, question, now)? };
    if !alike.is_empty() {
        return Ok(Some(OpenQuestion::Alike(alike)));
    }
    if let Some(pending) = pending {
        return Ok(Some(OpenQuestion::Pending(pending)));
    }
    close_what_is_over(connection, tenant, &question.asker, now)?;
    let pending: i64 = connection
        .prepare_cached("SELECT count(*) FROM approval WHERE tenant = ?1 AND asker = ?2 AND is_closed = 0")?
        .query_row(params![tenant, question.asker.as_bytes()], |row| row.get(0))?;
    let is_too_many = pending >= i64::from(question.most_pending);
    Ok(is_too_many.then_some(OpenQuestion::TooMany(question.most_pending)))
}

/// The calls like this one that were approved on terms.
fn alike(
    connection: &Connection,
    tenant: &str,
    question: &NewQuestion,
    now: Timestamp,
) -> Result<Vec<Approval>, Failure> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM approval WHERE tenant = ?1 AND kind = ?2 AND policy = ?3 AND is_closed = 0 \
         AND EXISTS (SELECT 1 FROM answer WHERE approval = place AND terms IS NOT NULL) ORDER BY place"
    ))?;
    let mut rows = statement.query(params![tenant, question.kind.as_bytes(), question.policy.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let session = crate::charge::digest(row, 14)?;
        let approval = approval(connection, row, now)?;
        let is_meant = |terms: &Terms| terms.serves_any_session() || session == question.session;
        if approval.standing == Standing::Approved && approval.question.terms().is_some_and(is_meant) {
            found.push(approval);
        }
    }
    Ok(found)
}

fn close_what_is_over(connection: &Connection, tenant: &str, asker: &Digest, now: Timestamp) -> Result<(), Failure> {
    connection
        .prepare_cached(
            "UPDATE approval SET is_closed = 1 \
             WHERE tenant = ?1 AND asker = ?2 AND is_closed = 0 AND expires_ms < ?3",
        )?
        .execute(params![tenant, asker.as_bytes(), now.as_millis()])?;
    Ok(())
}

fn insert(connection: &Connection, tenant: &str, new: &NewQuestion, now: Timestamp) -> Result<(), Failure> {
    let NewQuestion { id, digest, policy, kind, session, asker, asks, rules, requesters, shown, .. } = new;
    let expires = rules.expires_ms.map(|time| now.saturating_add(time).as_millis());
    connection
        .prepare_cached(
            "INSERT INTO approval (id, tenant, digest, policy, asker, created_ms, expires_ms, required, \
             not_the_requester, approvers, requesters, shown, guards, unmatched, kind, session, uses, is_closed) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, 0, 0)",
        )?
        .execute(params![
            id.to_string(),
            tenant,
            digest.as_bytes(),
            policy.as_bytes(),
            asker.as_bytes(),
            now.as_millis(),
            expires,
            rules.required,
            rules.not_the_requester,
            rules.approvers.as_ref().map(list),
            list(requesters),
            shown,
            list(&asks.guards),
            asks.unmatched,
            kind.as_bytes(),
            session.as_bytes(),
        ])?;
    Ok(())
}

fn load(connection: &Connection, tenant: &str, id: ApprovalId, now: Timestamp) -> Result<Option<Approval>, Failure> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {COLUMNS} FROM approval WHERE tenant = ?1 AND id = ?2"))?;
    let mut rows = statement.query(params![tenant, id.to_string()])?;
    rows.next()?.map(|row| approval(connection, row, now)).transpose()
}

fn approval(connection: &Connection, row: &Row<'_>, now: Timestamp) -> Result<Approval, Failure> {
    let place: i64 = row.get(0)?;
    let damaged = || Failure::Damaged(format!("the question {place} cannot be read"));
    let id: String = row.get(1)?;
    let approvers: Option<String> = row.get(8)?;
    let approvers = approvers.map(|text| names(&text).ok_or_else(damaged)).transpose()?;
    let rules = ApprovalRules {
        required: row.get(6)?,
        not_the_requester: row.get(7)?,
        approvers: approvers.map(|names| names.into_iter().collect::<BTreeSet<_>>()),
        expires_ms: None,
    };
    let stamp = |column: usize| -> Result<Option<Timestamp>, Failure> {
        let ms: Option<i64> = row.get(column)?;
        ms.map(|ms| Timestamp::from_millis(ms).map_err(|_| damaged())).transpose()
    };
    let requesters: String = row.get(9)?;
    let question = Question {
        rules,
        requesters: names(&requesters).ok_or_else(damaged)?,
        created: stamp(4)?.ok_or_else(damaged)?,
        expires: stamp(5)?,
        answers: answers(connection, place)?.ok_or_else(damaged)?,
        uses: row.get(15)?,
        used: stamp(11)?,
    };
    let standing = question.standing(now);
    let guards: String = row.get(12)?;
    Ok(Approval {
        place: u64::try_from(place).map_err(|_| damaged())?,
        id: id.parse().map_err(|_| damaged())?,
        digest: crate::charge::digest(row, 2)?,
        policy: crate::charge::digest(row, 3)?,
        asks: Granted { guards: names(&guards).ok_or_else(damaged)?.into_iter().collect(), unmatched: row.get(13)? },
        question,
        standing,
        shown: row.get(10)?,
    })
}

/// The answers to a question; none where one of them is none.
fn answers(connection: &Connection, place: i64) -> Result<Option<Vec<Answer>>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT word, by_name, account, via, reason, at_ms, within_ms, terms FROM answer WHERE approval = ?1 ORDER BY turn",
    )?;
    let mut rows = statement.query([place])?;
    let mut answers = Vec::new();
    while let Some(row) = rows.next()? {
        let said: String = row.get(0)?;
        let word = [Word::Yes, Word::No, Word::Revoke].into_iter().find(|word| word.as_str() == said);
        let (Some(word), Ok(at)) = (word, Timestamp::from_millis(row.get(5)?)) else { return Ok(None) };
        let (by, account, via, reason) = (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?);
        let within: Option<i64> = row.get(6)?;
        let within_ms = within.and_then(|within| u64::try_from(within).ok());
        let terms: Option<String> = row.get(7)?;
        let terms = match terms {
            None => None,
            Some(text) => match Json::parse(&text).ok().as_ref().and_then(Terms::from_json) {
                None => return Ok(None),
                terms => terms,
            },
        };
        answers.push(Answer { word, by, account, via, reason, within_ms, terms, at });
    }
    Ok(Some(answers))
}

fn column(place: u64) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    Json::Array(names.into_iter().map(|name| Json::from(name.as_str())).collect()).to_string()
}

fn names(text: &str) -> Option<Vec<String>> {
    let names = Json::parse(text).ok()?;
    names.as_array()?.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}
