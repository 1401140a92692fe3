//! Claims about reading policies: what loads, what is refused, and how it is told.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;
use crate::limits::GuardLimits;

fn read(text: &str) -> Result<Policy, Problems> {
    PolicyDraft::read(text).finish()
}

fn problems(text: &str) -> Vec<String> {
    let problems = read(text).unwrap_err();
    let place = |p: &Problem| p.at.map_or_else(|| "code".to_owned(), |at| format!("{}:{}", at.line, at.column));
    problems.list().iter().map(|p| format!("{} {}", place(p), p.message)).collect()
}

#[test]
fn the_whole_shape_is_read() {
    let policy = read(
        "version: 1\nunmatched: deny\ntime_zone: Europe/Berlin\nstate: {path: x.db, durability: power}\n\
         call: {max_depth: 8, max_size: 64KiB, remembered_for: 10m}\nguards:\n  budget: {max_daily_spend: 10.0, mode: shadow}\n  hours:\n    \
         component: hours.wasm\n    config: {from: 9}\n    phases: [before]\n    limits: {fuel: 1000, time: 50ms}\n",
    )
    .unwrap();
    assert_eq!(policy.unmatched, Unmatched::Deny);
    assert_eq!(policy.time_zone.name(), "Europe/Berlin");
    assert_eq!(policy.state, Some(StateSetting { path: "x.db".to_owned(), durability: Durability::Power }));
    assert_eq!(policy.call, JsonLimits { depth: 8, bytes: 64 << 10 });
    assert_eq!(policy.remembered_ms, 600_000);
    let [budget, hours] = policy.guards.as_slice() else { panic!("two guards") };
    assert_eq!(budget.settings.json().to_string(), r#"{"max_daily_spend":10}"#);
    assert_eq!(budget.mode, Mode::Shadow);
    assert_eq!(hours.source, Source::Component { path: "hours.wasm".to_owned(), sha256: None });
    assert_eq!((hours.limits.fuel(), hours.limits.time_ms()), (1_000, 50));
    assert_eq!(hours.limits.memory_bytes(), GuardLimits::default().memory_bytes());
}

#[test]
fn every_problem_is_told_at_once_and_in_order() {
    let text = "guards:\n  budgt: {}\n  scope:\n    mode: loud\n    limits: {fuel: 0, memory: lots}\nunmatched: maybe\n\
                time_zone: Mars/Olympus\ncolour: red\nversion: 2\n";
    assert_eq!(
        problems(text),
        [
            "2:3 there is no built-in guard `budgt`; did you mean `budget`?; a custom guard names its `component:`",
            "4:11 expected one of `enforce`, `shadow`",
            "5:20 `fuel` is a whole number above zero, as `50000000`",
            "5:31 `memory` is a size, as `16MiB`",
            "6:12 expected one of `allow`, `require_approval`, `deny`",
            "7:12 unknown time zone `Mars/Olympus`; use an IANA name such as `Europe/Berlin`",
            "8:1 unknown key `colour`",
            "9:10 this host knows policies of `version: 1`",
        ]
    );
}

#[test]
fn what_is_asked_of_those_who_approve_is_read_everywhere_and_in_the_digest() {
    let all = "approval: {required: 2, approvers: [Ann, ' bob '], expires: never, most_pending: 3, functions: \
               {'wire_*': {expires: 10m}}}\nguards: {scope: {approval: {not_the_requester: true}}}";
    let policy = read(all).unwrap();
    assert_eq!((policy.approval.all.required, policy.approval.most_pending), (Some(2), 3));
    let [scope] = policy.guards.as_slice() else { panic!("one guard") };
    let rules = policy.approval.rules("x.wireMoney", [&scope.approval]);
    assert_eq!(rules.approvers, Some(["ann", "bob"].map(str::to_owned).into()));
    assert!(rules.not_the_requester && rules.expires_ms == Some(600_000));
    for (said, other) in [("2", "3"), ("' bob '", "cleo"), ("never", "1h"), ("pending: 3", "pending: 4"), ("10m", "9m")]
    {
        assert_ne!(read(&all.replace(said, other)).unwrap().digest, policy.digest, "{said}");
    }
    let wrong = "approval: {required: 0, approvers: [], expires: 1ms, most_pending: 0, quorum: 1, functions: {'a?': {}, \
                 b: {required: 99, most_pending: 1}}}\nguards: {scope: {approval: {functions: {}}}}";
    let problems = problems(wrong).join("\n");
    for told in [
        "`required` is a whole number from 1 to 16",
        "`approvers` names nobody",
        "`expires` is a time from 1s to 366d",
        "`most_pending` is a whole number from 1 to 10000",
        "unknown key `quorum`",
        "`a?`: a pattern of function names",
        "unknown key `most_pending`",
        "unknown key `functions`",
    ] {
        assert!(problems.contains(told), "{told}: {problems}");
    }
}

#[test]
fn a_policy_needs_guards() {
    for text in ["", "version: 1\n", "guards: null\n", "guards: [budget]\n", "[]", "guards: 3"] {
        assert_eq!(problems(text).len(), 1, "{text}");
    }
    assert!(read("guards: {}").unwrap().guards.is_empty());
    assert_eq!(read("guards:\n  budget:\n").unwrap().guards.len(), 1);
}

#[test]
fn what_is_not_there_yet_is_refused() {
    assert_eq!(problems("guards: {x: {component: x.wasm, wasi: closed}}").len(), 1);
    assert_eq!(problems("guards: {x: {component: x.wasm, phases: [before, later]}}").len(), 1);
    assert_eq!(problems("guards: {x: {component: x.wasm, phases: []}}").len(), 1);
}

#[test]
fn no_limit_can_be_lifted() {
    for limits in [
        "{fuel: 0}",
        "{memory: 0MiB}",
        "{time: 0ms}",
        "{fuel: null}",
        "{time: unlimited}",
        "{fuel: .inf}",
        "{memory: 1024MiB}",
    ] {
        assert!(read(&format!("guards: {{scope: {{limits: {limits}}}}}")).is_err(), "{limits}");
    }
    for call in ["{max_depth: 65}", "{max_depth: 0}", "{max_size: 2MiB}", "{max_size: 0B}"] {
        assert_eq!(problems(&format!("guards: {{}}\ncall: {call}")).len(), 1, "{call}");
    }
}

#[test]
fn a_problem_of_a_guard_finds_its_line() {
    let text = "guards:\n  scope:\n    deny_functions:\n      - \"drop_*\"\n      - \"bad[\"\n";
    let mut draft = PolicyDraft::read(text);
    let problem = draft.guards()[0].settings.problem("/deny_functions/1", "unclosed `[`");
    assert_eq!(problem.at, Some(Position { line: 5, column: 9 }));
    draft.add_problems([problem]);
    let shown = draft.finish().unwrap_err().render("p.yaml");
    assert_eq!(shown, "p.yaml:5:9: unclosed `[`\n  |       - \"bad[\"\n  |         ^\n");
}

#[test]
fn the_digest_is_of_the_meaning_not_of_the_text() {
    let digest = |text: &str| read(text).unwrap().digest;
    let one = digest("guards: {scope: {deny_functions: [a], allow_functions: []}}");
    assert_eq!(one, digest("# hi\nguards:\n  scope:\n    allow_functions: []\n    deny_functions: ['a']\n"));
    assert_ne!(one, digest("guards: {scope: {deny_functions: [b], allow_functions: []}}"));
    assert_ne!(one, digest("guards: {scope: {deny_functions: [a], allow_functions: [], mode: shadow}}"));
    assert_ne!(one, digest("unmatched: deny\nguards: {scope: {deny_functions: [a], allow_functions: []}}"));
}

#[test]
fn many_problems_in_many_lines_are_shown_in_one_pass() {
    let start = std::time::Instant::now();
    let text = format!("guards: {{}}\n{}", "guards: 1\n".repeat(40_000));
    let found = read(&text).unwrap_err();
    assert_eq!(found.list().len(), 40_000);
    assert!(found.render("p.yaml").ends_with("  | guards: 1\n  | ^\n"));
    assert!(start.elapsed().as_secs() < 20, "it took {:?}", start.elapsed());
}

#[test]
fn names_in_problems_are_cut() {
    let long = "x".repeat(200_000);
    for text in [format!("guards: {{? {long} : {{}}}}\n"), format!("guards: {{}}\n? {long}\n: 1\n")] {
        for problem in problems(&text) {
            assert!(problem.len() < 1_000, "{} bytes", problem.len());
        }
    }
}

/// A guard that code sets up, of a component that is not looked at here.
fn in_code(name: &str, source: Source) -> GuardEntry {
    GuardEntry {
        name: name.to_owned(),
        source,
        settings: Settings::of_code(name, agenthalt_json::Object::new()),
        mode: Mode::Enforce,
        enabled: true,
        phases: None,
        limits: crate::limits::GuardLimits::default(),
        approval: Default::default(),
    }
}

fn file() -> Source {
    Source::Component { path: "a.wasm".to_owned(), sha256: None }
}

#[test]
fn guards_of_code_stand_behind_those_of_the_text_and_count_in_the_digest() {
    let mut draft = PolicyDraft::read("guards: {scope: {}}");
    draft.add_guard(in_code("mine", file()));
    draft.set_unmatched(Unmatched::Deny);
    draft.set_time_zone("Europe/Berlin");
    let policy = draft.finish().unwrap();
    let names: Vec<&str> = policy.guards.iter().map(|guard| guard.name.as_str()).collect();
    assert_eq!((names, policy.unmatched), (vec!["scope", "mine"], Unmatched::Deny));

    let mut changed = PolicyDraft::of(policy.clone());
    assert!(changed.set_enabled("mine", false) && !changed.set_enabled("yours", false));
    let off = changed.finish().unwrap();
    assert_ne!(off.digest, policy.digest);
    let mut changed = PolicyDraft::of(off);
    assert!(changed.set_enabled("mine", true));
    assert_eq!(changed.finish().unwrap().digest, policy.digest);

    let mut changed = PolicyDraft::of(policy);
    assert!(changed.remove_guard("mine") && !changed.remove_guard("mine"));
    assert_eq!(changed.finish().unwrap().guards.len(), 1);
}

#[test]
fn what_is_wrong_in_code_is_told_with_the_names() {
    let mut draft = PolicyDraft::read("guards: {scope: {}}");
    for name in ["scope", "budget", "no name", "mine", "mine"] {
        draft.add_guard(in_code(name, file()));
    }
    draft.set_time_zone("Atlantis");
    draft.add_problems([Settings::of_code("mine", agenthalt_json::Object::new()).problem("/a~1b/0", "is wrong")]);
    let problems = draft.finish().unwrap_err();
    let text = problems.render("policy");
    for told in [
        "policy: there is a guard `scope` already",
        "policy: `budget` is the name of a built-in guard",
        "policy: `no name`: a guard's name is 1 to 64 letters, digits, `_` or `-`",
        "policy: there is a guard `mine` already",
        "`Atlantis`",
        "policy: guard `mine`, setting `a/b / 0`: is wrong",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
}
