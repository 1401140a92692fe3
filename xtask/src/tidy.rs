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
use crate::tidy::manifest::Manifest;
use crate::tidy::tree::Tree;

/// One broken rule, with where it is broken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Finding {
    file: String,
    /// From 1.
    line: usize,
    message: String,
}

impl Finding {
    pub(crate) fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.message)
    }
}

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
