//! Attempts to judge a call on readings that still hold when its charges are committed: beside others at first, then
//! one after another with those of this engine, at last alone. It says nothing itself of a call.

use agenthalt_core::counter::Reading;
use agenthalt_core::fault::Fault;
use agenthalt_core::subject::Phase;
use agenthalt_core::verdict::Verdict;
use agenthalt_store::{Answered, Approving, CallTag, Commit, Committed, NamedBy, ReadRequest, StoreFuture, Version};

use crate::evaluation::Evaluation;
use crate::grant::{Asking, Under};
use crate::matter::Matter;
use crate::pipeline::{Bench, Stop, state};
use crate::record::{self, Ids};
use crate::repeat::Again;
use crate::roster::Seat;
use crate::spending::Ledger;

/// How often a call is judged beside others before it is judged alone.
const MOST_CONFLICTS: usize = 4;
/// How often a call is judged anew because of what is found out about its question.
const MOST_FINDINGS: usize = 8;

impl Bench {
    /// Judges until what was judged is committed.
    pub(crate) async fn judge_until_it_holds(
        &self,
        matter: &Matter,
        named_by: NamedBy,
        under: &Under,
        evaluation: &mut Evaluation,
    ) -> Result<(), Stop> {
        let ledger = Ledger::new(&self.roster, matter.subject.phase(), &matter.call, matter.sequence);
        let caller = matter.call.caller(self.room.store.key());
        let tag = CallTag { id: matter.call.id.clone(), caller, digest: matter.digest, named_by };
        let request = self.request(tag, evaluation.at, ledger.reads());
        let mut asking = Asking::new(under);
        let (mut conflicts, mut findings, mut is_fresh) = (0, 0, true);
        while conflicts <= MOST_CONFLICTS && findings <= MOST_FINDINGS {
            // An answer that was given before is given again whatever became of its question.
            let looked = match std::mem::take(&mut is_fresh) {
                true => asking.look(&self.room, self.roster.rules, evaluation.at).await,
                false => Ok(()),
            };
            let turn = if conflicts > 0 || self.is_crowded() { Some(self.room.queue.lock().await) } else { None };
            let alone = conflicts == MOST_CONFLICTS;
            let asked =
                if alone { self.room.store.read_alone(request.clone()) } else { self.room.store.read(request.clone()) };
            let snapshot = asked.await.map_err(state)?;
            let readings = ledger.readings(&snapshot.readings);
            match self.again(snapshot.answered.as_ref(), &asking)? {
                Again::Judged => looked?,
                Again::Asked(id) => {
                    asking.recorded(id);
                    (findings, is_fresh) = (findings + 1, true);
                    continue;
                }
                Again::Repeated(answered) => {
                    let answered: Answered = answered.clone();
                    // Who reads alone is waited for, also by what repeats.
                    drop((snapshot, turn));
                    return self.repeat(matter, &answered, &readings, evaluation).await;
                }
            }
            let read = (&request, snapshot.version);
            let committed = self.attempt(matter, &ledger, readings, read, &asking, evaluation).await?;
            // The order stands; nobody waits for the disk in the queue.
            drop(turn);
            match committed.await.map_err(state)? {
                Committed::Done { sequence, .. } => {
                    evaluation.sequence = Some(sequence);
                    return Ok(());
                }
                Committed::Conflict => {
                    asking.forget(under);
                    (conflicts, is_fresh) = (conflicts + 1, true);
                }
                Committed::Open(open) => {
                    asking.found(open, evaluation)?;
                    findings += 1;
                }
            }
        }
        Err(Fault::State("the counters or the question of this call never stood still".to_owned()).into())
    }

    /// Judges once, and hands over what came of it to be committed.
    async fn attempt(
        &self,
        matter: &Matter,
        ledger: &Ledger,
        readings: Vec<Vec<Reading>>,
        read: (&ReadRequest, Version),
        asking: &Asking,
        evaluation: &mut Evaluation,
    ) -> Result<StoreFuture<Committed>, Fault> {
        self.judge(matter, &readings, evaluation).await?;
        self.conclude(matter, asking.grant(), evaluation);
        let names = self.roster.seats.iter().map(|seat| seat.name().to_owned());
        evaluation.readings = names.zip(readings).collect();
        let approving = self.approving(matter, asking, evaluation).await?;
        evaluation.approval = approving.as_ref().map(Approving::id);
        Ok(self.commit(matter, ledger, read, approving, evaluation))
    }

    /// What the call does with a question.
    async fn approving(
        &self,
        matter: &Matter,
        asking: &Asking,
        evaluation: &Evaluation,
    ) -> Result<Option<Approving>, Fault> {
        asking.fits(evaluation.final_digest)?;
        match evaluation.verdict {
            Verdict::Allow | Verdict::Modify => Ok(asking.uses(evaluation.final_digest)),
            Verdict::RequireApproval if self.room.asks && matter.subject.phase() == Phase::Before => {
                match asking.joins() {
                    Some(joins) => Ok(Some(joins)),
                    None => {
                        let question = self.question(matter, asking, evaluation).await?;
                        Ok(Some(Approving::Asks(Box::new(question))))
                    }
                }
            }
            Verdict::RequireApproval | Verdict::Deny => Ok(None),
        }
    }

    /// Whether others judge again one after another: who comes now would take their readings from them, or lose its
    /// own. Where guards are slow, they are not waited for.
    fn is_crowded(&self) -> bool {
        self.room.queue.try_lock().is_err() && !self.roster.seats.iter().any(Seat::is_slow)
    }

    /// Hands charges and record over to be committed.
    fn commit(
        &self,
        matter: &Matter,
        ledger: &Ledger,
        (request, version): (&ReadRequest, Version),
        approving: Option<Approving>,
        evaluation: &Evaluation,
    ) -> StoreFuture<Committed> {
        let verdict = evaluation.verdict;
        let charges = evaluation.decisions.iter().flat_map(|decision| {
            let place = self.roster.seats.iter().position(|seat| seat.name() == decision.guard);
            place.map(|place| ledger.charges(place, decision, verdict)).unwrap_or_default()
        });
        let Matter { call, digest, .. } = matter;
        let ids = Ids { agent: call.agent.as_deref(), session: call.session.as_deref(), original: *digest };
        let record = record::of(evaluation, &self.roster, &self.room.tenant, ids);
        let commit = Commit::of(request, verdict, charges.collect(), record);
        self.room.store.commit(version, Commit { approving, ..commit })
    }
}
