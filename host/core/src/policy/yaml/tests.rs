//! Claims about reading YAML: what a scalar is, what is a problem, and what cannot blow up.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

fn json(text: &str) -> String {
    let (node, problems) = read(text);
    assert_eq!(problems, []);
    node.unwrap().to_json().to_string()
}

fn problems(text: &str) -> Vec<(usize, usize, String)> {
    let problems = read(text).1.into_iter();
    problems.filter_map(|p| p.at.map(|at| (at.line, at.column, p.message))).collect()
}

#[test]
fn scalars_are_what_yaml_1_2_says() {
    assert_eq!(
        json("{a: ~, b: yes, c: True, d: '10', e: 10.0, f: !!str 10, g: 'EMP-\\d{6}'}"),
        r#"{"a":null,"b":"yes","c":true,"d":"10","e":10,"f":"10","g":"EMP-\\d{6}"}"#
    );
}

#[test]
fn an_unquoted_star_gets_its_own_sentence() {
    let found = problems("guards:\n  deletion:\n    deny_patterns: [*_backup]\n");
    assert_eq!(found.len(), 1);
    let (line, _, message) = &found[0];
    assert_eq!(*line, 3);
    assert!(message.contains("put it in quotes: \"*_backup\""), "{message}");
}

#[test]
fn duplicate_keys_and_infinite_numbers_are_problems_with_a_place() {
    let found = problems("a: 1\nb: .inf\na: 2\n");
    assert_eq!(found.iter().map(|(line, column, _)| (*line, *column)).collect::<Vec<_>>(), [(2, 4), (3, 1)]);
}

#[test]
fn anchors_are_read_and_cannot_blow_up() {
    assert_eq!(json("a: &x [1]\nb: *x\n"), r#"{"a":[1],"b":[1]}"#);
    let mut text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n".to_owned();
    for level in 1..9 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(",");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert!(problems(&text).iter().any(|(_, _, message)| message.contains("more than")));
    assert!(problems(&"[".repeat(5_000)).len() == 1);
}

#[test]
fn a_policy_is_one_document() {
    assert_eq!(problems("a: 1\n---\nb: 1\n").len(), 1);
    assert!(read("").0.is_none());
}

#[test]
fn copies_by_aliases_count_in_values_text_and_depth() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(200_000), vec!["*a"; 30].join(", "));
    assert!(problems(&text).iter().any(|(_, _, message)| message.contains("of text")), "{:?}", problems(&text));
    let keyed = format!("a: &a {{{}: 1}}\nb: [{}]\n", "x".repeat(1_000), vec!["*a"; 10_000].join(", "));
    assert!(problems(&keyed).iter().any(|(_, _, message)| message.contains("of text")), "{:?}", problems(&keyed));
    let half = |inner: &str| format!("{}{inner}{}", "[".repeat(40), "]".repeat(40));
    let deep = format!("a: &a {}\nb: {}\n", half("1"), half("*a"));
    assert!(problems(&deep).iter().any(|(_, _, message)| message.contains("deeper")), "{:?}", problems(&deep));
    let anchors: String = (0..60).map(|level| format!("[&a{level} ")).collect();
    let nested = format!("{anchors}[{}]{}", vec!["1"; 5_000].join(","), "]".repeat(60));
    assert!(problems(&nested).iter().any(|(_, _, message)| message.contains("values")));
    assert_eq!(json("a: &a [&b x, *b]\nc: [*a, *b]\n"), r#"{"a":["x","x"],"c":[["x","x"],"x"]}"#);
}

#[test]
fn a_policy_above_one_mebibyte_is_refused_unread() {
    let found = problems(&format!("a: {}\nb: [", "x".repeat(1 << 20)));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].0, found[0].1), (1, 1));
    assert!(found[0].2.contains("1 MiB"), "{}", found[0].2);
    assert_eq!(problems(&format!("# {}", "x".repeat((1 << 20) - 2))), []);
}

#[test]
fn many_keys_are_read_in_one_pass() {
    let start = std::time::Instant::now();
    let text: String = (0..90_000).rev().map(|n| format!("{n:05}: 1\n")).collect();
    let (node, problems) = read(&text);
    assert_eq!(problems, []);
    assert!(node.unwrap().to_json().as_object().is_some_and(|object| object.len() == 90_000));
    assert!(start.elapsed().as_secs() < 20, "reading took {:?}", start.elapsed());
}

#[test]
fn tags_other_than_those_of_plain_yaml_are_problems_wherever_they_stand() {
    assert_eq!(json("a: !!seq [!!str 1]\nb: !!map {x: y}\n"), r#"{"a":["1"],"b":{"x":"y"}}"#);
    for text in
        ["a: !set [1]", "a: !!set {x: ~}", "a: !!map [1]", "a: !!seq {x: 1}", "a: !!int 1", "!x a: 1", "!x\na: 1"]
    {
        let found = problems(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].2.contains("is not supported"), "{text}: {found:?}");
    }
}

#[test]
fn problems_quote_little_of_what_is_wrong() {
    let long = "x\u{7f}".repeat(100_000);
    for text in [
        format!("\"{}\": 1\n\"{0}\": 2\n", "x\\a".repeat(100_000)),
        format!("a: *{}\n", "x".repeat(100_000)),
        format!("a: [*_{long}!]\n"),
        format!("a: !{} 1\n", "x".repeat(100_000)),
    ] {
        let found = problems(&text);
        assert!(!found.is_empty());
        for (_, _, message) in found {
            assert!(message.len() < 1_000 && !message.contains('\u{7}'), "{} bytes", message.len());
        }
    }
}
