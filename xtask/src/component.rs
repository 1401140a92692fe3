//! From a core module to a guard component, and the check that it is one: it imports nothing and
//! exports one version of the contract. It never runs what it checks.

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};
use wit_component::ComponentEncoder;

/// The interface that a guard exports, without its version.
const INTERFACE: &str = "agenthalt:guard/judge@";

/// A checked guard component.
pub(crate) struct Component {
    bytes: Vec<u8>,
    contract: String,
}

impl Component {
    /// Makes a component of a core module whose custom sections hold the types.
    pub(crate) fn encode(module: &[u8]) -> Result<Self> {
        let encoder = ComponentEncoder::default().validate(true).module(module);
        let bytes = encoder
            .and_then(|mut encoder| encoder.encode())
            .map_err(|error| anyhow::anyhow!("cannot make a component of the module: {error:?}"))?;
        let contract = contract_of(&bytes)?;
        Ok(Self { bytes, contract })
    }

    /// The component's bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The contract version that it exports, as `0.1`.
    pub(crate) fn contract(&self) -> &str {
        &self.contract
    }

    /// The digest that identifies it.
    pub(crate) fn sha256(&self) -> String {
        sha256(&self.bytes)
    }
}

/// SHA-256 in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Checks the outermost imports and exports of a component and gives its contract version.
fn contract_of(bytes: &[u8]) -> Result<String> {
    let mut depth = 0_u32;
    let mut contract = None;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.context("cannot read the component")? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth = depth.saturating_add(1),
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(imports) if depth == 0 => {
                if let Some(import) = imports.into_iter().next() {
                    bail!("the component imports `{}`: a guard imports nothing", import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) if depth == 0 => {
                for export in exports {
                    let export = export?;
                    contract = contract.or(export.name.name.strip_prefix(INTERFACE).and_then(minor_version));
                }
            }
            _ => {}
        }
    }
    contract.with_context(|| format!("the component does not export `{INTERFACE}...`"))
}

/// `0.1` of `0.1.0`.
fn minor_version(version: &str) -> Option<String> {
    version.rsplit_once('.').map(|(minor, _)| minor.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    /// An empty component with one import section: `(import "clock" (instance))`.
    const IMPORTING: &[u8] = b"\0asm\x0d\0\x01\0\x07\x03\x01\x42\0\x0a\x0a\x01\0\x05clock\x05\0";

    #[test]
    fn component_that_imports_is_refused() {
        let error = contract_of(IMPORTING).unwrap_err().to_string();
        assert!(error.contains("imports `clock`"), "{error}");
    }

    #[test]
    fn component_without_the_interface_is_refused() {
        let error = contract_of(b"\0asm\x0d\0\x01\0").unwrap_err().to_string();
        assert!(error.contains("does not export"), "{error}");
    }

    #[test]
    fn core_module_without_types_is_refused() {
        assert!(Component::encode(b"\0asm\x01\0\0\0").and_then(|made| contract_of(made.bytes())).is_err());
    }

    #[test]
    fn contract_is_the_minor_version() {
        assert_eq!(minor_version("0.1.0").as_deref(), Some("0.1"));
    }

    #[test]
    fn digest_is_lower_case_hexadecimal() {
        assert_eq!(sha256(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
