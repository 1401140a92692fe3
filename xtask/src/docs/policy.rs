//! A case's policy as YAML, as a user would write it. It writes what a case holds and never checks
//! whether the policy is good.

use crate::docs::json::{Json, quoted};

/// Words that YAML takes for something else than a text.
const TAKEN: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// How long a line may be that holds a whole map.
const LONGEST_LINE: usize = 100;

/// The policy, ending with a line's end.
pub(super) fn yaml(policy: &Json) -> String {
    let mut lines = Vec::new();
    match policy {
        Json::Object(fields) if !fields.is_empty() => write_map(fields, 0, &mut lines),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
            lines.push(flow(policy));
        }
    }
    lines.join("\n") + "\n"
}

/// A key and its value on a line each, or in lines below; the policy, its guards and their settings
/// never share a line.
fn write_map(fields: &[(String, Json)], depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    for (name, value) in fields {
        let line = format!("{indent}{}: {}", scalar(name), flow(value));
        match value {
            Json::Object(inner) if !inner.is_empty() && (depth < 2 || line.len() > LONGEST_LINE) => {
                lines.push(format!("{indent}{}:", scalar(name)));
                write_map(inner, depth.saturating_add(1), lines);
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                lines.push(line);
            }
        }
    }
}

/// A value on one line.
pub(super) fn flow(value: &Json) -> String {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => value.to_string(),
        Json::Text(text) => scalar(text),
        Json::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Json::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(name, value)| format!("{}: {}", scalar(name), flow(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
    }
}

/// A text without quotation marks where it is a plain word.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { quoted(text) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn shown(json: &str) -> String {
        yaml(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn settings_stand_on_lines_of_their_own() {
        assert_eq!(
            shown(r#"{"guards":{"scope":{"deny_functions":["drop_*","rm"]},"budget":{"max_call_cost":null}}}"#),
            "guards:\n  scope:\n    deny_functions: [\"drop_*\", rm]\n  budget:\n    max_call_cost: null\n"
        );
    }

    #[test]
    fn empty_and_odd_policies_are_shown_as_they_are() {
        assert_eq!(shown(r#"{"guards":{}}"#), "guards: {}\n");
        assert_eq!(shown(r#"{"guards":{"scope":{}}}"#), "guards:\n  scope: {}\n");
        assert_eq!(shown(r#"{"guards":["budget"]}"#), "guards: [budget]\n");
        assert_eq!(shown("null"), "null\n");
    }

    #[test]
    fn inner_maps_stay_on_a_line_that_holds_them() {
        let short = r#"{"guards":{"budget":{"cost_estimator":{"gpt*":5.0}}}}"#;
        assert_eq!(shown(short), "guards:\n  budget:\n    cost_estimator: { \"gpt*\": 5.0 }\n");
        let name = "x".repeat(LONGEST_LINE);
        let long = format!(r#"{{"guards":{{"budget":{{"cost_estimator":{{"{name}":5}}}}}}}}"#);
        assert_eq!(shown(&long), format!("guards:\n  budget:\n    cost_estimator:\n      {name}: 5\n"));
    }

    #[test]
    fn texts_that_yaml_would_take_for_something_else_are_quoted() {
        assert_eq!(shown(r#"{"a":["no","ten","1","${MAX}",""]}"#), "a: [\"no\", ten, \"1\", \"${MAX}\", \"\"]\n");
    }
}
