//! Files that are damaged, cut, or of another release: an error or a denial that names the file, which is left as it
//! is; and work as before once the right one is back.

use std::fs;
use std::path::{Path, PathBuf};

use agenthalt::{Error, ErrorKind, Verdict};

use crate::stage::{self, Books, COST, WIDE};

/// A folder with the state of five calls, closed, and what stood in its files then.
struct Kept {
    folder: tempfile::TempDir,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl Kept {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = stage::open(WIDE, &folder.path().join("state.db"));
        assert!((0..5).all(|index| stage::evaluate(&engine, &index.to_string()).is_allowed()));
        drop(engine);
        let files = files(folder.path());
        Kept { folder, files }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    /// The error with which the state is refused; nothing is changed by it.
    fn refused(&self) -> Error {
        let before = files(self.folder.path());
        let error = stage::try_open(WIDE, &self.file()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State);
        assert!(error.to_string().contains("state.db"), "{error}");
        assert!(files(self.folder.path()) == before, "{error}");
        error
    }

    /// Puts everything back as it was, and finds it all there.
    fn restored(&self) {
        for entry in fs::read_dir(self.folder.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        for (path, bytes) in &self.files {
            fs::write(path, bytes).unwrap();
        }
        let engine = stage::open(WIDE, &self.file());
        assert!(stage::evaluate(&engine, "after").is_allowed());
        assert_eq!(stage::counted(&engine, "daily_spend"), 6 * COST);
    }
}

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    files.sort();
    files
}

#[test]
fn a_file_of_a_newer_release_is_refused_and_left_as_it_is() {
    let kept = Kept::new();
    let mut bytes = fs::read(kept.file()).unwrap();
    // Where the file's header says which schema it has.
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(kept.file(), bytes).unwrap();
    let error = kept.refused().to_string();
    assert!(error.contains("schema 99") && error.contains("newer release"), "{error}");
    kept.restored();
}

#[test]
fn a_file_that_is_no_state_is_refused_and_left_as_it_is() {
    for content in [&b"guards: {}\n".repeat(1_000)[..], b"SQLite format 3\0", &[0; 4_096]] {
        let kept = Kept::new();
        fs::write(kept.file(), content).unwrap();
        kept.refused();
        kept.restored();
    }
}

#[test]
fn a_damaged_file_denies_or_is_refused_and_never_counts_from_nothing() {
    let spent = "guards: {budget: {max_daily_spend: 0.05, default_cost: 0.01, warn_threshold: null}}";
    let kept = Kept::new();
    let whole = fs::read(kept.file()).unwrap();
    let pages = whole.len() / 4_096;
    let overwritten = (0..pages).map(|page| {
        let mut bytes = whole.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0xa5);
        bytes
    });
    let cut = (1..pages).map(|page| whole[..page * 4_096].to_vec());
    let mut denied = 0;
    for bytes in overwritten.chain(cut).chain([whole[..whole.len() - 1].to_vec()]) {
        fs::write(kept.file(), &bytes).unwrap();
        match stage::try_open(spent, &kept.file()) {
            Err(error) => assert!(error.to_string().contains("state.db"), "{error}"),
            Ok(engine) => {
                let evaluation = stage::evaluate(&engine, "meanwhile");
                assert_eq!(evaluation.verdict, Verdict::Deny);
                match evaluation.fault() {
                    // Nothing that a call needs was touched.
                    None => assert!(evaluation.reason().contains("max_daily_spend"), "{}", evaluation.reason()),
                    Some(_) => {
                        stage::denied_for_state(&evaluation, &kept.file());
                        denied += 1;
                    }
                }
            }
        }
        kept.restored();
    }
    assert!(denied > 0, "no engine was opened on a damaged file");
}

#[test]
fn a_log_that_was_cut_keeps_a_beginning_of_what_was_answered() {
    let kept = tempfile::tempdir().unwrap();
    let file = kept.path().join("state.db");
    // A process that ends without a word leaves its log.
    let mut child = stage::command("files::as_child", "forty", &file).spawn().unwrap();
    assert_eq!(stage::lines(child.stdout.as_mut().unwrap()).filter(|line| line == "allowed").take(40).count(), 40);
    child.kill().unwrap();
    child.wait().unwrap();
    let left = files(kept.path());
    let log = fs::read(kept.path().join("state.db-wal")).unwrap();
    let mut survived = Vec::new();
    for part in [0, 1, 2, 3, 4, 5, 6, 7, 8] {
        let folder = tempfile::tempdir().unwrap();
        for (path, bytes) in &left {
            fs::write(folder.path().join(path.file_name().unwrap()), bytes).unwrap();
        }
        let file = folder.path().join("state.db");
        fs::write(folder.path().join("state.db-wal"), &log[..log.len() * part / 8]).unwrap();
        // Who has no schema yet is a new state, but for its key.
        let engine = stage::open(WIDE, &file);
        let counted = stage::counted(&engine, "daily_spend");
        drop(engine);
        let Books { let_through, .. } = stage::books(&file);
        assert!((0..let_through.len()).all(|index| let_through.contains_key(&index.to_string())));
        assert_eq!(counted, i64::try_from(let_through.len()).unwrap() * COST);
        survived.push(let_through.len());
    }
    assert!(survived.is_sorted() && survived.last() == Some(&40), "{survived:?}");
    assert!(survived.iter().any(|calls| (1..40).contains(calls)), "{survived:?}");
}

/// What a child does; without an order there is nothing to do.
#[test]
fn as_child() {
    let Some((_, file)) = stage::order() else { return };
    let engine = stage::open(WIDE, &file);
    for index in 0..40 {
        assert!(stage::evaluate(&engine, &index.to_string()).is_allowed());
        stage::say("allowed");
    }
    // Until the parent ends it.
    std::io::stdin().read_line(&mut String::new()).unwrap();
}
