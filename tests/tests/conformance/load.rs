//! One load case: whether the policy loads, and what a refusal says. It judges no call.

use agenthalt::PolicyEngineBuilder;
use agenthalt_tests::case::{Load, LoadCase};

/// What came instead of what the case expects; none where they agree.
pub(crate) fn difference(builder: PolicyEngineBuilder, case: &LoadCase) -> Option<String> {
    let why = case.why.as_deref().unwrap_or_default();
    let (got, said) = match builder.build() {
        Ok(engine) if engine.faults().is_empty() => (Load::Ok, String::new()),
        Ok(engine) => return Some(format!("a guard cannot serve: {:?}", engine.faults())),
        Err(error) => (Load::Error, error.to_string()),
    };
    if got != case.expect {
        return Some(format!("expected {:?}, got {got:?} ({said}) {why}", case.expect));
    }
    let missing = case.says.iter().find(|text| !said.contains(text.as_str()))?;
    Some(format!("the refusal does not say `{missing}`: {said} {why}"))
}
