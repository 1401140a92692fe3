//! The settings of the guard `deletion`.
//! Written by `cargo xtask docs` from `guards/deletion/schema.json`: edit that, never this.

use agenthalt_json::Object;

use super::Setting;
use crate::{Amount, GuardSetup};

/// What an agent may delete.
///
/// ```
/// use agenthalt::settings::Deletion;
/// let deletion = Deletion {
///     protected_resources: vec!["inbox".into(), "sent".into()],
///     soft_delete_only: true,
///     ..Deletion::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// If set, every target must meet one of these patterns, as it is written.
    ///
    /// Default: `[]`.
    pub allow_patterns: Vec<String>,
    /// The least time between two deletions, in seconds.
    ///
    /// Default: `0`.
    pub cooldown_seconds: Option<Amount>,
    /// The words by which a function's name is known to delete; given ones replace the usual ones.
    ///
    /// Default: `[delete, remove, drop, destroy, purge, erase, trash, wipe, clear, truncate, unlink, rm,
    /// expunge, discard, uninstall, shred, overwrite]`.
    pub deletion_functions: Vec<String>,
    /// A target that meets one of these patterns is denied.
    ///
    /// Default: `[]`.
    pub deny_patterns: Vec<String>,
    /// Denies a call that names more targets.
    ///
    /// Default: `10`.
    pub max_bulk_delete: Option<u64>,
    /// Denies a deletion with which the calendar day would have seen more targets deleted.
    ///
    /// Default: none.
    pub max_deletions_per_day: Option<u64>,
    /// Denies a deletion with which its session would have deleted more targets.
    ///
    /// Default: none.
    pub max_deletions_per_session: Option<u64>,
    /// These, what lies below them, and wildcards that reach them are denied.
    ///
    /// Default: `[]`.
    pub protected_resources: Vec<String>,
    /// A human must approve every deletion.
    ///
    /// Default: `false`.
    pub require_approval_always: bool,
    /// The field of the arguments that names what is deleted, beside the usual ones.
    ///
    /// Default: `resource_id`.
    pub resource_field: String,
    /// Denies deletions that cannot be undone: by a word of the name, or by a flag of the arguments.
    ///
    /// Default: `false`.
    pub soft_delete_only: bool,
}

impl Default for Deletion {
    fn default() -> Self {
        Deletion {
            allow_patterns: Vec::new(),
            cooldown_seconds: Some(Amount::ZERO),
            deletion_functions: [
                "delete",
                "remove",
                "drop",
                "destroy",
                "purge",
                "erase",
                "trash",
                "wipe",
                "clear",
                "truncate",
                "unlink",
                "rm",
                "expunge",
                "discard",
                "uninstall",
                "shred",
                "overwrite",
            ]
            .map(str::to_owned)
            .into(),
            deny_patterns: Vec::new(),
            max_bulk_delete: Some(10),
            max_deletions_per_day: None,
            max_deletions_per_session: None,
            protected_resources: Vec::new(),
            require_approval_always: false,
            resource_field: "resource_id".to_owned(),
            soft_delete_only: false,
        }
    }
}

impl From<Deletion> for GuardSetup {
    fn from(settings: Deletion) -> Self {
        let settings = Object::from_iter([
            ("allow_patterns", settings.allow_patterns.json()),
            ("cooldown_seconds", settings.cooldown_seconds.json()),
            ("deletion_functions", settings.deletion_functions.json()),
            ("deny_patterns", settings.deny_patterns.json()),
            ("max_bulk_delete", settings.max_bulk_delete.json()),
            ("max_deletions_per_day", settings.max_deletions_per_day.json()),
            ("max_deletions_per_session", settings.max_deletions_per_session.json()),
            ("protected_resources", settings.protected_resources.json()),
            ("require_approval_always", settings.require_approval_always.json()),
            ("resource_field", settings.resource_field.json()),
            ("soft_delete_only", settings.soft_delete_only.json()),
        ]);
        GuardSetup::built_in("deletion", settings)
    }
}
