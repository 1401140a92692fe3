//! Compiled code on disk that somebody else has touched: never loaded, said, and made anew.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use agenthalt::{Digest, Sandbox};
use agenthalt_core::digest::Key;

use crate::guest::{GOOD, Guest};
use crate::stage::{Stage, assert_serves};

fn on(cache: &Path) -> Stage {
    Stage::on(Sandbox::builder().cache(cache).build().unwrap())
}

/// Loads the good guard and judges a call. How often it was compiled, and what was noticed.
fn serve(cache: &Path) -> (u64, Vec<String>) {
    let stage = on(cache);
    let engine = stage.engine(&[("good", &GOOD, "")]);
    assert_eq!(engine.faults(), []);
    assert_serves(&engine, 0);
    (stage.sandbox.compiled(), stage.sandbox.take_notices())
}

fn entries(cache: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(cache).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "code")).collect()
}

/// A cache with the code of the good guard, and the file it lies in.
fn filled() -> (tempfile::TempDir, PathBuf) {
    let cache = tempfile::tempdir().unwrap();
    assert_eq!(serve(cache.path()), (1, Vec::new()));
    let [entry] = &entries(cache.path())[..] else { panic!("one component, one entry") };
    let entry = entry.clone();
    (cache, entry)
}

/// Asserts that what lies in the cache is not loaded and is replaced.
fn assert_made_anew(cache: &Path, said: &str) {
    let (compiled, notices) = serve(cache);
    assert_eq!(compiled, 1);
    assert!(matches!(&notices[..], [notice] if notice.contains(said)), "{notices:?}");
    assert_eq!(serve(cache), (0, Vec::new()));
}

#[test]
fn kept_code_is_loaded_without_compiling() {
    let (cache, _) = filled();
    assert_eq!(serve(cache.path()), (0, Vec::new()));
}

#[test]
fn a_poisoned_entry_is_not_loaded() {
    let (cache, entry) = filled();
    let whole = fs::read(&entry).unwrap();
    for place in [0, 31, 32, 33, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        fs::write(&entry, bytes).unwrap();
        assert_made_anew(cache.path(), "changed by someone else");
    }
}

#[test]
fn a_cut_or_longer_entry_is_not_loaded() {
    let (cache, entry) = filled();
    let whole = fs::read(&entry).unwrap();
    for bytes in [&[][..], &whole[..16], &whole[..32], &whole[..whole.len() - 1], &[&whole[..], &[0]].concat()] {
        fs::write(&entry, bytes).unwrap();
        assert_made_anew(cache.path(), "changed by someone else");
    }
}

#[test]
fn the_code_of_another_component_is_not_loaded() {
    let (cache, entry) = filled();
    let other = Guest::special("(unreachable)").component();
    let stage = on(cache.path());
    assert_eq!(stage.engine(&[("other", &other, "")]).faults(), []);
    let others: Vec<PathBuf> = entries(cache.path()).into_iter().filter(|path| *path != entry).collect();
    fs::copy(&others[0], &entry).unwrap();
    assert_made_anew(cache.path(), "changed by someone else");
}

/// Writes an entry under the host's own key, as a host with this engine would have.
fn sign(cache: &Path, engine: &str, code: &[u8]) -> Vec<u8> {
    let key = Key::new(fs::read(cache.join("cache.key")).unwrap().try_into().unwrap());
    let name = format!("{}-{engine}", Digest::of(&GOOD));
    [key.digest(&[name.as_bytes(), code]).as_bytes(), code].concat()
}

#[test]
fn the_code_of_another_engine_is_not_loaded() {
    let (cache, entry) = filled();
    let code = fs::read(&entry).unwrap().split_off(32);
    let other_engine = Digest::of(b"another engine").to_string();
    fs::write(&entry, sign(cache.path(), &other_engine, &code)).unwrap();
    assert_made_anew(cache.path(), "changed by someone else");
}

#[test]
fn signed_bytes_that_are_no_code_are_not_loaded() {
    let (cache, entry) = filled();
    let name = entry.file_stem().unwrap().to_str().unwrap().to_owned();
    let engine = name.split_once('-').unwrap().1;
    let code = fs::read(&entry).unwrap().split_off(32);
    assert_eq!(sign(cache.path(), engine, &code), fs::read(&entry).unwrap(), "signed as the host does");
    fs::write(&entry, sign(cache.path(), engine, b"no code at all")).unwrap();
    assert_made_anew(cache.path(), "does not fit this engine");
}

#[test]
fn an_entry_that_is_no_file_is_not_loaded() {
    let (cache, entry) = filled();
    fs::remove_file(&entry).unwrap();
    fs::create_dir(&entry).unwrap();
    let (compiled, notices) = serve(cache.path());
    assert_eq!(compiled, 1);
    assert!(notices.iter().any(|notice| notice.contains("changed by someone else")), "{notices:?}");
}

#[test]
fn a_folder_that_others_can_write_is_not_used() {
    let cache = tempfile::tempdir().unwrap();
    for mode in [0o777, 0o775, 0o1777] {
        fs::set_permissions(cache.path(), fs::Permissions::from_mode(mode)).unwrap();
        for _ in 0..2 {
            let (compiled, notices) = serve(cache.path());
            assert_eq!(compiled, 1);
            assert!(matches!(&notices[..], [notice] if notice.contains("others can write")), "{notices:?}");
        }
        assert_eq!(fs::read_dir(cache.path()).unwrap().count(), 0, "nothing is put there");
    }
}

#[test]
fn a_folder_behind_a_link_is_not_used() {
    let cache = tempfile::tempdir().unwrap();
    let link = cache.path().join("link");
    std::os::unix::fs::symlink(tempfile::tempdir().unwrap().keep(), &link).unwrap();
    let (compiled, notices) = serve(&link);
    assert_eq!(compiled, 1);
    assert!(matches!(&notices[..], [notice] if notice.contains("not used")), "{notices:?}");
}

#[test]
fn a_key_that_others_can_read_is_not_trusted() {
    let (cache, _) = filled();
    fs::set_permissions(cache.path().join("cache.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (compiled, notices) = serve(cache.path());
    assert_eq!(compiled, 1);
    assert!(matches!(&notices[..], [notice] if notice.contains("not used")), "{notices:?}");
}

#[test]
fn another_key_makes_all_entries_foreign() {
    let (cache, _) = filled();
    fs::remove_file(cache.path().join("cache.key")).unwrap();
    assert_made_anew(cache.path(), "changed by someone else");
}
