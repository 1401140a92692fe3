//! The host's own code before and after the judging. A pre-hook that fails or panics denies; a post-hook
//! sees what was decided and changes nothing.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use agenthalt_core::call::Call;
use agenthalt_core::fault::Fault;

use crate::evaluation::Evaluation;

/// Bytes of a hook's own words that a reason shows.
const MOST_TEXT_BYTES: usize = 2_048;
/// How deep hooks may judge calls that run hooks: a stack has an end, and the process ends with it.
const MOST_DEPTH: u32 = 4;

thread_local! {
    /// How many hooks this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

type PreHook = Box<dyn Fn(Call) -> Result<Call, String> + Send + Sync>;
type PostHook = Box<dyn Fn(&Call, &Evaluation) -> Result<(), String> + Send + Sync>;

/// The hooks of an engine, in their order.
#[derive(Default)]
pub(crate) struct Hooks {
    pre: Vec<PreHook>,
    post: Vec<PostHook>,
}

impl Hooks {
    pub(crate) fn add_pre<E: fmt::Display>(&mut self, hook: impl Fn(Call) -> Result<Call, E> + Send + Sync + 'static) {
        self.pre.push(Box::new(move |call| hook(call).map_err(|error| error.to_string())));
    }

    pub(crate) fn add_post<E: fmt::Display>(
        &mut self,
        hook: impl Fn(&Call, &Evaluation) -> Result<(), E> + Send + Sync + 'static,
    ) {
        self.post.push(Box::new(move |call, evaluation| hook(call, evaluation).map_err(|error| error.to_string())));
    }

    /// The call as the pre-hooks leave it; none where there are no hooks, and the call is what it was.
    ///
    /// # Errors
    /// [`Fault::Hook`] of the first that fails or panics.
    // INVARIANT: a call that a pre-hook does not give back is not judged, and so denied.
    pub(crate) fn before(&self, call: &Call) -> Result<Option<Call>, Fault> {
        if self.pre.is_empty() {
            return Ok(None);
        }
        let name = &call.function_name;
        let mut call = call.clone();
        for (number, hook) in (1..).zip(&self.pre) {
            call = caught(|| hook(call)).map_err(|text| fault("pre-hook", number, &text))?;
            // INVARIANT: the caller runs the function that it gave, so no other one is judged.
            if call.function_name != *name {
                return Err(fault("pre-hook", number, "it changed the function's name"));
            }
        }
        Ok(Some(call))
    }

    /// Shows the post-hooks what was decided; gives what went wrong in them.
    pub(crate) fn after(&self, call: &Call, evaluation: &Evaluation) -> Vec<Fault> {
        let run = |(number, hook): (usize, &PostHook)| {
            caught(|| hook(call, evaluation)).err().map(|text| fault("post-hook", number, &text))
        };
        (1..).zip(&self.post).filter_map(run).collect()
    }
}

/// What the hook answers, or the text of its panic.
fn caught<T>(hook: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    let depth = DEPTH.get();
    if depth >= MOST_DEPTH {
        return Err(format!("hooks judge calls of hooks more than {MOST_DEPTH} deep"));
    }
    DEPTH.set(depth + 1);
    let answer = run(hook);
    DEPTH.set(depth);
    answer
}

fn run<T>(hook: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    // A call that was lost in a panic is gone; nothing of it is used after.
    catch_unwind(AssertUnwindSafe(hook)).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Err(format!("it panicked: {}", text.unwrap_or_else(|| "without a text".to_owned())))
    })
}

fn fault(which: &str, number: usize, text: &str) -> Fault {
    let shown = text.get(..text.floor_char_boundary(MOST_TEXT_BYTES)).unwrap_or_default();
    Fault::Hook(format!("{which} {number}: {shown}"))
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").field("pre", &self.pre.len()).field("post", &self.post.len()).finish()
    }
}
