//! State that cannot be used: a clear error, and the file as it was.

use std::fs;
use std::path::{Path, PathBuf};

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::policy::Durability;
use agenthalt_store::{SqliteStore, Store, StoreError};
use pollster::block_on;
use rusqlite::Connection;

use crate::support::*;

/// A folder whose state has been written to and is closed.
fn used() -> Folder {
    let folder = Folder::new();
    charge(&folder.open(), "c", at(0), &counter(Window::Day, Measure::Sum), 5);
    folder
}

/// The error of opening, which must leave the folder's files as they are.
fn refused(folder: &Folder) -> StoreError {
    let files = || -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(folder.file().parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let error = folder.try_open().unwrap_err();
    assert!(before == files(), "{error}");
    error
}

#[test]
fn state_of_a_newer_release_is_left_alone() {
    let folder = used();
    Connection::open(folder.file()).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&folder);
    assert!(matches!(error, StoreError::NewerSchema { found: 99, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("state.db"));
}

#[test]
fn state_without_its_key_gets_no_new_one() {
    let folder = used();
    let key = fs::read(folder.key_file()).unwrap();
    fs::remove_file(folder.key_file()).unwrap();
    let error = refused(&folder);
    assert!(matches!(error, StoreError::KeyMissing { .. }), "{error:?}");
    fs::write(folder.key_file(), [7; 32]).unwrap();
    assert!(matches!(refused(&folder), StoreError::KeyDamaged { .. }), "another state's key");
    fs::write(folder.key_file(), [7; 5]).unwrap();
    assert!(matches!(refused(&folder), StoreError::KeyDamaged { .. }), "half a key");
    fs::write(folder.key_file(), key).unwrap();
    assert_eq!(read(&folder.open(), at(0), &counter(Window::Day, Measure::Sum)), Some(5));
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let folder = Folder::new();
    fs::write(folder.file(), "guards: {}\n".repeat(1_000)).unwrap();
    let error = refused(&folder);
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_database_of_something_else_is_left_alone() {
    let folder = Folder::new();
    Connection::open(folder.file()).unwrap().execute_batch("CREATE TABLE cats (name TEXT)").unwrap();
    assert!(matches!(refused(&folder), StoreError::Foreign(_)));
}

#[test]
fn damaged_pages_are_an_error_and_no_reading() {
    let folder = used();
    let mut bytes = fs::read(folder.file()).unwrap();
    for byte in bytes.iter_mut().skip(4_096) {
        *byte = 0xa5;
    }
    fs::write(folder.file(), &bytes).unwrap();
    let error = match folder.try_open() {
        Err(error) => error,
        Ok(store) => {
            let wanted = request("c", at(0), &[&counter(Window::Day, Measure::Sum)]);
            block_on(store.read(wanted)).unwrap_err()
        }
    };
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    assert_eq!(fs::read(folder.file()).unwrap(), bytes);
}

#[test]
fn a_missing_folder_is_named() {
    let folder = Folder::new();
    let path = folder.file().parent().unwrap().join("no/such/state.db");
    let error = SqliteStore::open(&path, Durability::Power).unwrap_err();
    assert!(matches!(error, StoreError::NoFolder(_)));
    assert!(error.to_string().contains("no/such"), "{error}");
    assert!(SqliteStore::open(folder.file().parent().unwrap(), Durability::Power).is_err(), "a folder is no file");
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_the_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new();
    let store = folder.open();
    charge(&store, "c", at(0), &counter(Window::Day, Measure::Sum), 5);
    for entry in fs::read_dir(folder.file().parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_state_file_leads_to_the_same_key() {
    let folder = used();
    let link = folder.file().with_file_name("link.db");
    std::os::unix::fs::symlink(folder.file(), &link).unwrap();
    let store = SqliteStore::open(&link, Durability::Process).unwrap();
    assert_eq!(read(&store, at(0), &counter(Window::Day, Measure::Sum)), Some(5));
    assert!(!Path::new(&format!("{}.key", link.display())).exists());
}

#[test]
fn an_empty_file_becomes_a_state_file() {
    let folder = Folder::new();
    fs::write(folder.file(), "").unwrap();
    assert_eq!(block_on(folder.open().verify(TENANT)).unwrap(), Ok(0));
}

#[test]
fn a_row_that_was_tampered_with_is_an_error_and_no_reading() {
    let folder = used();
    let raw = Connection::open(folder.file()).unwrap();
    raw.execute("UPDATE counter SET clock_ms = ?1", [i64::MAX]).unwrap();
    let wanted = request("c", at(0), &[&counter(Window::Day, Measure::Sum)]);
    let error = block_on(folder.open().read(wanted)).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
}
