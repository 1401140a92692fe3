//! Worked cases as a page shows them: the policy, each call, the verdict that the case demands. The
//! reasons beside the verdicts are the guide's own words; a case's `why` may tell of another program.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::docs::json::Json;
use crate::docs::markdown::{code, escape};
use crate::docs::policy;
use crate::finding::Finding;

/// Cases by their id.
#[derive(Default)]
pub(super) struct Cases(BTreeMap<String, Case>);

/// What the guide says of a case's steps, by their number from 1.
pub(super) type Notes = BTreeMap<usize, String>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    policy: Json,
    /// Of a case that is judged.
    #[serde(default)]
    steps: Vec<Step>,
    /// Of a case that is only loaded.
    expect: Option<Load>,
    #[serde(rename = "why")]
    _why: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Load {
    Ok,
    Error,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    /// In seconds.
    at: Json,
    call: Call,
    human: Option<Human>,
    expect: Verdict,
    arguments: Option<Json>,
    #[serde(rename = "level")]
    _level: String,
    #[serde(rename = "why")]
    _why: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    function_name: String,
    arguments: Json,
    agent_id: Option<String>,
    session_id: Option<String>,
    metadata: Option<Json>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Human {
    Approve,
    Deny,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Allow,
    Modify,
    RequireApproval,
    Deny,
}

impl Cases {
    /// Adds the cases of a file, one on each line, and tells of lines that hold none.
    pub(super) fn add(&mut self, path: &str, text: &str) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str::<Case>(line) {
                Ok(case) if self.0.contains_key(&case.id) => {
                    findings.push(Finding::new(path, number, format!("there are two cases `{}`", case.id)));
                }
                Ok(case) => {
                    self.0.insert(case.id.clone(), case);
                }
                Err(error) => findings.push(Finding::new(path, number, format!("no case: {error}"))),
            }
        }
        findings
    }

    /// A case in Markdown; the error is a sentence.
    pub(super) fn show(&self, id: &str, notes: &Notes) -> Result<String, String> {
        let case = self.0.get(id).ok_or_else(|| format!("there is no case `{id}`"))?;
        let steps = case.steps.len().max(1);
        if let Some(step) = notes.keys().find(|step| !(1..=steps).contains(step)) {
            return Err(format!("the case `{id}` has {steps} steps, and this says why of step {step}"));
        }
        let policy = policy::yaml(&case.policy);
        let rest = match case.expect {
            Some(load) => load.sentence(notes.get(&1)),
            None => case.table(notes),
        };
        Ok(format!("```yaml\n{policy}```\n\n{rest}\n\n<sub>Worked case `{id}`</sub>"))
    }
}

impl Load {
    fn sentence(self, note: Option<&String>) -> String {
        let start = match self {
            Load::Ok => "This policy loads",
            Load::Error => "This policy is refused",
        };
        note.map_or_else(|| format!("{start}."), |note| format!("{start}: {note}"))
    }
}

impl Case {
    fn table(&self, notes: &Notes) -> String {
        let times: BTreeSet<String> = self.steps.iter().map(|step| step.at.to_string()).collect();
        let (has_times, has_notes) = (times.len() > 1, !notes.is_empty());
        let row = |time: &str, call: &str, verdict: &str, why: &str| -> String {
            let mut cells = vec![call, verdict];
            if has_times {
                cells.insert(0, time);
            }
            if has_notes {
                cells.push(why);
            }
            format!("| {} |", cells.join(" | "))
        };
        let mut lines = vec![row("after", "call", "verdict", "why"), row("---", "---", "---", "---")];
        for (number, step) in (1..).zip(&self.steps) {
            let why = notes.get(&number).map(|note| escape(note)).unwrap_or_default();
            lines.push(row(&time(&step.at.to_string()), &step.call.shown(), &step.verdict(), &why));
        }
        lines.join("\n")
    }
}

/// Seconds as people say them: from an hour on in days, hours, minutes and seconds.
fn time(seconds: &str) -> String {
    let seconds = seconds.trim_end_matches(".0");
    let whole = seconds.parse::<u64>().unwrap_or_default();
    if whole < 3_600 {
        return format!("{seconds} s");
    }
    let parts = [(whole / 86_400, "d"), (whole / 3_600 % 24, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")];
    let parts = parts.iter().filter(|(amount, _)| *amount > 0).map(|(amount, unit)| format!("{amount} {unit}"));
    parts.collect::<Vec<_>>().join(" ")
}

impl Step {
    fn verdict(&self) -> String {
        let verdict = match self.expect {
            Verdict::Allow => "allow",
            Verdict::Modify => "modify",
            Verdict::RequireApproval => "require approval",
            Verdict::Deny => "deny",
        };
        // Whoever would have been asked has no say in any other verdict.
        let human = match (self.expect, self.human) {
            (Verdict::RequireApproval, Some(Human::Approve)) => "; a human says yes, and it runs",
            (Verdict::RequireApproval, Some(Human::Deny)) => "; a human says no",
            (Verdict::RequireApproval, None) | (Verdict::Allow | Verdict::Modify | Verdict::Deny, _) => "",
        };
        let runs = self.arguments.as_ref().map(|arguments| format!(", to {}", code(&arguments.to_string())));
        format!("**{verdict}**{human}{}", runs.unwrap_or_default())
    }
}

impl Call {
    fn shown(&self) -> String {
        let mut shown = code(&self.function_name);
        if !self.arguments.fields().is_empty() {
            shown.push_str(&format!(" {}", code(&self.arguments.to_string())));
        }
        for (id, what) in [(&self.agent_id, "by agent"), (&self.session_id, "in session")] {
            if let Some(id) = id {
                shown.push_str(&format!(" {what} {}", code(id)));
            }
        }
        if let Some(metadata) = &self.metadata {
            shown.push_str(&format!(" with metadata {}", code(&metadata.to_string())));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    const JUDGED: &str = r#"{"id":"a","policy":{"guards":{"scope":{"deny_functions":["a|b"]}}},"steps":[
        {"at":0,"call":{"function_name":"a|b","arguments":{},"agent_id":"x"},"expect":"deny","level":"must","why":"W"},
        {"at":60.5,"call":{"function_name":"f","arguments":{"b":1,"a":"y"},"session_id":"s","metadata":{"m":1}},
         "expect":"require_approval","human":"approve","level":"must"},
        {"at":61,"call":{"function_name":"f","arguments":{"a":"s"}},"expect":"modify","arguments":{"a":"r"},
         "level":"should"}]}"#;
    const LOADED: &str = r#"{"id":"load-a","policy":{"guards":null},"expect":"error","why":"W"}"#;

    fn cases(lines: &[&str]) -> (Cases, Vec<Finding>) {
        let mut cases = Cases::default();
        let lines: Vec<String> = lines.iter().map(|line| line.replace('\n', " ")).collect();
        let findings = cases.add("c.jsonl", &lines.join("\n"));
        (cases, findings)
    }

    fn note(step: usize, text: &str) -> Notes {
        Notes::from([(step, text.to_owned())])
    }

    #[test]
    fn a_case_shows_its_policy_calls_verdicts_and_the_guides_reasons() {
        let (cases, findings) = cases(&[JUDGED]);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(
            cases.show("a", &note(2, "it asks")).unwrap(),
            "```yaml\nguards:\n  scope:\n    deny_functions: [\"a|b\"]\n```\n\n\
             | after | call | verdict | why |\n| --- | --- | --- | --- |\n\
             | 0 s | `a\\|b` by agent `x` | **deny** |  |\n\
             | 60.5 s | `f` `{\"b\": 1, \"a\": \"y\"}` in session `s` with metadata `{\"m\": 1}` | \
             **require approval**; a human says yes, and it runs | it asks |\n\
             | 61 s | `f` `{\"a\": \"s\"}` | **modify**, to `{\"a\": \"r\"}` |  |\n\n\
             <sub>Worked case `a`</sub>"
        );
    }

    #[test]
    fn columns_that_would_say_nothing_are_left_out() {
        let line = r#"{"id":"a","policy":{"guards":{}},"steps":[{"at":0,"call":{"function_name":"f","arguments":{}},
            "expect":"allow","level":"must"}]}"#;
        let (cases, _) = cases(&[line]);
        let shown = cases.show("a", &Notes::new()).unwrap();
        assert!(shown.contains("| call | verdict |\n| --- | --- |\n| `f` | **allow** |\n"), "{shown}");
    }

    #[test]
    fn a_case_that_is_loaded_shows_whether_it_is() {
        let (cases, _) = cases(&[LOADED]);
        let shown = cases.show("load-a", &note(1, "it has no guards.")).unwrap();
        assert!(shown.contains("```\n\nThis policy is refused: it has no guards.\n\n"), "{shown}");
        assert!(cases.show("load-a", &Notes::new()).unwrap().contains("This policy is refused.\n"));
    }

    #[test]
    fn times_are_shown_as_people_say_them() {
        let shown = ["0", "60.001", "3599", "43200", "1425599.0"].map(time);
        assert_eq!(shown, ["0 s", "60.001 s", "3599 s", "12 h", "16 d 11 h 59 min 59 s"]);
    }

    #[test]
    fn unknown_cases_and_steps_are_refused() {
        let (cases, _) = cases(&[JUDGED, LOADED]);
        assert_eq!(cases.show("b", &Notes::new()).unwrap_err(), "there is no case `b`");
        assert_eq!(
            cases.show("a", &note(4, "x")).unwrap_err(),
            "the case `a` has 3 steps, and this says why of step 4"
        );
        assert!(cases.show("load-a", &note(2, "x")).is_err());
    }

    #[test]
    fn lines_that_hold_no_case_are_found() {
        let unknown = r#"{"id":"b","policy":{},"steps":[],"phase":"after"}"#;
        let (_, findings) = cases(&[LOADED, "", unknown, LOADED]);
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(lines[0].starts_with("c.jsonl:3: no case: unknown field `phase`"), "{lines:?}");
        assert_eq!(lines[1], "c.jsonl:4: there are two cases `load-a`");
    }
}
