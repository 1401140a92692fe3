//! Takes secrets out of what people are shown, by the built-in guard that looks for them: with its own patterns of
//! secrets and with those that the policy names. What it cannot clean is not shown.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

use agenthalt_core::limits::GuardLimits;
use agenthalt_core::policy::{PolicyDraft, Source};
use agenthalt_core::subject::Subject;
use agenthalt_core::verdict::Verdict;
use agenthalt_json::Json;
use agenthalt_sandbox::{Guard, PreparedCall, Sandbox};

use crate::load::Loader;
use crate::roster::Roster;
use crate::settings::SensitiveData;
use crate::setup::GuardSetup;

/// What the guard leaves in the place of a secret.
pub(super) const MARK: &str = "[REDACTED]";
const GUARD: &str = "sensitive_data";
/// What is a secret wherever it stands, beside what the guard looks for by itself.
const SECRETS: [&str; 4] = ["password_field", "github_token", "slack_token", "google_api_key"];
/// The settings whose values the policy may add to.
const ADDED: [&str; 2] = ["blocked_patterns", "sensitive_fields"];
/// How often what was cleaned is looked at again.
const MOST_ROUNDS: usize = 8;

/// Takes out secrets; made when it is needed first.
#[derive(Debug, Default)]
pub(crate) struct Redactor(OnceLock<Result<Guard, String>>);

impl Redactor {
    /// Objects without secrets.
    ///
    /// # Errors
    /// Why one of them cannot be shown, and so none is.
    pub(crate) fn redact(
        &self,
        roster: &Roster,
        sandbox: &Sandbox,
        call: &PreparedCall,
        objects: Vec<Json>,
    ) -> Result<Vec<Json>, String> {
        let guard = self.0.get_or_init(|| load(roster, sandbox)).as_ref().map_err(String::clone)?;
        objects.into_iter().map(|object| clean(guard, call, object)).collect()
    }
}

/// An object without secrets.
// INVARIANT: nothing is shown that the guard has not called clean.
fn clean(guard: &Guard, call: &PreparedCall, object: Json) -> Result<Json, String> {
    let mut value = Subject::Arguments(object);
    for _ in 0..MOST_ROUNDS {
        let answer = guard.evaluate(&call.clone().with(&value), &[]).answer;
        match answer.map_err(|fault| format!("the guard that looks for secrets {fault}"))? {
            None => return arguments(value),
            Some(answer) => match (answer.verdict, answer.replacement) {
                (Verdict::Allow, _) => return arguments(value),
                (Verdict::Modify, Some(new)) if new != value => value = new,
                (Verdict::Modify, _) => return arguments(value),
                (Verdict::RequireApproval | Verdict::Deny, _) => {
                    return Err("a secret stands where it cannot be taken out".to_owned());
                }
            },
        }
    }
    Err("taking out secrets does not come to rest".to_owned())
}

fn arguments(subject: Subject) -> Result<Json, String> {
    match subject {
        Subject::Arguments(value) => Ok(value),
        Subject::Output(_) => Err("the guard that looks for secrets gave something else".to_owned()),
    }
}

fn load(roster: &Roster, sandbox: &Sandbox) -> Result<Guard, String> {
    let guard = GuardSetup::from(SensitiveData { redact_on_modify: true, ..SensitiveData::default() });
    let (mut entry, _) = guard.entry();
    let mut settings = entry.settings.json().as_object().cloned().unwrap_or_default();
    let mut add = |setting: &str, more: &[Json]| {
        let mut all = settings.get(setting).and_then(Json::as_array).unwrap_or_default().to_vec();
        all.extend(more.iter().filter(|item| !all.contains(item)).cloned().collect::<Vec<_>>());
        settings.insert(setting, Json::Array(all));
    };
    add("blocked_patterns", &SECRETS.map(Json::from));
    let of_policy =
        roster.policy.guards.iter().find(|entry| matches!(&entry.source, Source::BuiltIn(name) if name == GUARD));
    let of_policy = of_policy.and_then(|entry| entry.settings.json().as_object());
    for setting in ADDED {
        let more = of_policy.and_then(|settings| settings.get(setting)?.as_array());
        add(setting, more.unwrap_or_default());
    }
    if let Some(patterns) = of_policy.and_then(|settings| settings.get("custom_patterns")) {
        settings.insert("custom_patterns", patterns.clone());
    }
    entry = GuardSetup::built_in(GUARD, settings).limits(GuardLimits::CEILING).entry().0;
    let mut draft = PolicyDraft::read("guards: {}");
    draft.add_guard(entry);
    let replaced = BTreeMap::new();
    let built_in = agenthalt_builtins::BUILTINS;
    let loader = Loader { sandbox, built_in, folder: Path::new("."), replaced: &replaced, progress: None };
    let loaded = loader.load(draft, &[]).map_err(|problems| problems.render(GUARD))?;
    let seat = loaded.seats.into_iter().next().ok_or_else(|| "no guard looks for secrets".to_owned())?;
    seat.occupant.map_err(|fault| format!("the guard that looks for secrets {fault}"))
}
