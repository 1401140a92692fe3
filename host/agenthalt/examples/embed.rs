//! A program that embeds the engine with two built-in guards and one of its own, by path. Run it with the
//! path of a component: `cargo run -p agenthalt --example embed -- guard.wasm`.

use agenthalt::settings::{Budget, Scope};
use agenthalt::{Call, PolicyEngine};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let component = std::env::args().nth(1).ok_or("name a component: embed guard.wasm")?;
    let engine = PolicyEngine::builder()
        .guard(Budget { max_daily_spend: Some("10".parse()?), ..Budget::default() })
        .guard(Scope { deny_functions: vec!["drop_*".into()], ..Scope::default() })
        .component("own", component, serde_json::json!({}))
        .build()?;
    for guard in engine.guards() {
        println!("{}: {}", guard.name, guard.component.unwrap_or_else(|| "cannot serve".to_owned()));
    }
    for (function, arguments) in [("list_tables", "{}"), ("drop_table", r#"{"table": "users"}"#)] {
        let evaluation = engine.evaluate_blocking(&Call::new(function, arguments));
        println!("{function}: {} {}", evaluation.verdict, evaluation.reason());
    }
    Ok(())
}
