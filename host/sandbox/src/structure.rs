//! A look at a component's structure before it is compiled in the host's own process, where nothing
//! can stop the compiler: what is known to cost out of proportion is refused. It validates nothing.

use agenthalt_core::fault::Fault;
use agenthalt_core::limits::GuardLimits;
use wasmparser::{BinaryReaderError, CanonicalFunction, Operator, Parser, Payload};

use crate::engine::MOST_TABLE_ELEMENTS;

// The compiler's time grows with the square of a function's blocks and loops, nested or not. The
// figures let through what takes a few seconds at worst; guards come to a thousandth of each.

/// Loops within each other in one function.
const MOST_NESTED_LOOPS: u32 = 64;
/// Blocks of any kind within each other in one function.
const MOST_NESTED_BLOCKS: u32 = 5_000;
/// Operators of all functions, with the targets of their branch tables.
const MOST_OPERATORS: u64 = 2_000_000;
/// Loops of all functions.
const MOST_LOOPS: u64 = 20_000;
/// The squares of the functions' blocks and branches, and of their loops eight times.
const MOST_SQUARES: u64 = 100_000_000;
/// Component instances made inside the component; toolchains make a handful of core instances and no
/// component instances but for the one that renames exports.
const MOST_COMPONENT_INSTANCES: u32 = 8;
/// Calls from one inner component to another, each of which the compiler writes code for, again for
/// every instance.
const MOST_LOWERED: usize = 64;
/// Functions, modules and components in all.
const MOST_PARTS: u64 = 20_000;
/// Things exported, imported or defined in all modules and components together.
const MOST_ITEMS: u64 = 20_000;
/// Bytes of a page of memory.
const PAGE_BYTES: u64 = 64 << 10;
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
    let mut lowered = 0_usize;
    let mut work = Work::default();
    let mut items = 0_u64;
    let mut most = |count: u32, what: &str| {
        items += u64::from(count);
        match items {
            0..=MOST_ITEMS => Ok(()),
            _ => Err(too_much(format!("with its {what} it has more than {MOST_ITEMS} items"))),
        }
    };
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(unreadable)? {
            Payload::CodeSectionEntry(body) => work.add(&body)?,
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => work.add_part()?,
            Payload::ComponentInstanceSection(section) => {
                component_instances = component_instances.saturating_add(section.count());
                if component_instances > MOST_COMPONENT_INSTANCES {
                    return Err(too_much(format!("it makes more than {MOST_COMPONENT_INSTANCES} component instances")));
                }
            }
            Payload::ExportSection(section) => most(section.count(), "exports")?,
            Payload::ImportSection(section) => most(section.count(), "imports")?,
            Payload::TypeSection(section) => most(section.count(), "types")?,
            Payload::GlobalSection(section) => most(section.count(), "globals")?,
            Payload::InstanceSection(section) => most(section.count(), "core instances")?,
            Payload::ComponentTypeSection(section) => most(section.count(), "component types")?,
            Payload::ComponentAliasSection(section) => most(section.count(), "aliases")?,
            Payload::ComponentCanonicalSection(section) => {
                most(section.count(), "canonical functions")?;
                let is_lowered = |function: &CanonicalFunction| matches!(function, CanonicalFunction::Lower { .. });
                lowered += section.into_iter().flatten().filter(is_lowered).count();
                if lowered > MOST_LOWERED {
                    return Err(too_much(format!("its components call each other in more than {MOST_LOWERED} ways")));
                }
            }
            Payload::ComponentExportSection(section) => most(section.count(), "component exports")?,
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a memory or a table that begins larger than any limit; a pool would refuse it too, in words
/// of its own and after it was compiled. What cannot be read is left to the compiler.
///
/// # Errors
/// [`Fault::Memory`] and [`Fault::Table`].
pub(crate) fn check_sizes(bytes: &[u8]) -> Result<(), Fault> {
    let (most_memory, most_elements) = (GuardLimits::CEILING.memory_bytes(), MOST_TABLE_ELEMENTS as u64);
    for payload in Parser::new(0).parse_all(bytes).map_while(Result::ok) {
        let fault = match payload {
            Payload::MemorySection(section) => {
                let is_larger = section.into_iter().flatten().any(|memory| memory.initial > most_memory / PAGE_BYTES);
                is_larger.then_some(Fault::Memory(most_memory))
            }
            Payload::TableSection(section) => {
                let is_larger = section.into_iter().flatten().any(|table| table.ty.initial > most_elements);
                is_larger.then_some(Fault::Table(most_elements))
            }
            _ => None,
        };
        if let Some(fault) = fault {
            return Err(fault);
        }
    }
    Ok(())
}

/// What the functions seen so far give the compiler to do.
#[derive(Default)]
struct Work {
    parts: u64,
    operators: u64,
    loops: u64,
    squares: u64,
}

impl Work {
    fn add_part(&mut self) -> Result<(), Fault> {
        self.parts += 1;
        if self.parts > MOST_PARTS {
            return Err(too_much(format!("it has more than {MOST_PARTS} functions, modules and components")));
        }
        Ok(())
    }

    fn add(&mut self, body: &wasmparser::FunctionBody<'_>) -> Result<(), Fault> {
        self.add_part()?;
        let mut open: Vec<bool> = Vec::new();
        let (mut nested, mut loops, mut branches) = (0_u32, 0_u64, 0_u64);
        let mut operators = body.get_operators_reader().map_err(unreadable)?;
        while !operators.eof() {
            self.operators += 1;
            match operators.read().map_err(unreadable)? {
                Operator::Loop { .. } => {
                    nested += 1;
                    loops += 1;
                    open.push(true);
                }
                Operator::Block { .. } | Operator::If { .. } | Operator::TryTable { .. } => {
                    branches += 1;
                    open.push(false);
                }
                Operator::Br { .. } | Operator::BrIf { .. } => branches += 1,
                Operator::BrTable { targets } => {
                    branches += 1;
                    self.operators += u64::from(targets.len());
                }
                Operator::End => nested -= u32::from(open.pop() == Some(true)),
                _ => {}
            }
            if nested > MOST_NESTED_LOOPS {
                return Err(too_much(format!("a function nests more than {MOST_NESTED_LOOPS} loops")));
            }
            if open.len() > MOST_NESTED_BLOCKS as usize {
                return Err(too_much(format!("a function nests more than {MOST_NESTED_BLOCKS} blocks")));
            }
        }
        self.loops += loops;
        self.squares = self.squares.saturating_add(8 * loops * loops + branches * branches);
        if self.operators > MOST_OPERATORS || self.loops > MOST_LOOPS || self.squares > MOST_SQUARES {
            return Err(too_much("its functions are too large; compile it in a child process".to_owned()));
        }
        Ok(())
    }
}

fn unreadable(error: BinaryReaderError) -> Fault {
    Fault::NotAComponent(error.to_string())
}

fn too_much(text: String) -> Fault {
    Fault::FailedToCompile(text)
}
