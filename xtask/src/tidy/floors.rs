//! The floors: which package may use which, and which alone may name a great dependency. The table
//! here is the rule; ARCHITECTURE.md explains it.

use super::manifest::Manifest;
use super::tree::Tree;
use crate::finding::Finding;

/// What a folder's package may use of our own packages, by folder. `*` stands for one name; the first
/// row that meets a folder counts. A package that no row meets stands on no floor.
const FLOORS: [(&str, &[&str]); 12] = [
    ("wit/*", &["wit/*"]),
    ("host/core", &["wit/*"]),
    ("host/sandbox", &["host/core", "wit/*"]),
    ("host/store", &["host/core", "wit/*"]),
    ("host/agenthalt", &["guards", "host/core", "host/sandbox", "host/store", "wit/*"]),
    ("host/cli", &["host/agenthalt", "host/core", "host/sandbox", "host/store", "wit/*"]),
    // The bytes of the guards, without any of their code.
    ("guards", &[]),
    ("guards/*", &["sdk/rust"]),
    ("sdk/rust", &["wit/*"]),
    ("sdk/rust/examples/*", &["sdk/rust"]),
    ("tests", &["*", "*/*", "*/*/*/*"]),
    ("xtask", &["*", "*/*", "*/*/*/*"]),
];

/// A dependency that only some folders may name: in their manifests, and as a path in their code.
struct Reserved {
    /// The crate, and with it every crate whose name starts with it and `-`.
    name: &'static str,
    /// The folders that may.
    folders: &'static [&'static str],
}

const RESERVED: [Reserved; 4] = [
    Reserved { name: "wasmtime", folders: &["host/sandbox"] },
    Reserved { name: "cranelift", folders: &["host/sandbox"] },
    Reserved { name: "rusqlite", folders: &["host/store"] },
    Reserved { name: "tokio", folders: &["host/agenthalt", "host/cli", "tests"] },
];

/// Every edge that the floors do not have, and every reserved name outside its folder.
pub(super) fn check(tree: &Tree, manifests: &[Manifest<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for manifest in manifests {
        findings.extend(broken_edges(manifest, manifests));
        findings.extend(reserved_dependencies(manifest));
    }
    for (path, text) in tree.with_extension("rs") {
        findings.extend(reserved_paths(path, text));
    }
    findings
}

fn broken_edges(manifest: &Manifest<'_>, all: &[Manifest<'_>]) -> Vec<Finding> {
    let Some((_, allowed)) = FLOORS.iter().find(|(folder, _)| meets(folder, manifest.folder)) else {
        let message = "this package stands on no floor: give it a row among xtask's floors";
        return vec![Finding::new(manifest.path, 1, message)];
    };
    let mut findings = Vec::new();
    for dependency in manifest.dependencies() {
        let Some(used) = all.iter().find(|other| other.package == dependency) else { continue };
        if !allowed.iter().any(|folder| meets(folder, used.folder)) {
            let message = format!("`{}` must not use `{}`: it is not below it", manifest.folder, used.folder);
            findings.push(Finding::new(manifest.path, manifest.line_of(&dependency), message));
        }
    }
    findings
}

fn reserved_dependencies(manifest: &Manifest<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for dependency in manifest.dependencies() {
        for reserved in RESERVED.iter().filter(|reserved| reserved.covers(&dependency, '-')) {
            if !reserved.folders.contains(&manifest.folder) {
                let line = manifest.line_of(&dependency);
                findings.push(Finding::new(manifest.path, line, reserved.message(&dependency)));
            }
        }
    }
    findings
}

fn reserved_paths(path: &str, text: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for name in crates_named(&without_literals(line)) {
            for reserved in RESERVED.iter().filter(|reserved| reserved.covers(name, '_')) {
                if !reserved.folders.iter().any(|folder| path.starts_with(&format!("{folder}/"))) {
                    findings.push(Finding::new(path, number, reserved.message(name)));
                }
            }
        }
    }
    findings
}

/// The words of a line that start or continue a path: `one` in `one::two` and in `use one`.
fn crates_named(line: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = Vec::new();
    let (mut before, mut rest) = ("", line);
    while let Some(start) = rest.find(is_word) {
        let (gap, tail) = rest.split_at(start);
        let (word, after) = tail.split_at(tail.find(|c| !is_word(c)).unwrap_or(tail.len()));
        // A module of our own may have the name of a crate.
        let is_own = gap == "::" && matches!(before, "crate" | "self" | "super");
        let is_imported = gap == " " && matches!(before, "use" | "crate");
        if is_imported || (after.starts_with("::") && !is_own) {
            names.push(word);
        }
        (before, rest) = (word, after);
    }
    names
}

/// A line without what stands in double quotes: text is not code.
fn without_literals(line: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    line.chars()
        .filter(|&c| {
            let is_quote = c == '"' && !is_escaped;
            is_escaped = is_text && c == '\\' && !is_escaped;
            is_text ^= is_quote;
            !is_text && !is_quote
        })
        .collect()
}

impl Reserved {
    fn covers(&self, name: &str, separator: char) -> bool {
        name.strip_prefix(self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(separator))
    }

    fn message(&self, found: &str) -> String {
        format!("only {} may name `{found}`", self.folders.join(", "))
    }
}

/// Whether a folder meets a pattern of as many parts.
fn meets(pattern: &str, folder: &str) -> bool {
    let (mut wanted, mut parts) = (pattern.split('/'), folder.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return true,
            (Some(want), Some(part)) if want == "*" || want == part => {}
            (_, _) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, dependencies: &str) -> String {
        format!("[package]\nname = \"{name}\"\n\n[dependencies]\n{dependencies}")
    }

    fn found(files: &[(&str, String)]) -> Vec<String> {
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let tree = Tree::of(&files);
        let (manifests, _) = Manifest::all(&tree);
        check(&tree, &manifests).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn edge_downwards_is_allowed() {
        let core = ("host/core/Cargo.toml", manifest("agenthalt-core", ""));
        let store = ("host/store/Cargo.toml", manifest("agenthalt-store", "agenthalt-core.workspace = true\n"));
        assert!(found(&[core, store]).is_empty());
    }

    #[test]
    fn edge_upwards_is_found_with_its_line() {
        let core = ("host/core/Cargo.toml", manifest("agenthalt-core", "agenthalt-store = { path = \"../store\" }\n"));
        let store = ("host/store/Cargo.toml", manifest("agenthalt-store", ""));
        assert_eq!(
            found(&[core, store]),
            ["host/core/Cargo.toml:5: `host/core` must not use `host/store`: it is not below it"]
        );
    }

    #[test]
    fn host_never_links_a_guard() {
        let guard = ("guards/scope/Cargo.toml", manifest("agenthalt-guard-scope", ""));
        let host = ("host/agenthalt/Cargo.toml", manifest("agenthalt", "agenthalt-guard-scope.workspace = true\n"));
        assert_eq!(found(&[guard, host]).len(), 1);
    }

    #[test]
    fn package_on_no_floor_is_found() {
        assert_eq!(found(&[("host/extra/Cargo.toml", manifest("agenthalt-extra", ""))]).len(), 1);
    }

    #[test]
    fn engine_outside_the_sandbox_is_found_in_manifest_and_code() {
        let inside = ("host/sandbox/Cargo.toml", manifest("agenthalt-sandbox", "wasmtime.workspace = true\n"));
        let outside = ("host/cli/Cargo.toml", manifest("agenthalt-cli", "wasmtime-wasi = \"48\"\n"));
        let code = (
            "host/cli/src/main.rs",
            "//! Text.\n\n// wasmtime::Engine is far away.\nuse wasmtime::Engine;\n".to_owned(),
        );
        let own = ("host/sandbox/src/lib.rs", "//! Text.\nuse wasmtime::Engine;\n".to_owned());
        assert_eq!(
            found(&[inside, outside, code, own]),
            [
                "host/cli/Cargo.toml:5: only host/sandbox may name `wasmtime-wasi`",
                "host/cli/src/main.rs:4: only host/sandbox may name `wasmtime`",
            ]
        );
    }

    #[test]
    fn runtime_below_the_pipeline_is_found() {
        let store = ("host/store/Cargo.toml", manifest("agenthalt-store", "tokio = \"1\"\n"));
        assert_eq!(found(&[store]).len(), 1);
    }

    #[test]
    fn crate_is_named_by_paths_only() {
        assert!(crates_named("let wasmtime = start();").is_empty());
        assert_eq!(crates_named("use wasmtime;"), ["wasmtime"]);
        assert_eq!(crates_named("    let e = ::wasmtime::Engine::default();"), ["wasmtime", "Engine"]);
        assert_eq!(crates_named("crate::rusqlite::x"), ["crate"]);
    }

    #[test]
    fn text_names_no_crate() {
        assert_eq!(without_literals(r#"say("use \"wasmtime\";", x)"#), "say(, x)");
    }
}
