//! Claims about holding settings against a schema, a hostile one included.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use super::*;

const SCHEMA: &str = r##"{
    "type": "object", "additionalProperties": false,
    "properties": {
        "limit": {"type": ["number", "null"], "minimum": 0},
        "count": {"type": ["integer", "null"], "minimum": 0},
        "share": {"anyOf": [{"$ref": "#/$defs/Share"}, {"type": "null"}]},
        "names": {"type": ["array", "null"], "items": {"type": "string", "minLength": 1}},
        "costs": {"type": "object", "additionalProperties": {"type": "number", "minimum": 0}},
        "per": {"enum": ["tenant", "agent"]},
        "loop": {"$ref": "#/$defs/Loop"}
    },
    "required": ["per"],
    "$defs": {"Share": {"type": "number", "maximum": 1}, "Loop": {"$ref": "#/$defs/Loop"}}
}"##;

fn breaches(settings: &str) -> Vec<String> {
    check(&Json::parse(SCHEMA).unwrap(), &Json::parse(settings).unwrap())
        .into_iter()
        .map(|breach| format!("{} {}", breach.pointer, breach.message))
        .collect()
}

#[test]
fn every_breach_is_told_with_its_place() {
    let settings = r#"{"limit": -0.5, "count": 30.5, "share": 2, "names": ["", 3], "costs": {"a/b": true},
        "per": "team", "lmit": 1}"#;
    assert_eq!(
        breaches(settings),
        [
            "/costs/a~1b expected a number, found true",
            "/count expected a whole number, found 30.5",
            "/limit must be at least 0, found -0.5",
            "/lmit unknown setting `lmit`",
            "/names/0 must not be empty",
            "/names/1 expected a text, found 3",
            "/per expected one of `tenant`, `agent`, found the text \"team\"",
            "/share must be at most 1, found 2",
        ]
    );
    assert_eq!(breaches("{}"), [" the setting `per` is missing"]);
    assert_eq!(breaches("[]"), [" expected a map, found a list"]);
}

#[test]
fn what_fits_passes_and_loops_end() {
    let settings = r#"{"limit": null, "count": 30.0, "share": null, "names": null, "per": "agent", "loop": 1}"#;
    assert!(breaches(settings).is_empty());
    let tiny = r#"{"limit": -0.0000000000001, "per": "agent"}"#;
    assert_eq!(breaches(tiny).len(), 1);
}

/// The breaches of a value under a schema, with a bound on how long it takes to find them.
fn told(schema: &str, settings: &Json) -> Vec<String> {
    let schema = Json::parse(schema).unwrap();
    let start = std::time::Instant::now();
    let told = check(&schema, settings).into_iter().map(|breach| breach.message).collect();
    assert!(start.elapsed().as_secs() < 20, "the check took {:?}", start.elapsed());
    told
}

#[test]
fn choices_between_choices_do_not_multiply() {
    let mut defs = r#""D0": {"type": "string"}"#.to_owned();
    for level in 1..70 {
        let below = format!(r##"{{"$ref": "#/$defs/D{}"}}"##, level - 1);
        defs.push_str(&format!(r#", "D{level}": {{"anyOf": [{below}, {below}]}}"#));
    }
    let schema = format!(r##"{{"$ref": "#/$defs/D69", "$defs": {{{defs}}}}}"##);
    // Nothing is said of what the steps did not suffice for: the guard has the last word.
    assert_eq!(told(&schema, &Json::from(1_i64)), [""; 0]);
    assert_eq!(told(&schema.replacen("D69", "D9", 1), &Json::from(1_i64)), ["expected a text, found 1"]);
}

#[test]
fn large_values_in_a_schema_and_in_settings_are_not_compared_without_end() {
    let long = "x".repeat(200_000);
    let schema = format!(r#"{{"type": "array", "items": {{"enum": ["{long}y", 1{}]}}}}"#, "0".repeat(200_000));
    let number = Json::Number(Number::parse(&format!("1{}1", "0".repeat(100_000))).unwrap());
    let texts = Json::Array(vec![Json::from(format!("{long}z")); 20]);
    told(&schema, &texts);
    told(&schema, &Json::Array(vec![number.clone(); 40]));
    let limits = format!(r#"{{"items": {{"minimum": 2{}, "type": "integer"}}}}"#, "0".repeat(200_000));
    told(&limits, &Json::Array(vec![number; 40]));
    told(&limits, &Json::Array(vec![Json::from(1_i64); 90_000]));
    let branches = vec![r#"{"type": "null"}"#; 20_000].join(",");
    let object: Object = [(long, Json::from(1_i64))].into_iter().collect();
    told(&format!(r#"{{"additionalProperties": {{"anyOf": [{branches}]}}}}"#), &Json::Object(object));
}

#[test]
fn breaches_are_few_and_short_whatever_is_wrong() {
    let long = "x".repeat(250_000);
    let many = Json::Array(vec![Json::from(1_i64); 5_000]);
    let number = Json::Number(Number::parse(&format!("-1{}1", "0".repeat(5_000))).unwrap());
    let names: Object = (0..5_000).map(|n| (format!("{n}{}", "é\u{7}".repeat(50)), Json::Null)).collect();
    for (schema, settings) in [
        (format!(r#"{{"items": {{"enum": ["{long}"]}}}}"#), &many),
        (format!(r#"{{"items": {{"enum": [{}"a"]}}}}"#, r#""abc","#.repeat(50)), &many),
        (format!(r#"{{"items": {{"const": "{long}"}}}}"#), &many),
        (format!(r#"{{"items": {{"type": "{long}"}}}}"#), &many),
        (format!(r#"{{"items": {{"type": [{}"string"]}}}}"#, r#""string","#.repeat(15)), &many),
        (format!(r#"{{"items": {{"minimum": 9{}}}}}"#, "0".repeat(20)), &many),
        (r#"{"items": {"minimum": 0}}"#.to_owned(), &Json::Array(vec![number.clone(); 300])),
        (r#"{"items": {"type": "string"}}"#.to_owned(), &Json::Array(vec![number; 300])),
        (r#"{"additionalProperties": false}"#.to_owned(), &Json::Object(names)),
        (format!(r#"{{"required": [{}"{long}"]}}"#, r#""a","#.repeat(5_000)), &Json::Object(Object::new())),
    ] {
        let told = told(&schema, settings);
        assert!((1..=257).contains(&told.len()), "{}: {}", told.len(), schema.chars().take(80).collect::<String>());
        let longest = told.iter().map(String::len).max().unwrap_or_default();
        assert!(longest <= 4_096, "{longest}: {}", schema.chars().take(80).collect::<String>());
        assert!(told.iter().all(|message| !message.contains('\u{7}')));
        if told.len() > 256 {
            assert_eq!(told.last().unwrap(), "more is wrong than these 256 problems");
        }
    }
    assert_eq!(told(r#"{"items": {"type": "string"}}"#, &many).len(), 257);
}

#[test]
fn a_breach_in_one_branch_does_not_hide_those_before_it() {
    let settings = Json::parse(r#"{"limit": true, "per": "agent", "share": "much", "share2": 1}"#).unwrap();
    assert_eq!(
        told(SCHEMA, &settings),
        ["expected a number, found true", "expected a number, found the text \"much\"", "unknown setting `share2`"]
    );
}
