//! `agenthalt check`: a policy that can serve, or everything that is wrong with it, each at its place.

use crate::run::{Dir, Ended, component, digest};

fn check(policy: &str) -> Ended {
    Dir::with_policy(policy).run(&["check", "policy.yaml"]).ends()
}

#[test]
fn a_valid_policy_is_told_guard_by_guard() {
    let ended = check("guards:\n  scope: {mode: shadow}\n  budget: {enabled: false}\n").exits(0);
    let digest = digest("scope");
    let version = env!("CARGO_PKG_VERSION");
    let digest = &digest[..12];
    assert_eq!(
        ended.out,
        format!(
            "  scope (scope {version}, shadow, sha256 {digest}…)\n  budget (switched off)\n`policy.yaml` is valid\n"
        )
    );
    assert_eq!(ended.err, "");
}

#[test]
fn all_problems_are_told_at_once_with_their_lines() {
    let ended = check(
        r#"version: 1
time_zon: UTC
guards:
  scope:
    deny_function: ["drop_*"]
    read_only_mode: 1
    require_approval_functions: ["send_[a"]
  budget:
    max_cal_cost: 1.0
    max_session_spend: -5
    max_daily_spend: "10"
    max_monthly_spend: .inf
    warn_threshold: 0.8
    warn_threshold: 0.9
"#,
    )
    .exits(2);
    assert_eq!(ended.out, "");
    assert_eq!(
        ended.err,
        r#"policy.yaml:2:1: unknown key `time_zon`; did you mean `time_zone`?
  | time_zon: UTC
  | ^
policy.yaml:5:5: unknown setting `deny_function`; did you mean `deny_functions`?
  |     deny_function: ["drop_*"]
  |     ^
policy.yaml:6:5: expected `true` or `false`, found 1
  |     read_only_mode: 1
  |     ^
policy.yaml:7:34: the `[` is never closed: add a `]`, or write `[[]` for the character itself
  |     require_approval_functions: ["send_[a"]
  |                                  ^
policy.yaml:9:5: unknown setting `max_cal_cost`; did you mean `max_call_cost`?
  |     max_cal_cost: 1.0
  |     ^
policy.yaml:10:5: must be at least 0, found -5
  |     max_session_spend: -5
  |     ^
policy.yaml:11:5: expected a number, found the text "10"
  |     max_daily_spend: "10"
  |     ^
policy.yaml:12:24: `.inf` is not a finite number
  |     max_monthly_spend: .inf
  |                        ^
policy.yaml:14:5: the key `warn_threshold` stands here again; first in line 13
  |     warn_threshold: 0.9
  |     ^
agenthalt: `policy.yaml` is refused: 9 problems
"#
    );
}

#[test]
fn a_pattern_without_quotes_gets_its_own_sentence() {
    let ended = check("guards:\n  scope:\n    deny_functions: [*_backup]\n").exits(2);
    assert_eq!(
        ended.err,
        "policy.yaml:3:22: YAML reads `*_backup` as an alias, not as a pattern; put it in quotes: \"*_backup\"\n  \
         |     deny_functions: [*_backup]\n  \
         |                      ^\n\
         agenthalt: `policy.yaml` is refused: 1 problem\n"
    );
}

#[test]
fn a_policy_that_cannot_be_one_is_refused() {
    for (policy, said) in [
        ("", "policy.yaml:1:1: the policy is empty; it needs `guards:`"),
        ("version: 1\n", "policy.yaml:1:1: "),
        ("guards:\n  scop: {}\n", "did you mean `scope`?"),
        ("guards:\n  mine: {component: a.wasm, wasi: closed}\n", "`wasi:` is not supported yet"),
        ("guards:\n  scope: {limits: {fuel: 0}}\n", "`fuel` is a whole number above zero"),
        ("guards:\n  scope: {limits: {memory: unlimited}}\n", "`memory` is a size"),
        ("version: 2\nguards:\n  scope: {}\n", "policy.yaml:1:"),
    ] {
        let ended = check(policy).exits(2);
        assert!(ended.err.contains(said), "{said}: {ended:?}");
        assert!(ended.err.ends_with("agenthalt: `policy.yaml` is refused: 1 problem\n"), "{ended:?}");
    }
}

#[test]
fn a_guard_that_cannot_serve_is_named() {
    let missing = check("guards:\n  scope: {}\n  mine: {component: nowhere.wasm}\n").exits(2);
    assert!(missing.err.contains("the guard `mine` cannot serve: it ") && missing.err.contains("nowhere.wasm"));
    assert!(missing.out.contains("  scope (") && !missing.out.contains("is valid"), "{missing:?}");

    let other = "ab".repeat(32);
    let dir = Dir::with_policy(&format!("guards:\n  mine: {{component: g.wasm, sha256: {other}}}\n"));
    dir.write("g.wasm", component("scope"));
    let wrong = dir.run(&["check", "policy.yaml"]).ends().exits(2);
    assert!(wrong.err.contains("the guard `mine` cannot serve: it "), "{wrong:?}");
    assert!(wrong.err.contains(&other) && wrong.err.contains(&digest("scope")), "{wrong:?}");

    let dir = Dir::with_policy("guards:\n  mine: {component: g.wasm}\n");
    dir.write("g.wasm", b"no component at all");
    let bytes = dir.run(&["check", "policy.yaml"]).ends().exits(2);
    assert!(bytes.err.contains("the guard `mine` cannot serve: it is not a component"), "{bytes:?}");
}

#[test]
fn a_custom_guard_with_the_right_digest_serves() {
    let pinned = digest("scope");
    let dir = Dir::with_policy(&format!("guards:\n  mine: {{component: lib/g.wasm, sha256: {pinned}}}\n"));
    std::fs::create_dir(dir.path("lib")).unwrap();
    dir.write("lib/g.wasm", component("scope"));
    dir.run(&["check", "policy.yaml"]).ends().exits(0);
    // The path is relative to the policy, not to where the program starts.
    let elsewhere = Dir::new();
    elsewhere.run(&["check", dir.path("policy.yaml").to_str().unwrap()]).ends().exits(0);
}

#[test]
fn a_policy_that_cannot_be_read_is_named() {
    let dir = Dir::new();
    let ended = dir.run(&["check", "nowhere.yaml"]).ends().exits(2);
    assert_eq!(
        ended.err,
        "agenthalt: the policy `nowhere.yaml` cannot be read: No such file or directory (os error 2)\n"
    );
    dir.write("latin.yaml", b"guards: {scope: {deny_functions: ['\xe9']}}");
    let ended = dir.run(&["check", "latin.yaml"]).ends().exits(2);
    assert!(ended.err.contains("`latin.yaml`"), "{ended:?}");
    dir.run(&["check", "."]).ends().exits(2);
}

#[test]
fn checking_opens_no_state() {
    let dir = Dir::with_policy("state: kept.db\nguards:\n  budget: {max_daily_spend: 1}\n");
    dir.run(&["check", "policy.yaml"]).ends().exits(0);
    assert_eq!(dir.names(), ["policy.yaml"]);
}

#[test]
fn bad_usage_is_an_exit_code_of_its_own() {
    let dir = Dir::new();
    for arguments in
        [&[][..], &["chek"], &["check"], &["evaluate"], &["check", "a", "b"], &["evaluate", "--polcy", "x"]]
    {
        let ended = dir.run(arguments).ends().exits(2);
        assert_eq!(ended.out, "", "{arguments:?}");
        assert!(ended.err.contains("Usage"), "{ended:?}");
    }
}
