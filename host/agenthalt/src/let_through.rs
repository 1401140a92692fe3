//! The calls that were let through lately, so that their output can be judged with them. Bounded in
//! number and size; it outlives no engine. It never guesses: an output whose call is gone, or is one of
//! two, is withheld.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use agenthalt_core::call::{Call, MalformedCall};

/// The most calls that are kept.
const MOST_CALLS: usize = 10_000;
/// The most bytes of text that they hold together.
const MOST_BYTES: usize = 64 << 20;

/// A call that was let through, as texts: a tree of many small values takes many times as much.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ran {
    /// The call as it was given.
    pub(crate) call: Call,
    /// The arguments that were handed back to run.
    pub(crate) arguments: String,
}

impl Ran {
    fn bytes(&self) -> usize {
        let Call { id, function_name, arguments, agent_id, session_id, metadata } = &self.call;
        let given = [id, agent_id, session_id, metadata].into_iter().flatten().map(String::len).sum::<usize>();
        given + function_name.len() + arguments.len() + self.arguments.len()
    }
}

/// The latest calls that were let through, by their ids.
#[derive(Debug, Default)]
pub(crate) struct LetThrough(Mutex<Calls>);

#[derive(Debug, Default)]
struct Calls {
    by_id: HashMap<String, Kept>,
    /// Ids from the oldest to the newest, each with the number of its call; an id that came again stands
    /// there twice, and only its newer number still has a call.
    order: VecDeque<(u64, String)>,
    next: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    number: u64,
    bytes: usize,
    ran: Arc<Ran>,
    /// Whether its output has come.
    has_ended: bool,
    /// Whether another call of this id was let through before, whose output had not come.
    is_ambiguous: bool,
}

impl LetThrough {
    /// Keeps a call. Another one of the same id takes its place, once its output has come.
    pub(crate) fn keep(&self, id: &str, ran: Ran) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(id, ran, MOST_CALLS, MOST_BYTES);
    }

    /// The call of an id, whose output has come.
    ///
    /// # Errors
    /// [`MalformedCall::UnknownCall`] and [`MalformedCall::AmbiguousCall`].
    pub(crate) fn end(&self, id: &str) -> Result<Arc<Ran>, MalformedCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).end(id)
    }
}

impl Calls {
    fn keep(&mut self, id: &str, ran: Ran, most_calls: usize, most_bytes: usize) {
        let (bytes, number) = (id.len() + ran.bytes(), self.next);
        self.next += 1;
        self.order.push_back((number, id.to_owned()));
        self.bytes += bytes;
        // INVARIANT: an output is judged with the call that it is of. An agent that chooses its ids cannot
        // have one judged with a call for which more is let through.
        let before = self.by_id.get(id).filter(|old| !old.has_ended);
        let is_ambiguous = before.is_some_and(|old| old.is_ambiguous || *old.ran != ran);
        let kept = Kept { number, bytes, ran: Arc::new(ran), has_ended: false, is_ambiguous };
        if let Some(old) = self.by_id.insert(id.to_owned(), kept) {
            self.bytes -= old.bytes;
        }
        while self.order.len() > most_calls || self.bytes > most_bytes {
            let Some((number, id)) = self.order.pop_front() else { return };
            if self.by_id.get(&id).is_some_and(|kept| kept.number == number)
                && let Some(old) = self.by_id.remove(&id)
            {
                self.bytes -= old.bytes;
            }
        }
    }

    fn end(&mut self, id: &str) -> Result<Arc<Ran>, MalformedCall> {
        let kept = self.by_id.get_mut(id).ok_or(MalformedCall::UnknownCall)?;
        if kept.is_ambiguous {
            return Err(MalformedCall::AmbiguousCall);
        }
        kept.has_ended = true;
        Ok(kept.ran.clone())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    /// A call of so many bytes, its id of one byte included.
    fn ran(bytes: usize) -> Ran {
        Ran { call: Call::default(), arguments: "x".repeat(bytes - 1) }
    }

    fn ids(calls: &Calls) -> Vec<&str> {
        let mut ids: Vec<&str> = calls.by_id.keys().map(String::as_str).collect();
        ids.sort_unstable();
        ids
    }

    #[test]
    fn the_oldest_calls_go_first() {
        let mut calls = Calls::default();
        for id in ["a", "b", "c"] {
            calls.keep(id, ran(10), 2, 100);
        }
        assert_eq!(ids(&calls), ["b", "c"]);
        calls.keep("d", ran(95), 10, 100);
        assert_eq!((ids(&calls), calls.bytes), (vec!["d"], 95));
        calls.keep("e", ran(101), 10, 100);
        assert_eq!((ids(&calls), calls.bytes), (vec![], 0));
    }

    #[test]
    fn an_id_of_two_calls_that_still_run_names_neither() {
        let mut calls = Calls::default();
        calls.keep("a", ran(10), 2, 100);
        calls.keep("a", ran(20), 2, 100);
        assert_eq!((calls.end("a").err(), calls.bytes), (Some(MalformedCall::AmbiguousCall), 20));
        assert_eq!(calls.end("b").err(), Some(MalformedCall::UnknownCall));
        calls.keep("b", ran(10), 2, 100);
        assert_eq!((ids(&calls), calls.bytes), (vec!["a", "b"], 30));
    }

    #[test]
    fn the_same_call_again_and_one_after_the_output_are_no_riddle() {
        let mut calls = Calls::default();
        calls.keep("a", ran(10), 9, 100);
        calls.keep("a", ran(10), 9, 100);
        assert_eq!(*calls.end("a").unwrap(), ran(10));
        assert_eq!(*calls.end("a").unwrap(), ran(10));
        calls.keep("a", ran(20), 9, 100);
        assert_eq!(*calls.end("a").unwrap(), ran(20));
    }
}
