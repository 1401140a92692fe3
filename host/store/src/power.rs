//! The level at which a commit is answered once the disk has it: the thread that syncs the write-ahead log for all
//! who wait. It writes nothing.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::error::StoreError;
use crate::group::Group;
use crate::store::StoreFuture;

/// How the write-ahead log comes to the disk.
pub trait Disk: Send + Sync {
    /// Comes back when the disk has all that was written to the file.
    ///
    /// # Errors
    /// Those of the system; the store takes no more commits then.
    fn sync(&self, log: &File) -> io::Result<()>;
}

/// The system's own way.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn sync(&self, log: &File) -> io::Result<()> {
        log.sync_data()
    }
}

/// Those who wait for the disk, and the thread that syncs for them.
pub(crate) struct Power {
    group: Arc<Group>,
    path: PathBuf,
    thread: Option<JoinHandle<()>>,
}

impl Power {
    /// Begins to sync the log of an open state file.
    pub(crate) fn start(path: &Path, disk: Arc<dyn Disk>) -> Result<Self, StoreError> {
        let failed = |source: io::Error| StoreError::Io { path: path.to_owned(), source: Box::new(source) };
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        // The log has no locks, so that this file may be closed at any time, and it is never replaced while the
        // state is open.
        let log = File::open(PathBuf::from(name)).map_err(failed)?;
        let group = Arc::<Group>::default();
        let waiting = Arc::clone(&group);
        let thread = thread::Builder::new()
            .name("agenthalt-sync".to_owned())
            .spawn(move || waiting.run(|| disk.sync(&log).map_err(|error| error.to_string())))
            .map_err(failed)?;
        Ok(Power { group, path: path.to_owned(), thread: Some(thread) })
    }

    /// The same answer, once the disk has what was written for it. Where nothing was, nobody waits.
    pub(crate) fn after<T: Send + 'static>(
        &self,
        answer: StoreFuture<T>,
        has_written: fn(&T) -> bool,
    ) -> StoreFuture<T> {
        let (group, path) = (Arc::clone(&self.group), self.path.clone());
        Box::pin(async move {
            let answer = answer.await?;
            if has_written(&answer) {
                let reached = group.reach().await;
                reached.map_err(|reason| StoreError::NotOnDisk { path, reason: reason.0 })?;
            }
            Ok(answer)
        })
    }
}

impl Drop for Power {
    fn drop(&mut self) {
        self.group.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
