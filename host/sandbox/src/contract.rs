//! The generated bindings of the contract, and the way to and from the core's words. No generated
//! type leaves this module's crate.

use agenthalt_core::answer::RawAnswer;
use agenthalt_core::counter::{Charge, ChargeWhen, Counter, Measure, Partition, Reading, Window};
use agenthalt_core::description::{Description, Phases, Verdicts};
use agenthalt_core::subject::{Phase, Subject};
use agenthalt_core::time::{CivilTime, Timestamp};
use agenthalt_core::verdict::Verdict;

mod bindings {
    #![allow(missing_docs, unreachable_pub, clippy::all, reason = "generated from the contract")]
    wasmtime::component::bindgen!({ path: "wit", world: "guard", additional_derives: [PartialEq] });
}

pub(crate) use bindings::exports::agenthalt::guard::judge as wit;
pub(crate) use bindings::{Guard as Instance, GuardPre as Prepared};

/// The version of the contract that this host speaks.
///
/// ```
/// # use agenthalt_sandbox::CONTRACT_VERSION;
/// assert_eq!(CONTRACT_VERSION, "0.1");
/// ```
pub const CONTRACT_VERSION: &str = "0.1";
/// The interface that a guard exports.
pub(crate) const INTERFACE: &str = "agenthalt:guard/judge@0.1.0";

/// A call as guards see it.
#[derive(Clone, Copy, Debug)]
pub struct GuestCall<'a> {
    /// Names the call.
    pub id: &'a str,
    /// The function's name.
    pub function_name: &'a str,
    /// The arguments, canonical.
    pub arguments: &'a str,
    /// The agent, where known.
    pub agent: Option<&'a str>,
    /// The session, where known.
    pub session: Option<&'a str>,
    /// The tenant.
    pub tenant: &'a str,
    /// The stamp.
    pub at: Timestamp,
    /// The stamp in the policy's time zone.
    pub civil: CivilTime,
    /// The metadata, canonical.
    pub metadata: &'a str,
}

/// A call in the form in which it crosses the border; made once for all guards.
#[derive(Clone, Debug)]
pub struct PreparedCall(pub(crate) wit::Call);

impl PreparedCall {
    /// Prepares a call that has not run yet.
    pub fn before(call: GuestCall<'_>) -> Self {
        PreparedCall(wit::Call {
            id: call.id.to_owned(),
            function_name: call.function_name.to_owned(),
            arguments: call.arguments.to_owned(),
            agent: call.agent.map(str::to_owned),
            session: call.session.map(str::to_owned),
            tenant: call.tenant.to_owned(),
            time_ms: call.at.as_millis(),
            civil: wit::CivilTime {
                year: call.civil.year,
                month: call.civil.month,
                day: call.civil.day,
                weekday: call.civil.weekday,
                hour: call.civil.hour,
                minute: call.civil.minute,
                second: call.civil.second,
                offset_seconds: call.civil.offset_seconds,
            },
            metadata: call.metadata.to_owned(),
            phase: wit::Phase::Before,
        })
    }

    /// The same call with this to judge: other arguments, or an output, which makes it a call that has
    /// run.
    #[must_use]
    pub fn with(mut self, subject: &Subject) -> Self {
        match subject {
            Subject::Arguments(arguments) => self.0.arguments = arguments.to_string(),
            Subject::Output(output) => self.0.phase = wit::Phase::After(output.clone()),
        }
        self
    }

    pub(crate) fn phase(&self) -> Phase {
        match &self.0.phase {
            wit::Phase::Before => Phase::Before,
            wit::Phase::After(_) => Phase::After,
        }
    }
}

pub(crate) fn readings(readings: &[Reading]) -> Vec<wit::Reading> {
    readings.iter().map(|reading| wit::Reading { counter: reading.counter.clone(), value: reading.value }).collect()
}

pub(crate) fn answer(decision: wit::Decision) -> RawAnswer {
    RawAnswer {
        verdict: match decision.verdict {
            wit::Verdict::Allow => Verdict::Allow,
            wit::Verdict::Modify => Verdict::Modify,
            wit::Verdict::RequireApproval => Verdict::RequireApproval,
            wit::Verdict::Deny => Verdict::Deny,
        },
        reason: decision.reason,
        risk: decision.risk,
        details: decision.details,
        replacement: decision.replacement,
        charges: decision.charges.into_iter().map(charge).collect(),
    }
}

fn charge(charge: wit::Charge) -> Charge {
    Charge {
        counter: charge.counter,
        amount: charge.amount,
        when: match charge.when {
            wit::ChargeWhen::Permitted => ChargeWhen::Permitted,
            wit::ChargeWhen::Always => ChargeWhen::Always,
        },
        settles: charge.settles,
    }
}

pub(crate) fn description(description: wit::Description) -> Description {
    Description {
        name: description.name,
        version: description.version,
        verdicts: Verdicts {
            allow: description.verdicts.contains(wit::Verdicts::ALLOW),
            modify: description.verdicts.contains(wit::Verdicts::MODIFY),
            require_approval: description.verdicts.contains(wit::Verdicts::REQUIRE_APPROVAL),
            deny: description.verdicts.contains(wit::Verdicts::DENY),
        },
        phases: Phases {
            before: description.phases.contains(wit::Phases::BEFORE),
            after: description.phases.contains(wit::Phases::AFTER),
        },
        counters: description.counters.into_iter().map(counter).collect(),
    }
}

fn counter(counter: wit::Counter) -> Counter {
    Counter {
        name: counter.name,
        partition: Partition {
            agent: counter.partition.contains(wit::Partition::AGENT),
            session: counter.partition.contains(wit::Partition::SESSION),
            function: counter.partition.contains(wit::Partition::FUNCTION),
            arguments: counter.partition.contains(wit::Partition::ARGUMENTS),
        },
        window: match counter.window {
            wit::Window::RollingMs(length) => Window::RollingMs(length),
            wit::Window::Day => Window::Day,
            wit::Window::Month => Window::Month,
            wit::Window::Ever => Window::Ever,
        },
        measure: match counter.measure {
            wit::Measure::Sum => Measure::Sum,
            wit::Measure::Count => Measure::Count,
            wit::Measure::LastTime => Measure::LastTime,
            wit::Measure::RunOfSame => Measure::RunOfSame,
            wit::Measure::RunOfTwo => Measure::RunOfTwo,
        },
    }
}
