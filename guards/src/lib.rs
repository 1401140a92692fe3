//! The bytes of the built-in guards and the lock that pins them. It never judges whether bytes and
//! digest agree: whoever loads a guard compares them, and denies where they differ or are missing.

#[cfg(test)]
mod table;

/// A built-in guard, as `guards.lock` names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Builtin {
    /// The name in policies, as `rate_limit`.
    pub name: &'static str,
    /// The guard's own version.
    pub version: &'static str,
    /// The version of the guard contract that it exports, as `0.1`.
    pub contract: &'static str,
    /// What the SHA-256 of the bytes must be, in lower-case hexadecimal.
    pub sha256: &'static str,
    /// The component; none where the file was missing when this crate was built.
    pub bytes: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/builtins.rs"));
