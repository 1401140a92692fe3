//! The secret beside the state file. It is made once, never replaced, and never shown.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use agenthalt_core::digest::Key;

use crate::error::StoreError;

const KEY_BYTES: usize = 32;

/// Where the key of a state file lies: beside it, with `.key` behind its name.
pub(crate) fn path_of(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".key");
    PathBuf::from(name)
}

/// A key that nobody else has.
pub(crate) fn random() -> Result<Key, StoreError> {
    Ok(Key::new(random_bytes(Path::new(":memory:"))?))
}

/// Reads the key of a state file that has been written to.
pub(crate) fn load(state: &Path) -> Result<Key, StoreError> {
    match read(&path_of(state))? {
        Some(key) => Ok(key),
        None => Err(StoreError::KeyMissing { key: path_of(state), path: state.to_owned() }),
    }
}

/// Reads the key of a new state file, or makes it where there is none yet.
pub(crate) fn load_or_make(state: &Path) -> Result<Key, StoreError> {
    let path = path_of(state);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    make(&path)?;
    load(state)
}

/// Makes a key file; another process may do the same at this moment.
fn make(path: &Path) -> Result<(), StoreError> {
    let failed = |source: io::Error| StoreError::Io { path: path.to_owned(), source: Box::new(source) };
    let bytes: [u8; KEY_BYTES] = random_bytes(path)?;
    let suffix: [u8; 8] = random_bytes(path)?;
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{:016x}", u64::from_be_bytes(suffix)));
    let draft = PathBuf::from(name);
    let mut file = create_private(&draft).map_err(failed)?;
    // INVARIANT: the file gets its name when it is complete, and only where no other has that name: so
    // nobody reads half a key, and of two processes both use the key of the one that was first.
    let linked = file.write_all(&bytes).and_then(|()| file.sync_all()).and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft).map_err(failed)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed(error)),
        Ok(()) | Err(_) => sync_folder(path).map_err(failed),
    }
}

fn read(path: &Path) -> Result<Option<Key>, StoreError> {
    let failed = |source: io::Error| StoreError::Io { path: path.to_owned(), source: Box::new(source) };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mut bytes = Vec::with_capacity(KEY_BYTES + 1);
    file.take(KEY_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    match <[u8; KEY_BYTES]>::try_from(bytes.as_slice()) {
        Ok(bytes) => Ok(Some(Key::new(bytes))),
        Err(_) => {
            let reason = format!("it does not hold exactly {KEY_BYTES} bytes");
            Err(StoreError::KeyDamaged { key: path.to_owned(), reason })
        }
    }
}

/// Creates a file that only its owner may read; fails where there is one.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes sure that the name of a new file survives a power cut.
pub(crate) fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        Some(_) | None => Ok(()),
    }
}

fn random_bytes<const N: usize>(path: &Path) -> Result<[u8; N], StoreError> {
    let mut bytes = [0; N];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => {
            let source = format!("the system gives no random bytes: {error}");
            Err(StoreError::Io { path: path.to_owned(), source: source.into() })
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn digest(key: &Key) -> String {
        key.digest(&[b"x"]).to_string()
    }

    #[test]
    fn a_key_is_made_once_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let first = load_or_make(&state).unwrap();
        assert_eq!(digest(&first), digest(&load_or_make(&state).unwrap()));
        assert_eq!(digest(&first), digest(&load(&state).unwrap()));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the draft is gone");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(path_of(&state)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn whoever_comes_second_uses_the_key_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        let digests: Vec<String> = std::thread::scope(|scope| {
            let makers: Vec<_> = (0..8).map(|_| scope.spawn(|| digest(&load_or_make(&state).unwrap()))).collect();
            makers.into_iter().map(|maker| maker.join().unwrap()).collect()
        });
        assert!(digests.windows(2).all(|pair| matches!(pair, [one, other] if one == other)));
        make(&path_of(&state)).unwrap();
        assert_eq!(digests.first(), Some(&digest(&load(&state).unwrap())), "an existing key stays");
    }

    #[test]
    fn what_holds_no_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state.db");
        assert!(matches!(load(&state), Err(StoreError::KeyMissing { .. })));
        for bytes in [&[][..], &[1; 31], &[1; 33]] {
            fs::write(path_of(&state), bytes).unwrap();
            assert!(matches!(load_or_make(&state), Err(StoreError::KeyDamaged { .. })));
        }
    }
}
