//! The Rust side of `cargo xtask bench-peer`: evaluates calls with this engine and says how long each
//! took. It compares nothing and chooses no figures; the policies and the calls are given.
//!
//! `peer FOLDER file|memory` says on one line what it runs on, then answers each line `run CASE CALLS`
//! with one line of JSON. A case is `GUARDS-SIZE`: the policy is `FOLDER/GUARDS.json`, the arguments of
//! the calls are the lines of `FOLDER/SIZE.jsonl`, taken in turn.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;
use std::{env, fs, io};

use agenthalt::{Call, Clock, ENGINE_VERSION, Json, PolicyEngine, Sandbox, State, Timestamp, Verdict};

/// How much time passes from call to call.
const STEP_MILLIS: i64 = 10_000;
/// 2026-01-01, when the first call comes.
const FIRST_MILLIS: i64 = 1_767_225_600_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = env::args().skip(1);
    let folder = words.next().ok_or("say `peer FOLDER file|memory`")?;
    let state = match words.next().as_deref() {
        Some("file") => State::AsThePolicySays,
        Some("memory") => State::InMemory,
        _ => return Err("say `peer FOLDER file|memory`".into()),
    };
    let mut bench = Bench {
        folder: folder.into(),
        state,
        sandbox: Sandbox::builder().build()?,
        engines: BTreeMap::new(),
        arguments: BTreeMap::new(),
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{{\"about\":\"agenthalt {}, wasmtime {ENGINE_VERSION}\"}}", env!("CARGO_PKG_VERSION"))?;
    output.flush()?;
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match line.split(' ').collect::<Vec<_>>()[..] {
            ["run", case, calls] => bench.run(case, calls.parse()?)?,
            _ => return Err(format!("`{line}` is not `run CASE CALLS`").into()),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}

/// A clock that is ten seconds on with each call, so that no minute fills.
struct Paced(AtomicI64);

impl Paced {
    fn new() -> Self {
        Paced(AtomicI64::new(FIRST_MILLIS))
    }
}

impl Clock for Paced {
    fn now(&self) -> Timestamp {
        let millis = self.0.fetch_add(STEP_MILLIS, Ordering::Relaxed);
        Timestamp::from_millis(millis).unwrap_or(Timestamp::EPOCH)
    }
}

/// Engines and arguments, read from the folder when a case first asks for them.
struct Bench {
    folder: PathBuf,
    state: State,
    sandbox: Sandbox,
    engines: BTreeMap<String, PolicyEngine>,
    arguments: BTreeMap<String, Vec<String>>,
}

impl Bench {
    fn run(&mut self, case: &str, calls: usize) -> Result<String, Box<dyn Error>> {
        let (guards, size) = case.split_once('-').ok_or("a case is GUARDS-SIZE")?;
        let engine = self.engine(guards)?;
        let arguments = self.arguments(size)?;
        let mut latencies = Vec::with_capacity(calls);
        let (mut refused, mut reason) = (0, String::new());
        let (wall, cpu) = (Instant::now(), cpu_nanos());
        for chosen in arguments.iter().cycle().take(calls) {
            let start = Instant::now();
            let call = Call::new("send_email", chosen).agent("assistant").session("s-1");
            let evaluation = engine.evaluate_blocking(&call);
            latencies.push(start.elapsed().as_nanos());
            if evaluation.verdict != Verdict::Allow {
                refused += 1;
                reason = format!("{}: {}", evaluation.verdict, evaluation.reason());
            }
        }
        let cpu = cpu.zip(cpu_nanos()).and_then(|(before, after)| after.checked_sub(before));
        let cpu = cpu.map_or("null".to_owned(), |nanos| nanos.to_string());
        let (wall, reason) = (wall.elapsed().as_nanos(), Json::String(reason));
        // Debug of a list of whole numbers is JSON.
        Ok(format!(
            "{{\"latencies\":{latencies:?},\"cpu\":{cpu},\"wall\":{wall},\"refused\":{refused},\"reason\":{reason}}}"
        ))
    }

    fn engine(&mut self, guards: &str) -> Result<PolicyEngine, Box<dyn Error>> {
        if let Some(engine) = self.engines.get(guards) {
            return Ok(engine.clone());
        }
        let policy = fs::read_to_string(self.folder.join(guards).with_extension("json"))?;
        let builder =
            PolicyEngine::builder().sandbox(self.sandbox.clone()).state(self.state.clone()).clock(Paced::new());
        let engine = builder.policy_text(policy, &self.folder).build()?;
        self.engines.insert(guards.to_owned(), engine.clone());
        Ok(engine)
    }

    fn arguments(&mut self, size: &str) -> Result<Vec<String>, Box<dyn Error>> {
        if let Some(arguments) = self.arguments.get(size) {
            return Ok(arguments.clone());
        }
        let text = fs::read_to_string(self.folder.join(size).with_extension("jsonl"))?;
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        self.arguments.insert(size.to_owned(), lines.clone());
        Ok(lines)
    }
}

/// The processor time of all threads of this process: the first field of each thread's `schedstat`.
/// None where the system does not tell it.
fn cpu_nanos() -> Option<u64> {
    let mut sum = 0;
    for thread in fs::read_dir("/proc/self/task").ok()? {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        sum += text.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(sum)
}
