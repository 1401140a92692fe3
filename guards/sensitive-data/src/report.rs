//! What is said of the findings, to a model and to people: pattern, place and length, and never a piece
//! of a value.

use agenthalt_guard::{Json, Object, quote};

use crate::survey::{Finding, Found};

/// How many findings a reason names.
const MOST_NAMED: usize = 4;
/// How many bytes of a pointer or name the details show.
const MOST_SHOWN: usize = 400;

/// The findings in one sentence that begins with these words.
pub(crate) fn sentence(begin: &str, found: &Found) -> String {
    let mut sentence = begin.to_owned();
    let named = found.told.iter().take(MOST_NAMED);
    let more = found.count - named.len();
    for (index, finding) in named.enumerate() {
        sentence.push_str(if index == 0 { " " } else { ", " });
        sentence.push_str(&phrase(finding));
    }
    if more > 0 {
        sentence.push_str(&[", and ", &more.to_string(), " more"].concat());
    }
    sentence
}

/// One finding: `ssn at `/text` of the arguments (11 characters)`.
pub(crate) fn phrase(finding: &Finding) -> String {
    let place = match (finding.pointer.as_str(), finding.is_in_key) {
        ("", _) => " in the ".to_owned(),
        (pointer, false) => [" at ", &quote(pointer), " of the "].concat(),
        (pointer, true) => [" in the key at ", &quote(pointer), " of the "].concat(),
    };
    let length = match finding.length {
        Some(1) => " (1 character)".to_owned(),
        Some(length) => [" (", &length.to_string(), " characters)"].concat(),
        None => String::new(),
    };
    let pattern = quote(&finding.pattern);
    [pattern.trim_matches('`'), &place, finding.part.name(), &length].concat()
}

/// The findings for programs.
pub(crate) fn details(found: &Found) -> Object {
    let mut list = Vec::with_capacity(found.told.len());
    for finding in &found.told {
        let mut entry = Object::new();
        entry.insert("pattern", Json::from(shown(&finding.pattern)));
        entry.insert("in", Json::from(finding.part.name()));
        entry.insert("pointer", Json::from(shown(&finding.pointer)));
        if finding.is_in_key {
            entry.insert("key", Json::from(true));
        }
        if let Some(length) = finding.length {
            entry.insert("length", Json::from(count(length)));
        }
        list.push(Json::Object(entry));
    }
    let mut details = Object::new();
    details.insert("count", Json::from(count(found.count)));
    details.insert("findings", Json::Array(list));
    details
}

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// The beginning of a text that may be long.
fn shown(text: &str) -> String {
    if text.len() <= MOST_SHOWN {
        return text.to_owned();
    }
    let mut end = MOST_SHOWN;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    [text.get(..end).unwrap_or_default(), "..."].concat()
}
