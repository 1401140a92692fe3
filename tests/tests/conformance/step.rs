//! One step: what the engine says beside what the case expects. It knows no guard's rules.

use agenthalt::{Evaluation, Json, Simulated, Simulation, Timestamp};
use agenthalt_tests::case::{Output, Step};

/// What one step gave instead of what it expects; none where they agree.
pub(crate) fn difference(simulation: &Simulation, simulated: &Simulated, step: &Step) -> Option<String> {
    let differs = verdict(step, &simulated.evaluation)
        .or_else(|| arguments(step, simulated))
        .or_else(|| guards(step, &simulated.evaluation))
        .or_else(|| texts(step, &simulated.evaluation))
        .or_else(|| step.output.as_ref().and_then(|output| self::output(simulation, simulated, output, step.stamp())));
    differs.map(|difference| format!("{difference} [{}]", step.why.as_deref().unwrap_or_default()))
}

fn verdict(step: &Step, evaluation: &Evaluation) -> Option<String> {
    if evaluation.verdict.as_str() != step.expect {
        let call = format!("{:?} {}", evaluation.function_name, shortened(&evaluation.original_arguments));
        let (got, reason) = (evaluation.verdict, evaluation.reason());
        return Some(format!("expected {}, got {got} ({reason}) for {call}", step.expect));
    }
    match (evaluation.fault(), step.fault) {
        (Some(fault), false) => return Some(format!("a fault: {fault}")),
        (None, true) => return Some("expected a fault".to_owned()),
        (Some(_), true) | (None, false) => {}
    }
    let expected = step.risk?;
    let got = evaluation.risk.value();
    // Shown figures are decimals, risks are floats: a billionth apart is the same.
    ((got - expected).abs() > 1e-9).then(|| format!("expected the risk {expected}, got {got}"))
}

fn arguments(step: &Step, simulated: &Simulated) -> Option<String> {
    let got = simulated.arguments();
    if let Some(expected) = &step.arguments
        && Some(Json::parse(expected.get()).unwrap()) != Json::parse(got).ok()
    {
        return Some(format!("expected the arguments {expected}, got {got}"));
    }
    if let Some(expected) = &step.final_text
        && expected != got
    {
        return Some(format!("expected the very text `{expected}`, got `{got}`"));
    }
    let expected = step.runs?;
    (simulated.runs != expected).then(|| {
        let after = simulated.granted.as_ref().map(|granted| (granted.verdict, granted.reason()));
        format!("expected the call to run: {expected}, but it did not come so: after a yes {after:?}")
    })
}

fn guards(step: &Step, evaluation: &Evaluation) -> Option<String> {
    step.guards.iter().find_map(|(guard, expected)| {
        let decision = evaluation.decisions.iter().find(|decision| decision.guard == *guard);
        let silent = evaluation.silent.iter().any(|silence| silence.guard == *guard);
        let got = match decision {
            Some(decision) if decision.fault.is_some() => "fault",
            Some(decision) => decision.verdict.as_str(),
            None if silent => "silent",
            None => "absent",
        };
        (got != expected).then(|| format!("expected {guard} to say {expected}, it says {got}"))
    })
}

fn texts(step: &Step, evaluation: &Evaluation) -> Option<String> {
    let mut told = vec![evaluation.reason()];
    for decision in &evaluation.decisions {
        told.push(decision.reason.clone());
        told.extend(decision.details.as_ref().map(Json::to_string));
    }
    for rewrite in &evaluation.rewrites {
        told.push(rewrite.reason.clone());
        told.extend(rewrite.details.as_ref().map(Json::to_string));
    }
    let told = told.join(" | ");
    if let Some(missing) = step.says.iter().find(|text| !told.contains(text.as_str())) {
        return Some(format!("nothing says `{missing}`: {told}"));
    }
    let leaked = step.hides.iter().find(|text| told.contains(text.as_str()))?;
    Some(format!("what is told holds `{leaked}`: {told}"))
}

fn output(simulation: &Simulation, simulated: &Simulated, output: &Output, at: Timestamp) -> Option<String> {
    let judged = simulation.judge_output(&simulated.evaluation.call_id, &output.text, at);
    let shown = shortened(&output.text);
    let (verdict, reason) = (judged.evaluation.verdict, judged.evaluation.reason());
    if verdict.as_str() != output.expect {
        return Some(format!("expected {} for the output {shown}, got {verdict} ({reason})", output.expect));
    }
    if let Some(fault) = judged.evaluation.fault() {
        return Some(format!("a fault on the output {shown}: {fault}"));
    }
    if judged.output.is_some() != verdict.lets_through() {
        return Some(format!("{verdict} does not fit what is passed on: {:?}", judged.output));
    }
    let (after, got) = (output.after.as_ref()?, judged.output.unwrap_or_default());
    let same_value = || Json::parse(after).is_ok_and(|after| Json::parse(&got) == Ok(after));
    // What nobody modified is passed on by the letter.
    let same = *after == got || (verdict == agenthalt::Verdict::Modify && same_value());
    (!same).then(|| format!("expected the output {}, got {}", shortened(after), shortened(&got)))
}

/// Enough of a text to know it by.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
