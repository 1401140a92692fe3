//! Engines on a state file, children of this program, and what a file says in the end. It makes no claim itself.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use agenthalt::testing::FixedClock;
use agenthalt::{Call, CounterFilter, Error, Evaluation, Json, PolicyEngine, Sandbox, State, Verdict};
use agenthalt_core::policy::Durability;
use agenthalt_store::{AuditRecord, RecordsRequest, SqliteStore, Store};
use pollster::block_on;

const ORDER: &str = "AGENTHALT_STATE_TEST_ORDER";
const FILE: &str = "AGENTHALT_STATE_TEST_FILE";

/// A budget that never ends, of which each call takes a hundredth.
pub(crate) const WIDE: &str = "guards: {budget: {max_daily_spend: 1000000, default_cost: 0.01, warn_threshold: null}}";
/// What a call takes of it, in millionths.
pub(crate) const COST: i64 = 10_000;

/// The sandbox of this process. Compiled guards are kept, so that a child starts in milliseconds.
fn sandbox() -> Sandbox {
    static SANDBOX: LazyLock<Sandbox> = LazyLock::new(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guards");
        Sandbox::builder().cache(folder).build().unwrap()
    });
    SANDBOX.clone()
}

/// An engine on a state file, at noon.
pub(crate) fn try_open(policy: &str, file: &Path) -> Result<PolicyEngine, Error> {
    let builder = PolicyEngine::builder().sandbox(sandbox()).policy_text(policy, "");
    builder.state(State::File(file.to_owned())).clock(FixedClock::at("2026-01-15T12:00:00Z")).build()
}

pub(crate) fn open(policy: &str, file: &Path) -> PolicyEngine {
    let engine = try_open(policy, file).unwrap();
    assert_eq!(engine.faults(), []);
    engine
}

pub(crate) fn evaluate(engine: &PolicyEngine, id: &str) -> Evaluation {
    engine.evaluate_blocking(&Call::new("search", "{}").id(id))
}

/// Asserts that a call is denied because of its state, and that the file is named.
pub(crate) fn denied_for_state(evaluation: &Evaluation, file: &Path) {
    assert_eq!(evaluation.verdict, Verdict::Deny);
    assert_eq!(evaluation.fault().unwrap().code(), "state", "{}", evaluation.reason());
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(evaluation.reason().contains(name), "{}", evaluation.reason());
}

/// What the counter of this name shows; nothing where it was never charged.
pub(crate) fn counted(engine: &PolicyEngine, counter: &str) -> i64 {
    let counters = engine.counters_blocking(&CounterFilter::default()).unwrap();
    counters.iter().filter(|it| it.counter == counter).filter_map(|it| it.reading).sum()
}

/// What the audit chain of a closed state file says.
#[derive(Debug, Default)]
pub(crate) struct Books {
    /// How often each call was let through.
    pub(crate) let_through: BTreeMap<String, usize>,
    /// The calls that were settled, each once.
    pub(crate) settled: Vec<String>,
    pub(crate) records: u64,
}

/// Reads the chain, and proves it.
pub(crate) fn books(file: &Path) -> Books {
    let store = SqliteStore::open(file, Durability::Process).unwrap();
    let mut books = Books { records: block_on(store.verify("default")).unwrap().unwrap(), ..Books::default() };
    let mut after = 0;
    loop {
        let request = RecordsRequest { tenant: "default".to_owned(), after, most: 1_000 };
        let page = block_on(store.records(request)).unwrap();
        let Some(last) = page.last() else { break };
        after = last.sequence;
        for record in &page {
            match (record.kind.as_str(), record.verdict.as_str()) {
                ("evaluation", "allow" | "modify") => {
                    *books.let_through.entry(record.call_id.clone()).or_default() += 1;
                }
                ("settlement", _) => books.settled.push(named(record)),
                _ => {}
            }
        }
    }
    books
}

/// The call that a record names.
fn named(record: &AuditRecord) -> String {
    let body = Json::parse(&record.body).unwrap();
    body.as_object().unwrap().get("call_id").unwrap().as_str().unwrap().to_owned()
}

/// This program once more, at the test `name` alone, with an order and a state file.
pub(crate) fn command(name: &str, order: &str, file: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", name, "--nocapture"]).env(ORDER, order).env(FILE, file);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What this process was told to do, and with which file; nothing where it is no child.
pub(crate) fn order() -> Option<(String, PathBuf)> {
    Some((env::var(ORDER).ok()?, PathBuf::from(env::var_os(FILE)?)))
}

/// Says a line to the parent. The harness prints to the same place, so each line begins anew and ends at once.
pub(crate) fn say(line: &str) {
    std::io::stdout().write_all(format!("\n{line};\n").as_bytes()).unwrap();
}

/// The lines that a child says. One that its end cut short was not said.
pub(crate) fn lines(said: impl Read) -> impl Iterator<Item = String> {
    let lines = BufReader::new(said).lines().map_while(Result::ok);
    lines.filter_map(|line| Some(line.strip_suffix(';')?.to_owned()))
}
