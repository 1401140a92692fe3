//! How large the parts of what a guard says may be, and how much of a stranger's text a message quotes.
//! Nothing that crosses the border is unbounded.

use agenthalt_json::Limits as JsonLimits;

/// How large the parts of what a guard says may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of a name or version.
    pub name_bytes: usize,
    /// Bytes of a reason.
    pub reason_bytes: usize,
    /// Bytes of the details.
    pub details_bytes: usize,
    /// Size and nesting of new arguments.
    pub arguments: JsonLimits,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { name_bytes: 128, reason_bytes: 2_048, details_bytes: 16 << 10, arguments: JsonLimits::default() }
    }
}

/// How many characters of a stranger's text are quoted.
const MOST_QUOTED: usize = 64;

/// A stranger's text as a message quotes it: escaped, and cut after 64 characters.
pub(crate) fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(MOST_QUOTED).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}
