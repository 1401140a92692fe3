//! Debian's package manager, for a machine that is ours to set up: root, with apt-get. It only adds
//! packages and never removes one.

use anyhow::Result;

use crate::process;

/// Whether packages can be installed here: apt-get is there and this is root.
pub(crate) fn is_usable() -> bool {
    let is_root = process::read(process::program("id").arg("-u")).is_ok_and(|id| id == "0");
    is_root && process::find_on_path("apt-get").is_some()
}

/// Whether the known lists offer a package.
pub(crate) fn has_candidate(package: &str) -> bool {
    let policy = process::read(process::program("apt-cache").args(["policy", package]).env("LC_ALL", "C"));
    policy.is_ok_and(|text| {
        text.lines()
            .any(|line| line.trim().strip_prefix("Candidate:").is_some_and(|version| version.trim() != "(none)"))
    })
}

/// Installs packages, with the lists brought up to date first.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    println!("installing Debian's {}", packages.join(", "));
    run(&["update", "-qq"])?;
    // Removing what conflicts is the user's decision.
    let mut words = vec!["install", "-y", "-qq", "--no-install-recommends", "--no-remove"];
    words.extend(packages);
    run(&words)
}

fn run(words: &[&str]) -> Result<()> {
    let mut apt = process::program("apt-get");
    process::run(apt.args(words).env("DEBIAN_FRONTEND", "noninteractive"))
}
