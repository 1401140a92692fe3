//! What each built-in guard weighs and costs: bytes, fuel of `configure` and of `evaluate`, and the median
//! time of a whole run in a fresh instance, for a small call and for one of 10 KB. It asserts nothing.
//!
//! `cargo run --release -p agenthalt --example guards`

use std::time::Duration;

use agenthalt::{Call, Evaluation, Json, PolicyEngine, Sandbox, State, inspect};

/// How many calls a median is of.
const RUNS: usize = 2_001;

/// A guard, settings as on the pages of the guards, and a call that it judges.
const GUARDS: [(&str, &str, &str, &str); 6] = [
    ("budget", r#"{"max_call_cost":1,"max_daily_spend":1000000,"cost_estimator":{"gpt4_call":0.03}}"#, "gpt4_call", ""),
    (
        "purchase",
        r#"{"max_single_purchase":100,"blocked_categories":["luxury","gambling"]}"#,
        "place_order",
        r#""amount":12.5,"#,
    ),
    (
        "deletion",
        r#"{"allow_patterns":["temp_*","draft_*"],"protected_resources":["inbox","sent"]}"#,
        "delete_file",
        r#""resource_id":"temp_7","#,
    ),
    (
        "rate_limit",
        r#"{"max_calls_per_minute":null,"max_calls_per_minute_per_function":null,"max_identical_calls":null,"burst_threshold":null,"max_calls_per_session":1000000}"#,
        "send_email",
        "",
    ),
    ("scope", r#"{"deny_functions":["drop_*","format_*"]}"#, "send_email", ""),
    ("sensitive_data", "{}", "send_email", ""),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().build()?;
    println!("{:<16}{:>9}{:>11}{:>11}{:>9}{:>11}{:>9}", "guard", "bytes", "configure", "small", "µs", "10 KB", "µs");
    for (guard, settings, function, argument) in GUARDS {
        let bytes = inspect::built_in(guard).ok_or("no such guard")??;
        let inspected = inspect::inspect(&sandbox, bytes, &Json::parse(settings)?)?;
        let described = inspected.described.map_err(|problems| format!("{problems:?}"))?;
        let policy = format!("{{\"guards\":{{\"{guard}\":{settings}}}}}");
        let builder = PolicyEngine::builder().sandbox(sandbox.clone()).state(State::InMemory).policy_text(policy, ".");
        let engine = builder.build()?;
        print!("{guard:<16}{:>9}{:>11}", inspected.size, described.configure_fuel);
        for text in ["a note of forty-two letters and some more", &"plain words and more of them. ".repeat(340)] {
            let call = Call {
                function_name: function.to_owned(),
                arguments: format!("{{{argument}\"note\":\"{text}\"}}"),
                ..Call::default()
            };
            let mut runs = Vec::with_capacity(RUNS);
            for _ in 0..RUNS {
                runs.push(run(&engine.evaluate_blocking(&call)).ok_or("no guard judged")?);
            }
            runs.sort_unstable_by_key(|(_, elapsed)| *elapsed);
            let (fuel, elapsed) = runs.get(RUNS / 2).copied().unwrap_or_default();
            print!("{fuel:>11}{:>9.1}", elapsed.as_secs_f64() * 1e6);
        }
        println!();
    }
    Ok(())
}

/// Fuel and time of the one guard that judged.
fn run(evaluation: &Evaluation) -> Option<(u64, Duration)> {
    let decided = evaluation.decisions.first().map(|decision| (decision.fuel, decision.elapsed));
    decided.or_else(|| evaluation.silent.first().map(|silence| (silence.fuel, silence.elapsed)))
}
