//! A store that keeps everything in lists and looks at all of it: the plain meaning of the trait, to hold other
//! stores against. It is never fast and forgets nothing.

use std::collections::BTreeMap;
use std::future;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use agenthalt_core::counter::{Measure, run_length};
use agenthalt_core::digest::{Digest, Key};
use agenthalt_core::outcome::Status;
use agenthalt_core::time::Timestamp;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{
    Answered, Answering, AppliedCharge, Approval, ApprovalsRequest, AuditRecord, Broken, CallTag, Commit, Committed,
    CounterPart, CounterRead, CountersRequest, NamedBy, NewAnswer, ReadRequest, Record, RecordsRequest, Reset, Settled,
    SettledCall, SettledCharge, Settlement, Snapshot, Store, StoreError, StoreFuture, Version,
};

mod questions;

use questions::Asked;

/// Tenant, counter, partition.
type CounterName = (String, String, String);
/// Readings, the answer on record, and the versions of what was read.
type Seen = (Vec<Option<i64>>, Option<Answered>, Vec<(CounterName, u64)>);
/// Tenant, whether the caller gave the id, id, caller.
type CallName = (String, bool, String, Digest);

pub(crate) struct PlainStore {
    key: Key,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    plain: Mutex<Plain>,
    released: Condvar,
}

#[derive(Default)]
struct Plain {
    counters: BTreeMap<CounterName, Counter>,
    /// Counters in the order in which they were first charged.
    order: Vec<CounterName>,
    calls: BTreeMap<CallName, Call>,
    chains: BTreeMap<String, Vec<AuditRecord>>,
    /// The questions of all tenants, in order.
    asked: Vec<(String, Asked)>,
    clock: i64,
    /// Who reads alone.
    holder: Option<u64>,
    holders: u64,
}

#[derive(Clone, Default)]
struct Counter {
    version: u64,
    clock: i64,
    made: u64,
    charges: Vec<Charge>,
}

#[derive(Clone)]
struct Charge {
    number: u64,
    charged_at: i64,
    amount: i64,
    sequence: Digest,
}

#[derive(Clone)]
struct Call {
    digest: Digest,
    until: i64,
    verdict: Verdict,
    outcome: Option<Status>,
    sequence: u64,
    charges: Vec<OfCall>,
}

#[derive(Clone)]
struct OfCall {
    counter: CounterName,
    number: u64,
    permitted: bool,
    settles: bool,
}

/// What was read; dropping it releases who waits for it.
struct Read {
    request: ReadRequest,
    versions: Vec<(CounterName, u64)>,
    answered: Option<u64>,
    holder: Option<u64>,
    shared: Arc<Shared>,
}

impl Drop for Read {
    fn drop(&mut self) {
        if self.holder.is_some() {
            let mut plain = self.shared.plain.lock().unwrap();
            if plain.holder == self.holder {
                plain.holder = None;
            }
            self.shared.released.notify_all();
        }
    }
}

impl PlainStore {
    pub(crate) fn new() -> Self {
        PlainStore { key: Key::new([7; 32]), shared: Arc::default() }
    }
}

impl Shared {
    /// The state, when nobody else reads alone.
    fn lock(&self, me: Option<u64>) -> MutexGuard<'_, Plain> {
        let mut plain = self.plain.lock().unwrap();
        while plain.holder.is_some() && plain.holder != me {
            plain = self.released.wait(plain).unwrap();
        }
        plain
    }
}

fn name(tenant: &str, counter: &str, partition: &str) -> CounterName {
    (tenant.to_owned(), counter.to_owned(), partition.to_owned())
}

fn call_name(tenant: &str, call: &CallTag) -> Option<CallName> {
    let by_caller = match call.named_by {
        NamedBy::Caller => true,
        NamedBy::Host | NamedBy::HostBefore => false,
        NamedBy::Nobody => return None,
    };
    Some((tenant.to_owned(), by_caller, call.id.clone(), call.caller))
}

fn lets_through(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Allow | Verdict::Modify)
}

impl Call {
    fn is_open(&self) -> bool {
        self.verdict == Verdict::RequireApproval
            || (lets_through(self.verdict) && self.outcome == Some(Status::NotStarted))
    }
}

impl Plain {
    fn answer(&self, tenant: &str, call: &CallTag, at: i64) -> Option<&Call> {
        let name = call_name(tenant, call).filter(|_| call.named_by != NamedBy::Host)?;
        self.calls.get(&name).filter(|found| found.until >= at.max(self.clock))
    }

    fn effective(&self, counter: &CounterName, at: Timestamp) -> Timestamp {
        let clock = self.counters.get(counter).map_or(i64::MIN, |counter| counter.clock);
        Timestamp::from_millis(at.as_millis().max(clock)).unwrap()
    }

    fn read(&self, request: &ReadRequest) -> Seen {
        let found = self.answer(&request.tenant, &request.call, request.at.as_millis());
        let answered = found.map(|found| Answered {
            is_same_call: found.digest == request.call.digest,
            verdict: found.verdict,
            outcome: found.outcome,
            record: self.chains[&request.tenant][usize::try_from(found.sequence).unwrap() - 1].clone(),
        });
        let own = match found {
            Some(found) if found.is_open() && found.digest == request.call.digest => found.charges.as_slice(),
            _ => &[],
        };
        let names = request.counters.iter().map(|wanted| name(&request.tenant, &wanted.counter, &wanted.partition));
        let versions: Vec<_> =
            names.map(|name| (name.clone(), self.counters.get(&name).map_or(0, |counter| counter.version))).collect();
        let readings = request.counters.iter().zip(&versions);
        let readings = readings.map(|(wanted, (name, _))| self.reading(request, wanted, name, own)).collect();
        (readings, answered, versions)
    }

    fn reading(&self, request: &ReadRequest, wanted: &CounterRead, name: &CounterName, own: &[OfCall]) -> Option<i64> {
        let start = wanted.window.start(self.effective(name, request.at), &request.zone);
        let is_own = |charge: &&Charge| own.iter().any(|own| own.counter == *name && own.number == charge.number);
        let all = self.counters.get(name).map_or(&[][..], |counter| counter.charges.as_slice());
        let seen: Vec<&Charge> = all.iter().filter(|it| it.charged_at >= start && !is_own(it)).collect();
        match wanted.measure {
            Measure::Sum => Some(seen.iter().fold(0, |sum: i64, charge| sum.saturating_add(charge.amount))),
            Measure::Count => Some(i64::try_from(seen.len()).unwrap()),
            Measure::LastTime => seen.last().map(|charge| charge.charged_at),
            Measure::RunOfSame | Measure::RunOfTwo => {
                let calls: Vec<Digest> = seen.iter().rev().map(|charge| charge.sequence).collect();
                Some(i64::try_from(run_length(wanted.measure, &wanted.sequence, &calls)).unwrap())
            }
        }
    }

    fn commit(&mut self, read: &Read, commit: &Commit) -> Result<Committed, StoreError> {
        let refused = |what: &str| Err(StoreError::Refused(what.to_owned()));
        let Commit { tenant, call, at, .. } = commit;
        if (tenant, call, at) != (&read.request.tenant, &read.request.call, &read.request.at) {
            return refused("another evaluation");
        }
        if commit.charges.iter().any(|charge| charge.amount < 0) {
            return refused("a negative amount");
        }
        let version = |name: &CounterName| self.counters.get(name).map_or(0, |counter| counter.version);
        let found = self.answer(tenant, call, at.as_millis()).cloned();
        if read.versions.iter().any(|(name, read)| version(name) != *read)
            || found.as_ref().map(|found| found.sequence) != read.answered
        {
            return Ok(Committed::Conflict);
        }
        if found.as_ref().is_some_and(|found| !found.is_open() || found.digest != call.digest) {
            return refused("the call has its answer");
        }
        let is_read = |name: &CounterName| read.versions.iter().any(|(read, _)| read == name);
        let applied = |charge: &AppliedCharge| name(tenant, &charge.counter, &charge.partition);
        if !commit.charges.iter().all(|charge| is_read(&applied(charge))) {
            return refused("a counter that was not read");
        }
        match self.step(commit) {
            None => {}
            Some(other) => return Ok(other),
        }
        let (own, mut of_call): (Vec<OfCall>, Vec<OfCall>) =
            found.map(|found| found.charges).unwrap_or_default().into_iter().partition(|own| is_read(&own.counter));
        for own in own {
            let counter = self.counters.get_mut(&own.counter).unwrap();
            counter.charges.retain(|charge| charge.number != own.number);
            counter.version += 1;
        }
        for charge in &commit.charges {
            of_call.push(self.charge(applied(charge), *at, charge));
        }
        let sequence = self.append(tenant, *at, &call.id, &commit.record);
        let is_kept = call.named_by != NamedBy::Host || commit.verdict != Verdict::Deny;
        if let Some(name) = call_name(tenant, call).filter(|_| is_kept) {
            let until = at.as_millis() + i64::try_from(commit.remembered_ms).unwrap();
            let (digest, verdict) = (call.digest, commit.verdict);
            self.calls.insert(name, Call { digest, until, verdict, outcome: None, sequence, charges: of_call });
            self.clock = self.clock.max(at.as_millis());
        } else if !commit.charges.is_empty() {
            self.clock = self.clock.max(at.as_millis());
        }
        let hash = self.chains[tenant].last().unwrap().hash;
        Ok(Committed::Done { sequence, hash })
    }

    fn now(&self, at: Timestamp) -> Timestamp {
        Timestamp::from_millis(at.as_millis().max(self.clock)).unwrap()
    }

    fn charge(&mut self, name: CounterName, at: Timestamp, charge: &AppliedCharge) -> OfCall {
        let charged_at = self.effective(&name, at).as_millis();
        if !self.counters.contains_key(&name) {
            self.order.push(name.clone());
        }
        let counter = self.counters.entry(name.clone()).or_default();
        counter.version += 1;
        counter.made += 1;
        counter.clock = charged_at;
        let number = counter.made;
        counter.charges.push(Charge { number, charged_at, amount: charge.amount, sequence: charge.sequence });
        OfCall { counter: name, number, permitted: charge.permitted, settles: charge.settles }
    }

    fn settle(&mut self, settlement: &Settlement) -> Settled {
        let now = settlement.at.as_millis().max(self.clock);
        let is_meant = |(tenant, _, id, caller): &CallName| {
            *tenant == settlement.tenant
                && *id == settlement.call_id
                && settlement.caller.is_none_or(|meant| meant == *caller)
        };
        let found = self.calls.iter().filter(|(name, call)| is_meant(name) && call.until >= now);
        let found: Vec<(CallName, Call)> = found.map(|(name, call)| (name.clone(), call.clone())).collect();
        if found.is_empty() {
            return Settled::Unknown;
        }
        let through: Vec<_> = found.into_iter().filter(|(_, call)| lets_through(call.verdict)).collect();
        let [(name, call)] = through.as_slice() else {
            return if through.is_empty() { Settled::NotLetThrough } else { Settled::Ambiguous };
        };
        let status = settlement.outcome.status;
        match call.outcome {
            Some(before) if before.is_final() || before == status => return Settled::Before(before),
            _ => {}
        }
        let (mut changes, mut left) = (Vec::new(), Vec::new());
        for own in &call.charges {
            let counter = self.counters.get_mut(&own.counter).unwrap();
            let Some(charge) = counter.charges.iter_mut().find(|charge| charge.number == own.number) else { continue };
            let before = charge.amount;
            let after = settlement.outcome.amount(before, own.permitted, own.settles);
            if after != Some(before) {
                let (_, name, partition) = own.counter.clone();
                changes.push(SettledCharge { counter: name, partition, before, after });
                counter.version += 1;
            }
            match after {
                Some(after) => {
                    charge.amount = after;
                    left.push(own.clone());
                }
                None => counter.charges.retain(|charge| charge.number != own.number),
            }
        }
        let record = (settlement.record)(&SettledCall { sequence: call.sequence, changes });
        let call = Call { outcome: Some(status), charges: left, ..call.clone() };
        self.calls.insert(name.clone(), call);
        self.clock = self.clock.max(settlement.at.as_millis());
        Settled::Done { sequence: self.append(&settlement.tenant, settlement.at, &settlement.call_id, &record) }
    }

    fn append(&mut self, tenant: &str, at: Timestamp, call_id: &str, record: &Record) -> u64 {
        let chain = self.chains.entry(tenant.to_owned()).or_default();
        let mut next = AuditRecord {
            sequence: u64::try_from(chain.len()).unwrap() + 1,
            at_ms: at.as_millis(),
            kind: record.kind.clone(),
            call_id: call_id.to_owned(),
            verdict: record.verdict.clone(),
            body: record.body.clone(),
            previous: chain.last().map_or(Digest::ZERO, |last| last.hash),
            hash: Digest::ZERO,
        };
        next.hash = next.link(tenant);
        chain.push(next);
        u64::try_from(chain.len()).unwrap()
    }
}

impl Store for PlainStore {
    fn key(&self) -> &Key {
        &self.key
    }

    fn read(&self, request: ReadRequest) -> StoreFuture<Snapshot> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let (readings, answered, versions) = shared.lock(None).read(&request);
            let sequence = answered.as_ref().map(|answered| answered.record.sequence);
            let read = Read { request, versions, answered: sequence, holder: None, shared };
            Ok(Snapshot { readings, answered, version: Version::new(read) })
        })
    }

    fn read_alone(&self, request: ReadRequest) -> StoreFuture<Snapshot> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let mut plain = shared.lock(None);
            plain.holders += 1;
            plain.holder = Some(plain.holders);
            let (readings, answered, versions) = plain.read(&request);
            let sequence = answered.as_ref().map(|answered| answered.record.sequence);
            let holder = plain.holder;
            drop(plain);
            let read = Read { request, versions, answered: sequence, holder, shared };
            Ok(Snapshot { readings, answered, version: Version::new(read) })
        })
    }

    fn commit(&self, version: Version, commit: Commit) -> StoreFuture<Committed> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let read: Read = version.into_read().ok_or_else(|| StoreError::Refused("another store's".to_owned()))?;
            let committed = shared.lock(read.holder).commit(&read, &commit);
            drop(read);
            committed
        })
    }

    fn settle(&self, settlement: Settlement) -> StoreFuture<Settled> {
        let shared = self.shared.clone();
        Box::pin(async move { Ok(shared.lock(None).settle(&settlement)) })
    }

    fn counters(&self, request: CountersRequest) -> StoreFuture<Vec<CounterPart>> {
        let plain = self.shared.plain.lock().unwrap();
        let all =
            plain.order.iter().zip(1_u64..).filter(|(name, place)| name.0 == request.tenant && *place > request.after);
        let parts = all.take(request.most as usize).map(|(name, place)| CounterPart {
            place,
            counter: name.1.clone(),
            partition: name.2.clone(),
            clock_ms: plain.counters[name].clock,
            charges: plain.counters[name].made,
        });
        Box::pin(future::ready(Ok(parts.collect())))
    }

    fn reset(&self, reset: Reset) -> StoreFuture<Committed> {
        let shared = self.shared.clone();
        Box::pin(async move {
            let mut plain = shared.lock(None);
            for (counter, partition) in &reset.counters {
                if let Some(counter) = plain.counters.get_mut(&name(&reset.tenant, counter, partition)) {
                    counter.charges.clear();
                    counter.version += 1;
                }
            }
            let sequence = plain.append(&reset.tenant, reset.at, "", &reset.record);
            Ok(Committed::Done { sequence, hash: plain.chains[&reset.tenant].last().unwrap().hash })
        })
    }

    fn approvals(&self, request: ApprovalsRequest) -> StoreFuture<Vec<Approval>> {
        Box::pin(future::ready(Ok(self.shared.plain.lock().unwrap().approvals(&request))))
    }

    fn answer(&self, new: NewAnswer) -> StoreFuture<Answering> {
        let shared = self.shared.clone();
        Box::pin(async move { Ok(shared.lock(None).answer_question(&new)) })
    }

    fn records(&self, request: RecordsRequest) -> StoreFuture<Vec<AuditRecord>> {
        let plain = self.shared.plain.lock().unwrap();
        let chain = plain.chains.get(&request.tenant).map_or(&[][..], Vec::as_slice);
        let page = chain.iter().filter(|record| record.sequence > request.after).take(request.most as usize);
        Box::pin(future::ready(Ok(page.cloned().collect())))
    }

    fn verify(&self, tenant: &str) -> StoreFuture<Result<u64, Broken>> {
        let length = self.shared.plain.lock().unwrap().chains.get(tenant).map_or(0, Vec::len);
        Box::pin(future::ready(Ok(Ok(u64::try_from(length).unwrap()))))
    }
}
