//! Several threads, stores and processes on one state: nobody takes the last of a limit twice.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use agenthalt_core::counter::{Measure, Window};
use agenthalt_core::policy::Durability;
use agenthalt_store::{AppliedCharge, Commit, Committed, CounterRead, SqliteStore, Store};
use pollster::block_on;

use crate::support::*;

const LIMIT: i64 = 60;
const CHILD: &str = "AGENTHALT_STORE_TEST_CHILD";
const FILE: &str = "AGENTHALT_STORE_TEST_FILE";

fn day() -> CounterRead {
    counter(Window::Day, Measure::Sum)
}

/// One call under the limit, as the pipeline does it: a few tries beside others, then one alone.
fn spend(store: &dyn Store, call: &str) -> bool {
    let request = request(call, at(0), &[&day()]);
    for attempt in 0.. {
        let reading = if attempt < 3 { store.read(request.clone()) } else { store.read_alone(request.clone()) };
        let snapshot = block_on(reading).unwrap();
        let allowed = snapshot.readings[0].unwrap() < LIMIT;
        let charges = if allowed { vec![AppliedCharge::to(&day(), 1, false)] } else { Vec::new() };
        let commit = Commit::of(&request, verdict(allowed), charges, record());
        match block_on(store.commit(snapshot.version, commit)).unwrap() {
            Committed::Done { .. } => return allowed,
            Committed::Conflict | Committed::Open(_) => assert!(attempt < 3, "who reads alone meets no conflict"),
        }
    }
    false
}

fn spend_often(store: &dyn Store, name: &str, calls: usize) -> usize {
    (0..calls).filter(|index| spend(store, &format!("{name}-{index}"))).count()
}

#[test]
fn threads_spend_exactly_the_limit() {
    on_every_store(|store| {
        let spent: usize = thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|name| scope.spawn(move || spend_often(store, &name.to_string(), 15))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(spent, 60);
        assert_eq!(read(store, at(0), &day()), Some(LIMIT));
        assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(120));
    });
}

#[test]
fn stores_on_one_file_spend_exactly_the_limit() {
    let folder = Arc::new(Folder::new());
    let threads: Vec<_> = (0..4)
        .map(|name: i32| {
            let folder = Arc::clone(&folder);
            // All open the fresh file at once, too.
            thread::spawn(move || spend_often(&folder.open(), &name.to_string(), 30))
        })
        .collect();
    let spent: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(spent, 60);
    assert_eq!(block_on(folder.open().verify(TENANT)).unwrap(), Ok(120));
}

#[test]
fn processes_on_one_file_spend_exactly_the_limit() {
    let folder = Folder::new();
    let children: Vec<Child> = (0..4).map(|name: i32| child(&format!("spend {name}"), &folder.file())).collect();
    let mut spent = 0;
    for mut child in children {
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        spent += lines.filter_map(|line| numbered(&line.unwrap(), "spent ")).sum::<u64>();
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(spent, 60);
    let store = folder.open();
    assert_eq!(read(&store, at(0), &day()), Some(LIMIT));
    assert_eq!(block_on(store.verify(TENANT)).unwrap(), Ok(120));
}

#[test]
fn a_process_that_is_killed_loses_nothing_that_it_answered() {
    let folder = Folder::new();
    let mut answered = 0;
    for round in 1..=12 {
        let mut child = child(&format!("charge {round}"), &folder.file());
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let done = |line: std::io::Result<String>| numbered(&line.unwrap(), "done ");
        let seen = lines.by_ref().filter_map(done).nth(10 + 7 * round).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        // What stands in the pipe was answered before the end. Its last line may be cut short.
        let rest = lines.map_while(Result::ok).filter_map(|line| numbered(&line, "done ")).last();
        let last = rest.unwrap_or(seen);
        assert!(last > answered);
        answered = last;
        let store = folder.open();
        let kept = block_on(store.verify(TENANT)).unwrap().unwrap();
        assert!(kept >= answered && kept <= answered + 1, "{kept} kept, {answered} answered");
        assert_eq!(read(&store, at(0), &day()), Some(i64::try_from(kept).unwrap()), "charge and record are one");
    }
}

/// What runs in a process of its own; without the variable there is nothing to do.
#[test]
fn as_child() {
    let (Ok(order), Some(file)) = (env::var(CHILD), env::var_os(FILE)) else { return };
    let store = SqliteStore::open(&PathBuf::from(file), Durability::Process).unwrap();
    // The harness prints to the same place, so each line begins anew and ends at once.
    let say = |text: String| std::io::stdout().write_all(format!("\n{text};\n").as_bytes()).unwrap();
    match order.split_once(' ').unwrap() {
        ("spend", name) => say(format!("spent {}", spend_often(&store, name, 30))),
        (_, name) => {
            for index in 0_u64.. {
                let request = request(&format!("{name}-{index}"), at(0), &[&day()]);
                let Committed::Done { sequence, .. } = evaluate(&store, &request, 1, true) else { continue };
                say(format!("done {sequence}"));
            }
        }
    }
}

fn child(order: &str, file: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "sharing::as_child", "--nocapture"])
        .env(CHILD, order)
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn numbered(line: &str, word: &str) -> Option<u64> {
    line.strip_prefix(word)?.strip_suffix(';')?.parse().ok()
}
