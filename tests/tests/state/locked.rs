//! A file that another process keeps locked: its callers are denied, all of them in the time of one, and are served
//! again when it is free.

use std::fs::OpenOptions;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;

use agenthalt::PolicyEngine;

use crate::stage;

/// The place of the lock that a writer takes, in the file beside the log.
const WRITE_LOCK: i64 = 120;

/// A process that keeps the file locked until it ends.
struct Locker(Child);

impl Locker {
    fn of(file: &Path) -> Self {
        let mut child = stage::command("locked::as_child", "lock", file).spawn().unwrap();
        assert!(stage::lines(child.stdout.as_mut().unwrap()).any(|line| line == "locked"));
        Locker(child)
    }

    fn end(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

/// An engine with one call behind it, whose file is locked now.
fn locked() -> (tempfile::TempDir, PathBuf, PolicyEngine, Locker) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.db");
    let engine = stage::open(stage::WIDE, &file);
    assert!(stage::evaluate(&engine, "before").is_allowed());
    let locker = Locker::of(&file);
    (folder, file, engine, locker)
}

#[test]
fn who_meets_a_locked_file_is_denied_in_the_end_and_served_when_it_is_free() {
    let (_folder, file, engine, locker) = locked();
    // Nobody waits for the patience of those before: 16 in line would take minutes.
    thread::scope(|scope| {
        for caller in 0..16 {
            let (engine, file): (&PolicyEngine, _) = (&engine, &file);
            scope.spawn(move || {
                let denied = stage::evaluate(engine, &format!("caller {caller}"));
                stage::denied_for_state(&denied, file);
                assert!(denied.reason().contains("locked by another process"), "{}", denied.reason());
            });
        }
    });
    locker.end();
    assert!(stage::evaluate(&engine, "after").is_allowed());
    assert_eq!(stage::counted(&engine, "daily_spend"), 2 * stage::COST);
}

#[test]
fn who_meets_a_lock_that_ends_in_time_is_served() {
    let (_folder, _, engine, locker) = locked();
    thread::scope(|scope| {
        let waits = scope.spawn(|| stage::evaluate(&engine, "meanwhile"));
        locker.end();
        assert!(waits.join().unwrap().is_allowed());
    });
    assert_eq!(stage::counted(&engine, "daily_spend"), 2 * stage::COST);
}

/// What a child does; without an order there is nothing to do.
#[expect(unsafe_code, reason = "the system's locks of parts of files")]
#[test]
fn as_child() {
    let Some((_, file)) = stage::order() else { return };
    let index = OpenOptions::new().read(true).write(true).open(format!("{}-shm", file.display())).unwrap();
    let lock = libc::flock {
        l_type: libc::F_WRLCK as i16,
        l_whence: libc::SEEK_SET as i16,
        l_start: WRITE_LOCK,
        l_len: 1,
        l_pid: 0,
    };
    // SAFETY: the file is open, and the lock is a whole one that outlives the call.
    assert_eq!(unsafe { libc::fcntl(index.as_raw_fd(), libc::F_SETLKW, &lock) }, 0);
    stage::say("locked");
    // Until the parent closes its end.
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(index);
}
