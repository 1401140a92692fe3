//! `docs/writing-guards.md`, followed to the letter. `cargo xtask guards example` has done what needs a
//! compiler alone; here the policies and calls of the page are laid out beside the component that came of
//! it, the page's commands are run with the built program, and what they print is held against what the
//! page shows. Nothing in here calls into the host.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use agenthalt_core::fault::Fault;
use serde::Deserialize;

/// What `cargo xtask guards example` left to do.
#[derive(Deserialize)]
struct Rest {
    page: String,
    steps: Vec<Step>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Step {
    File { path: String, text: String },
    Run { run: String, shows: String },
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/writing-guards.md")).unwrap()
}

/// The folder of the built program: that above this test's own.
fn programs() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap().to_owned();
    assert!(folder.join("agenthalt").is_file(), "the program is missing: run `cargo build -p agenthalt-cli` first");
    folder
}

/// The folder in which the page's commands are run, and how its last one ended.
struct Reader {
    folder: tempfile::TempDir,
    exit: i32,
}

impl Reader {
    /// With the components that the page's guard was built to.
    fn begin(built: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(built).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "wasm") {
                std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
            }
        }
        Reader { folder, exit: 0 }
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Runs a line as a shell does, which knows how the line before ended, and gives all that was printed.
    fn run(&mut self, line: &str) -> String {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(programs()).chain(std::env::split_paths(&path))).unwrap();
        let script = format!("exec 2>&1\n(exit {})\n{line}\n", self.exit);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(self.folder.path()).env("PATH", path);
        shell.env("AGENTHALT_CACHE_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/cli-cache"));
        for name in ["CLICOLOR_FORCE", "COLUMNS"] {
            shell.env_remove(name);
        }
        let output = shell.output().unwrap();
        self.exit = output.status.code().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The digest of the page's author, whose compiler is not this one, and the one that takes its place.
#[derive(Default)]
struct Digests(Option<(String, String)>);

impl Digests {
    /// Notes the first digest that the page shows, and what the program prints for it.
    fn learn(&mut self, shown: &str, printed: &str) {
        if let (None, Some(shown), Some(printed)) = (&self.0, digest(shown), digest(printed)) {
            self.0 = Some((shown.to_owned(), printed.to_owned()));
        }
    }

    /// A text of the page with the digest of this build, also where only its beginning is shown.
    fn put_into(&self, text: &str) -> String {
        let Some((shown, printed)) = &self.0 else { return text.to_owned() };
        text.replace(shown, printed).replace(&shown[..12], &printed[..12])
    }
}

fn digest(text: &str) -> Option<&str> {
    let is_digest = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_digest)
}

/// A line with `N` for each figure that another compiler or another day changes.
fn plain(line: &str) -> String {
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let is_measured = |index: usize| {
        let unit = ["fuel", "bytes", "µs"].contains(words.get(index + 1).unwrap_or(&""));
        unit || (index > 0 && words[index - 1] == "fuel")
    };
    let plain = words.iter().enumerate().map(|(index, word)| {
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty();
        if is_number && is_measured(index) { "N" } else { word }
    });
    plain.collect::<Vec<_>>().join(" ")
}

/// Whether what was printed is what is shown; `...` stands for any lines.
fn fits(shown: &[String], printed: &[String]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((line, rest)) if line == "..." => (0..=printed.len()).any(|left_out| fits(rest, &printed[left_out..])),
        Some((line, rest)) => printed.split_first().is_some_and(|(first, after)| line == first && fits(rest, after)),
    }
}

#[test]
fn the_page_shows_what_the_program_prints() {
    if std::env::var_os("AGENTHALT_WITHOUT_EXAMPLES").is_some() {
        println!("LEFT OUT: the page's guard cannot be built here, `cargo xtask test` says why");
        return;
    }
    let built = root().join("target/guests/page");
    let rest = std::fs::read_to_string(built.join("rest.json")).unwrap_or_default();
    let rest: Rest = serde_json::from_str(&rest).unwrap_or(Rest { page: String::new(), steps: Vec::new() });
    assert!(rest.page == page(), "the page has changed since it was followed; run `cargo xtask guards example`");
    let mut reader = Reader::begin(&built);
    let (mut digests, mut compared) = (Digests::default(), 0);
    for step in rest.steps {
        match step {
            Step::File { path, text } => reader.write(&path, &digests.put_into(&text)),
            Step::Run { run, shows } => {
                let printed = reader.run(&run);
                digests.learn(&shows, &printed);
                let lines = |text: &str| text.lines().map(plain).collect::<Vec<_>>();
                let fits = fits(&lines(&digests.put_into(&shows)), &lines(&printed));
                assert!(fits, "`{run}` prints\n{printed}\nbut the page shows\n{shows}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 6, "only {compared} commands were compared");
    assert!(digests.0.is_some(), "the page shows no digest");
}

#[test]
fn the_programs_of_the_page_are_doctests_of_the_host() {
    let page = page();
    assert!(page.contains("\n```rust,no_run\n"), "the page shows no program");
    let shown = "include_str!(\"../../../docs/writing-guards.md\")";
    let sources = std::fs::read_dir(root().join("host/agenthalt/src")).unwrap();
    let mut texts = sources.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok());
    assert!(texts.any(|text| text.contains(shown)), "no source of `host/agenthalt` has the page as its documentation");
}

#[test]
fn the_page_names_faults_by_their_own_sentences() {
    let page = page();
    let any = || "…".to_owned();
    let faults = [
        Fault::NotAComponent(any()),
        Fault::ForbiddenImport(any()),
        Fault::Incompatible(any()),
        Fault::WrongDigest { pinned: any(), found: any() },
        Fault::FailedToConfigure(any()),
        Fault::GuestError(any()),
        Fault::Trap(any()),
        Fault::MalformedAnswer(any()),
        Fault::TooLarge(any()),
        Fault::OutOfFuel(50_000_000),
        Fault::Deadline(250),
        Fault::Memory(16 << 20),
        Fault::StackOverflow,
    ];
    for fault in &faults {
        assert!(page.contains(&format!("\n| `{fault}` |")), "no row for `{fault}`");
    }
    let rows = page.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, faults.len(), "a row of the page is no fault");
}

#[test]
fn figures_that_are_measured_do_not_count() {
    let figures = "an evaluation took N µs (median) and burnt N fuel (mean)";
    assert_eq!(plain("an evaluation took 293 µs (median) and burnt 12085 fuel (mean)"), figures);
    assert_eq!(plain("  scope   deny  risk 1.00  fuel 7"), "  scope   deny  risk 1.00  fuel N");
    assert_eq!(plain("60 was refunded, 60 more"), "60 was refunded, 60 more");
}

#[test]
fn lines_left_out_may_be_any_others_none() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert!(fits(&lines("a\n...\nd"), &lines("a\nb\nc\nd")));
    assert!(fits(&lines("a\n..."), &lines("a")));
    for printed in ["a\nb\nc", "b\nd", "a\nd\ne", ""] {
        assert!(!fits(&lines("a\n...\nd"), &lines(printed)), "{printed}");
    }
}
