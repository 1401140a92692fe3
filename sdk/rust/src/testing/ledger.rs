//! Counters for tests: all charges in memory, read in one pass. It never forgets one.

use agenthalt_names::fold;

use super::call::civil_time;
use crate::{Call, Charge, Counter, Error, Measure, Partition, Problems, Readings, Window};

/// How many charges a run looks at.
const LONGEST_RUN: usize = 1_000;

pub(super) struct Ledger {
    counters: Vec<Counter>,
    entries: Vec<Entry>,
}

struct Entry {
    counter: String,
    key: Vec<String>,
    /// Function and canonical arguments, for runs.
    what: String,
    time_ms: i64,
    amount: i64,
}

impl Ledger {
    pub(super) fn new(counters: Vec<Counter>) -> Result<Ledger, Problems> {
        let mut problems = Problems::new();
        if counters.len() > 32 {
            problems.add("", format!("the guard declares {} counters: at most 32", counters.len()));
        }
        for (index, counter) in counters.iter().enumerate() {
            let name = counter.name.as_ref();
            let is_plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if name.is_empty() || name.len() > 64 || !is_plain {
                problems.add("", format!("the counter's name `{name}` is not 1 to 64 of a to z, 0 to 9, _"));
            }
            if counters.iter().take(index).any(|other| other.name == counter.name) {
                problems.add("", format!("the counter `{name}` is declared twice"));
            }
        }
        problems.none_or(Ledger { counters, entries: Vec::new() })
    }

    pub(super) fn read(&self, call: &Call) -> Readings {
        let value = |counter: &Counter| (counter.name.to_string(), self.reading(counter, call));
        Readings::new(self.counters.iter().map(value).collect())
    }

    pub(super) fn charge(&mut self, call: &Call, charges: &[Charge], let_through: bool) -> Result<(), Error> {
        for (index, charge) in charges.iter().enumerate() {
            let name = charge.counter.as_ref();
            let Some(counter) = self.counters.iter().find(|counter| counter.name == name) else {
                return Err(Error::new(format!("the guard charges the counter `{name}`, which it does not declare")));
            };
            if charge.amount < 0 {
                return Err(Error::new(format!("the charge of the counter `{name}` is below zero")));
            }
            if charges.iter().take(index).any(|other| other.counter == charge.counter) {
                return Err(Error::new(format!("the counter `{name}` is charged twice")));
            }
            if charge.always || let_through {
                self.entries.push(Entry {
                    counter: name.to_owned(),
                    key: key(counter.partition, call),
                    what: what(call),
                    time_ms: call.time_ms,
                    amount: charge.amount,
                });
            }
        }
        Ok(())
    }

    fn reading(&self, counter: &Counter, call: &Call) -> Option<i64> {
        let key = key(counter.partition, call);
        let seen: Vec<&Entry> = self
            .entries
            .iter()
            .filter(|entry| entry.counter == counter.name && entry.key == key && is_seen(counter.window, entry, call))
            .collect();
        match counter.measure {
            Measure::Sum => Some(seen.iter().fold(0, |sum: i64, entry| sum.saturating_add(entry.amount))),
            Measure::Count => Some(length(seen.len())),
            Measure::LastTime => seen.iter().map(|entry| entry.time_ms).max(),
            Measure::RunOfSame => Some(length(run(&seen, &what(call), 1))),
            Measure::RunOfTwo => Some(length(run(&seen, &what(call), 2))),
        }
    }
}

fn length(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How many of the last entries, without a gap, continue with this call a sequence of that period.
fn run(seen: &[&Entry], what: &str, period: usize) -> usize {
    let mut sequence = vec![what];
    for entry in seen.iter().rev().take(LONGEST_RUN) {
        let earlier = sequence.len().checked_sub(period).and_then(|index| sequence.get(index));
        if earlier.is_some_and(|earlier| *earlier != entry.what) {
            break;
        }
        sequence.push(&entry.what);
    }
    sequence.len() - 1
}

fn is_seen(window: Window, entry: &Entry, call: &Call) -> bool {
    let civil = |time_ms| civil_time(time_ms, call.civil.offset_seconds);
    let (then, now) = (civil(entry.time_ms), civil(call.time_ms));
    match window {
        Window::RollingMs(milliseconds) => {
            call.time_ms.saturating_sub(entry.time_ms) <= i64::try_from(milliseconds).unwrap_or(i64::MAX)
        }
        Window::Day => (then.year, then.month, then.day) == (now.year, now.month, now.day),
        Window::Month => (then.year, then.month) == (now.year, now.month),
        Window::Ever => true,
    }
}

/// What a call is counted under; a call without agent or session shares an anonymous one.
fn key(partition: Partition, call: &Call) -> Vec<String> {
    let mut key = Vec::new();
    if partition.agent {
        key.push(fold(call.agent.as_deref().unwrap_or_default()));
    }
    if partition.session {
        key.push(call.session.clone().unwrap_or_default());
    }
    if partition.function {
        key.push(fold(&call.function_name));
    }
    if partition.arguments {
        key.push(what(call));
    }
    key
}

fn what(call: &Call) -> String {
    format!("{} {}", call.function_name, call.arguments.text())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::testing::TestCall;

    fn readings(counter: Counter, calls: &[TestCall]) -> Option<i64> {
        let name = counter.name.clone();
        let mut ledger = Ledger::new(vec![counter]).unwrap();
        let (last, earlier) = calls.split_last().unwrap();
        for call in earlier {
            ledger.charge(&call.to_call(), &[Charge::permitted(name.clone(), 2)], true).unwrap();
        }
        ledger.read(&last.to_call()).last_time(&name).unwrap()
    }

    #[test]
    fn windows_end_where_the_contract_says() {
        let call = TestCall::new("f");
        let later = |seconds| [call.clone(), call.clone().seconds_later(seconds)];
        assert_eq!(readings(Counter::sum("x").rolling_ms(60_000), &later(60)), Some(2));
        assert_eq!(readings(Counter::sum("x").rolling_ms(59_999), &later(60)), Some(0));
        assert_eq!(readings(Counter::count("x").day(), &later(12 * 3_600 - 1)), Some(1));
        assert_eq!(readings(Counter::count("x").day(), &later(12 * 3_600)), Some(0));
        assert_eq!(readings(Counter::count("x").month(), &later(12 * 3_600)), Some(1));
        assert_eq!(readings(Counter::last_time("x"), &later(5)), Some(1_768_478_400_000));
    }

    #[test]
    fn runs_break_at_a_gap() {
        let calls = |text: &str| text.chars().map(|c| TestCall::new(&c.to_string())).collect::<Vec<_>>();
        assert_eq!(readings(Counter::run_of_same("x"), &calls("baaa")), Some(2));
        assert_eq!(readings(Counter::run_of_same("x"), &calls("ab")), Some(0));
        assert_eq!(readings(Counter::run_of_two("x"), &calls("ababa")), Some(4));
        assert_eq!(readings(Counter::run_of_two("x"), &calls("bbaba")), Some(3));
    }

    #[test]
    fn anonymous_calls_share_a_session() {
        let call = TestCall::new("f");
        let counter = || Counter::sum("x").per_session();
        assert_eq!(readings(counter(), &[call.clone().session(""), call.clone()]), Some(2));
        assert_eq!(readings(counter(), &[call.clone().session("a"), call.clone()]), Some(0));
        assert_eq!(readings(Counter::sum("x").per_agent(), &[call.clone().agent("A"), call.agent("a ")]), Some(2));
    }
}
