//! What guards judge and may replace: before a call its arguments, after it its output. It knows no
//! guard and no limit.

use agenthalt_json::Json;

/// Where a call stands.
///
/// ```
/// # use agenthalt_core::subject::Phase;
/// assert_eq!([Phase::Before, Phase::After].map(Phase::as_str), ["before", "after"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before it runs.
    Before,
    /// After it ran.
    After,
}

impl Phase {
    /// The word for programs: `before`, `after`.
    pub fn as_str(self) -> &'static str {
        match self {
            Phase::Before => "before",
            Phase::After => "after",
        }
    }
}

/// What is judged in a phase, and what a modifying guard replaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Before the call: its arguments, an object.
    Arguments(Json),
    /// After it: its output, any text.
    Output(String),
}

impl Subject {
    /// The phase in which this is judged.
    pub fn phase(&self) -> Phase {
        match self {
            Subject::Arguments(_) => Phase::Before,
            Subject::Output(_) => Phase::After,
        }
    }

    /// The text: of arguments the canonical one.
    pub fn to_text(&self) -> String {
        match self {
            Subject::Arguments(arguments) => arguments.to_string(),
            Subject::Output(output) => output.clone(),
        }
    }
}
