//! Where compiled guards are kept: only in a folder of the user's own, and never compiled twice.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::run::{Dir, Run};

fn dir() -> Dir {
    Dir::with_policy("guards:\n  scope: {}\n")
}

fn check(dir: &Dir) -> Run {
    dir.run_without_cache(&["check", "policy.yaml"])
}

/// The compiled guards in a folder, with the time at which each was written.
fn entries(folder: &Path) -> Vec<(PathBuf, SystemTime)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let code = paths.filter(|path| path.extension().is_some_and(|extension| extension == "code"));
    code.map(|path| (path.clone(), fs::metadata(&path).unwrap().modified().unwrap())).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_named_folder_is_filled_once() {
    let dir = dir();
    let run = || dir.run_without_cache(&["--cache-dir", "cache", "check", "policy.yaml"]).ends().exits(0);
    assert_eq!(run().err, "");
    let folder = dir.path("cache");
    let filled = entries(&folder);
    assert_eq!(filled.len(), 1);
    assert_eq!((mode(&folder), mode(&folder.join("cache.key"))), (0o700, 0o600));
    assert!(filled.iter().all(|(path, _)| mode(path) == 0o600));
    assert_eq!(run().err, "");
    let evaluate = ["evaluate", "--policy", "policy.yaml", "--cache-dir", "cache"];
    dir.run_without_cache(&evaluate).stdin(r#"{"function_name": "f", "arguments": {}}"#).ends().exits(0);
    assert_eq!(entries(&folder), filled, "nothing was compiled again");
    dir.write("policy.yaml", "guards:\n  scope: {deny_functions: ['drop_*']}\n");
    run();
    assert_eq!(entries(&folder), filled, "other settings compile nothing");
}

#[test]
fn the_folder_is_the_first_that_is_named() {
    let dir = dir();
    let code = |name: &str| entries(&dir.path(name)).len();
    check(&dir).env("AGENTHALT_CACHE_DIR", dir.path("a")).env("XDG_CACHE_HOME", dir.path("no")).ends().exits(0);
    let arguments = ["check", "policy.yaml", "--cache-dir", "b"];
    dir.run_without_cache(&arguments).env("AGENTHALT_CACHE_DIR", dir.path("no")).ends().exits(0);
    check(&dir).env("XDG_CACHE_HOME", dir.path("c")).env("HOME", dir.path("no")).ends().exits(0);
    check(&dir).env("HOME", dir.path("d")).ends().exits(0);
    // What is no absolute path is no cache home.
    check(&dir).env("XDG_CACHE_HOME", "no").env("HOME", dir.path("e")).ends().exits(0);
    check(&dir).env("AGENTHALT_CACHE_DIR", "").env("XDG_CACHE_HOME", "").env("HOME", dir.path("f")).ends().exits(0);
    assert_eq!([code("a"), code("b"), code("c/agenthalt")], [1; 3]);
    assert_eq!(["d", "e", "f"].map(|home| code(&format!("{home}/.cache/agenthalt"))), [1; 3]);
    assert_eq!(dir.names(), ["a", "b", "c", "d", "e", "f", "policy.yaml"]);
}

#[test]
fn a_folder_that_others_can_write_is_not_used_and_that_is_said_once() {
    let dir = Dir::with_policy("guards:\n  scope: {}\n  budget: {}\n");
    let cache = dir.path("cache");
    fs::create_dir(&cache).unwrap();
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).unwrap();
    let ended = check(&dir).env("AGENTHALT_CACHE_DIR", &cache).ends().exits(0);
    let folder = cache.display();
    assert_eq!(
        ended.err,
        format!("agenthalt: the cache folder `{folder}` is not used: others can write to it; `chmod 700` it\n")
    );
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 0);
}

#[test]
fn a_folder_that_cannot_be_made_is_not_used() {
    let dir = dir();
    dir.write("file", "");
    let ended = check(&dir).env("AGENTHALT_CACHE_DIR", dir.path("file/cache")).ends().exits(0);
    assert_eq!(ended.err.matches("is not used: ").count(), 1, "{ended:?}");
    assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
}

#[test]
fn without_a_home_it_is_said_that_nothing_is_kept() {
    let dir = dir();
    let ended = check(&dir).ends().exits(0);
    assert_eq!(
        ended.err,
        "agenthalt: guards are compiled in every run: neither XDG_CACHE_HOME nor HOME is set; name a folder with \
         --cache-dir\n"
    );
    assert_eq!(dir.names(), ["policy.yaml"]);
}

#[test]
fn a_changed_entry_is_not_loaded_and_that_is_said() {
    let dir = dir();
    let cache = dir.path("cache");
    let run = || check(&dir).env("AGENTHALT_CACHE_DIR", &cache).ends().exits(0);
    run();
    let [(entry, _)] = &entries(&cache)[..] else { panic!("one entry") };
    let mut bytes = fs::read(entry).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(entry, bytes).unwrap();
    let ended = run();
    assert!(ended.err.contains("was changed by someone else and is not loaded"), "{ended:?}");
    assert_eq!(run().err, "");
}

#[test]
fn processes_at_once_fill_one_folder() {
    let dir = dir();
    let cache = dir.path("cache");
    let running: Vec<_> = (0..4).map(|_| check(&dir).env("AGENTHALT_CACHE_DIR", &cache).begins()).collect();
    for run in running {
        assert_eq!(run.ends().exits(0).err, "");
    }
    assert_eq!(entries(&cache).len(), 1);
    assert_eq!(fs::read_dir(&cache).unwrap().count(), 2, "nothing is left beside the key and the code");
}
