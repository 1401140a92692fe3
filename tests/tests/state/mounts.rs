//! A disk that is full, and one that may only be read. Each claim runs once more in a mount namespace of its own,
//! where it may mount what it needs.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use agenthalt::{ErrorKind, PolicyEngine};

use crate::stage::{self, Books, COST, WIDE};

const INSIDE: &str = "AGENTHALT_STATE_TEST_INSIDE";

/// Runs a test in a namespace of its own.
fn in_namespace(name: &str) {
    let unshare = |user: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(user).args(["--mount", "--propagation", "private"]);
        command
    };
    let works = |user: &[&str]| unshare(user).arg("true").status().is_ok_and(|status| status.success());
    let ways: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];
    let way = ways.into_iter().find(|way| works(way));
    let Some(way) = way else {
        panic!("this test mounts file systems: it needs `unshare` of util-linux, and root or user namespaces")
    };
    let mut command = unshare(way);
    command.arg(env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]).env(INSIDE, name);
    assert!(command.status().unwrap().success(), "{name} failed in its namespace");
}

fn is_inside(name: &str) -> bool {
    env::var(INSIDE).is_ok_and(|inside| inside == name)
}

/// A folder with a file system of its own.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(size: &str) -> Self {
        let mounted = Mounted(tempfile::tempdir().unwrap());
        run("mount", &["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs", mounted.folder()]);
        mounted
    }

    fn folder(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state.db")
    }

    fn change(&self, options: &str) {
        run("mount", &["-o", &format!("remount,{options}"), self.folder()]);
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        run("umount", &["--lazy", self.folder()]);
    }
}

fn run(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}

/// Asserts that the counters and the chain have exactly these calls.
fn has_exactly(engine: PolicyEngine, calls: usize, file: &Path) {
    assert_eq!(stage::counted(&engine, "daily_spend"), i64::try_from(calls).unwrap() * COST);
    drop(engine);
    let Books { let_through, .. } = stage::books(file);
    assert_eq!((let_through.len(), let_through.values().sum()), (calls, calls));
}

#[test]
fn a_full_disk_denies_and_loses_nothing_and_serves_when_it_has_room() {
    let name = "mounts::a_full_disk_denies_and_loses_nothing_and_serves_when_it_has_room";
    if !is_inside(name) {
        return in_namespace(name);
    }
    let mounted = Mounted::new("1m");
    let file = mounted.file();
    let engine = stage::open(WIDE, &file);
    // Until the log has no more room; then a file that takes the rest.
    let allowed = (0..10_000).take_while(|index| stage::evaluate(&engine, &index.to_string()).is_allowed()).count();
    let mut rest = fs::File::create(mounted.0.path().join("rest")).unwrap();
    while rest.write(&[1]).is_ok_and(|bytes| bytes > 0) {}
    assert!(allowed > 20);
    for call in 0..20 {
        stage::denied_for_state(&stage::evaluate(&engine, &format!("full {call}")), &file);
    }
    match stage::try_open(WIDE, &file) {
        Ok(other) => stage::denied_for_state(&stage::evaluate(&other, "opened on a full disk"), &file),
        Err(error) => assert!(error.to_string().contains("state.db"), "{error}"),
    }
    mounted.change("size=8m");
    for call in 0..20 {
        assert!(stage::evaluate(&engine, &format!("room {call}")).is_allowed());
    }
    has_exactly(engine, allowed + 20, &file);
}

#[test]
fn a_disk_without_room_for_a_state_is_an_error_and_leaves_none_that_does_not_work() {
    let name = "mounts::a_disk_without_room_for_a_state_is_an_error_and_leaves_none_that_does_not_work";
    if !is_inside(name) {
        return in_namespace(name);
    }
    // From no room at all to room for all but the last pages.
    for kilobytes in [4, 8, 12, 16, 24, 32, 48, 64, 80, 96, 112] {
        let mounted = Mounted::new(&format!("{kilobytes}k"));
        let opened = stage::try_open(WIDE, &mounted.file());
        match opened {
            Err(error) => assert_eq!(error.kind(), ErrorKind::State, "{error}"),
            Ok(engine) => {
                let calls: Vec<_> = (0..500).map(|index| stage::evaluate(&engine, &format!("small {index}"))).collect();
                stage::denied_for_state(calls.last().unwrap(), &mounted.file());
            }
        }
        mounted.change("size=8m");
        let engine = stage::open(WIDE, &mounted.file());
        assert!(stage::evaluate(&engine, "room").is_allowed(), "{kilobytes}");
    }
}

#[test]
fn a_disk_that_may_only_be_read_is_an_error_that_says_so() {
    let name = "mounts::a_disk_that_may_only_be_read_is_an_error_that_says_so";
    if !is_inside(name) {
        return in_namespace(name);
    }
    let mounted = Mounted::new("4m");
    let file = mounted.file();
    mounted.change("ro");
    let error = stage::try_open(WIDE, &file).unwrap_err();
    assert!(error.kind() == ErrorKind::State && error.to_string().contains("ead-only"), "{error}");
    mounted.change("rw");
    let engine = stage::open(WIDE, &file);
    assert!((0..5).all(|index| stage::evaluate(&engine, &index.to_string()).is_allowed()));
    drop(engine);
    mounted.change("ro");
    let error = stage::try_open(WIDE, &file).unwrap_err();
    assert!(error.kind() == ErrorKind::State && error.to_string().contains("ead-only"), "{error}");
    assert!(error.to_string().contains("state.db"), "{error}");
    mounted.change("rw");
    let engine = stage::open(WIDE, &file);
    assert!(stage::evaluate(&engine, "after").is_allowed());
    has_exactly(engine, 6, &file);
}
