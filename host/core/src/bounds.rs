//! How large the parts of what a guard says may be. Nothing that crosses the border is unbounded.

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
