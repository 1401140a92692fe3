//! `setup`: makes a compiler with the wasm target available and says what it does. It adds packages,
//! a target or a library, and never removes or replaces a compiler.

use anyhow::{Result, bail};

use crate::apt;
use crate::checkout::Checkout;
use crate::guards::LOCK;
use crate::lock::Lock;
use crate::process;
use crate::std_library;
use crate::toolchain::{Lack, TARGET, Toolchain};

/// A compiler, its cargo and the sources of its libraries, as Debian packages them for browsers: newer
/// than the release's own.
const DEBIAN_COMPILER: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// Says what the compilers here can build, and fails where none builds guards.
pub(crate) fn report(checkout: &Checkout) -> Result<()> {
    let named = Lock::named_rustc(&checkout.path(LOCK));
    println!("guards.lock names {}", named.as_deref().unwrap_or("no compiler"));
    for toolchain in Toolchain::all(checkout)? {
        let lacks: Vec<_> = toolchain.lacks()?.iter().map(Lack::to_string).collect();
        let can = if lacks.is_empty() { "builds guards".to_owned() } else { format!("lacks {}", lacks.join(", ")) };
        println!("{}: {}: {can}", toolchain.sysroot().display(), toolchain.version());
    }
    match Toolchain::choose(checkout, named.as_deref())? {
        Some(toolchain) => announce(&toolchain, named.as_deref()),
        None => bail!("no compiler here builds for {TARGET}; run `cargo xtask setup`"),
    }
    Ok(())
}

/// Makes the wasm target available. False where that is not possible here, after saying why.
pub(crate) fn provide(checkout: &Checkout) -> Result<bool> {
    let named = Lock::named_rustc(&checkout.path(LOCK));
    let mut reasons = Vec::new();
    if Toolchain::choose(checkout, named.as_deref())?.is_none() {
        for attempt in [complete_debian, add_by_rustup] {
            if let Err(reason) = attempt(checkout) {
                reasons.push(format!("{reason:#}"));
            }
            if Toolchain::choose(checkout, named.as_deref())?.is_some() {
                break;
            }
        }
    }
    if let Some(toolchain) = Toolchain::choose(checkout, named.as_deref())? {
        rebuild_library(checkout, &toolchain)?;
        announce(&toolchain, named.as_deref());
        return Ok(true);
    }
    println!("no compiler here builds for {TARGET}:");
    for reason in reasons {
        println!("  {reason}");
    }
    println!("left out: guards cannot be rebuilt, so `guards check` and the examples of the SDK have to wait;");
    println!("the committed guards in guards/prebuilt serve all the rest");
    Ok(false)
}

fn announce(toolchain: &Toolchain, named: Option<&str>) {
    let linker = toolchain.linker().map(|path| path.display().to_string()).unwrap_or_default();
    println!("guards are built by {} ({}), linked by {linker}", toolchain.version(), toolchain.sysroot().display());
    if let Some(named) = named
        && named != toolchain.version()
    {
        println!("guards.lock names {named}, so `guards check` cannot compare bytes");
    }
}

/// Debian as root: its compiler, its linker, and the library built from its sources.
fn complete_debian(checkout: &Checkout) -> Result<()> {
    if !apt::is_usable() {
        bail!("Debian's compiler was not installed: this takes apt-get and root");
    }
    let distribution =
        || Ok::<_, anyhow::Error>(Toolchain::all(checkout)?.into_iter().find(Toolchain::is_distribution));
    if distribution()?.is_none_or(|toolchain| !std_library::has_sources(&toolchain) || !toolchain.cargo().is_file()) {
        apt::install(&DEBIAN_COMPILER)?;
    }
    let Some(toolchain) = distribution()? else { bail!("Debian's compiler is older than this workspace needs") };
    let lacks = toolchain.lacks()?;
    if lacks.contains(&Lack::Linker) {
        let package = toolchain.llvm().map_or_else(|| "lld".to_owned(), |llvm| format!("lld-{llvm}"));
        apt::install(&[&package])?;
    }
    if lacks.contains(&Lack::StandardLibrary) {
        std_library::build(&toolchain)?;
        forget_guests(checkout)?;
    }
    Ok(())
}

/// A compiler of rustup's: one more target.
fn add_by_rustup(_: &Checkout) -> Result<()> {
    if process::find_on_path("rustup").is_none() {
        bail!("`rustup target add {TARGET}` was not tried: there is no rustup");
    }
    println!("adding the target by rustup");
    process::run(process::program("rustup").args(["target", "add", TARGET]))
}

/// A library that something else built from the same sources serves, but gives other bytes than the
/// lock has: it is built again where it is ours to replace.
fn rebuild_library(checkout: &Checkout, toolchain: &Toolchain) -> Result<()> {
    if std_library::is_repeatable(toolchain) {
        return Ok(());
    }
    if std_library::is_packaged(toolchain) || !std_library::has_sources(toolchain) || !apt::is_usable() {
        println!("the library for {TARGET} was not built by this command, so `guards check` cannot compare bytes");
        return Ok(());
    }
    println!("the library for {TARGET} was not built by this command and would give other bytes");
    std_library::build(toolchain)?;
    forget_guests(checkout)
}

/// Removes what was compiled against the library before: cargo does not notice that it changed.
fn forget_guests(checkout: &Checkout) -> Result<()> {
    for folder in ["cargo", "page/target"] {
        let stale = checkout.guests_target().join(folder);
        if stale.exists() {
            std::fs::remove_dir_all(stale)?;
        }
    }
    Ok(())
}
