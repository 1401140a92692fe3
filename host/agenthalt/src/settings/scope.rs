//! The settings of the guard `scope`.
//! Written by `cargo xtask docs` from `guards/scope/schema.json`: edit that, never this.

use std::collections::BTreeMap;

use agenthalt_json::Object;

use super::Setting;
use crate::GuardSetup;

/// Which functions an agent may call.
///
/// ```
/// use agenthalt::settings::Scope;
/// let scope = Scope {
///     deny_functions: vec!["drop_*".into(), "format_*".into()],
///     require_approval_functions: vec!["send_*".into()],
///     ..Scope::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// By agent: the patterns of which a function must meet one; an empty list denies the agent everything.
    ///
    /// Default: `{}`.
    pub allow_by_agent: BTreeMap<String, Vec<String>>,
    /// If set, a function must meet one of these patterns, as it is written and with its namespace.
    ///
    /// Default: `[]`.
    pub allow_functions: Vec<String>,
    /// By agent: functions that meet one of these patterns are denied.
    ///
    /// Default: `{}`.
    pub deny_by_agent: BTreeMap<String, Vec<String>>,
    /// Functions that meet one of these patterns are denied.
    ///
    /// Default: `[]`.
    pub deny_functions: Vec<String>,
    /// Denies every function but those that only read.
    ///
    /// Default: `false`.
    pub read_only_mode: bool,
    /// What only reads, in read-only mode: functions that meet one of these patterns and in whose name no verb
    /// changes anything.
    ///
    /// Default: `["get_*", "read_*", "list_*", "fetch_*", "search_*", "query_*", "find_*", "lookup_*",
    /// "describe_*", "show_*"]`.
    pub read_only_patterns: Vec<String>,
    /// A human must approve calls of functions that meet one of these patterns.
    ///
    /// Default: `[]`.
    pub require_approval_functions: Vec<String>,
}

impl Default for Scope {
    fn default() -> Self {
        Scope {
            allow_by_agent: BTreeMap::new(),
            allow_functions: Vec::new(),
            deny_by_agent: BTreeMap::new(),
            deny_functions: Vec::new(),
            read_only_mode: false,
            read_only_patterns: [
                "get_*",
                "read_*",
                "list_*",
                "fetch_*",
                "search_*",
                "query_*",
                "find_*",
                "lookup_*",
                "describe_*",
                "show_*",
            ]
            .map(str::to_owned)
            .into(),
            require_approval_functions: Vec::new(),
        }
    }
}

impl From<Scope> for GuardSetup {
    fn from(settings: Scope) -> Self {
        let settings = Object::from_iter([
            ("allow_by_agent", settings.allow_by_agent.json()),
            ("allow_functions", settings.allow_functions.json()),
            ("deny_by_agent", settings.deny_by_agent.json()),
            ("deny_functions", settings.deny_functions.json()),
            ("read_only_mode", settings.read_only_mode.json()),
            ("read_only_patterns", settings.read_only_patterns.json()),
            ("require_approval_functions", settings.require_approval_functions.json()),
        ]);
        GuardSetup::built_in("scope", settings)
    }
}
