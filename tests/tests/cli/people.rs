//! What a newcomer meets first: `init`, `demo`, `--version`, `--help`, `completions`.

use crate::run::Dir;

#[test]
fn a_written_policy_passes_check_and_judges() {
    let dir = Dir::new();
    let ended = dir.run(&["init"]).ends().exits(0);
    assert_eq!(ended.out, "wrote agenthalt.yaml\nnext: agenthalt check agenthalt.yaml\n");
    assert_eq!(ended.err, "");
    dir.run(&["check", "agenthalt.yaml"]).ends().exits(0);
    let call = r#"{"function_name": "drop_table", "arguments": {}}"#;
    dir.run(&["evaluate", "--policy", "agenthalt.yaml"]).stdin(call).ends().exits(10);
    assert_eq!(
        dir.run(&["init", "other.yaml"]).ends().exits(0).out,
        "wrote other.yaml\nnext: agenthalt check other.yaml\n"
    );
    assert_eq!(dir.read("other.yaml"), dir.read("agenthalt.yaml"));
    let spaced = dir.run(&["init", "ann's own.yaml"]).ends().exits(0).out;
    assert!(spaced.ends_with("next: agenthalt check 'ann'\\''s own.yaml'\n"), "{spaced}");
}

#[test]
fn nothing_is_ever_overwritten() {
    let dir = Dir::new();
    dir.write("mine.yaml", "my own");
    std::os::unix::fs::symlink("nowhere.yaml", dir.path("link.yaml")).unwrap();
    for name in ["mine.yaml", "link.yaml"] {
        let ended = dir.run(&["init", name]).ends().exits(2);
        assert_eq!(ended.err, format!("agenthalt: `{name}` is not written: it exists already, and stays as it is\n"));
        assert_eq!(ended.out, "");
    }
    assert_eq!(dir.read("mine.yaml"), b"my own");
    assert_eq!(dir.names(), ["link.yaml", "mine.yaml"]);
    dir.run(&["init", "nowhere/new.yaml"]).ends().exits(2);
}

#[test]
fn the_demo_shows_five_incidents_every_verdict_and_every_guard() {
    let dir = Dir::new();
    let ended = dir.run(&["demo"]).ends().exits(0);
    let parts: Vec<&str> = ended.out.split("\n\n").collect();
    let [heading, incidents @ .., totals] = &parts[..] else { panic!("a heading, incidents, totals") };
    assert!(heading.contains("before it runs"), "{heading}");
    let names: Vec<&str> = incidents.iter().map(|incident| incident.split(':').next().unwrap()).collect();
    assert_eq!(names, ["Deleting mail", "Runaway API spend", "Unauthorised purchase", "Infinite loop", "Leaked key"]);
    // What the assistant wanted to do and must not, by the guard that stopped it.
    for (incident, guard) in incidents.iter().zip(["deletion", "budget", "purchase", "rate_limit", "sensitive_data"]) {
        let stopped = incident.lines().any(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            words.get(2) == Some(&"deny") && words.get(3) == Some(&guard)
        });
        assert!(stopped, "{guard}: {incident}");
    }
    let rows: Vec<Vec<&str>> = incidents
        .iter()
        .flat_map(|incident| incident.lines().skip(1))
        .map(|row| row.split_whitespace().collect())
        .filter(|row: &Vec<&str>| row[0] != "given" && row[0] != "runs")
        .collect();
    assert!(rows.len() >= 30, "{} calls", rows.len());
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row[0], (index + 1).to_string());
    }
    for verdict in ["allow", "modify", "require_approval", "deny"] {
        assert!(rows.iter().any(|row| row[2] == verdict), "{verdict}");
    }
    assert!(rows.iter().any(|row| row.get(3) == Some(&"scope")));
    assert!(totals.starts_with(&format!("{} calls: ", rows.len())), "{totals}");
    assert!(totals.contains(" µs (median) and burnt ") && totals.contains(" fuel"), "{totals}");
    assert_eq!((ended.err.as_str(), dir.names()), ("", Vec::new()));
}

#[test]
fn the_demo_shows_a_redaction_before_and_after() {
    let out = Dir::new().run(&["demo"]).ends().exits(0).out;
    let given = out.lines().find(|line| line.trim_start().starts_with("given ")).unwrap();
    let runs = out.lines().find(|line| line.trim_start().starts_with("runs ")).unwrap();
    let secret = "key-7h2k9w4mq8z1x5t3";
    assert!(given.contains(secret) && !runs.contains(secret) && runs.contains("[REDACTED]"), "{given}\n{runs}");
}

#[test]
fn the_version_names_contract_and_engine() {
    let ended = Dir::new().run(&["--version"]).ends().exits(0);
    let version = env!("CARGO_PKG_VERSION");
    assert!(ended.out.starts_with(&format!("agenthalt {version} (contract 0.1, wasmtime 48.")), "{ended:?}");
}

#[test]
fn every_command_shows_an_example() {
    let dir = Dir::new();
    let whole = dir.run(&["--help"]).ends().exits(0).out;
    for word in ["check", "evaluate", "simulate", "schema", "demo", "init", "completions"] {
        assert!(whole.contains(&format!("\n  {word} ")), "{word}: {whole}");
        let help = dir.run(&[word, "--help"]).ends().exits(0).out;
        assert!(help.contains("\nExample: "), "{word}: {help}");
        assert!(help.contains(&format!("agenthalt {word}")), "{word}: {help}");
    }
    assert!(whole.contains("\nExample: agenthalt ") && whole.contains("Exit codes: "), "{whole}");
    assert!(!whole.contains("compile-component"), "{whole}");
}

#[test]
fn completions_know_the_commands_and_nothing_hidden() {
    let dir = Dir::new();
    for shell in ["bash", "zsh", "fish"] {
        let ended = dir.run(&["completions", shell]).ends().exits(0);
        for word in ["agenthalt", "evaluate", "simulate", "cache-dir"] {
            assert!(ended.out.contains(word), "{shell}: {word}");
        }
        assert!(!ended.out.contains("compile-component"), "{shell}");
    }
    dir.run(&["completions", "tcsh"]).ends().exits(2);
}
