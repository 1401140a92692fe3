//! The tree that the rules are held against: paths and texts, from a disk or from a test.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// What is read; all else (data, components) has no rules.
const READ: [&str; 4] = ["rs", "toml", "wit", "md"];

/// Texts by their path from the root, with `/` between the parts.
pub(super) struct Tree {
    files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads a checkout, without what is built and what is hidden.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { files: BTreeMap::new() };
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    /// A tree of these paths and texts.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect() }
    }

    /// How many files there are.
    pub(super) fn len(&self) -> usize {
        self.files.len()
    }

    /// The text of a file.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files of one kind, by path.
    pub(super) fn with_extension<'t>(&'t self, extension: &'t str) -> impl Iterator<Item = (&'t str, &'t str)> {
        let is_meant = move |path: &str| path.rsplit_once('.').is_some_and(|(_, found)| found == extension);
        self.files.iter().filter(move |(path, _)| is_meant(path)).map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("cannot list `{}`", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            if name.starts_with('.') || (kind.is_dir() && name == "target") {
                continue;
            }
            let path = format!("{prefix}{name}");
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() && READ.iter().any(|extension| name.ends_with(&format!(".{extension}"))) {
                let text = fs::read_to_string(entry.path()).with_context(|| format!("cannot read `{path}`"))?;
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}

/// The number of the first line that holds a text, from 1; the first line where none does.
pub(super) fn line_of(text: &str, wanted: impl Fn(&str) -> bool) -> usize {
    text.lines().position(wanted).map_or(1, |position| position.saturating_add(1))
}
