//! A call as received, and as judged: checked, canonical, digested. It never changes what will run.

use agenthalt_json::{Json, Limits as JsonLimits, Object};

use crate::digest::{Digest, Key};

/// The most bytes of a function name or an id.
const MOST_NAME_BYTES: usize = 64 << 10;

/// A function call that an agent wants to make, as received.
///
/// ```
/// # use agenthalt_core::call::Call;
/// let call = Call::new("delete_email", r#"{"id": "inbox/7"}"#).id("call-7").agent("assistant").session("monday");
/// let call = call.metadata(r#"{"region": "eu"}"#);
/// assert_eq!(call.agent_id.as_deref(), Some("assistant"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// Names the call; the host makes a name where there is none.
    pub id: Option<String>,
    /// The function's name.
    pub function_name: String,
    /// The arguments: the text of one JSON object.
    pub arguments: String,
    /// The agent that calls.
    pub agent_id: Option<String>,
    /// The session that the call belongs to.
    pub session_id: Option<String>,
    /// What the surface knows beside the arguments: the text of one JSON object.
    pub metadata: Option<String>,
}

impl Call {
    /// A call of a function with arguments: the text of one JSON object, or what prints as one, as a value
    /// of `serde_json` does.
    pub fn new(function_name: impl Into<String>, arguments: impl ToString) -> Self {
        Call { function_name: function_name.into(), arguments: arguments.to_string(), ..Call::default() }
    }

    /// The same call under this id. The host chooses it, never the agent: charges and outputs belong to it.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        Call { id: Some(id.into()), ..self }
    }

    /// The same call by this agent.
    #[must_use]
    pub fn agent(self, agent: impl Into<String>) -> Self {
        Call { agent_id: Some(agent.into()), ..self }
    }

    /// The same call in this session.
    #[must_use]
    pub fn session(self, session: impl Into<String>) -> Self {
        Call { session_id: Some(session.into()), ..self }
    }

    /// The same call with what the surface knows beside its arguments: the text of one JSON object, or
    /// what prints as one.
    #[must_use]
    pub fn metadata(self, metadata: impl ToString) -> Self {
        Call { metadata: Some(metadata.to_string()), ..self }
    }
}

/// Why a call, or the output of one, cannot be judged.
///
/// ```
/// # use agenthalt_core::call::MalformedCall;
/// let error = MalformedCall::NoFunction;
/// assert_eq!((error.code(), error.to_string().as_str()), ("no_function", "the call names no function"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedCall {
    /// The function has no name.
    #[error("the call names no function")]
    NoFunction,
    /// A name or id is too long.
    #[error("the {0} is longer than {MOST_NAME_BYTES} bytes")]
    TooLong(&'static str),
    /// The arguments or metadata are no JSON within the limits.
    #[error("the {0} are unusable: {1}")]
    Unusable(&'static str, agenthalt_json::Error),
    /// The arguments or metadata are some other JSON.
    #[error("the {0} are {1}, not an object")]
    NotAnObject(&'static str, &'static str),
    /// An output comes for a call that the engine did not let through, or not lately.
    #[error("no call of this id was let through lately")]
    UnknownCall,
    /// Several calls of one id were let through, and none of their outputs has come yet.
    #[error("several calls of this id were let through, and it is not known which of them the output is of")]
    AmbiguousCall,
    /// The call's id was given to another call before.
    #[error("another call has this id already; an id names one call, so give each call its own")]
    ReusedId,
    /// An output is longer than arguments may be.
    #[error("the output is longer than {0} bytes")]
    OutputTooLong(usize),
}

impl MalformedCall {
    /// The word for programs, the same in every release; it shows nothing of the call.
    pub fn code(&self) -> &'static str {
        match self {
            MalformedCall::NoFunction => "no_function",
            MalformedCall::TooLong(_) => "too_long",
            MalformedCall::Unusable(..) => "unusable",
            MalformedCall::NotAnObject(..) => "not_an_object",
            MalformedCall::UnknownCall => "unknown_call",
            MalformedCall::AmbiguousCall => "ambiguous_call",
            MalformedCall::ReusedId => "reused_id",
            MalformedCall::OutputTooLong(_) => "output_too_long",
        }
    }
}

/// A checked call with its canonical form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedCall {
    /// Names the call.
    pub id: String,
    /// The function's name as given.
    pub function_name: String,
    /// The original arguments.
    pub arguments: Json,
    /// The agent; none where the call names none or a blank one.
    pub agent: Option<String>,
    /// The session; none where the call names none or an empty one.
    pub session: Option<String>,
    /// Whose policy, state and audit chain the call belongs to.
    pub tenant: String,
    /// The metadata, an object.
    pub metadata: Json,
}

impl JudgedCall {
    /// Checks a call and brings it to canonical form.
    ///
    /// # Errors
    /// [`MalformedCall`], which denies the call before any guard runs.
    pub fn new(call: &Call, id: String, tenant: String, limits: JsonLimits) -> Result<Self, MalformedCall> {
        if call.function_name.is_empty() {
            return Err(MalformedCall::NoFunction);
        }
        let names = [
            ("function name", Some(&call.function_name)),
            ("call id", Some(&id)),
            ("agent id", call.agent_id.as_ref()),
            ("session id", call.session_id.as_ref()),
        ];
        for (what, name) in names {
            if name.is_some_and(|name| name.len() > MOST_NAME_BYTES) {
                return Err(MalformedCall::TooLong(what));
            }
        }
        let arguments = object("arguments", &call.arguments, limits)?;
        let metadata = match &call.metadata {
            Some(text) => object("metadata", text, limits)?,
            None => Json::Object(Object::new()),
        };
        Ok(JudgedCall {
            id,
            function_name: call.function_name.clone(),
            arguments,
            agent: call.agent_id.clone().filter(|agent| !agenthalt_names::fold(agent).is_empty()),
            session: call.session_id.clone().filter(|session| !session.is_empty()),
            tenant,
            metadata,
        })
    }

    /// Who calls: the agent in its folded form, and the session.
    pub fn caller(&self, key: &Key) -> Digest {
        caller(self.agent.as_deref(), self.session.as_deref(), key)
    }

    /// What tells two calls of different function or original arguments apart: those that the caller gave.
    pub fn sequence_digest(&self, original: &Json, key: &Key) -> Digest {
        key.digest(&[b"sequence", self.function_name.as_bytes(), original.to_string().as_bytes()])
    }

    /// What binds a record or a grant to this call with these arguments. The time is no part of it.
    pub fn digest(&self, arguments: &Json, key: &Key) -> Digest {
        let optional = |text: &Option<String>| match text {
            Some(text) => format!("1{text}"),
            None => "0".to_owned(),
        };
        key.digest(&[
            b"call",
            self.tenant.as_bytes(),
            optional(&self.agent).as_bytes(),
            optional(&self.session).as_bytes(),
            self.function_name.as_bytes(),
            arguments.to_string().as_bytes(),
            self.metadata.to_string().as_bytes(),
        ])
    }

    /// What binds a record to this output of this call, which ran with these arguments.
    pub fn output_digest(&self, ran: &Json, output: &str, key: &Key) -> Digest {
        key.digest(&[b"output", self.digest(ran, key).as_bytes(), output.as_bytes()])
    }
}

/// Who calls: an agent, in its folded form, and a session.
pub fn caller(agent: Option<&str>, session: Option<&str>, key: &Key) -> Digest {
    let agent = agent.map(agenthalt_names::fold).filter(|agent| !agent.is_empty());
    let optional = |text: Option<&str>| text.map_or_else(|| "0".to_owned(), |text| format!("1{text}"));
    let session = session.filter(|session| !session.is_empty());
    key.digest(&[b"caller", optional(agent.as_deref()).as_bytes(), optional(session).as_bytes()])
}

fn object(what: &'static str, text: &str, limits: JsonLimits) -> Result<Json, MalformedCall> {
    match Json::parse_within(text, limits) {
        Ok(value @ Json::Object(_)) => Ok(value),
        Ok(other) => Err(MalformedCall::NotAnObject(what, other.kind())),
        Err(error) => Err(MalformedCall::Unusable(what, error)),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn call(function_name: &str, arguments: &str) -> Call {
        Call { function_name: function_name.to_owned(), arguments: arguments.to_owned(), ..Call::default() }
    }

    fn judged(call: &Call) -> Result<JudgedCall, MalformedCall> {
        JudgedCall::new(call, "1".to_owned(), "default".to_owned(), JsonLimits::default())
    }

    #[test]
    fn a_call_that_cannot_be_judged_is_refused() {
        assert_eq!(judged(&call("", "{}")), Err(MalformedCall::NoFunction));
        assert_eq!(judged(&call("f", "[]")), Err(MalformedCall::NotAnObject("arguments", "a list")));
        for arguments in ["", "null", "{", "{\"a\":1,\"a\":2}", "{\"a\":\"\\ud800\"}", "{} {}"] {
            assert!(judged(&call("f", arguments)).is_err(), "{arguments}");
        }
        let metadata = Call { metadata: Some("3".to_owned()), ..call("f", "{}") };
        assert_eq!(judged(&metadata), Err(MalformedCall::NotAnObject("metadata", "a number")));
        assert_eq!(judged(&call(&"f".repeat(70_000), "{}")), Err(MalformedCall::TooLong("function name")));
    }

    #[test]
    fn forms_of_one_call_have_one_digest() {
        let key = Key::new([1; 32]);
        let digest = |text: &str| {
            let call = judged(&call("f", text)).unwrap();
            (call.sequence_digest(&call.arguments, &key), call.digest(&call.arguments, &key))
        };
        assert_eq!(digest("{\"b\":1.0, \"a\":\"\\u0041\"}"), digest("{\"a\":\"A\",\"b\":1e0}"));
        assert_ne!(digest("{\"a\":1}"), digest("{\"a\":2}"));
    }

    #[test]
    fn blank_ids_are_none() {
        let blank = Call { agent_id: Some(" ".to_owned()), session_id: Some(String::new()), ..call("f", "{}") };
        let judged = judged(&blank).unwrap();
        assert_eq!((judged.agent, judged.session), (None, None));
    }
}
