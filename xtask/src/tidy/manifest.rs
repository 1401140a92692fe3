//! The manifests of the workspace's packages, and what each of them must take from the workspace.

use super::tree::{Tree, line_of};
use crate::finding::Finding;

/// The package fields that come from the workspace.
const INHERITED: [&str; 3] = ["edition", "license", "rust-version"];

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// The manifest of one package.
pub(super) struct Manifest<'t> {
    /// From the root, as `host/core`.
    pub(super) folder: &'t str,
    /// From the root, as `host/core/Cargo.toml`.
    pub(super) path: &'t str,
    /// The package's name.
    pub(super) package: String,
    text: &'t str,
    table: toml::Table,
}

impl<'t> Manifest<'t> {
    /// Every package of the tree, with findings for manifests that are none.
    pub(super) fn all(tree: &'t Tree) -> (Vec<Self>, Vec<Finding>) {
        let (mut manifests, mut findings) = (Vec::new(), Vec::new());
        for (path, text) in tree.with_extension("toml") {
            let Some(folder) = path.strip_suffix("/Cargo.toml") else { continue };
            let table = match text.parse::<toml::Table>() {
                Ok(table) => table,
                Err(error) => {
                    findings.push(Finding::new(path, 1, format!("not TOML: {}", error.message())));
                    continue;
                }
            };
            let name = table.get("package").and_then(|package| package.get("name")).and_then(toml::Value::as_str);
            match name.map(str::to_owned) {
                Some(package) => manifests.push(Self { folder, path, package, text, table }),
                None => findings.push(Finding::new(path, 1, "the package has no name")),
            }
        }
        (manifests, findings)
    }

    /// Every dependency's package name, whatever it is for and whatever platform.
    pub(super) fn dependencies(&self) -> Vec<String> {
        let targets = self.table.get("target").and_then(toml::Value::as_table);
        let tables = targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
        let mut names = Vec::new();
        for table in tables.chain([&self.table]) {
            for section in SECTIONS {
                let Some(section) = table.get(section).and_then(toml::Value::as_table) else { continue };
                names.extend(section.iter().map(|(key, value)| {
                    let renamed = value.get("package").and_then(toml::Value::as_str);
                    renamed.unwrap_or(key).to_owned()
                }));
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// The line that names a dependency, from 1.
    pub(super) fn line_of(&self, dependency: &str) -> usize {
        line_of(self.text, |line| {
            line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).any(|word| word == dependency)
                && !line.trim_start().starts_with("name")
        })
    }

    fn inherits(&self, field: &str) -> bool {
        let value = self.table.get("package").and_then(|package| package.get(field));
        value.and_then(|value| value.get("workspace")).and_then(toml::Value::as_bool) == Some(true)
    }

    fn has_workspace_lints(&self) -> bool {
        let lints = self.table.get("lints").and_then(|lints| lints.get("workspace"));
        lints.and_then(toml::Value::as_bool) == Some(true)
    }
}

/// What every manifest must say.
pub(super) fn check(manifests: &[Manifest<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        let package_line = line_of(manifest.text, |line| line.trim() == "[package]");
        for field in INHERITED {
            if !manifest.inherits(field) {
                let message = format!("say `{field}.workspace = true`");
                findings.push(Finding::new(manifest.path, package_line, message));
            }
        }
        if !manifest.has_workspace_lints() {
            let message = "say `[lints]` with `workspace = true`";
            findings.push(Finding::new(manifest.path, package_line, message));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifest_without_workspace_lints_and_licence_is_found() {
        let text =
            "[package]\nname = \"one\"\nedition.workspace = true\nrust-version.workspace = true\nlicense = \"MIT\"\n";
        let tree = Tree::of(&[("host/core/Cargo.toml", text)]);
        let (manifests, none) = Manifest::all(&tree);
        assert!(none.is_empty());
        let messages: Vec<_> = check(&manifests).into_iter().map(|finding| finding.to_string()).collect();
        assert_eq!(
            messages,
            [
                "host/core/Cargo.toml:1: say `license.workspace = true`",
                "host/core/Cargo.toml:1: say `[lints]` with `workspace = true`",
            ]
        );
    }

    #[test]
    fn dependency_is_seen_under_its_true_name_on_every_platform() {
        let text = "[package]\nname = \"one\"\n[dev-dependencies]\nengine = { package = \"wasmtime\", version = \"48\" }\n\
                    [target.'cfg(unix)'.dependencies]\nrustix = \"1\"\n";
        let tree = Tree::of(&[("host/core/Cargo.toml", text)]);
        let (manifests, _) = Manifest::all(&tree);
        let found: Vec<_> = manifests.iter().flat_map(Manifest::dependencies).collect();
        assert_eq!(found, ["rustix", "wasmtime"]);
        assert_eq!(manifests.first().map(|manifest| manifest.line_of("wasmtime")), Some(4));
    }

    #[test]
    fn broken_manifest_is_found() {
        let tree = Tree::of(&[("host/core/Cargo.toml", "[package")]);
        let (_, findings) = Manifest::all(&tree);
        assert_eq!(findings.len(), 1);
    }
}
