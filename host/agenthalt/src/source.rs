//! Where a policy comes from: a file, a text, guards that are set up in code, or some of each. It holds
//! nothing that is checked.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use agenthalt_core::policy::PolicyDraft;
use agenthalt_core::verdict::Unmatched;
use serde::Serialize;

use crate::error::{Cause, Error};
use crate::setup::{ComponentSource, GuardSetup};

/// More than a policy may have in bytes.
const MOST_POLICY_BYTES: u64 = 2 << 20;

/// Where a policy comes from. Guards that code adds stand behind those of the text.
///
/// ```
/// use agenthalt::settings::Scope;
/// use agenthalt::{PolicyEngine, PolicySource};
///
/// let source = PolicySource::text("guards: {budget: {max_daily_spend: 10}}")
///     .guard(Scope { deny_functions: vec!["drop_*".into()], ..Scope::default() });
/// let engine = PolicyEngine::builder().policy(source).build()?;
/// assert_eq!(engine.guards().len(), 2);
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PolicySource {
    text: Option<Text>,
    guards: Vec<GuardSetup>,
    unmatched: Option<Unmatched>,
    time_zone: Option<String>,
}

#[derive(Clone, Debug)]
enum Text {
    File(PathBuf),
    Given { text: String, folder: PathBuf },
}

/// What was read, and where the policy's relative paths start.
pub(crate) struct ReadPolicy {
    pub(crate) draft: PolicyDraft,
    pub(crate) file: String,
    pub(crate) folder: PathBuf,
}

impl PolicySource {
    /// A policy of guards that are added by [`guard`](Self::guard) and [`component`](Self::component).
    ///
    /// ```
    /// # use agenthalt::{PolicySource, settings::Budget};
    /// let source = PolicySource::in_code().guard(Budget::default());
    /// ```
    pub fn in_code() -> Self {
        PolicySource::default()
    }

    /// The policy in this file; its relative paths start at the file's folder.
    ///
    /// ```
    /// # use agenthalt::PolicySource;
    /// let source = PolicySource::file("policy.yaml");
    /// ```
    pub fn file(path: impl Into<PathBuf>) -> Self {
        PolicySource { text: Some(Text::File(path.into())), ..PolicySource::default() }
    }

    /// The policy in this text; its relative paths start at the folder of the process.
    ///
    /// ```
    /// # use agenthalt::PolicySource;
    /// let source = PolicySource::text("guards: {scope: {read_only_mode: true}}");
    /// ```
    pub fn text(text: impl Into<String>) -> Self {
        PolicySource::text_in(text, PathBuf::new())
    }

    /// The policy in this text; its relative paths start at this folder.
    ///
    /// ```
    /// # use agenthalt::PolicySource;
    /// let source = PolicySource::text_in("guards: {hours: {component: hours.wasm}}", "/etc/agenthalt");
    /// ```
    pub fn text_in(text: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        let text = Text::Given { text: text.into(), folder: folder.into() };
        PolicySource { text: Some(text), ..PolicySource::default() }
    }

    /// Adds a guard.
    ///
    /// ```
    /// # use agenthalt::{PolicySource, settings::Budget};
    /// let budget = Budget { max_daily_spend: Some("10".parse()?), ..Budget::default() };
    /// let source = PolicySource::in_code().guard(budget);
    /// # Ok::<(), agenthalt::AmountError>(())
    /// ```
    #[must_use]
    pub fn guard(mut self, guard: impl Into<GuardSetup>) -> Self {
        self.guards.push(guard.into());
        self
    }

    /// Adds a guard of one's own: [`GuardSetup::component`] with settings.
    ///
    /// ```
    /// # use agenthalt::PolicySource;
    /// let settings = serde_json::json!({ "from": 9, "to": 17 });
    /// let source = PolicySource::in_code().component("hours", "hours.wasm", settings);
    /// ```
    #[must_use]
    pub fn component(
        self,
        name: impl Into<String>,
        component: impl Into<ComponentSource>,
        settings: impl Serialize,
    ) -> Self {
        self.guard(GuardSetup::component(name, component).settings(settings))
    }

    /// What a call gets that no guard judges; it takes the place of what the text says.
    ///
    /// ```
    /// # use agenthalt::{PolicySource, Unmatched};
    /// let source = PolicySource::file("policy.yaml").unmatched(Unmatched::Deny);
    /// ```
    #[must_use]
    pub fn unmatched(mut self, unmatched: Unmatched) -> Self {
        self.unmatched = Some(unmatched);
        self
    }

    /// Where days and months begin, as `Europe/Berlin`; it takes the place of what the text says. Without
    /// either, that is UTC.
    ///
    /// ```
    /// # use agenthalt::PolicySource;
    /// let source = PolicySource::in_code().time_zone("Europe/Berlin");
    /// ```
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// Puts another source to this one.
    pub(crate) fn add(&mut self, other: PolicySource) {
        let PolicySource { text, guards, unmatched, time_zone } = other;
        self.text = text.or(self.text.take());
        self.guards.extend(guards);
        self.unmatched = unmatched.or(self.unmatched);
        self.time_zone = time_zone.or(self.time_zone.take());
    }

    /// Reads the text and puts to it what code adds.
    pub(crate) fn read(&self) -> Result<ReadPolicy, Error> {
        let (mut draft, file, folder) = match &self.text {
            Some(Text::File(path)) => {
                let text = read_text(path).map_err(|error| Error::cannot_read(path, error))?;
                let folder = path.parent().unwrap_or(Path::new("")).to_owned();
                (PolicyDraft::read(&text), path.display().to_string(), folder)
            }
            Some(Text::Given { text, folder }) => (PolicyDraft::read(text), "policy".to_owned(), folder.clone()),
            None if self.guards.is_empty() && self.unmatched.is_none() => return Err(Cause::NoPolicy.into()),
            None => (PolicyDraft::empty(), "policy".to_owned(), PathBuf::new()),
        };
        for guard in self.guards.iter().cloned() {
            let (entry, problems) = guard.entry();
            draft.add_guard(entry);
            draft.add_problems(problems);
        }
        if let Some(unmatched) = self.unmatched {
            draft.set_unmatched(unmatched);
        }
        if let Some(name) = &self.time_zone {
            draft.set_time_zone(name);
        }
        Ok(ReadPolicy { draft, file, folder })
    }
}

/// Reads a policy's text; what is behind the largest one is left, and makes it too large.
fn read_text(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MOST_POLICY_BYTES).read_to_string(&mut text)?;
    Ok(text)
}
