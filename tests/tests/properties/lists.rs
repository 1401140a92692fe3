//! One more denied name never loosens: an entry added to a deny list lets nothing through that was
//! stopped without it.

use proptest::prelude::*;
use proptest::sample::select;

use crate::bench::{Bench, holds};

/// How many policies are tried, and how many calls under each.
const POLICIES: u32 = 500;
const CALLS: usize = 20;

const FUNCTIONS: [&str; 16] = [
    "drop_table",
    "dropTable",
    "db.drop_table",
    "mcp__db__drop-it",
    "get_user",
    "GET_USER",
    "send_mail",
    "files.get_x",
    "delete_file",
    "purge",
    "dr\u{43e}p_table",
    "x",
    "",
    "list_items",
    "drop",
    "post.create",
];

const PATTERNS: [&str; 24] = [
    "drop_*",
    "Drop*",
    "*",
    "?",
    "x",
    "get_*",
    "*.get_*",
    "[a-d]*",
    "[!a-d]*",
    "*table",
    "db.*",
    "",
    "send-mail",
    "{drop,get}_*",
    "drop\\*",
    "caf\u{e9}",
    "list_*",
    "inbox",
    "*_production",
    "temp_?",
    "/etc",
    "a/b",
    "42",
    "*/*",
];

const TARGETS: [&str; 12] = [
    "inbox",
    "INBOX",
    "inbox/x",
    "temp_1",
    "db_production",
    "/etc/passwd",
    "/tmp/../etc",
    "a/b/c",
    "42",
    "*",
    "x",
    "a,x",
];

/// Which list gets longer.
#[derive(Clone, Copy, Debug)]
enum Which {
    Functions,
    Agent,
    Targets,
    Protected,
}

fn policy(which: Which, [denied, allowed, asked]: [&[&str]; 3]) -> String {
    let list = |patterns: &[&str]| serde_json::to_string(patterns).unwrap();
    let (denied, allowed, asked) = (list(denied), list(allowed), list(asked));
    match which {
        Which::Functions => {
            let more = format!("\"allow_functions\":{allowed},\"require_approval_functions\":{asked}");
            format!("{{\"guards\":{{\"scope\":{{\"deny_functions\":{denied},{more}}}}}}}")
        }
        Which::Agent => {
            let more = format!("\"require_approval_functions\":{asked}");
            format!("{{\"guards\":{{\"scope\":{{\"deny_by_agent\":{{\"agent-1\":{denied}}},{more}}}}}}}")
        }
        Which::Targets => {
            format!("{{\"guards\":{{\"deletion\":{{\"deny_patterns\":{denied},\"allow_patterns\":{allowed}}}}}}}")
        }
        Which::Protected => format!("{{\"guards\":{{\"deletion\":{{\"protected_resources\":{denied}}}}}}}"),
    }
}

#[test]
fn one_more_denied_name_is_never_treated_more_gently() {
    let patterns = |most| prop::collection::vec(select(&PATTERNS[..]), 0..most);
    let which = select(&[Which::Functions, Which::Agent, Which::Targets, Which::Protected][..]);
    let calls = prop::collection::vec((select(&FUNCTIONS[..]), select(&TARGETS[..])), CALLS);
    // A protected resource that is empty would be none.
    let case = (which, patterns(4), select(&PATTERNS[..]), patterns(3), patterns(2), calls);
    holds(POLICIES, case, |(which, denied, added, allowed, asked, calls)| {
        let longer: Vec<&str> = denied.iter().copied().chain([added]).collect();
        let policies = [&denied, &longer].map(|denied| policy(which, [denied, &allowed, &asked]));
        let [shorter, longer] = [0, 1].map(|which| Bench::new(&policies[which]));
        for (function, target) in calls {
            let function = match which {
                Which::Functions | Which::Agent => function,
                Which::Targets | Which::Protected => "delete",
            };
            let arguments = serde_json::json!({ "id": target }).to_string();
            let verdicts =
                [&shorter, &longer].map(|bench| bench.scene().judge(function, &arguments).evaluation.verdict);
            let said = format!("{function:?} {target:?} is {} and then {}", verdicts[0], verdicts[1]);
            prop_assert!(verdicts[0] <= verdicts[1], "{:?} added to {:?}: {}", added, policies[0], said);
        }
        Ok(())
    });
}
