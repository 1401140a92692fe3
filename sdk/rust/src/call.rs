//! The call that is judged, as the contract has it. It never holds anything but what the host handed in.

use std::cell::OnceCell;
use std::ops::{BitOr, BitOrAssign};

use agenthalt_json::{Json, Limits, Object};

use crate::{Error, Name};

/// A function call that an agent wants to make.
#[derive(Clone, Debug)]
pub struct Call {
    /// Names the call.
    pub id: String,
    /// The function's name as the agent gave it.
    pub function_name: String,
    /// The arguments: one JSON object.
    pub arguments: Document,
    /// The agent that calls; none where it is not known or blank.
    pub agent: Option<String>,
    /// The session the call belongs to; none where it is not known or empty.
    pub session: Option<String>,
    /// Whose policy and state the call belongs to.
    pub tenant: String,
    /// When the call was stamped: milliseconds since 1970-01-01T00:00:00Z.
    pub time_ms: i64,
    /// The same instant on the clock of the policy's time zone.
    pub civil: CivilTime,
    /// What the surface knows beside the arguments: one JSON object.
    pub metadata: Document,
    /// Whether the call is about to run or has run.
    pub phase: Phase,
}

impl Call {
    /// The function's name in the forms that patterns and words compare. Makes them anew: ask once.
    pub fn name(&self) -> Name<'_> {
        Name::new(&self.function_name)
    }
}

/// An agent that is named; one whose folded name is empty is none, as for the counters of the host.
pub(crate) fn named_agent(agent: Option<String>) -> Option<String> {
    agent.filter(|agent| agent.bytes().any(|b| b.is_ascii_graphic()) || !agenthalt_names::fold(agent).is_empty())
}

/// A session that is named.
pub(crate) fn named_session(session: Option<String>) -> Option<String> {
    session.filter(|session| !session.is_empty())
}

/// A JSON text of the call, read when a rule first asks for it.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    tree: OnceCell<Json>,
}

impl Document {
    /// A text that the host says is one JSON object in canonical form.
    pub fn new(text: impl Into<String>) -> Document {
        Document { text: text.into(), tree: OnceCell::new() }
    }

    /// The canonical text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value.
    ///
    /// # Errors
    /// A fault where the text is no JSON, which the host rules out.
    pub fn json(&self) -> Result<&Json, Error> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        // The host holds the limits of a call, and a policy may raise none of them.
        let tree = Json::parse_within(&self.text, Limits { depth: 64, bytes: usize::MAX })
            .map_err(|error| Error::new(["the call cannot be read: ", &error.to_string()].concat()))?;
        Ok(self.tree.get_or_init(|| tree))
    }

    /// The object.
    ///
    /// # Errors
    /// A fault where the text is no JSON object, which the host rules out.
    pub fn object(&self) -> Result<&Object, Error> {
        self.json()?.as_object().ok_or_else(|| Error::new("the call cannot be read: expected an object"))
    }
}

/// The call's time on the clock of the policy's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CivilTime {
    /// The year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 1 is Monday, 7 is Sunday.
    pub weekday: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Seconds to add to UTC for this clock; negative west of Greenwich.
    pub offset_seconds: i32,
}

/// Where the call stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before it runs.
    Before,
    /// After it ran, with its output as text.
    After(String),
}

/// The phases that a guard judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Phases {
    /// The call is judged before it runs.
    pub before: bool,
    /// The output of the call is judged after it ran.
    pub after: bool,
}

impl Phases {
    /// Only before the call runs.
    pub const BEFORE: Phases = Phases { before: true, after: false };
    /// Only after it ran.
    pub const AFTER: Phases = Phases { before: false, after: true };
}

impl BitOr for Phases {
    type Output = Phases;

    fn bitor(self, other: Phases) -> Phases {
        Phases { before: self.before || other.before, after: self.after || other.after }
    }
}

impl BitOrAssign for Phases {
    fn bitor_assign(&mut self, other: Phases) {
        *self = *self | other;
    }
}
