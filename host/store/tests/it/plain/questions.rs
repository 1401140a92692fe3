//! Questions to humans in the plain store: all of them, in order.

use agenthalt_core::approval::{Answer, ApprovalId, ApprovalRules, Question, Standing, Terms};
use agenthalt_core::time::Timestamp;
use agenthalt_store::{
    Answering, Approval, ApprovalsRequest, Approving, Commit, Committed, NewAnswer, NewQuestion, OpenQuestion,
};

use super::{Plain, lets_through};

pub(super) struct Asked {
    new: NewQuestion,
    question: Question,
}

impl Plain {
    fn standing(&self, tenant: &str, id: ApprovalId, at: Timestamp) -> Option<Standing> {
        let mut asked = self.asked.iter().filter(|(of, asked)| of == tenant && asked.new.id == id);
        asked.next().map(|(_, asked)| asked.question.standing(self.now(at)))
    }

    /// What a commit comes to because of its question; none where that is in order.
    pub(super) fn step(&mut self, commit: &Commit) -> Option<Committed> {
        let (tenant, now) = (&commit.tenant, self.now(commit.at));
        match commit.approving.as_ref()? {
            Approving::Joins(id) => {
                (self.standing(tenant, *id, now) != Some(Standing::Pending)).then_some(Committed::Conflict)
            }
            Approving::Uses(id) => {
                if self.standing(tenant, *id, now) != Some(Standing::Approved) || !lets_through(commit.verdict) {
                    return Some(Committed::Conflict);
                }
                let used = self.asked.iter().position(|(_, asked)| asked.new.id == *id).unwrap();
                let on_terms = self.asked[used].1.question.terms().is_some();
                let same = |asked: &Asked| (asked.new.digest, asked.new.policy);
                let of = same(&self.asked[used].1);
                for (whose, asked) in &mut self.asked[..=used] {
                    let is_it = asked.new.id == *id;
                    let goes_with_it = same(asked) == of && !on_terms && asked.question.terms().is_none();
                    if whose == tenant && (is_it || goes_with_it) && asked.question.standing(now) == Standing::Approved
                    {
                        asked.question.serve(now);
                    }
                }
                None
            }
            Approving::Asks(new) => {
                let (mut is_earlier, mut pending) = (false, None);
                for (_, asked) in self.asked.iter().rev().filter(|(of, _)| of == tenant) {
                    if (asked.new.digest, asked.new.policy) != (new.digest, new.policy) {
                        continue;
                    }
                    is_earlier |= new.beside == Some(asked.new.id);
                    match asked.question.standing(now) {
                        Standing::Pending => pending = pending.or(Some(asked.new.id)),
                        Standing::Approved if !is_earlier => {
                            let place = self.asked.iter().position(|(_, it)| it.new.id == asked.new.id).unwrap();
                            return Some(Committed::Open(OpenQuestion::Approved(Box::new(self.approval(place, now)))));
                        }
                        _ => {}
                    }
                }
                let is_alike = |place: &usize| {
                    let (of, asked) = &self.asked[*place];
                    let serves = |terms: &Terms| terms.serves_any_session() || asked.new.session == new.session;
                    of == tenant
                        && (asked.new.kind, asked.new.policy) == (new.kind, new.policy)
                        && asked.question.standing(now) == Standing::Approved
                        && asked.question.terms().is_some_and(serves)
                };
                let alike: Vec<usize> = (0..self.asked.len()).filter(is_alike).filter(|_| !new.is_unlike).collect();
                if !alike.is_empty() {
                    let alike = alike.into_iter().map(|place| self.approval(place, now)).collect();
                    return Some(Committed::Open(OpenQuestion::Alike(alike)));
                }
                if let Some(pending) = pending {
                    return Some(Committed::Open(OpenQuestion::Pending(pending)));
                }
                let waits = |(of, asked): &&(String, Asked)| {
                    let is_open = matches!(asked.question.standing(now), Standing::Pending | Standing::Approved);
                    of == tenant && asked.new.asker == new.asker && is_open
                };
                if self.asked.iter().filter(waits).count() >= new.most_pending as usize {
                    return Some(Committed::Open(OpenQuestion::TooMany(new.most_pending)));
                }
                let later = |time: u64| Timestamp::from_millis(now.as_millis() + i64::try_from(time).unwrap()).unwrap();
                let question = Question {
                    rules: ApprovalRules { expires_ms: None, ..new.rules.clone() },
                    requesters: new.requesters.clone(),
                    created: now,
                    expires: new.rules.expires_ms.map(later),
                    answers: Vec::new(),
                    uses: 0,
                    used: None,
                };
                self.asked.push((tenant.clone(), Asked { new: (**new).clone(), question }));
                None
            }
        }
    }

    fn approval(&self, place: usize, now: Timestamp) -> Approval {
        let Asked { new, question } = &self.asked[place].1;
        Approval {
            place: u64::try_from(place).unwrap() + 1,
            id: new.id,
            digest: new.digest,
            policy: new.policy,
            asks: new.asks.clone(),
            question: question.clone(),
            standing: question.standing(now),
            shown: new.shown.clone(),
        }
    }

    pub(super) fn answer_question(&mut self, new: &NewAnswer) -> Answering {
        let now = self.now(new.answer.at);
        let is_meant = |(of, asked): &&mut (String, Asked)| *of == new.tenant && asked.new.id == new.id;
        let Some((_, asked)) = self.asked.iter_mut().find(is_meant) else { return Answering::Unknown };
        match asked.question.answer(Answer { at: now, ..new.answer.clone() }) {
            Err(refused) => Answering::Refused(refused),
            Ok(standing) => {
                let record = (new.record)(standing);
                let sequence = self.append(&new.tenant, now, &new.id.to_string(), &record);
                Answering::Done { standing, sequence }
            }
        }
    }

    pub(super) fn approvals(&self, request: &ApprovalsRequest) -> Vec<Approval> {
        let now = self.now(request.at);
        let is_wanted = |approval: &Approval| {
            let is_open = matches!(approval.standing, Standing::Pending | Standing::Approved);
            request.id.map_or(approval.place > request.after && (is_open || !request.is_open), |id| approval.id == id)
        };
        let of = (0..self.asked.len()).filter(|place| self.asked[*place].0 == request.tenant);
        of.map(|place| self.approval(place, now)).filter(is_wanted).take(request.most as usize).collect()
    }
}
