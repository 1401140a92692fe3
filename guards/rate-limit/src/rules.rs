//! The rules of rate_limit in their order: cooldown, minute, function, session, identical, burst. The
//! first that speaks is the answer. A call that passes all of them is an attempt and counts, whatever
//! other guards say; one that is denied here counts nowhere.

use agenthalt_guard::{Call, Charge, Decision, Error, Readings, quote};

use crate::Settings;
use crate::cooldown::Cooldown;
use crate::limits::{self, Kind, Limit};

/// Judges a call by the calls before it.
pub(crate) fn judge(settings: &Settings, call: &Call, readings: &Readings) -> Result<Decision, Error> {
    let cooldown = Cooldown::of(settings);
    if let Some(cooldown) = cooldown
        && let Some(left) = cooldown.left(call, readings)?
    {
        let (left, seconds) = (left.to_string(), cooldown.seconds.to_string());
        let why = "a burst of calls put this agent in cooldown: ";
        let left = [&left, " seconds are left, cooldown_seconds is ", &seconds].concat();
        return Ok(Decision::deny([why, &left, anonymous_agent(call)].concat()));
    }
    let mut charges = Vec::with_capacity(6);
    for limit in limits::set(settings) {
        let earlier = readings.count(limit.counter_name())?;
        if earlier >= limit.most() {
            return Ok(deny(limit, earlier, call, cooldown));
        }
        charges.push(Charge::always(limit.counter_name(), 1));
    }
    Ok(Decision::allow().charge_all(charges))
}

/// A burst that is denied starts the cooldown; nothing else that is denied leaves a trace.
fn deny(limit: Limit, earlier: u64, call: &Call, cooldown: Option<Cooldown>) -> Decision {
    let number = earlier.saturating_add(1).to_string();
    let (of, then) = of_and_then(limit, call, cooldown);
    let set = limit.set.to_string();
    let parts = ["this would be call ", &number, &of, ", the limit ", limit.setting(), " is ", &set, &then];
    let decision = Decision::deny([&parts.concat(), anonymous(limit, call)].concat());
    match (limit.kind, cooldown) {
        (Kind::Burst(_), Some(_)) => decision.charge(Cooldown::start()),
        (Kind::Minute | Kind::Function | Kind::Session | Kind::Same | Kind::Turns | Kind::Burst(_), _) => decision,
    }
}

/// Which calls are counted, and what the limit brings with it.
fn of_and_then(limit: Limit, call: &Call, cooldown: Option<Cooldown>) -> (String, String) {
    match limit.kind {
        Kind::Minute => (" of this agent in 60 seconds".to_owned(), String::new()),
        Kind::Function => {
            ([" of this agent to ", &quote(&call.function_name), " in 60 seconds"].concat(), String::new())
        }
        Kind::Session => (" of this session".to_owned(), String::new()),
        Kind::Same => {
            let is_beyond = limit.set > limit.most();
            let then = if is_beyond { ", and a run of 1000 reaches every limit" } else { "" };
            (" in a row with the same function and arguments".to_owned(), then.to_owned())
        }
        Kind::Turns => {
            let then = [", which lets ", &limit.most().to_string(), " pass"].concat();
            (" of the same two calls in turn".to_owned(), then)
        }
        Kind::Burst(window) => {
            let of = [" of this agent in ", &window.to_string(), " seconds"].concat();
            let then = cooldown.map(|c| ["; no call passes for ", &c.seconds.to_string(), " seconds"].concat());
            (of, then.unwrap_or_default())
        }
    }
}

/// Leaving an id out never skips a limit: such calls share one.
fn anonymous(limit: Limit, call: &Call) -> &'static str {
    match limit.kind {
        Kind::Session => {
            if call.session.is_some() {
                ""
            } else {
                "; this call names no session; such calls share one"
            }
        }
        Kind::Minute | Kind::Function | Kind::Same | Kind::Turns | Kind::Burst(_) => anonymous_agent(call),
    }
}

fn anonymous_agent(call: &Call) -> &'static str {
    if call.agent.is_some() { "" } else { "; this call names no agent; such calls share one" }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
