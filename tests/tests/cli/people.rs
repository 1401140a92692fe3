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
fn the_demo_shows_every_kind_of_verdict() {
    let dir = Dir::new();
    let ended = dir.run(&["demo"]).ends().exits(0);
    let [heading, rows, totals] = ended.out.splitn(3, "\n\n").collect::<Vec<_>>()[..] else { panic!("three parts") };
    assert!(heading.contains("before each call runs"), "{heading}");
    let rows: Vec<Vec<&str>> = rows.lines().map(|row| row.split_whitespace().collect()).collect();
    assert!(rows.len() >= 30, "{} calls", rows.len());
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row[0], (index + 1).to_string());
    }
    for verdict in ["allow", "require_approval", "deny"] {
        assert!(rows.iter().any(|row| row[2] == verdict), "{verdict}");
    }
    for guard in ["scope", "budget"] {
        assert!(rows.iter().any(|row| row.get(3) == Some(&guard)), "{guard}");
    }
    assert!(totals.starts_with(&format!("{} calls: ", rows.len())), "{totals}");
    assert!(totals.contains(" µs (median) and burnt ") && totals.contains(" fuel"), "{totals}");
    assert_eq!((ended.err.as_str(), dir.names()), ("", Vec::new()));
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
    for word in ["check", "evaluate", "simulate", "demo", "init", "completions"] {
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
