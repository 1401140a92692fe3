//! Changes of a running engine's policy: all of it, or a guard. Each is made to what the last one left, and
//! all at once; none touches an evaluation that has begun.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use agenthalt_core::fault::Fault;
use agenthalt_core::policy::PolicyDraft;

use super::PolicyEngine;
use crate::error::{Cause, Error};
use crate::events::{Event, PolicyEvent};
use crate::load::Loader;
use crate::roster::Roster;
use crate::setup::GuardSetup;
use crate::source::PolicySource;
use crate::status::GuardStatus;

impl PolicyEngine {
    /// Takes another policy from now on, all of it at once: an evaluation that has begun ends under the old
    /// one. What is spent and counted stays, for guards that keep their name. It reads files and compiles, so
    /// it takes up its thread for a while; evaluations go on meanwhile.
    ///
    /// A guard whose component cannot serve is no error: it keeps its seat, and every call is denied. Look at
    /// [`faults`](Self::faults) after. Where the new policy judges outputs and the old one did not, outputs of
    /// calls from before are withheld: nobody kept those calls.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// use agenthalt::PolicySource;
    /// engine.replace_policy(PolicySource::text("guards: {scope: {read_only_mode: true}}"))?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where the new policy is refused or cannot be read, or keeps its state elsewhere than the
    /// engine does; the old one holds on then.
    pub fn replace_policy(&self, policy: PolicySource) -> Result<(), Error> {
        let read = policy.read()?;
        let mut folder = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = self.loader(&read.folder).load(read.draft, &[]);
        let roster = loaded.map_err(|problems| Cause::Policy { file: read.file.clone(), problems })?;
        if !self.0.keeping.is_kept_by(&roster, &read.folder) {
            return Err(Cause::StateMoved(read.file).into());
        }
        *folder = read.folder;
        self.swap(roster);
        Ok(())
    }

    /// Adds a guard behind the others. A component that cannot serve is no error: it keeps its seat, and every
    /// call is denied; look at [`faults`](Self::faults) after. Its relative path starts where those of the policy
    /// do.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {}");
    /// use agenthalt::settings::Scope;
    /// engine.add_guard(Scope { read_only_mode: true, ..Scope::default() })?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where its settings are refused or there is a guard of this name; nothing has changed then.
    pub fn add_guard(&self, guard: impl Into<GuardSetup>) -> Result<(), Error> {
        let (entry, problems) = guard.into().entry();
        self.change(|draft| {
            draft.add_guard(entry);
            draft.add_problems(problems);
            Ok(())
        })
    }

    /// Takes a guard out. What it counted is kept, for one that takes its name again.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// engine.remove_guard("scope")?;
    /// assert!(engine.guard("scope").is_none());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where there is no guard of this name.
    pub fn remove_guard(&self, name: &str) -> Result<(), Error> {
        self.change(|draft| if draft.remove_guard(name) { Ok(()) } else { Err(Cause::NoSuchGuard(name.to_owned())) })
    }

    /// Switches a guard on again. One that could not serve is not loaded anew: take it out and add it for that.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {enabled: false}}");
    /// engine.enable_guard("scope")?;
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where there is no guard of this name.
    pub fn enable_guard(&self, name: &str) -> Result<(), Error> {
        self.set_enabled(name, true)
    }

    /// Switches a guard off: it is not asked until it is switched on again.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// engine.disable_guard("scope")?;
    /// assert!(!engine.guard("scope").unwrap().enabled);
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error`] where there is no guard of this name.
    pub fn disable_guard(&self, name: &str) -> Result<(), Error> {
        self.set_enabled(name, false)
    }

    /// The guards in the policy's order, whether they can serve or not.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}, budget: {}}");
    /// let names: Vec<String> = engine.guards().into_iter().map(|guard| guard.name).collect();
    /// assert_eq!(names, ["scope", "budget"]);
    /// ```
    pub fn guards(&self) -> Vec<GuardStatus> {
        self.roster().seats.iter().map(GuardStatus::of).collect()
    }

    /// The guard of this name; none where there is none.
    ///
    /// ```
    /// # let engine = agenthalt::testing::engine("guards: {scope: {}}");
    /// assert!(engine.guard("scope").is_some() && engine.guard("budget").is_none());
    /// ```
    pub fn guard(&self, name: &str) -> Option<GuardStatus> {
        self.roster().seats.iter().find(|seat| seat.name() == name).map(GuardStatus::of)
    }

    /// The enabled guards that cannot serve, with what is wrong. While one of them enforces, every call is
    /// denied.
    ///
    /// ```
    /// let engine = agenthalt::PolicyEngine::builder().component("hours", "missing.wasm", ()).build()?;
    /// let faults = engine.faults();
    /// assert_eq!((faults[0].0.as_str(), faults[0].1.code()), ("hours", "missing"));
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn faults(&self) -> Vec<(String, Fault)> {
        self.roster().faults()
    }

    fn set_enabled(&self, name: &str, enabled: bool) -> Result<(), Error> {
        self.change(
            |draft| {
                if draft.set_enabled(name, enabled) { Ok(()) } else { Err(Cause::NoSuchGuard(name.to_owned())) }
            },
        )
    }

    /// Changes the policy; guards that stay keep their seats as they are.
    fn change(&self, change: impl FnOnce(&mut PolicyDraft) -> Result<(), Cause>) -> Result<(), Error> {
        let folder = self.0.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.roster();
        let mut draft = PolicyDraft::of(now.policy.clone());
        change(&mut draft)?;
        let loaded = self.loader(&folder).load(draft, &now.seats);
        self.swap(loaded.map_err(|problems| Cause::Policy { file: "policy".to_owned(), problems })?);
        Ok(())
    }

    fn swap(&self, roster: Roster) {
        let (now, faults) = (roster.policy.digest, roster.faults());
        let mut held = self.0.roster.write().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *held, Arc::new(roster));
        drop(held);
        let before = old.policy.digest;
        self.0.listeners.tell(Event::Policy(PolicyEvent { before, now, faults }));
    }

    fn loader<'a>(&'a self, folder: &'a Path) -> Loader<'a> {
        Loader {
            sandbox: &self.0.room.sandbox,
            built_in: agenthalt_builtins::BUILTINS,
            folder,
            replaced: &self.0.replaced,
            progress: None,
        }
    }
}
