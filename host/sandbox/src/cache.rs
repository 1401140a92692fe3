//! Compiled code on disk, under a keyed digest. Loading it is running native code, so a folder that
//! others can write to is not used, and bytes that do not fit their digest are never loaded.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use agenthalt_core::digest::{Digest, Key};

const KEY_FILE: &str = "cache.key";
const MAC_BYTES: usize = 32;
/// The largest entry in bytes; what is behind it does not fit the digest.
const MOST_BYTES: u64 = 1 << 30;

/// A folder of compiled code that only its owner can write to.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: Key,
    engine: Digest,
}

/// What an entry of the cache is.
#[derive(Debug)]
pub(crate) enum Entry {
    /// Code that this host wrote.
    Code(Vec<u8>),
    /// There is none.
    Absent,
    /// There is one that this host did not write as it is; it was not loaded.
    Foreign(PathBuf),
}

impl Cache {
    /// Opens the folder, makes it where it is missing, and its key.
    ///
    /// # Errors
    /// One sentence that says why the folder is not used.
    pub(crate) fn open(folder: &Path, engine: Digest) -> Result<Cache, String> {
        let not_used = |why: String| format!("the cache folder `{}` is not used: {why}", folder.display());
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|error| not_used(error.to_string()))?;
        let metadata = fs::symlink_metadata(folder).map_err(|error| not_used(error.to_string()))?;
        if !metadata.is_dir() {
            return Err(not_used("it is no folder".to_owned()));
        }
        is_private(&metadata).map_err(&not_used)?;
        let key = read_or_make_key(&folder.join(KEY_FILE)).map_err(not_used)?;
        Ok(Cache { folder: folder.to_owned(), key, engine })
    }

    /// Whether there is an entry, without reading it.
    pub(crate) fn has(&self, component: &Digest) -> bool {
        self.path(component).is_file()
    }

    /// The code of a component.
    pub(crate) fn get(&self, component: &Digest) -> Entry {
        let path = self.path(component);
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|file| file.take(MOST_BYTES).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Entry::Absent,
            Err(_) => return Entry::Foreign(path),
            Ok(_) => {}
        }
        // INVARIANT: the bytes that are verified are the bytes that are loaded; the file is read once.
        match bytes.split_at_checked(MAC_BYTES) {
            Some((mac, code)) if self.key.is_digest(&[self.name(component).as_bytes(), code], mac) => {
                Entry::Code(code.to_vec())
            }
            _ => Entry::Foreign(path),
        }
    }

    /// Keeps the code of a component.
    ///
    /// # Errors
    /// Those of the file system.
    pub(crate) fn put(&self, component: &Digest, code: &[u8]) -> io::Result<()> {
        let mac = self.key.digest(&[self.name(component).as_bytes(), code]);
        write_new(&self.path(component), &[mac.as_bytes(), code], true)
    }

    fn name(&self, component: &Digest) -> String {
        format!("{component}-{}", self.engine)
    }

    fn path(&self, component: &Digest) -> PathBuf {
        self.folder.join(format!("{}.code", self.name(component)))
    }
}

fn is_private(metadata: &fs::Metadata) -> Result<(), String> {
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err("it belongs to another user".to_owned());
    }
    if metadata.mode() & 0o022 != 0 {
        return Err("others can write to it; `chmod 700` it".to_owned());
    }
    Ok(())
}

fn read_or_make_key(path: &Path) -> Result<Key, String> {
    if let Err(error) = make_key(path)
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        return Err(format!("its key cannot be written: {error}"));
    }
    let metadata = fs::symlink_metadata(path).map_err(|error| format!("its key cannot be read: {error}"))?;
    is_private(&metadata).map_err(|why| format!("its key is not trusted: {why}"))?;
    if !metadata.is_file() || metadata.mode() & 0o077 != 0 {
        return Err("its key is not trusted: others can read it; remove it to have a new one".to_owned());
    }
    let bytes = fs::read(path).map_err(|error| format!("its key cannot be read: {error}"))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| "its key is damaged; remove it to have a new one".to_owned())?;
    Ok(Key::new(bytes))
}

fn make_key(path: &Path) -> io::Result<()> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    write_new(path, &[&bytes], false)
}

/// Writes a whole file under its name, or none: first beside it, then moved into place.
fn write_new(path: &Path, parts: &[&[u8]], replace: bool) -> io::Result<()> {
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(io::Error::other)?;
    let beside = path.with_extension(format!("new-{:016x}", u64::from_le_bytes(suffix)));
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
        parts.iter().try_for_each(|part| file.write_all(part))?;
        file.sync_all()?;
        // A link, unlike a rename, leaves what another process has put there in the meantime.
        if replace { fs::rename(&beside, path) } else { fs::hard_link(&beside, path) }
    });
    if written.is_err() || !replace {
        drop(fs::remove_file(&beside));
    }
    written
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn engine() -> Digest {
        Digest::of(b"engine")
    }

    fn component() -> Digest {
        Digest::of(b"component")
    }

    #[test]
    fn what_was_put_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(&folder.path().join("deep/er"), engine()).unwrap();
        assert!(matches!(cache.get(&component()), Entry::Absent));
        cache.put(&component(), b"code").unwrap();
        cache.put(&component(), b"code").unwrap();
        assert!(cache.has(&component()));
        assert!(matches!(cache.get(&component()), Entry::Code(code) if code == b"code"));
        let again = Cache::open(&folder.path().join("deep/er"), engine()).unwrap();
        assert!(matches!(again.get(&component()), Entry::Code(_)));
    }

    #[test]
    fn no_flipped_bit_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), engine()).unwrap();
        cache.put(&component(), b"some code").unwrap();
        let path = cache.path(&component());
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(matches!(cache.get(&component()), Entry::Foreign(_)), "{place}");
        }
        fs::write(&path, b"short").unwrap();
        assert!(matches!(cache.get(&component()), Entry::Foreign(_)));
    }

    #[test]
    fn code_of_another_engine_or_component_is_not_accepted() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), engine()).unwrap();
        cache.put(&component(), b"code").unwrap();
        let other_engine = Cache::open(folder.path(), Digest::of(b"other")).unwrap();
        assert!(matches!(other_engine.get(&component()), Entry::Absent));
        fs::copy(cache.path(&component()), other_engine.path(&component())).unwrap();
        assert!(matches!(other_engine.get(&component()), Entry::Foreign(_)));
        let other = Digest::of(b"other component");
        fs::copy(cache.path(&component()), cache.path(&other)).unwrap();
        assert!(matches!(cache.get(&other), Entry::Foreign(_)));
    }

    #[test]
    fn a_folder_or_key_that_others_reach_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(Cache::open(folder.path(), engine()).unwrap_err().contains("others can write"));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        Cache::open(folder.path(), engine()).unwrap();
        let key = folder.path().join(KEY_FILE);
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(Cache::open(folder.path(), engine()).unwrap_err().contains("others can read"));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&key, b"short").unwrap();
        assert!(Cache::open(folder.path(), engine()).unwrap_err().contains("damaged"));
        assert!(Cache::open(Path::new("/dev/null/x"), engine()).is_err());
    }
}
