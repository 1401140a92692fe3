//! The sandbox itself: built once, it loads components, hands work to its threads and gives permits to
//! run guards on others. It runs none itself.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;
use wasmtime::Engine;
use wasmtime::component::Component as Code;

use crate::cache::{Cache, Entry};
use crate::child::{CompileLimits, CompilerProcess};
use crate::compile::Compiler;
use crate::component::Component;
use crate::engine::{self, Allocation};
use crate::here::{Here, Places};
use crate::lanes::{Lane, Lanes, Work, cores};
use crate::ready::{Maker, ROOM};

/// The largest component in bytes.
pub const MOST_COMPONENT_BYTES: usize = 64 << 20;
/// How many components stay compiled although nobody uses them.
const MOST_IDLE_COMPONENTS: usize = 64;

/// The sandbox cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The engine refuses this machine.
    #[error("the WebAssembly engine cannot be made: {0}")]
    Engine(String),
    /// The system gives no threads.
    #[error("the sandbox gets no threads")]
    Threads(#[from] std::io::Error),
}

/// Sets up a sandbox. Nothing here can lift a limit.
///
/// ```
/// # use agenthalt_sandbox::{CompileLimits, CompilerProcess, Sandbox};
/// # let kept = tempfile::tempdir()?;
/// # let folder = kept.path();
/// let compiler = CompilerProcess::new(std::env::current_exe()?, ["compile-guard"]);
/// let limits = CompileLimits::new(20, 1 << 30)?;
/// let sandbox = Sandbox::builder().compiler(compiler).compile_limits(limits).cache(folder).build()?;
/// assert_eq!(sandbox.compiled(), 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct SandboxBuilder {
    cache: Option<PathBuf>,
    compiler: Option<CompilerProcess>,
    compile_limits: CompileLimits,
}

impl SandboxBuilder {
    /// Keeps compiled code in this folder; without one, it is compiled anew in every process.
    #[must_use]
    pub fn cache(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cache = Some(folder.into());
        self
    }

    /// Compiles in a child process; without one, in this process after a look at the structure.
    #[must_use]
    pub fn compiler(mut self, process: CompilerProcess) -> Self {
        self.compiler = Some(process);
        self
    }

    /// What compiling one component may take in the child process.
    #[must_use]
    pub fn compile_limits(mut self, limits: CompileLimits) -> Self {
        self.compile_limits = limits;
        self
    }

    /// Makes the sandbox.
    ///
    /// # Errors
    /// [`SandboxError`].
    pub fn build(self) -> Result<Sandbox, SandboxError> {
        let mut notices = Notices::default();
        let engine = match engine::new(Allocation::Pooled) {
            Ok(engine) => engine,
            Err(error) => {
                let why = crate::trap::cut(&format!("{error:#}"));
                notices.add(format!("guards run without a pool of instances, slower: {why}"));
                let made = engine::new(Allocation::OnDemand);
                made.map_err(|error| SandboxError::Engine(crate::trap::cut(&format!("{error:#}"))))?
            }
        };
        engine::start_ticking(&engine)?;
        let cache = self.cache.and_then(|folder| match Cache::open(&folder, engine::digest(&engine)) {
            Ok(cache) => Some(cache),
            Err(notice) => {
                notices.add(notice);
                None
            }
        });
        let compiler = match self.compiler {
            Some(process) => Compiler::Child(process, self.compile_limits),
            None => Compiler::InProcess,
        };
        Ok(Sandbox(Arc::new(Inner {
            engine,
            lanes: Lanes::start()?,
            maker: Maker::start(ROOM)?,
            places: Places::new(cores()),
            cache,
            compiler,
            components: Mutex::default(),
            compiled: AtomicU64::new(0),
            notices: Mutex::new(notices),
        })))
    }
}

/// Where guards run. Cheap to clone.
///
/// Without a [`CompilerProcess`] components are compiled in this process, after a look at their structure that
/// refuses what is known to take far more time or memory than its size. Nothing else bounds the compiler then:
/// where components come from strangers, set a process up.
///
/// ```
/// # use agenthalt_sandbox::Sandbox;
/// let sandbox = Sandbox::builder().build()?;
/// for notice in sandbox.take_notices() {
///     eprintln!("{notice}");
/// }
/// assert_eq!(sandbox.compiled(), 0);
/// # Ok::<(), agenthalt_sandbox::SandboxError>(())
/// ```
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

/// One component's place: the lock makes others wait for who loads it, instead of loading it twice.
type Place = Arc<Mutex<Option<Component>>>;

struct Inner {
    engine: Engine,
    lanes: Lanes,
    maker: Maker,
    places: Places,
    cache: Option<Cache>,
    compiler: Compiler,
    components: Mutex<HashMap<Digest, Place>>,
    compiled: AtomicU64,
    notices: Mutex<Notices>,
}

/// What an operator should know: all that was said, and what nobody has taken yet.
#[derive(Default)]
struct Notices {
    said: HashSet<String>,
    waiting: Vec<String>,
}

impl Notices {
    fn add(&mut self, text: String) {
        if self.said.insert(text.clone()) {
            tracing::warn!("{text}");
            self.waiting.push(text);
        }
    }
}

impl Sandbox {
    /// Sets up a sandbox.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Whether a component can be loaded without compiling it.
    pub fn is_ready(&self, digest: &Digest) -> bool {
        let place = self.components().get(digest).cloned();
        let loaded = place.is_some_and(|place| place.try_lock().is_ok_and(|component| component.is_some()));
        loaded || self.0.cache.as_ref().is_some_and(|cache| cache.has(digest))
    }

    /// Loads a component: size, digest, code (kept, cached, or compiled), imports, exports, types.
    ///
    /// # Errors
    /// A fault for each step that can fail.
    pub fn load(&self, bytes: &[u8], pinned: Option<Digest>) -> Result<Component, Fault> {
        if bytes.len() > MOST_COMPONENT_BYTES {
            let limit = MOST_COMPONENT_BYTES >> 20;
            return Err(Fault::TooLarge(format!("the component is larger than {limit} MiB")));
        }
        let digest = Digest::of(bytes);
        if let Some(pinned) = pinned
            && pinned != digest
        {
            return Err(Fault::WrongDigest { pinned: pinned.to_string(), found: digest.to_string() });
        }
        let place = self.components().entry(digest).or_default().clone();
        let mut held = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(component) = &*held {
            return Ok(component.clone());
        }
        let code = self.code(&digest, bytes)?;
        let component = Component::prepare(&self.0.engine, self.0.maker.stock(), &code, digest, bytes.len())?;
        *held = Some(component.clone());
        drop(held);
        self.forget_idle();
        Ok(component)
    }

    fn code(&self, digest: &Digest, bytes: &[u8]) -> Result<Code, Fault> {
        if let Some(cache) = &self.0.cache {
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
        self.0.compiled.fetch_add(1, Ordering::Relaxed);
        let code = self.0.compiler.compile(&self.0.engine, bytes)?;
        if let Some(cache) = &self.0.cache
            && let Err(error) = cache.put(digest, &code)
        {
            self.notice(format!("compiled guards cannot be kept: {error}"));
        }
        self.take_in(&code).map_err(|error| Fault::FailedToCompile(crate::trap::cut(&format!("{error:#}"))))
    }

    #[expect(unsafe_code, reason = "compiled code can only be taken in this way")]
    fn take_in(&self, code: &[u8]) -> wasmtime::Result<Code> {
        // SAFETY: the bytes come from `precompile_component`, either just now, from this process or a
        // child that runs the same program, or from the cache, which returns only bytes that fit a
        // digest under this host's own key.
        unsafe { Code::deserialize(&self.0.engine, code) }
    }

    /// Polls a future on the threads of a lane, from now on; when it waits, its thread goes on with other
    /// work. The answer is [`Fault::HostFull`] where too many wait already, [`Fault::Host`] where the
    /// future panicked. Dropping what this gives cancels the work.
    pub fn spawn<T: Send + 'static>(&self, lane: Lane, future: impl Future<Output = T> + Send + 'static) -> Work<T> {
        self.0.lanes.spawn(lane, future)
    }

    /// Hands a job to the threads of a lane.
    ///
    /// # Errors
    /// [`Fault::HostFull`] where too many wait already.
    pub fn submit(&self, lane: Lane, job: impl FnOnce() + Send + 'static) -> Result<(), Fault> {
        self.spawn(lane, async move { job() }).detach()
    }

    /// A permit to run guards on this thread, which spares a call the way to a lane and back. None where
    /// as many threads as there are cores have one, or where this thread has less than 1 MiB of its
    /// stack left.
    pub fn here(&self) -> Option<Here> {
        self.0.places.take()
    }

    /// How many components this sandbox has compiled.
    pub fn compiled(&self) -> u64 {
        self.0.compiled.load(Ordering::Relaxed)
    }

    /// Takes what an operator should know: that the pool or the cache is not used, and why. Each is
    /// given once.
    pub fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut self.0.notices.lock().unwrap_or_else(PoisonError::into_inner).waiting)
    }

    fn notice(&self, text: String) {
        self.0.notices.lock().unwrap_or_else(PoisonError::into_inner).add(text);
    }

    fn components(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Place>> {
        self.0.components.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what nobody uses, once there is much of it.
    fn forget_idle(&self) {
        let mut components = self.components();
        if components.len() > MOST_IDLE_COMPONENTS {
            components.retain(|_, place| {
                Arc::strong_count(place) > 1
                    || place.try_lock().is_ok_and(|held| held.as_ref().is_some_and(Component::is_shared))
            });
        }
    }
}

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sandbox").field("compiled", &self.compiled()).finish_non_exhaustive()
    }
}
