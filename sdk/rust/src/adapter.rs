//! Between the generated types and the SDK's own: it only translates and never judges.

use std::cell::RefCell;
use std::marker::PhantomData;

use agenthalt_json::Json;

use crate::bindings::exports::agenthalt::guard::judge as wit;
use crate::call::{named_agent, named_session};
use crate::decision::Replacement;
use crate::{
    Call, Charge, CivilTime, Counter, Decision, Document, Guard, Measure, Phase, Problem, Readings, Verdict, Verdicts,
    Window, read_settings,
};

/// A guard with what `export!` knows of its crate.
pub trait Exported: 'static {
    /// The guard.
    type Guard: Guard;
    /// The version of its crate.
    const VERSION: &'static str;

    /// The schema of its settings.
    fn schema() -> String;
}

/// What the component's exports call.
pub struct Adapter<E>(PhantomData<E>);

trait Configured {
    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, crate::Error>;
}

impl<G: Guard> Configured for G {
    fn evaluate(&self, call: &Call, readings: &Readings) -> Result<Option<Decision>, crate::Error> {
        Guard::evaluate(self, call, readings)
    }
}

thread_local! {
    /// The guard of this instance, which serves one call.
    static CONFIGURED: RefCell<Option<Box<dyn Configured>>> = const { RefCell::new(None) };
}

impl<E: Exported> wit::Guest for Adapter<E> {
    fn configure(config: String) -> Result<wit::Description, Vec<wit::Problem>> {
        let guard = read_settings(&config)
            .and_then(E::Guard::configure)
            .map_err(|problems| Vec::from(problems).into_iter().map(problem).collect::<Vec<_>>())?;
        let description = wit::Description {
            name: E::Guard::NAME.to_owned(),
            version: E::VERSION.to_owned(),
            verdicts: verdicts(guard.verdicts()),
            phases: phases(guard.phases()),
            counters: guard.counters().into_iter().map(counter).collect(),
        };
        CONFIGURED.with(|configured| configured.replace(Some(Box::new(guard))));
        Ok(description)
    }

    fn schema() -> String {
        E::schema()
    }

    fn evaluate(call: wit::Call, readings: Vec<wit::Reading>) -> Result<Option<wit::Decision>, String> {
        let readings = Readings::new(readings.into_iter().map(|reading| (reading.counter, reading.value)).collect());
        let call = read_call(call);
        CONFIGURED.with_borrow(|configured| match configured {
            Some(guard) => guard.evaluate(&call, &readings).map(|d| d.map(decision)).map_err(|error| error.to_string()),
            None => Err("evaluate was called before configure".to_owned()),
        })
    }
}

fn read_call(call: wit::Call) -> Call {
    let civil = call.civil;
    Call {
        id: call.id,
        function_name: call.function_name,
        arguments: Document::new(call.arguments),
        agent: named_agent(call.agent),
        session: named_session(call.session),
        tenant: call.tenant,
        time_ms: call.time_ms,
        civil: CivilTime {
            year: civil.year,
            month: civil.month,
            day: civil.day,
            weekday: civil.weekday,
            hour: civil.hour,
            minute: civil.minute,
            second: civil.second,
            offset_seconds: civil.offset_seconds,
        },
        metadata: Document::new(call.metadata),
        phase: match call.phase {
            wit::Phase::Before => Phase::Before,
            wit::Phase::After(output) => Phase::After(output),
        },
    }
}

fn problem(problem: Problem) -> wit::Problem {
    wit::Problem { pointer: problem.pointer, message: problem.message }
}

fn decision(decision: Decision) -> wit::Decision {
    let (verdict, reason, risk, details, replacement, charges) = decision.into_parts();
    wit::Decision {
        verdict: match verdict {
            Verdict::Allow => wit::Verdict::Allow,
            Verdict::Modify => wit::Verdict::Modify,
            Verdict::RequireApproval => wit::Verdict::RequireApproval,
            Verdict::Deny => wit::Verdict::Deny,
        },
        reason,
        risk,
        details: details.map(|details| Json::Object(details).to_string()).unwrap_or_default(),
        replacement: replacement.map(|replacement| match replacement {
            Replacement::Arguments(arguments) => Json::Object(arguments).to_string(),
            Replacement::Output(output) => output,
        }),
        charges: charges.into_iter().map(charge).collect(),
    }
}

fn charge(charge: Charge) -> wit::Charge {
    wit::Charge {
        counter: charge.counter.into_owned(),
        amount: charge.amount,
        when: if charge.always { wit::ChargeWhen::Always } else { wit::ChargeWhen::Permitted },
        settles: charge.settles,
    }
}

fn counter(counter: Counter) -> wit::Counter {
    let mut partition = wit::Partition::empty();
    if counter.partition.agent {
        partition = partition | wit::Partition::AGENT;
    }
    if counter.partition.session {
        partition = partition | wit::Partition::SESSION;
    }
    if counter.partition.function {
        partition = partition | wit::Partition::FUNCTION;
    }
    if counter.partition.arguments {
        partition = partition | wit::Partition::ARGUMENTS;
    }
    wit::Counter {
        name: counter.name.into_owned(),
        partition,
        window: match counter.window {
            Window::RollingMs(milliseconds) => wit::Window::RollingMs(milliseconds),
            Window::Day => wit::Window::Day,
            Window::Month => wit::Window::Month,
            Window::Ever => wit::Window::Ever,
        },
        measure: match counter.measure {
            Measure::Sum => wit::Measure::Sum,
            Measure::Count => wit::Measure::Count,
            Measure::LastTime => wit::Measure::LastTime,
            Measure::RunOfSame => wit::Measure::RunOfSame,
            Measure::RunOfTwo => wit::Measure::RunOfTwo,
        },
    }
}

fn verdicts(verdicts: Verdicts) -> wit::Verdicts {
    let all = [
        (Verdict::Allow, wit::Verdicts::ALLOW),
        (Verdict::Modify, wit::Verdicts::MODIFY),
        (Verdict::RequireApproval, wit::Verdicts::REQUIRE_APPROVAL),
        (Verdict::Deny, wit::Verdicts::DENY),
    ];
    all.into_iter()
        .filter(|(verdict, _)| verdicts.holds(*verdict))
        .fold(wit::Verdicts::empty(), |set, (_, one)| set | one)
}

fn phases(phases: crate::Phases) -> wit::Phases {
    let mut set = wit::Phases::empty();
    if phases.before {
        set = set | wit::Phases::BEFORE;
    }
    if phases.after {
        set = set | wit::Phases::AFTER;
    }
    set
}
