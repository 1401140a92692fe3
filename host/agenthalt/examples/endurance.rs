//! How much memory an engine takes after one evaluation and after a million, with all six guards and state in
//! a file: `cargo run --release -p agenthalt --example endurance`. It asserts nothing; Linux only.

use std::sync::atomic::{AtomicI64, Ordering};

use agenthalt::{Call, Clock, PolicyEngine, State, Timestamp};

const EVALUATIONS: u32 = 1_000_000;
const POLICY: &str = "
state: {path: unused.db, durability: process}
guards:
  budget: {max_daily_spend: 1000000}
  deletion: {allow_patterns: ['temp_*', 'draft_*'], protected_resources: [inbox, sent]}
  purchase: {max_single_purchase: 100, require_approval_above: 50}
  rate_limit: {max_calls_per_minute: 30, max_calls_per_session: null, max_identical_calls: null}
  scope: {deny_functions: ['drop_*']}
  sensitive_data: {blocked_patterns: [ssn, credit_card, api_key]}
";

/// A clock that is ten seconds on with each call.
struct Paced(AtomicI64);

impl Clock for Paced {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(10_000, Ordering::Relaxed)).unwrap_or(Timestamp::EPOCH)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("state.db");
    let engine = PolicyEngine::builder()
        .policy_text(POLICY, "")
        .state(State::File(file.clone()))
        .clock(Paced(AtomicI64::new(1_768_478_400_000)))
        .build()?;
    let mut allowed = 0;
    for number in 1..=EVALUATIONS {
        // A thousand agents, and each call in a session of its own: what counters are kept by grows.
        let call = Call::new("send_email", r#"{"to":"dev@example.org","subject":"status","body":"All is green."}"#);
        let call = call.agent(format!("agent {}", number % 1_000)).session(format!("session {number}"));
        allowed += u32::from(engine.evaluate_blocking(&call).is_allowed());
        if number == 1 || number % (EVALUATIONS / 10) == 0 {
            let megabytes = std::fs::metadata(&file)?.len() >> 20;
            println!(
                "{number:>8} evaluations, {allowed} allowed: {} MB of memory, file of {megabytes} MB",
                resident()?
            );
        }
    }
    Ok(())
}

/// The resident memory of this process in megabytes.
fn resident() -> Result<u64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("the system does not tell")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes >> 10)
}
