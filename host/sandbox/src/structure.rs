//! A look at a component's structure before it is compiled in the host's own process, where nothing
//! can stop the compiler: what is known to cost out of proportion is refused. It validates nothing.

use agenthalt_core::fault::Fault;
use wasmparser::{BinaryReaderError, Operator, Parser, Payload};

/// Loops within each other in one function.
const MOST_NESTED_LOOPS: u32 = 64;
/// Blocks of any kind within each other in one function.
const MOST_NESTED_BLOCKS: u32 = 5_000;
/// Component instances made inside the component; toolchains make a handful of core instances and no
/// component instances but for the one that renames exports.
const MOST_COMPONENT_INSTANCES: u32 = 16;
/// Things exported, imported or defined in any one module or component.
const MOST_ITEMS: u32 = 10_000;
/// The largest component in bytes.
const MOST_BYTES: usize = 16 << 20;

/// Refuses what would be costly to compile.
///
/// # Errors
/// [`Fault::NotAComponent`] where the bytes cannot be read, [`Fault::FailedToCompile`] where something
/// is too much.
pub(crate) fn check(bytes: &[u8]) -> Result<(), Fault> {
    if !Parser::is_component(bytes) {
        return Err(Fault::NotAComponent("the bytes do not begin as a component does".to_owned()));
    }
    if bytes.len() > MOST_BYTES {
        return Err(too_much(format!("it is larger than {} MiB; compile it in a child process", MOST_BYTES >> 20)));
    }
    let mut component_instances = 0_u32;
    let most = |count: u32, what: &str| match count {
        0..=MOST_ITEMS => Ok(()),
        _ => Err(too_much(format!("it has {count} {what}, at most {MOST_ITEMS} are taken"))),
    };
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(unreadable)? {
            Payload::CodeSectionEntry(body) => check_function(&body)?,
            Payload::ComponentInstanceSection(section) => {
                component_instances = component_instances.saturating_add(section.count());
                if component_instances > MOST_COMPONENT_INSTANCES {
                    return Err(too_much(format!("it makes more than {MOST_COMPONENT_INSTANCES} component instances")));
                }
            }
            Payload::ExportSection(section) => most(section.count(), "exports")?,
            Payload::ImportSection(section) => most(section.count(), "imports")?,
            Payload::TypeSection(section) => most(section.count(), "types")?,
            Payload::FunctionSection(section) => most(section.count(), "functions")?,
            Payload::GlobalSection(section) => most(section.count(), "globals")?,
            Payload::InstanceSection(section) => most(section.count(), "core instances")?,
            Payload::ComponentTypeSection(section) => most(section.count(), "component types")?,
            Payload::ComponentAliasSection(section) => most(section.count(), "aliases")?,
            Payload::ComponentCanonicalSection(section) => most(section.count(), "canonical functions")?,
            Payload::ComponentExportSection(section) => most(section.count(), "component exports")?,
            _ => {}
        }
    }
    Ok(())
}

fn check_function(body: &wasmparser::FunctionBody<'_>) -> Result<(), Fault> {
    let mut open: Vec<bool> = Vec::new();
    let mut loops = 0_u32;
    let mut operators = body.get_operators_reader().map_err(unreadable)?;
    while !operators.eof() {
        match operators.read().map_err(unreadable)? {
            Operator::Loop { .. } => {
                loops += 1;
                open.push(true);
            }
            Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => open.push(false),
            Operator::End => loops -= u32::from(open.pop() == Some(true)),
            _ => {}
        }
        if loops > MOST_NESTED_LOOPS {
            return Err(too_much(format!("a function nests more than {MOST_NESTED_LOOPS} loops")));
        }
        if open.len() > MOST_NESTED_BLOCKS as usize {
            return Err(too_much(format!("a function nests more than {MOST_NESTED_BLOCKS} blocks")));
        }
    }
    Ok(())
}

fn unreadable(error: BinaryReaderError) -> Fault {
    Fault::NotAComponent(error.to_string())
}

fn too_much(text: String) -> Fault {
    Fault::FailedToCompile(text)
}
