//! What a guard's component is and says of itself, for people and for editors. It judges no call and opens
//! no state.

use std::path::Path;

use agenthalt_builtins::{BUILTINS, Builtin};
use agenthalt_core::bounds::Bounds;
use agenthalt_core::description::Description;
use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use agenthalt_core::policy::editor;
use agenthalt_json::Json;
use agenthalt_sandbox::{CONTRACT_VERSION, Sandbox};

use crate::load::{built_in_names, read_component};

/// What is known of a component that can serve.
///
/// ```
/// # use agenthalt::{Digest, Json, Sandbox, inspect};
/// # let (sandbox, settings) = (Sandbox::builder().build()?, Json::parse("{}")?);
/// let component = inspect::component("scope".as_ref())?;
/// let known = inspect::inspect(&sandbox, &component, &settings)?;
/// assert_eq!((known.digest, known.size), (Digest::of(&component), component.len()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inspected {
    /// The digest of its bytes.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: usize,
    /// The version of the contract that it speaks.
    pub contract: &'static str,
    /// What it exports beside the contract; never called.
    pub extra_exports: Vec<String>,
    /// The JSON Schema of its settings.
    pub schema: Json,
    /// What it says of itself with these settings, or what is wrong with them: a JSON pointer and a
    /// sentence each.
    pub described: Result<Described, Vec<(String, String)>>,
}

/// What a guard says of itself under one configuration.
///
/// ```
/// # use agenthalt::{Json, Sandbox, inspect};
/// # let (sandbox, settings) = (Sandbox::builder().build()?, Json::parse("{}")?);
/// # let component = inspect::component("scope".as_ref())?;
/// let known = inspect::inspect(&sandbox, &component, &settings)?;
/// let Ok(described) = known.described else { panic!("these settings are right") };
/// assert_eq!(described.description.name, "scope");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Described {
    /// Name, version, verdicts, phases and counters.
    pub description: Description,
    /// The fuel that instantiating and configuring it burn.
    pub configure_fuel: u64,
}

/// The bytes of a built-in guard, by its name in a policy; none for other names.
///
/// ```
/// # use agenthalt::inspect;
/// assert!(inspect::built_in("scope").is_some_and(|bytes| bytes.is_ok()));
/// assert!(inspect::built_in("weather").is_none());
/// ```
///
/// # Errors
/// [`Fault::Missing`] where this host was built without them.
pub fn built_in(name: &str) -> Option<Result<&'static [u8], Fault>> {
    BUILTINS.iter().find(|built_in| built_in.name == name).map(bytes)
}

/// The bytes of a component: a built-in guard's where this is the name of one, else a file's.
///
/// ```
/// # use agenthalt::inspect;
/// assert!(inspect::component("scope".as_ref())?.starts_with(b"\0asm"));
/// assert_eq!(inspect::component("weather.wasm".as_ref()).map_err(|fault| fault.code()), Err("missing"));
/// # Ok::<(), agenthalt::Fault>(())
/// ```
///
/// # Errors
/// [`Fault::Missing`] where they are not there.
pub fn component(guard: &Path) -> Result<Vec<u8>, Fault> {
    match guard.to_str().and_then(built_in) {
        Some(bytes) => bytes.map(<[u8]>::to_vec),
        None => read_component(guard).map_err(|fault| match fault {
            Fault::Missing(text) => {
                Fault::Missing(format!("{text}; the built-in guards are {}", built_in_names().join(", ")))
            }
            other => other,
        }),
    }
}

/// Loads a component, asks it for its schema and configures it with these settings, an object.
///
/// ```
/// # use agenthalt::{Json, Sandbox, inspect};
/// let sandbox = Sandbox::builder().build()?;
/// let settings = Json::parse(r#"{"deny_function": []}"#)?;
/// let known = inspect::inspect(&sandbox, &inspect::component("scope".as_ref())?, &settings)?;
/// assert!(known.described.is_err_and(|problems| problems[0].0 == "/deny_function"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Why it cannot serve: [`Fault::ForbiddenImport`] names what it imports.
pub fn inspect(sandbox: &Sandbox, component: &[u8], settings: &Json) -> Result<Inspected, Fault> {
    let limits = GuardLimits::default();
    let component = sandbox.load(component, None)?;
    let text = component.schema(&limits)?;
    let unusable = |error| Fault::FailedToConfigure(format!("its schema is unusable: {error}"));
    let schema = Json::parse(&text).map_err(unusable)?;
    let described = match component.configure(&settings.to_string(), limits, Bounds::default())? {
        Ok(guard) => Ok(Described { description: guard.description().clone(), configure_fuel: guard.configure_fuel() }),
        Err(problems) => Err(problems.into_iter().map(|problem| (problem.pointer, problem.message)).collect()),
    };
    let known = component.inspect();
    Ok(Inspected {
        digest: known.digest,
        size: known.size,
        contract: CONTRACT_VERSION,
        extra_exports: known.extra_exports,
        schema,
        described,
    })
}

/// The JSON Schema (2020-12) of policies, with what the built-in guards say of their settings.
///
/// ```
/// # use agenthalt::{Sandbox, inspect};
/// let sandbox = Sandbox::builder().build()?;
/// let schema = inspect::policy_schema(&sandbox).map_err(|(guard, fault)| format!("`{guard}` {fault}"))?;
/// assert!(schema.to_string().contains("max_daily_spend"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// The first guard that cannot be asked, and why.
pub fn policy_schema(sandbox: &Sandbox) -> Result<Json, (String, Fault)> {
    let mut schemas = Vec::new();
    for guard in BUILTINS {
        let named = |fault: Fault| (guard.name.to_owned(), fault);
        let component = sandbox.load(bytes(guard).map_err(named)?, guard.sha256.parse().ok()).map_err(named)?;
        let text = component.schema(&GuardLimits::default()).map_err(named)?;
        let schema = Json::parse(&text).map_err(|error| named(Fault::FailedToConfigure(error.to_string())))?;
        schemas.push((guard.name, schema));
    }
    let schema = editor::schema(schemas.iter().map(|(name, schema)| (*name, schema)));
    schema.map_err(|error| ("policy".to_owned(), Fault::Host(error.to_string())))
}

fn bytes(built_in: &Builtin) -> Result<&'static [u8], Fault> {
    let missing = || Fault::Missing(format!("`{}` was not there when this host was built", built_in.name));
    built_in.bytes.ok_or_else(missing)
}
