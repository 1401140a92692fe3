//! Makes guards out of the template: a few lines of text in its marked places, then a component. It
//! judges nothing.

use std::path::PathBuf;
use std::sync::LazyLock;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// The component of the template as it stands: allows, charges 1, tells what was spent before.
pub(crate) static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| Guest::default().component());

/// The version of the contract.
const VERSION: &str = "@0.1.0";

/// A place of the template that can be filled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// Imports of the core module.
    Imports,
    /// Pages of memory, at first and at most.
    Pages,
    /// Functions, tables, globals and data.
    Module,
    /// What happens when the host asks for memory.
    Realloc,
    /// What happens in `configure`, before it answers.
    Configure,
    /// What happens in `schema`, before it answers.
    Schema,
    /// What happens in `evaluate` for the function `special`, before it answers.
    Special,
}

impl Place {
    const ALL: [Place; 7] =
        [Place::Imports, Place::Pages, Place::Module, Place::Realloc, Place::Configure, Place::Schema, Place::Special];

    fn mark(self) -> String {
        format!("(;{};)", format!("{self:?}").to_uppercase())
    }
}

/// The template, filled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Guest {
    filled: Vec<(Place, String)>,
    contract: Vec<(String, String)>,
    version: Option<String>,
}

impl Guest {
    /// Puts text in a place, behind what stands there already.
    pub(crate) fn with(mut self, place: Place, text: impl Into<String>) -> Self {
        self.filled.push((place, text.into()));
        self
    }

    /// A guest that does this when the function `special` is called. The charge beside it would count
    /// always, so that nothing of a refused answer can be charged unseen.
    pub(crate) fn special(text: &str) -> Self {
        let always = "(i32.store8 (global.get $when) (i32.const 1))";
        Guest::default().with(Place::Special, always).with(Place::Special, text)
    }

    /// Puts a text into memory; the special places begin at 1024.
    pub(crate) fn text(self, at: usize, text: impl AsRef<[u8]>) -> Self {
        let bytes: String = text.as_ref().iter().map(|byte| format!("\\{byte:02x}")).collect();
        self.with(Place::Module, format!("(data (i32.const {at}) \"{bytes}\")"))
    }

    /// Makes the component for a contract in which something is written otherwise.
    pub(crate) fn contract(mut self, from: &str, to: &str) -> Self {
        self.contract.push((from.to_owned(), to.to_owned()));
        self
    }

    /// Makes the component for another version of the contract.
    pub(crate) fn version(mut self, version: &str) -> Self {
        self.version = Some(version.to_owned());
        self
    }

    /// The text of the core module.
    pub(crate) fn wat(&self) -> String {
        let mut text = include_str!("../../guests/template.wat").to_owned();
        for place in Place::ALL {
            let filled = self.filled.iter().filter(|(to, _)| format!("{to:?}") == format!("{place:?}"));
            let mut content: String = filled.map(|(_, text)| format!("{text}\n")).collect();
            if matches!(place, Place::Pages) && content.is_empty() {
                content = "1".to_owned();
            }
            text = text.replace(&place.mark(), &content);
        }
        self.versioned(text)
    }

    /// The core module.
    pub(crate) fn core_module(&self) -> Vec<u8> {
        wat::parse_str(self.wat()).unwrap()
    }

    /// The component.
    pub(crate) fn component(&self) -> Vec<u8> {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../wit/0.1/guard.wit");
        let mut contract = std::fs::read_to_string(path).unwrap();
        for (from, to) in &self.contract {
            assert!(contract.contains(from), "the contract has no `{from}`");
            contract = contract.replace(from, to);
        }
        let mut resolve = Resolve::default();
        resolve.push_str("wasi.wit", WASI).unwrap();
        let package = resolve.push_str("guard.wit", &self.versioned(contract)).unwrap();
        let world = resolve.select_world(&[package], Some("guard")).unwrap();
        let mut module = self.core_module();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
    }

    fn versioned(&self, text: String) -> String {
        match &self.version {
            Some(version) => text.replace(VERSION, &format!("@{version}")),
            None => text,
        }
    }
}

/// As much of WASI as a guest needs to import it.
const WASI: &str = "package wasi:cli@0.2.0;
    interface environment { get-environment: func() -> list<tuple<string, string>>; }";
