//! The sandbox itself: built once, it loads components, hands work to its threads and gives permits to
//! run guards on others. It runs none itself.

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use agenthalt_core::digest::Digest;
use agenthalt_core::fault::Fault;

use crate::cache::Cache;
use crate::child::{CompileLimits, CompilerProcess};
use crate::compile::Compiler;
use crate::component::Component;
use crate::engine::{self, Allocation};
use crate::here::{Here, Places};
use crate::lanes::{Lane, Lanes, Work, cores};
use crate::ready::{Maker, ROOM};
use crate::snapshot::Builder;
use crate::workshop::{Notices, Workshop};

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
        let workshop = Arc::new(Workshop::new(engine, cache, compiler, notices));
        Ok(Sandbox(Arc::new(Inner {
            lanes: Lanes::start()?,
            maker: Maker::start(ROOM)?,
            builder: Builder::start(workshop.clone())?,
            workshop,
            places: Places::new(cores()),
            components: Mutex::default(),
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
    workshop: Arc<Workshop>,
    lanes: Lanes,
    maker: Maker,
    builder: Builder,
    places: Places,
    components: Mutex<HashMap<Digest, Place>>,
}

impl Sandbox {
    /// Sets up a sandbox.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// Whether a component can be loaded without compiling it.
    #[doc(hidden)]
    pub fn is_ready(&self, digest: &Digest) -> bool {
        let place = self.components().get(digest).cloned();
        let loaded = place.is_some_and(|place| place.try_lock().is_ok_and(|component| component.is_some()));
        loaded || self.0.workshop.has(digest)
    }

    /// Loads a component: size, digest, code (kept, cached, or compiled), imports, exports, types.
    ///
    /// # Errors
    /// A fault for each step that can fail.
    #[doc(hidden)]
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
            return Ok(component.with_source(bytes, self.0.builder.snapshots()));
        }
        let workshop = &self.0.workshop;
        let code = workshop.code(&digest, bytes)?;
        let component = Component::prepare(&workshop.engine, self.0.maker.stock(), &code, digest, bytes.len())?;
        *held = Some(component.clone());
        drop(held);
        self.forget_idle();
        Ok(component.with_source(bytes, self.0.builder.snapshots()))
    }

    /// Polls a future on the threads of a lane, from now on; when it waits, its thread goes on with other
    /// work. The answer is [`Fault::HostFull`] where too many wait already, [`Fault::Host`] where the
    /// future panicked. Dropping what this gives cancels the work.
    #[doc(hidden)]
    pub fn spawn<T: Send + 'static>(&self, lane: Lane, future: impl Future<Output = T> + Send + 'static) -> Work<T> {
        self.0.lanes.spawn(lane, future)
    }

    /// A permit to run guards on this thread, which spares a call the way to a lane and back. None where
    /// as many threads as there are cores have one, or where this thread has less than 1 MiB of its
    /// stack left.
    #[doc(hidden)]
    pub fn here(&self) -> Option<Here> {
        self.0.places.take()
    }

    /// How many components this sandbox has compiled.
    pub fn compiled(&self) -> u64 {
        self.0.workshop.compiled()
    }

    /// Waits until no snapshot of a configured guard is being built or is to be built. Nothing else ever
    /// waits for that; it is for tests and measurements.
    #[doc(hidden)]
    pub fn wait_for_snapshots(&self) {
        self.0.builder.snapshots().wait_until_idle();
    }

    /// Takes what an operator should know: that the pool or the cache is not used, or that a guard judged
    /// otherwise from a snapshot, and why. Each is given once.
    pub fn take_notices(&self) -> Vec<String> {
        self.0.workshop.take_notices()
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
