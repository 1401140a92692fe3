//! From wasmtime's errors to faults, by their types and never by their text.

use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use wasmtime::{Error, PoolConcurrencyLimitError, Trap};

use crate::ceiling::TooMuch;

/// The most bytes of an engine's or a guest's text that a fault keeps.
const MOST_TEXT: usize = 1_024;

/// Where the error came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum During {
    /// While the component was instantiated.
    Instantiate,
    /// While one of its functions ran, or its answer was read.
    Call,
}

/// Says what an error means.
pub(crate) fn fault(error: &Error, during: During, limits: &GuardLimits) -> Fault {
    if let Some(TooMuch(fault)) = error.downcast_ref() {
        return fault.clone();
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => Fault::OutOfFuel(limits.fuel()),
            Trap::Interrupt => Fault::Deadline(limits.time_ms()),
            Trap::StackOverflow => Fault::StackOverflow,
            Trap::UnreachableCodeReached => Fault::Trap("a panic, an abort or `unreachable`".to_owned()),
            other => Fault::Trap(other.to_string()),
        };
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return Fault::HostFull("no slot for another instance is free".to_owned());
    }
    let text = cut(&format!("{error:#}"));
    match during {
        During::Instantiate => Fault::Incompatible(text),
        During::Call => Fault::MalformedAnswer(text),
    }
}

/// Cuts a text from outside to a length that fits a record, and makes it one line.
pub(crate) fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(MOST_TEXT);
    text.get(..end).unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}
