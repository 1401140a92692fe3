//! What settings are read as, and what is refused with which words.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use serde::Deserialize;

use super::read_settings;
use crate::{Amount, FoldedName, Fraction, FunctionWords, List, Map, Tighten};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    limit: Option<Amount>,
    cost: Amount,
    warn: Option<Fraction>,
    most: Option<u32>,
    seconds: f64,
    on: bool,
    patterns: List<Tighten>,
    costs: Map<Tighten, Amount>,
    agents: Map<FoldedName, List<Tighten>>,
    words: Option<FunctionWords>,
    by: By,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum By {
    #[default]
    Tenant,
    Agent,
}

fn read(text: &str) -> Settings {
    read_settings(text).unwrap()
}

/// The problems as `pointer: message`.
fn problems(text: &str) -> Vec<String> {
    let problems = read_settings::<Settings>(text).unwrap_err();
    problems.as_slice().iter().map(|problem| format!("{}: {}", problem.pointer, problem.message)).collect()
}

#[test]
fn numbers_reach_amounts_by_their_text() {
    let settings = read(r#"{"limit":0.3,"cost":9007199254740.993,"warn":0.8,"seconds":0.5}"#);
    assert_eq!(settings.limit, Amount::from_millionths(300_000));
    assert_eq!(settings.cost.millionths(), 9_007_199_254_740_993_000);
    assert_eq!(settings.warn, Some(Fraction::percent(80)));
    assert_eq!(settings.seconds, 0.5);
}

#[test]
fn whole_numbers_may_be_written_with_a_point() {
    assert_eq!(read(r#"{"most":30.0}"#).most, Some(30));
    assert_eq!(problems(r#"{"most":30.5}"#), ["/most: expected a whole number"]);
    assert_eq!(problems(r#"{"most":true}"#), ["/most: expected a number, found a boolean"]);
    assert_eq!(problems(r#"{"most":"10"}"#), ["/most: expected a number, found a text"]);
    assert_eq!(problems(r#"{"most":-1}"#), ["/most: expected u32"]);
}

#[test]
fn null_switches_off_and_empties() {
    let settings = read(r#"{"limit":null,"warn":null,"patterns":null,"agents":null,"most":null}"#);
    assert!(settings.limit.is_none() && settings.patterns.is_empty() && settings.agents.is_empty());
    assert_eq!(problems(r#"{"cost":null}"#), ["/cost: expected a number, found null"]);
    assert_eq!(problems(r#"{"on":null}"#), ["/on: expected true or false, found null"]);
}

#[test]
fn what_the_own_types_refuse_is_reported_together() {
    let text = r#"{"agents":{" ":["["],"a/b":["ok","[z-a]"]},"cost":-1,"costs":{"[":1,"x":1e-7},"limit":1e30,
        "patterns":["drop_*","fn["],"warn":1.5}"#;
    let problems = problems(text);
    let pointers: Vec<&str> = problems.iter().map(|problem| problem.split(": ").next().unwrap()).collect();
    let expected = [
        "/agents/ ",
        "/agents/ /0",
        "/agents/a~1b/1",
        "/cost",
        "/costs/[",
        "/costs/x",
        "/limit",
        "/patterns/1",
        "/warn",
    ];
    assert_eq!(pointers, expected);
}

#[test]
fn other_mistakes_name_their_place() {
    assert_eq!(problems(r#"{"patterns":"drop_*"}"#), ["/patterns: expected a list, found a text"]);
    assert_eq!(problems(r#"{"patterns":["x",1]}"#), ["/patterns/1: expected a text, found a number"]);
    assert_eq!(problems(r#"{"by":"session"}"#), ["/by: `session` is not known: expected one of `tenant`, `agent`"]);
    assert!(problems(r#"{"limits":1}"#)[0].starts_with("/limits: the setting `limits` is not known"));
    assert_eq!(problems("[]"), [": expected an object, found a list"]);
    assert!(problems("{")[0].starts_with(": the settings cannot be read"));
    assert_eq!(read(r#"{"by":"agent"}"#).by, By::Agent);
}

#[test]
fn empty_words_are_refused() {
    assert_eq!(read(r#"{"words":["Buy-It"]}"#).words, Some(FunctionWords::new(["buy_it"])));
    assert!(
        problems(r#"{"words":["buy",""," - "]}"#)
            .iter()
            .map(|p| p.split_once(": ").unwrap().0)
            .eq(["/words/1", "/words/2"])
    );
}
