//! The rules in their order: exempt or switched off, too deep to be scanned, found where no rewriting
//! reaches, found. Before the call its arguments and metadata are judged, after it only its output.

use agenthalt_guard::{Call, Decision, Document, Error, Json, Phase, quote};

use crate::SensitiveData;
use crate::report::{details, phrase, sentence};
use crate::survey::{Found, Part, Survey};

/// Judges a call before it runs, or its output afterwards.
pub(crate) fn judge(guard: &SensitiveData, call: &Call) -> Result<Option<Decision>, Error> {
    if is_exempt(guard, call) {
        return Ok(None);
    }
    let decision = match &call.phase {
        Phase::Before if guard.settings.scan_arguments => before(guard, call)?,
        Phase::After(output) if guard.settings.scan_output => after(guard, output),
        Phase::Before | Phase::After(_) => return Ok(None),
    };
    guard.detector.check()?;
    Ok(Some(decision))
}

fn is_exempt(guard: &SensitiveData, call: &Call) -> bool {
    let exempt = &guard.settings.allow_functions;
    if exempt.is_empty() {
        return false;
    }
    let name = call.name();
    exempt.iter().any(|pattern| pattern.meets(&name))
}

fn before(guard: &SensitiveData, call: &Call) -> Result<Decision, Error> {
    let mut found = Found::default();
    for (part, document) in [(Part::Arguments, &call.arguments), (Part::Metadata, &call.metadata)] {
        if document.text() != "{}" {
            survey(guard, part, &mut found).walk(document.json()?);
        }
    }
    if let Some(decision) = refusal(guard, &found) {
        return Ok(decision);
    }
    let (reason, details) = (sentence("redacted", &found), details(&found));
    let mut arguments = Json::Object(call.arguments.object()?.clone());
    found.rewrite(&mut arguments);
    match arguments {
        Json::Object(arguments) => Ok(Decision::modify(arguments, reason).details(details)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => {
            Err(Error::new("the arguments were an object and are none any more"))
        }
    }
}

fn after(guard: &SensitiveData, output: &str) -> Decision {
    let mut found = Found::default();
    // Read as a call is, however large it is.
    let document = Document::new(output);
    match document.json() {
        Ok(tree @ (Json::Object(_) | Json::Array(_) | Json::String(_))) => {
            survey(guard, Part::Output, &mut found).walk(tree);
            refusal(guard, &found).unwrap_or_else(|| {
                let (reason, details) = (sentence("redacted", &found), details(&found));
                let mut rest = tree.clone();
                found.rewrite(&mut rest);
                Decision::modify_output(rest.to_string(), reason).details(details)
            })
        }
        // Anything else is a text; a number is the one that it is, however it is written.
        other @ (Ok(Json::Null | Json::Bool(_) | Json::Number(_)) | Err(_)) => {
            let text = if let Ok(Json::Number(number)) = other { number.as_str() } else { output };
            let rest = survey(guard, Part::Output, &mut found).text(text);
            refusal(guard, &found).unwrap_or_else(|| {
                let (reason, details) = (sentence("redacted", &found), details(&found));
                Decision::modify_output(rest.unwrap_or_default(), reason).details(details)
            })
        }
    }
}

fn survey<'a>(guard: &'a SensitiveData, part: Part, found: &'a mut Found) -> Survey<'a> {
    let most_depth = guard.settings.scan_depth.map(|depth| usize::try_from(depth).unwrap_or(usize::MAX));
    let redacts = guard.settings.redact_on_modify;
    Survey { detector: &guard.detector, fields: &guard.fields, most_depth, redacts, part, found, met: 0 }
}

/// The decision, unless something was found that can be taken out.
fn refusal(guard: &SensitiveData, found: &Found) -> Option<Decision> {
    if let Some((part, pointer)) = &found.too_deep {
        let depth = guard.settings.scan_depth.unwrap_or_default().to_string();
        let place = ["the value at ", &quote(pointer), " of the ", part.name()].concat();
        return Some(Decision::deny(
            [&place, " lies deeper than is scanned, the limit scan_depth is ", &depth].concat(),
        ));
    }
    if found.count == 0 {
        return Some(Decision::allow());
    }
    match &found.out_of_reach {
        Some(finding) if guard.settings.redact_on_modify => {
            let begin = ["sensitive data where it cannot be redacted: ", &phrase(finding)].concat();
            let all = if found.count > 1 {
                ["; ", &found.count.to_string(), " findings in all"].concat()
            } else {
                String::new()
            };
            Some(Decision::deny([begin, all].concat()).details(details(found)))
        }
        Some(_) | None if !guard.settings.redact_on_modify => {
            Some(Decision::deny(sentence("sensitive data found:", found)).details(details(found)))
        }
        Some(_) | None => None,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
