//! The verbs on guard components: build, check and the examples. It writes what is committed
//! (`guards/prebuilt`, `guards/guards.lock`) in `build` only.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::checkout::Checkout;
use crate::component::{Component, sha256};
use crate::guest::Guest;
use crate::lock::{Lock, LockedGuard, LockedToolchain};
use crate::page;
use crate::process;
use crate::std_library;
use crate::toolchain::Toolchain;

/// Where the lock lies, from the root.
pub(crate) const LOCK: &str = "guards/guards.lock";
const PREBUILT: &str = "guards/prebuilt";

/// Names the folder of rebuilt guards to the conformance test.
const REBUILT_VARIABLE: &str = "AGENTHALT_REBUILT_GUARDS";

/// Builds the named guards, or all, and writes them and the lock.
pub(crate) fn build(checkout: &Checkout, names: &[String]) -> Result<()> {
    let guests = checkout.guards()?;
    for name in names {
        if !guests.iter().any(|guest| guest.name() == name) {
            let known: Vec<_> = guests.iter().map(Guest::name).collect();
            bail!("`guards/{name}` is no guard; there are: {}", known.join(", "));
        }
    }
    let toolchain = toolchain(checkout)?;
    if !std_library::is_repeatable(&toolchain) {
        bail!("the library for wasm32-unknown-unknown was not built by `cargo xtask setup`, which others have; run it");
    }
    let mut lock = lock_to_write(checkout, &toolchain, names)?;
    for guest in guests.iter().filter(|guest| names.is_empty() || names.iter().any(|name| name == guest.name())) {
        let component = make(checkout, &toolchain, guest)?;
        let entry = entry(guest, &component);
        write(&checkout.path("guards").join(&entry.file), component.bytes())?;
        lock.put(entry);
    }
    write(&checkout.path(LOCK), lock.to_text()?.as_bytes())?;
    remove_unlocked(checkout, &lock)
}

/// Rebuilds every guard and compares it with what is committed.
pub(crate) fn check(checkout: &Checkout) -> Result<()> {
    let lock = Lock::read(&checkout.path(LOCK)).context("run `cargo xtask guards build`")?;
    let toolchain = toolchain(checkout)?;
    let is_comparable = toolchain.version() == lock.toolchain.rustc && std_library::is_repeatable(&toolchain);
    let rebuilt = checkout.guests_target().join("rebuilt");
    if rebuilt.exists() {
        fs::remove_dir_all(&rebuilt).with_context(|| format!("cannot clear `{}`", rebuilt.display()))?;
    }
    let guests = checkout.guards()?;
    let mut differences = differences_of_names(&guests, &lock);
    for guest in &guests {
        let component = make(checkout, &toolchain, guest)?;
        write(&rebuilt.join(format!("{}.wasm", guest.name())), component.bytes())?;
        let Some(locked) = lock.guard(&guest.policy_name()) else { continue };
        let prebuilt = fs::read(checkout.path("guards").join(&locked.file)).ok().map(|bytes| sha256(&bytes));
        let mut now = entry(guest, &component);
        if !is_comparable {
            now.sha256.clone_from(&locked.sha256);
        }
        differences.extend(differences_of(locked, &now, prebuilt.as_deref()));
    }
    if !differences.is_empty() {
        bail!(
            "the committed guards are not those of the sources:\n  {}\nrun `cargo xtask guards build` and commit \
             guards/prebuilt and guards/guards.lock, or take back what was changed",
            differences.join("\n  ")
        );
    }
    if is_comparable {
        println!("guards/prebuilt is bit for bit what the sources give");
        return Ok(());
    }
    let library =
        if std_library::is_repeatable(&toolchain) { "" } else { ", with a library that `setup` did not build" };
    println!("guards.lock names: {}\nthis is:           {}{library}", lock.toolchain.rustc, toolchain.version());
    println!("bytes not compared; running the cases on the rebuilt guards");
    // The whole workspace, as the tests are built anyway: a package alone has other features of its
    // dependencies, and would compile the engine a second time.
    let mut test = process::cargo(checkout.root());
    test.args(["test", "--quiet", "--workspace", "--test", "conformance"]);
    process::run(test.env(REBUILT_VARIABLE, &rebuilt))
}

/// Builds the examples of the SDK and the guard of the page about guards, for the tests, which load them by
/// path.
pub(crate) fn build_examples(checkout: &Checkout) -> Result<()> {
    let toolchain = toolchain(checkout)?;
    for guest in checkout.examples()? {
        let component = make(checkout, &toolchain, &guest)?;
        write(&checkout.guests_target().join(format!("examples/{}.wasm", guest.name())), component.bytes())?;
    }
    page::follow(checkout, &toolchain)
}

fn toolchain(checkout: &Checkout) -> Result<Toolchain> {
    let named = Lock::named_rustc(&checkout.path(LOCK));
    let toolchain = Toolchain::choose(checkout, named.as_deref())?;
    toolchain.context("no compiler here builds for wasm32-unknown-unknown; run `cargo xtask setup`")
}

fn make(checkout: &Checkout, toolchain: &Toolchain, guest: &Guest) -> Result<Component> {
    let component = guest.compile(checkout, toolchain).and_then(|module| Component::encode(&module));
    let component = component.with_context(|| format!("cannot build the guard `{}`", guest.name()))?;
    println!("{:<20} {:>8} bytes  {}", guest.name(), component.bytes().len(), component.sha256());
    Ok(component)
}

fn entry(guest: &Guest, component: &Component) -> LockedGuard {
    LockedGuard {
        name: guest.policy_name(),
        version: guest.version().to_owned(),
        contract: component.contract().to_owned(),
        sha256: component.sha256(),
        file: format!("prebuilt/{}.wasm", guest.name()),
    }
}

/// The lock to put entries into: an empty one if all guards are built, else the present one.
fn lock_to_write(checkout: &Checkout, toolchain: &Toolchain, names: &[String]) -> Result<Lock> {
    let rustc = toolchain.version().to_owned();
    let present = Lock::read(&checkout.path(LOCK));
    if names.is_empty() {
        if let Ok(present) = present
            && present.toolchain.rustc != rustc
        {
            println!("guards.lock named {}; from now on it names {rustc}", present.toolchain.rustc);
        }
        return Ok(Lock { toolchain: LockedToolchain { rustc }, guards: Vec::new() });
    }
    let present = present.context("build all guards once before building some")?;
    if present.toolchain.rustc != rustc {
        bail!(
            "guards.lock names {}, but this is {rustc}: one compiler builds all, so name no guard",
            present.toolchain.rustc
        );
    }
    Ok(present)
}

/// Guards without an entry and entries without a guard.
fn differences_of_names(guests: &[Guest], lock: &Lock) -> Vec<String> {
    let missing = guests.iter().filter(|guest| lock.guard(&guest.policy_name()).is_none());
    let missing = missing.map(|guest| format!("{}: guards.lock has no entry for it", guest.policy_name()));
    let surplus = lock.guards.iter().filter(|entry| !guests.iter().any(|guest| guest.policy_name() == entry.name));
    missing.chain(surplus.map(|entry| format!("{}: guards.lock names it, but it has no folder", entry.name))).collect()
}

/// What is wrong with one guard: the entry of the lock, the entry that the sources give, and the
/// digest of the committed file, none where it is missing.
fn differences_of(locked: &LockedGuard, now: &LockedGuard, prebuilt: Option<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let name = &locked.name;
    for (field, was, is) in [
        ("version", &locked.version, &now.version),
        ("contract", &locked.contract, &now.contract),
        ("file", &locked.file, &now.file),
        ("sha256", &locked.sha256, &now.sha256),
    ] {
        if was != is {
            found.push(format!("{name}: guards.lock says {field} {was}, the sources give {is}"));
        }
    }
    match prebuilt {
        None => found.push(format!("{name}: guards/{} is missing", locked.file)),
        Some(digest) if digest != locked.sha256 => {
            found.push(format!(
                "{name}: guards.lock says sha256 {}, guards/{} has {digest}",
                locked.sha256, locked.file
            ));
        }
        Some(_) => {}
    }
    found
}

/// Removes components that the lock does not name: nothing would embed them.
fn remove_unlocked(checkout: &Checkout, lock: &Lock) -> Result<()> {
    for file in fs::read_dir(checkout.path(PREBUILT))? {
        let path = file?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_locked = lock.guards.iter().any(|guard| guard.file == format!("prebuilt/{name}"));
        if name.ends_with(".wasm") && !is_locked {
            println!("removing guards/prebuilt/{name}: there is no such guard");
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Writes a file in one step: whoever reads it meanwhile sees the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, bytes).with_context(|| format!("cannot write `{}`", unfinished.display()))?;
    fs::rename(&unfinished, path).with_context(|| format!("cannot write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sha256: &str) -> LockedGuard {
        LockedGuard {
            name: "scope".to_owned(),
            version: "0.1.0".to_owned(),
            contract: "0.1".to_owned(),
            sha256: sha256.to_owned(),
            file: "prebuilt/scope.wasm".to_owned(),
        }
    }

    #[test]
    fn equal_guard_has_no_difference() {
        assert!(differences_of(&entry("aa"), &entry("aa"), Some("aa")).is_empty());
    }

    #[test]
    fn changed_source_is_told_with_both_digests() {
        let found = differences_of(&entry("aa"), &entry("bb"), Some("aa"));
        assert_eq!(found, ["scope: guards.lock says sha256 aa, the sources give bb"]);
    }

    #[test]
    fn changed_file_is_told_with_both_digests() {
        let found = differences_of(&entry("aa"), &entry("aa"), Some("cc"));
        assert_eq!(found, ["scope: guards.lock says sha256 aa, guards/prebuilt/scope.wasm has cc"]);
    }

    #[test]
    fn missing_file_is_told() {
        assert_eq!(differences_of(&entry("aa"), &entry("aa"), None), ["scope: guards/prebuilt/scope.wasm is missing"]);
    }
}
