//! Calls as they come in: one JSON object each. What cannot be read as a call is told, never skipped.

use agenthalt::{Call, Human, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

/// One call as text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallLine<'a> {
    call_id: Option<String>,
    function_name: String,
    #[serde(borrow)]
    arguments: &'a RawValue,
    agent_id: Option<String>,
    session_id: Option<String>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    human: Option<String>,
}

/// A call that can be handed to the engine.
#[derive(Debug)]
pub(crate) struct ReadCall {
    pub(crate) call: Call,
    pub(crate) at: Option<Timestamp>,
    pub(crate) human: Option<Human>,
}

/// What could not be read as a call.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// The call's name, where at least that could be read.
    pub(crate) call_id: Option<String>,
    /// What is wrong, in one sentence.
    pub(crate) error: String,
}

/// Reads one call.
pub(crate) fn read(text: &str) -> Result<ReadCall, Unreadable> {
    let unreadable = |error: String| Unreadable { call_id: call_id(text), error };
    let line: CallLine<'_> =
        serde_json::from_str(text).map_err(|error| unreadable(format!("the call cannot be read: {error}")))?;
    let at = line.timestamp.map(|raw| timestamp(raw.get())).transpose().map_err(&unreadable)?;
    let human = match line.human.as_deref() {
        None => None,
        Some("approve") => Some(Human::Approve),
        Some("deny") => Some(Human::Deny),
        Some(_) => return Err(unreadable("`human` is `approve` or `deny`".to_owned())),
    };
    let call = Call {
        id: line.call_id,
        function_name: line.function_name,
        arguments: line.arguments.get().to_owned(),
        agent_id: line.agent_id,
        session_id: line.session_id,
        metadata: line.metadata.map(|raw| raw.get().to_owned()),
    };
    Ok(ReadCall { call, at, human })
}

/// Reads RFC 3339 text or Unix seconds, exact to the millisecond.
fn timestamp(raw: &str) -> Result<Timestamp, String> {
    let wrong = || "`timestamp` is RFC 3339 (`2026-01-15T12:00:00Z`) or Unix seconds".to_owned();
    match agenthalt::Json::parse(raw).map_err(|_| wrong())? {
        agenthalt::Json::String(text) => Timestamp::from_rfc3339(&text).map_err(|_| wrong()),
        agenthalt::Json::Number(seconds) => {
            let (millis, _) = seconds.scaled(3).ok_or_else(wrong)?;
            i64::try_from(millis).ok().and_then(|millis| Timestamp::from_millis(millis).ok()).ok_or_else(wrong)
        }
        _ => Err(wrong()),
    }
}

/// The call's name, from a text that is no call but may be an object all the same.
fn call_id(text: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct OnlyId {
        call_id: Option<String>,
    }
    serde_json::from_str::<OnlyId>(text).ok().and_then(|only| only.call_id)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn stamps_are_read_to_the_millisecond() {
        let at = |stamp: &str| {
            let line = format!("{{\"function_name\":\"f\",\"arguments\":{{}},\"timestamp\":{stamp}}}");
            read(&line).map(|read| read.at.unwrap().as_millis())
        };
        assert_eq!(at("\"2026-01-15T12:00:00Z\"").unwrap(), 1_768_478_400_000);
        assert_eq!(at("1768478400").unwrap(), 1_768_478_400_000);
        assert_eq!(at("1768478400.1239").unwrap(), 1_768_478_400_123);
        for stamp in ["\"soon\"", "true", "1e30", "[]", "\"1768478400\""] {
            assert!(at(stamp).is_err(), "{stamp}");
        }
    }

    #[test]
    fn the_callers_own_text_is_kept() {
        let read = read(r#"{"function_name":"f","arguments":{"b": 1.0, "a":12345678901234567890}}"#).unwrap();
        assert_eq!(read.call.arguments, r#"{"b": 1.0, "a":12345678901234567890}"#);
    }

    #[test]
    fn what_is_no_call_is_told_with_its_id() {
        for text in [
            "",
            "[]",
            "{}",
            r#"{"function_name":"f"}"#,
            r#"{"function_name":"f","arguments":{},"agent":"a"}"#,
            r#"{"function_name":"f","arguments":{},"human":"maybe"}"#,
            r#"{"function_name":"f","function_name":"g","arguments":{}}"#,
            r#"{"function_name":1,"arguments":{}}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(read(r#"{"call_id":"c7","function_name":3}"#).unwrap_err().call_id.as_deref(), Some("c7"));
    }
}
