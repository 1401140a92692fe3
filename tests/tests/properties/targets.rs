//! One more target never loosens: a deletion that names something is not let through because it names
//! more.

use proptest::prelude::*;
use proptest::sample::select;

use crate::bench::{Bench, holds};
use crate::tree::Tree;

const POLICIES: [&str; 8] = [
    "allow_patterns: ['temp_*', '/tmp/*', '4?']",
    "deny_patterns: ['*_production', 'x?'], max_bulk_delete: 3",
    "protected_resources: [inbox, /etc, '42']",
    "max_bulk_delete: 2",
    "max_deletions_per_session: 3",
    "max_deletions_per_day: 4, max_bulk_delete: null",
    "require_approval_always: true, protected_resources: [inbox]",
    "allow_patterns: ['*'], deny_patterns: ['secret*'], protected_resources: ['a/b'], max_bulk_delete: 4, max_deletions_per_day: 5",
];

const FIELDS: [&str; 20] = [
    "resource_id",
    "resource_ids",
    "ids",
    "items",
    "targets",
    "id",
    "name",
    "path",
    "file",
    "document_id",
    "email_id",
    "record_id",
    "file_id",
    "event_id",
    "user_id",
    "filename",
    "file_path",
    "url",
    "key",
    "table",
];

const TARGETS: [&str; 22] = [
    "temp_1",
    "temp_2",
    "/tmp/a",
    "/tmp/../etc/x",
    "inbox",
    "INBOX",
    "inbox/2026",
    "a",
    "b",
    "x1",
    "secret_1",
    "db_production",
    "DB-Production",
    "a/b",
    "a/./b/c",
    "42",
    "4a",
    "*",
    "in*",
    "false",
    "caf\u{e9}",
    "/etc/passwd",
];

fn one() -> impl Strategy<Value = Tree> {
    prop_oneof![
        8 => select(&TARGETS[..]).prop_map(Tree::text),
        1 => (0_i64..=50).prop_map(|number| Tree::Number(number, 0)),
        1 => any::<bool>().prop_map(Tree::Bool),
    ]
}

/// A field's value that names at least one target.
fn named() -> impl Strategy<Value = Tree> {
    prop_oneof![
        4 => one(),
        2 => prop::collection::vec(one(), 1..4).prop_map(Tree::List),
        1 => prop::collection::vec(select(&TARGETS[..]), 1..4).prop_map(|parts| Tree::text(parts.join(","))),
        1 => one().prop_map(|target| Tree::object([("id".to_owned(), target)])),
        1 => prop::collection::vec(one(), 1..3).prop_map(|nested| Tree::List(vec![Tree::List(nested)])),
    ]
}

/// The arguments with one target more: in a field of its own, in a list, or behind a comma.
fn with_another(arguments: &[(String, Tree)], field: &str, target: Tree) -> Tree {
    let mut more = arguments.to_vec();
    match more.iter_mut().find(|(key, _)| key == field) {
        None => more.push((field.to_owned(), target)),
        Some((_, Tree::List(items))) => items.push(target),
        Some((_, Tree::Text(text))) if matches!(target, Tree::Text(_)) => {
            let Tree::Text(target) = target else { panic!("a text") };
            text.push(',');
            text.push_str(&target);
        }
        Some((_, other)) => *other = Tree::List(vec![other.clone(), target]),
    }
    Tree::object(more)
}

#[test]
fn one_more_target_is_never_treated_more_gently() {
    let bench = |settings: &&str| Bench::new(&format!("guards: {{deletion: {{{settings}}}}}"));
    let benches: Vec<Bench> = POLICIES.iter().map(bench).collect();
    let field = || select(&FIELDS[..]).prop_map(str::to_owned);
    let arguments = prop::collection::vec((field(), named()), 1..4);
    let before = proptest::option::of(prop::collection::vec(one(), 1..3));
    let case = (0..benches.len(), before, arguments, field(), one());
    holds(10_000, case, |(policy, before, arguments, field, target)| {
        let Tree::Object(fewer) = Tree::object(arguments) else { panic!("an object") };
        let texts = [Tree::object(fewer.clone()).plain(), with_another(&fewer, &field, target).plain()];
        let verdicts = [0, 1].map(|which| {
            let scene = benches[policy].scene();
            if let Some(before) = &before {
                scene.approve("delete", &Tree::object([("ids".to_owned(), Tree::List(before.clone()))]).plain());
            }
            scene.judge("delete_file", &texts[which]).evaluation.verdict
        });
        let said = format!("{} is {}, {} is {}", texts[0], verdicts[0], texts[1], verdicts[1]);
        prop_assert!(verdicts[0] <= verdicts[1], "{} after {:?}: {}", POLICIES[policy], before, said);
        Ok(())
    });
}
