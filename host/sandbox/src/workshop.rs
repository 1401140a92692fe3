//! From a component's bytes to code for the engine: taken from the cache or compiled within limits, with
//! what an operator should know of it. It runs nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use wasmtime::Engine;
use wasmtime::component::Component as Code;

use crate::cache::{Cache, Entry};
use crate::compile::Compiler;

/// Makes code for one engine.
pub(crate) struct Workshop {
    pub(crate) engine: Engine,
    cache: Option<Cache>,
    compiler: Compiler,
    compiled: AtomicU64,
    notices: Mutex<Notices>,
}

/// What an operator should know: all that was said, and what nobody has taken yet.
#[derive(Default)]
pub(crate) struct Notices {
    said: HashSet<String>,
    waiting: Vec<String>,
}

impl Notices {
    pub(crate) fn add(&mut self, text: String) {
        if self.said.insert(text.clone()) {
            tracing::warn!("{text}");
            self.waiting.push(text);
        }
    }
}

impl Workshop {
    pub(crate) fn new(engine: Engine, cache: Option<Cache>, compiler: Compiler, notices: Notices) -> Self {
        Workshop { engine, cache, compiler, compiled: AtomicU64::new(0), notices: Mutex::new(notices) }
    }

    /// Whether the code of a component is in the cache.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.cache.as_ref().is_some_and(|cache| cache.has(digest))
    }

    /// The code of the component with these bytes and this digest, from the cache or compiled and kept in
    /// the cache.
    ///
    /// # Errors
    /// What compiling runs into.
    pub(crate) fn code(&self, digest: &Digest, bytes: &[u8]) -> Result<Code, Fault> {
        if let Some(cache) = &self.cache {
            match cache.get(digest) {
                Entry::Code(code) => match self.take_in(&code) {
                    Ok(code) => return Ok(code),
                    Err(_) => self.notice("a cached guard does not fit this engine; it is compiled anew".to_owned()),
                },
                Entry::Absent => {}
                Entry::Foreign(path) => {
                    let path = path.display();
                    self.notice(format!(
                        "`{path}` was changed by someone else and is not loaded; the guard is compiled anew"
                    ));
                }
            }
        }
        let code = self.compile_bytes(bytes)?;
        if let Some(cache) = &self.cache
            && let Err(error) = cache.put(digest, &code)
        {
            self.notice(format!("compiled guards cannot be kept: {error}"));
        }
        self.take_in(&code).map_err(unfit)
    }

    /// Compiles without the cache, and says how many bytes of code came of it.
    ///
    /// # Errors
    /// What compiling runs into.
    pub(crate) fn compile(&self, bytes: &[u8]) -> Result<(Code, usize), Fault> {
        let code = self.compile_bytes(bytes)?;
        Ok((self.take_in(&code).map_err(unfit)?, code.len()))
    }

    fn compile_bytes(&self, bytes: &[u8]) -> Result<Vec<u8>, Fault> {
        self.compiled.fetch_add(1, Ordering::Relaxed);
        self.compiler.compile(&self.engine, bytes)
    }

    #[expect(unsafe_code, reason = "compiled code can only be taken in this way")]
    fn take_in(&self, code: &[u8]) -> wasmtime::Result<Code> {
        // SAFETY: the bytes come from `precompile_component`, either just now, from this process or a
        // child that runs the same program, or from the cache, which returns only bytes that fit a
        // digest under this host's own key.
        unsafe { Code::deserialize(&self.engine, code) }
    }

    /// How many components were compiled and not taken from the cache.
    pub(crate) fn compiled(&self) -> u64 {
        self.compiled.load(Ordering::Relaxed)
    }

    /// Tells the operator something, once.
    pub(crate) fn notice(&self, text: String) {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner).add(text);
    }

    /// Takes what nobody has taken yet.
    pub(crate) fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }
}

fn unfit(error: wasmtime::Error) -> Fault {
    Fault::FailedToCompile(crate::trap::cut(&format!("{error:#}")))
}
