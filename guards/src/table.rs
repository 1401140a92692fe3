//! From `guards.lock` to the source of the table of built-in guards. Only the build script uses it;
//! it reads which files are there and never what they hold.

use std::fs;
use std::path::Path;

use serde::Deserialize;

/// What the build script writes and says.
pub(crate) struct Table {
    /// The constant `BUILTINS`, as Rust.
    pub(crate) source: String,
    /// The components that it embeds, relative to the lock's folder.
    pub(crate) files: Vec<String>,
    /// What whoever builds should know, each on one line.
    pub(crate) warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    #[serde(default, rename = "guard")]
    guards: Vec<Guard>,
}

#[derive(Deserialize)]
struct Guard {
    name: String,
    version: String,
    contract: String,
    sha256: String,
    /// Relative to the lock's folder.
    file: String,
}

impl Table {
    /// Reads the lock in a folder. A lock that cannot be read gives an empty table, a component that
    /// is missing an entry without bytes, each with a warning.
    pub(crate) fn read(folder: &Path) -> Self {
        let (mut files, mut warnings) = (Vec::new(), Vec::new());
        let guards = read_lock(&folder.join("guards.lock")).unwrap_or_else(|reason| {
            warnings.push(format!("guards.lock: {reason}; there are no built-in guards"));
            Vec::new()
        });
        let mut source = String::from("/// The built-in guards, by name.\npub const BUILTINS: &[Builtin] = &[\n");
        for guard in guards {
            let path = folder.join(&guard.file);
            let mut bytes = "None".to_owned();
            if path.is_file() {
                bytes = format!("Some(include_bytes!({path:?}))");
                files.push(guard.file);
            } else {
                warnings.push(format!("`{}` is missing: calls that `{}` judges are denied", guard.file, guard.name));
            }
            source.push_str(&format!(
                "    Builtin {{ name: {:?}, version: {:?}, contract: {:?}, sha256: {:?}, bytes: {bytes} }},\n",
                guard.name, guard.version, guard.contract, guard.sha256,
            ));
        }
        source.push_str("];\n");
        Self { source, files, warnings }
    }
}

/// The guards of the lock, or why there are none, on one line.
fn read_lock(path: &Path) -> Result<Vec<Guard>, String> {
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let lock: Lock = toml::from_str(&text).map_err(|error| error.message().to_owned())?;
    Ok(lock.guards)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const LOCK: &str = "[toolchain]\nrustc = \"rustc 1.96.0\"\n[[guard]]\nname = \"rate_limit\"\nversion = \"0.1.0\"\n\
                        contract = \"0.1\"\nsha256 = \"aa\"\nfile = \"rate-limit.wasm\"\n";

    fn read(lock: Option<&str>, component: Option<&[u8]>) -> Table {
        let folder = tempfile::tempdir().unwrap();
        if let Some(text) = lock {
            fs::write(folder.path().join("guards.lock"), text).unwrap();
        }
        if let Some(bytes) = component {
            fs::write(folder.path().join("rate-limit.wasm"), bytes).unwrap();
        }
        Table::read(folder.path())
    }

    #[test]
    fn component_is_embedded_whatever_it_holds() {
        let table = read(Some(LOCK), Some(b"not what the lock says"));
        assert!(table.source.contains("name: \"rate_limit\""), "{}", table.source);
        assert!(table.source.contains("bytes: Some(include_bytes!("), "{}", table.source);
        assert_eq!(table.files, ["rate-limit.wasm"]);
        assert!(table.warnings.is_empty());
    }

    #[test]
    fn missing_component_keeps_its_entry() {
        let table = read(Some(LOCK), None);
        assert!(table.source.contains("sha256: \"aa\", bytes: None"), "{}", table.source);
        assert_eq!(table.warnings, ["`rate-limit.wasm` is missing: calls that `rate_limit` judges are denied"]);
    }

    #[test]
    fn unreadable_lock_gives_an_empty_table() {
        for lock in [None, Some("[[guard]\n"), Some("[[guard]]\nname = 1\n")] {
            let table = read(lock, None);
            assert!(!table.source.contains("Builtin {"), "{}", table.source);
            let warning = table.warnings.concat();
            assert!(!warning.contains('\n') && warning.ends_with("there are no built-in guards"), "{warning}");
        }
    }
}
