//! `tidy`: the floors and house rules of the project, held against the tree as it is, and generated
//! pages against their sources. It reads text and never fixes anything.

mod architecture;
mod floors;
mod manifest;
mod sources;
mod tree;

use anyhow::{Result, bail};

use crate::checkout::Checkout;
use crate::docs;
use crate::finding::Finding;
use crate::tidy::manifest::Manifest;
use crate::tidy::tree::Tree;

/// Holds every rule against the checkout and reports all findings at once.
pub(crate) fn run(checkout: &Checkout) -> Result<()> {
    let tree = Tree::read(checkout.root())?;
    let mut findings = findings(&tree);
    findings.extend(docs::check(checkout)?);
    if findings.is_empty() {
        println!("{} files are tidy", tree.len());
        return Ok(());
    }
    for finding in &findings {
        println!("{finding}");
    }
    bail!("{} findings", findings.len())
}

fn findings(tree: &Tree) -> Vec<Finding> {
    let (manifests, mut findings) = Manifest::all(tree);
    findings.extend(manifest::check(&manifests));
    findings.extend(floors::check(tree, &manifests));
    findings.extend(sources::check(tree));
    findings.extend(architecture::check(tree));
    findings.sort();
    findings.dedup();
    findings
}
