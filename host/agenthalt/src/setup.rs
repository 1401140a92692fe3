//! A guard as a program sets it up: a built-in one with its settings, or a component of one's own. Nothing
//! is loaded or checked here; what is wrong is told when the policy is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use agenthalt_core::approval::ApprovalSetting;
use agenthalt_core::description::Phases;
use agenthalt_core::digest::Digest;
use agenthalt_core::limits::GuardLimits;
use agenthalt_core::policy::{ComponentBytes, GuardEntry, Mode, Problem, Settings, Source};
use agenthalt_json::{Json, Object};
use serde::Serialize;

/// One guard of a policy, set up in code. The six built-in ones are made from their
/// [settings](crate::settings), others by [`GuardSetup::component`].
///
/// ```
/// use agenthalt::settings::Scope;
/// use agenthalt::{GuardLimits, GuardSetup};
///
/// let watched = GuardSetup::from(Scope { read_only_mode: true, ..Scope::default() }).shadow();
/// let own = GuardSetup::component("business_hours", "guards/business_hours.wasm")
///     .settings(serde_json::json!({ "from": 9, "to": 17 }))
///     .limits(GuardLimits::new(5_000_000, 8 << 20, 100)?);
/// # Ok::<(), agenthalt::LimitError>(())
/// ```
#[derive(Clone, Debug)]
pub struct GuardSetup {
    name: String,
    source: Result<Source, String>,
    settings: Result<Object, String>,
    sha256: Option<Digest>,
    mode: Mode,
    enabled: bool,
    phases: Option<Phases>,
    limits: GuardLimits,
    approval: ApprovalSetting,
}

impl GuardSetup {
    pub(crate) fn built_in(name: &str, settings: Object) -> Self {
        GuardSetup { settings: Ok(settings), ..GuardSetup::new(name.to_owned(), Ok(Source::BuiltIn(name.to_owned()))) }
    }

    /// A guard of one's own, under this name: 1 to 64 letters, digits, `_` or `-`, and not that of a built-in
    /// guard. Its counters are kept under the name too: a guard that gets another name begins to count anew.
    ///
    /// The component is a file, whose relative path starts at the policy file's folder or, without one, at
    /// the folder of the process; or it is bytes.
    ///
    /// ```
    /// use agenthalt::GuardSetup;
    /// let by_path = GuardSetup::component("hours", "hours.wasm");
    /// let by_bytes = GuardSetup::component("hours", vec![0, 97, 115, 109]);
    /// ```
    pub fn component(name: impl Into<String>, component: impl Into<ComponentSource>) -> Self {
        let source = match component.into() {
            ComponentSource::File(path) => match path.into_os_string().into_string() {
                Ok(path) => Ok(Source::Component { path, sha256: None }),
                Err(path) => Err(format!("the path `{}` is not UTF-8", path.display())),
            },
            ComponentSource::Bytes(bytes) => Ok(Source::Given { bytes: ComponentBytes(bytes), sha256: None }),
        };
        GuardSetup::new(name.into(), source)
    }

    fn new(name: String, source: Result<Source, String>) -> Self {
        GuardSetup {
            name,
            source,
            settings: Ok(Object::new()),
            sha256: None,
            mode: Mode::Enforce,
            enabled: true,
            phases: None,
            limits: GuardLimits::default(),
            approval: ApprovalSetting::default(),
        }
    }

    /// Configures the guard with this: anything that serialises to a JSON object. Mind that serde makes null,
    /// which mostly means that nothing is set, of a float that is no number.
    ///
    /// ```
    /// # use agenthalt::GuardSetup;
    /// let guard = GuardSetup::component("hours", "hours.wasm").settings(serde_json::json!({ "from": 9 }));
    /// ```
    #[must_use]
    pub fn settings(mut self, settings: impl Serialize) -> Self {
        self.settings = object(&settings);
        self
    }

    /// Pins the component: bytes of another digest are not run, and every call is denied. A built-in guard is
    /// pinned by the host, so this is refused for one.
    ///
    /// ```
    /// # use agenthalt::GuardSetup;
    /// let vetted = "50ba96bbe7fb3e6b834b9d5e74e5eeb92d0e84fab9376968af905abe3e6f9d37".parse()?;
    /// let guard = GuardSetup::component("hours", "hours.wasm").sha256(vetted);
    /// # Ok::<(), agenthalt::NotADigest>(())
    /// ```
    #[must_use]
    pub fn sha256(mut self, digest: Digest) -> Self {
        self.sha256 = Some(digest);
        self
    }

    /// Lets the guard judge without effect: what it says is recorded and counted apart.
    ///
    /// ```
    /// # use agenthalt::{GuardSetup, settings::Budget};
    /// let guard = GuardSetup::from(Budget::default()).shadow();
    /// ```
    #[must_use]
    pub fn shadow(mut self) -> Self {
        self.mode = Mode::Shadow;
        self
    }

    /// Leaves the guard switched off until [`enable_guard`](crate::PolicyEngine::enable_guard).
    ///
    /// ```
    /// # use agenthalt::{GuardSetup, settings::Budget};
    /// let guard = GuardSetup::from(Budget::default()).disabled();
    /// ```
    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// Asks a custom guard in these phases only; without this, in all that it judges.
    ///
    /// ```
    /// # use agenthalt::{GuardSetup, Phases};
    /// let guard = GuardSetup::component("hours", "hours.wasm").phases(Phases { before: true, after: false });
    /// ```
    #[must_use]
    pub fn phases(mut self, phases: Phases) -> Self {
        self.phases = Some(phases);
        self
    }

    /// What the guard may use in one call.
    ///
    /// ```
    /// # use agenthalt::{GuardLimits, GuardSetup, settings::Scope};
    /// let limits = GuardLimits::new(5_000_000, 8 << 20, 100)?;
    /// let guard = GuardSetup::from(Scope::default()).limits(limits);
    /// # Ok::<(), agenthalt::LimitError>(())
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: GuardLimits) -> Self {
        self.limits = limits;
        self
    }

    /// What is asked of those who answer the guard's questions.
    ///
    /// ```
    /// # use agenthalt::{ApprovalSetting, GuardSetup, settings::Purchase};
    /// let two = ApprovalSetting { required: Some(2), ..ApprovalSetting::default() };
    /// let guard = GuardSetup::from(Purchase::default()).approval(two);
    /// ```
    #[must_use]
    pub fn approval(mut self, approval: ApprovalSetting) -> Self {
        self.approval = approval;
        self
    }

    /// The entry in the policy, and what is wrong with it.
    pub(crate) fn entry(self) -> (GuardEntry, Vec<Problem>) {
        let mut wrong = Vec::new();
        let mut told = |message: String| wrong.push(message);
        let source = match (self.source, self.sha256) {
            (Ok(Source::Component { path, .. }), sha256) => Source::Component { path, sha256 },
            (Ok(Source::Given { bytes, .. }), sha256) => Source::Given { bytes, sha256 },
            (Ok(source @ Source::BuiltIn(_)), pin) => {
                if pin.is_some() {
                    told("a built-in guard is pinned by the host; only a component of one's own is pinned here".into());
                }
                if self.phases.is_some() {
                    told("a built-in guard judges in the phases that its settings name".into());
                }
                source
            }
            (Err(message), _) => {
                told(message);
                Source::Component { path: String::new(), sha256: None }
            }
        };
        let settings = self.settings.unwrap_or_else(|message| {
            told(message);
            Object::new()
        });
        if self.phases.is_some_and(|phases| !phases.before && !phases.after) {
            told("its phases name none; a guard that judges none is switched off by `disabled`".into());
        }
        let settings = Settings::of_code(&self.name, settings);
        let problems = wrong.iter().map(|message| settings.problem("", message)).collect();
        let GuardSetup { name, mode, enabled, phases, limits, approval, .. } = self;
        (GuardEntry { name, source, settings, mode, enabled, phases, limits, approval }, problems)
    }
}

/// Where a custom guard's component is: a path or bytes turn into it.
///
/// ```
/// use agenthalt::ComponentSource;
/// let file = ComponentSource::from("guards/hours.wasm");
/// let bytes = ComponentSource::from(vec![0, 97, 115, 109]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ComponentSource {
    /// A file that is read when the policy is loaded.
    File(PathBuf),
    /// The component itself.
    Bytes(Arc<[u8]>),
}

impl From<&str> for ComponentSource {
    fn from(path: &str) -> Self {
        ComponentSource::File(path.into())
    }
}

impl From<String> for ComponentSource {
    fn from(path: String) -> Self {
        ComponentSource::File(path.into())
    }
}

impl From<&Path> for ComponentSource {
    fn from(path: &Path) -> Self {
        ComponentSource::File(path.to_owned())
    }
}

impl From<PathBuf> for ComponentSource {
    fn from(path: PathBuf) -> Self {
        ComponentSource::File(path)
    }
}

impl From<Vec<u8>> for ComponentSource {
    fn from(bytes: Vec<u8>) -> Self {
        ComponentSource::Bytes(bytes.into())
    }
}

impl From<&[u8]> for ComponentSource {
    fn from(bytes: &[u8]) -> Self {
        ComponentSource::Bytes(bytes.into())
    }
}

impl<const N: usize> From<&[u8; N]> for ComponentSource {
    fn from(bytes: &[u8; N]) -> Self {
        ComponentSource::Bytes(bytes.as_slice().into())
    }
}

/// What serialises to a JSON object, as one.
fn object(settings: &impl Serialize) -> Result<Object, String> {
    let text =
        serde_json::to_string(settings).map_err(|error| format!("its settings cannot be serialised: {error}"))?;
    match Json::parse(&text) {
        Ok(Json::Object(object)) => Ok(object),
        Ok(Json::Null) => Ok(Object::new()),
        Ok(other) => Err(format!("its settings are {}, not an object", other.kind())),
        Err(error) => Err(format!("its settings are unusable: {error}")),
    }
}
