//! From a policy's text to a roster: components are fetched, loaded in parallel, held against their
//! settings and configured. It runs no call.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use agenthalt_builtins::{BUILTINS, Builtin};
use agenthalt_core::bounds::Bounds;
use agenthalt_core::description::Description;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::policy::{GuardEntry, PolicyDraft, Problem, Problems, Source};
use agenthalt_core::subject::Phase;
use agenthalt_json::{Json, Limits as JsonLimits};
use agenthalt_sandbox::{Component, Guard, MOST_COMPONENT_BYTES, STACK_BYTES, Sandbox};

use crate::roster::{Roster, Seat};

/// Told how many components are compiled, of how many: from 0 to all. Nothing is told where all come
/// from the cache.
///
/// ```
/// # use agenthalt::{Progress, testing};
/// # use std::sync::Arc;
/// let progress: Progress = Arc::new(|done, of| eprintln!("compiled {done} of {of} guards"));
/// let builder = testing::builder("guards: {scope: {}}").progress(move |done, of| progress(done, of));
/// assert_eq!(builder.check()?.len(), 1);
/// # Ok::<(), agenthalt::Error>(())
/// ```
pub type Progress = Arc<dyn Fn(usize, usize) + Send + Sync>;

/// The built-in guards that this host ships, by the names they have in a policy.
///
/// ```
/// # use agenthalt::built_in_names;
/// assert!(built_in_names().contains(&"budget"));
/// ```
pub fn built_in_names() -> Vec<&'static str> {
    BUILTINS.iter().map(|built_in| built_in.name).collect()
}

/// What a policy is loaded with.
pub(crate) struct Loader<'a> {
    pub(crate) sandbox: &'a Sandbox,
    /// The built-in guards, as the lock names them.
    pub(crate) built_in: &'a [Builtin],
    /// Where the policy's relative paths start.
    pub(crate) folder: &'a Path,
    /// Components that stand in for built-in ones.
    pub(crate) replaced: &'a BTreeMap<String, Vec<u8>>,
    pub(crate) progress: Option<&'a Progress>,
}

/// A component's bytes, their digest, and the one that they must have.
struct Fetched {
    bytes: Vec<u8>,
    digest: Digest,
    pinned: Option<Digest>,
}

impl Fetched {
    fn new(bytes: Vec<u8>, pinned: Option<Digest>) -> Self {
        Fetched { digest: Digest::of(&bytes), bytes, pinned }
    }
}

/// A seat's occupant, or what is wrong with its settings.
type Seated = Result<Result<Guard, Fault>, Vec<Problem>>;

impl Loader<'_> {
    /// Loads a policy. A guard that sat in one of these seats before keeps it as it is.
    ///
    /// # Errors
    /// Everything that is wrong with the text, what the guards say of their settings included.
    pub(crate) fn load(&self, mut draft: PolicyDraft, before: &[Seat]) -> Result<Roster, Problems> {
        let entries = draft.guards();
        let kept = |entry: &GuardEntry| before.iter().find(|seat| seat.name() == entry.name);
        let new: Vec<&GuardEntry> = entries.iter().filter(|entry| kept(entry).is_none()).collect();
        let mut loaded = self.seat_all(&new, draft.call_limits()).into_iter();
        let mut problems = Vec::new();
        let mut occupants = Vec::new();
        for entry in entries {
            let seated = match kept(entry) {
                Some(seat) => Ok(seat.occupant.clone()),
                None => loaded.next().unwrap_or_else(lost),
            };
            occupants.push(seated.unwrap_or_else(|found| {
                problems.extend(found);
                Err(Fault::FailedToConfigure("its settings are refused".to_owned()))
            }));
        }
        draft.add_problems(problems);
        let policy = draft.finish()?;
        let seats = policy.guards.iter().cloned().zip(occupants);
        let seats = seats.map(|(entry, occupant)| Seat { entry, occupant }).collect();
        Ok(Roster::new(policy, seats))
    }

    fn fetch(&self, entry: &GuardEntry) -> Result<Fetched, Fault> {
        match &entry.source {
            Source::BuiltIn(name) => {
                if let Some(bytes) = self.replaced.get(name) {
                    return Ok(Fetched::new(bytes.clone(), None));
                }
                let found = self.built_in.iter().find(|built_in| built_in.name == name);
                let built_in = found.ok_or_else(|| Fault::Missing(format!("no built-in guard `{name}`")))?;
                let pinned = built_in.sha256.parse();
                let pinned = pinned.map_err(|_| Fault::Missing(format!("the lock names no digest for `{name}`")))?;
                match built_in.bytes {
                    Some(bytes) => Ok(Fetched::new(bytes.to_vec(), Some(pinned))),
                    None => Err(Fault::Missing(format!("`{name}` was not there when this host was built"))),
                }
            }
            Source::Component { path, sha256 } => Ok(Fetched::new(read_component(&self.folder.join(path))?, *sha256)),
            Source::Given { bytes, sha256 } => Ok(Fetched::new(bytes.0.to_vec(), *sha256)),
        }
    }

    /// Fills the seats on as many threads as there are cores, and tells how far that is.
    fn seat_all(&self, entries: &[&GuardEntry], arguments: JsonLimits) -> Vec<Seated> {
        let fetched: Vec<Result<Fetched, Fault>> = entries.iter().map(|entry| self.fetch(entry)).collect();
        let to_compile: BTreeSet<Digest> = fetched
            .iter()
            .flatten()
            .map(|fetched| fetched.digest)
            .filter(|digest| !self.sandbox.is_ready(digest))
            .collect();
        if !to_compile.is_empty() {
            self.tell(0, to_compile.len());
        }
        let bounds = Bounds { arguments, ..Bounds::default() };
        let (next, compiled) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let seated: Mutex<BTreeMap<usize, Seated>> = Mutex::default();
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let (Some(entry), Some(fetched)) = (entries.get(index), fetched.get(index)) else { return };
                let component = match fetched {
                    Ok(fetched) => self.sandbox.load(&fetched.bytes, fetched.pinned),
                    Err(fault) => Err(fault.clone()),
                };
                if fetched.as_ref().is_ok_and(|fetched| to_compile.contains(&fetched.digest)) {
                    let done = compiled.fetch_add(1, Ordering::Relaxed) + 1;
                    self.tell(done.min(to_compile.len()), to_compile.len());
                }
                let guard = component.map_or_else(|fault| Ok(Err(fault)), |it| configure(entry, &it, bounds));
                seated.lock().unwrap_or_else(PoisonError::into_inner).insert(index, guard);
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            let threads = (0..cores.min(entries.len())).map(|_| {
                let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
                thread.spawn_scoped(scope, work)
            });
            for thread in threads.collect::<Vec<_>>().into_iter().flatten() {
                // A seat that no thread fills, or whose thread panics, is one with a fault, below.
                let _ = thread.join();
            }
        });
        let mut seated = seated.into_inner().unwrap_or_else(PoisonError::into_inner);
        (0..entries.len()).map(|index| seated.remove(&index).unwrap_or_else(lost)).collect()
    }

    fn tell(&self, done: usize, total: usize) {
        if let Some(progress) = self.progress {
            // What is told is for people only; a panic in it keeps no guard from its seat.
            let _ = catch_unwind(AssertUnwindSafe(|| progress(done, total)));
        }
    }
}

/// The seat of a guard that no thread loaded.
fn lost() -> Seated {
    Ok(Err(Fault::Host("no thread could load the guard".to_owned())))
}

/// Reads a component's file.
///
/// # Errors
/// [`Fault::Missing`] where there is no file that can be read.
pub(crate) fn read_component(path: &Path) -> Result<Vec<u8>, Fault> {
    let missing = |error: std::io::Error| Fault::Missing(format!("`{}`: {error}", path.display()));
    // Anything else may have no end, or keep us waiting for its beginning.
    if !std::fs::metadata(path).map_err(missing)?.is_file() {
        return Err(Fault::Missing(format!("`{}`: it is no file", path.display())));
    }
    // One byte more than the sandbox takes: it says that this is too much.
    let most = MOST_COMPONENT_BYTES as u64 + 1;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(missing)?;
    Ok(bytes)
}

/// Holds the settings against the guard's schema, then lets the guard configure itself with them.
fn configure(entry: &GuardEntry, component: &Component, bounds: Bounds) -> Seated {
    let schema = component.schema(&entry.limits).and_then(|text| {
        Json::parse(&text).map_err(|error| Fault::FailedToConfigure(format!("its schema is unusable: {error}")))
    });
    let schema = match schema {
        Ok(schema) => schema,
        Err(fault) => return Ok(Err(fault)),
    };
    let (mut problems, rest) = entry.settings.check_schema(&schema);
    let configured = component.configure(&rest.to_string(), entry.limits, bounds);
    if let Ok(Err(refused)) = &configured {
        // Without the settings that are out, the guard may miss one; that is not the policy's problem.
        let in_order = problems.is_empty();
        let told = refused.iter().filter(|problem| in_order || !problem.pointer.is_empty());
        problems.extend(told.map(|problem| entry.settings.problem(&problem.pointer, &problem.message)));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(match configured {
        Ok(Ok(guard)) => match missing_phase(entry, guard.description()) {
            None => Ok(guard),
            Some(phase) => {
                let phase = phase.as_str();
                Err(Fault::Incompatible(format!("the policy wants it in the phase `{phase}`, which it does not judge")))
            }
        },
        Ok(Err(_)) => Err(Fault::FailedToConfigure("it refuses its settings without saying why".to_owned())),
        Err(fault) => Err(fault),
    })
}

/// A phase that the policy names and the guard does not judge: what the policy means to be held there
/// would not be.
fn missing_phase(entry: &GuardEntry, description: &Description) -> Option<Phase> {
    let wanted = entry.phases?;
    let phases = [Phase::Before, Phase::After];
    phases.into_iter().find(|phase| wanted.contains(*phase) && !description.phases.contains(*phase))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    /// The fault in the seat of scope, where these are its bytes.
    fn fault(bytes: Option<&'static [u8]>) -> Fault {
        let scope = BUILTINS.iter().find(|built_in| built_in.name == "scope").unwrap();
        let table = [Builtin { bytes, ..*scope }];
        let sandbox = Sandbox::builder().build().unwrap();
        let replaced = BTreeMap::new();
        let loader =
            Loader { sandbox: &sandbox, built_in: &table, folder: Path::new("."), replaced: &replaced, progress: None };
        let roster = loader.load(PolicyDraft::read("guards: {scope: {deny_functions: ['drop_*']}}"), &[]).unwrap();
        let [seat] = roster.seats.as_slice() else { panic!("one seat") };
        seat.occupant.as_ref().unwrap_err().clone()
    }

    #[test]
    fn a_built_in_guard_that_is_missing_keeps_its_seat_with_a_fault() {
        assert!(matches!(fault(None), Fault::Missing(_)));
    }

    #[test]
    fn a_built_in_guard_that_differs_from_the_lock_keeps_its_seat_with_a_fault() {
        assert!(matches!(fault(Some(b"corrupt")), Fault::WrongDigest { .. }));
        assert!(matches!(fault(Some(b"")), Fault::WrongDigest { .. }));
    }
}
