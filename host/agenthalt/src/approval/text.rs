//! A question as plain text: all that one needs to decide, in what fits a terminal.

use std::fmt::{self, Write};

use agenthalt_core::amount::Amount;
use agenthalt_core::approval::Word;
use agenthalt_json::Json;

use super::{Approval, Cost};
use crate::printable::printable;

/// Lines of arguments that are shown; a terminal is no pager.
const MOST_LINES: usize = 40;
/// Characters of a line that are shown.
const MOST_COLUMNS: usize = 160;

impl Approval {
    /// The question as text of several lines, fit for a terminal: what would run, why a human must decide, what was
    /// changed, what it costs, who may approve, who has answered. What is too long for it is cut, and that is said.
    ///
    /// ```
    /// # use agenthalt::{Call, testing};
    /// let engine = testing::engine("guards: {scope: {require_approval_functions: ['send_*']}}");
    /// let question = engine.evaluate_blocking(&Call::new("send_mail", "{}")).approval.ok_or("a human must decide")?;
    /// let text = engine.approval_blocking(question)?.ok_or("it is kept")?.text();
    /// assert!(text.starts_with("send_mail  (no agent, no session, call "));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text never fails.
        let _ = self.write(&mut text);
        text
    }

    /// How many have said yes.
    pub fn yeses(&self) -> usize {
        self.answers.iter().filter(|answer| answer.word == Word::Yes).count()
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        let asked = &self.asked;
        if let Some(why) = &asked.withheld {
            writeln!(out, "what it asks is withheld: {}", printable(why))?;
        } else {
            let named = |what: &str, name: Option<&String>| {
                name.map_or_else(|| format!("no {what}"), |name| format!("{what} {}", printable(name)))
            };
            let (agent, session) = (named("agent", asked.agent.as_ref()), named("session", asked.session.as_ref()));
            let (name, call) = (printable(&asked.function_name), printable(&asked.call_id));
            writeln!(out, "{name}  ({agent}, {session}, call {call})")?;
            for line in arguments(asked.arguments.as_deref().unwrap_or("{}")) {
                writeln!(out, "  {line}")?;
            }
            if !asked.changes.is_empty() {
                writeln!(out, "\nchanged before it came here")?;
            }
            for change in &asked.changes {
                let value = |value: &Option<String>| value.as_deref().map_or_else(|| "nothing".to_owned(), printable);
                let (before, after) = (value(&change.before), value(&change.after));
                // Where a secret was taken out, both are shown alike.
                let what = if before == after { format!("now {after}") } else { format!("{before} -> {after}") };
                writeln!(out, "  {}", cut(&format!("{}  {what}", printable(&change.path))))?;
            }
        }
        writeln!(out, "\nwhy a human must decide (risk {:.2})", asked.risk)?;
        for reason in &asked.reasons {
            let guard = reason.guard.as_deref().unwrap_or("policy");
            let text = if asked.withheld.is_some() { "withheld".to_owned() } else { printable(&reason.reason) };
            writeln!(out, "  {guard:<14} {text}")?;
        }
        if !asked.costs.is_empty() {
            writeln!(out, "\nwhat it costs")?;
        }
        for cost in &asked.costs {
            writeln!(out, "  {:<14} {}", cost.guard, shown(cost))?;
        }
        writeln!(out, "\nwho may approve")?;
        writeln!(out, "  {}", self.who())?;
        if let Some(terms) = &self.terms {
            let session = if terms.serves_any_session() { "any session" } else { "this session" };
            writeln!(out, "  it serves {} calls like it in {session}, {} so far", terms.times(), self.uses)?;
            writeln!(out, "    {}", cut(&printable(&terms.to_json().to_string())))?;
        }
        for answer in &self.answers {
            let reason = answer.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", printable(reason)));
            let (by, account, via) = (printable(&answer.by), printable(&answer.account), printable(&answer.via));
            let account = if account == by { String::new() } else { format!(" ({account})") };
            writeln!(out, "  {:<6} {by}{account} via {via}, {}{reason}", answer.word.as_str(), answer.at)?;
        }
        Ok(())
    }

    fn who(&self) -> String {
        let list = |names: &[String]| names.iter().map(|name| printable(name)).collect::<Vec<_>>().join(", ");
        let who = self.approvers.as_ref().map_or_else(|| "anybody".to_owned(), |names| list(names));
        let number = if self.required == 1 { "one".to_owned() } else { self.required.to_string() };
        let but = match (self.not_the_requester, self.asked.requesters.is_empty()) {
            (false, _) => String::new(),
            (true, true) => ", but not who asks".to_owned(),
            (true, false) => format!(", but not who asks: {}", list(&self.asked.requesters)),
        };
        format!("{number} of: {who}{but}; {} said yes", self.yeses())
    }
}

/// The arguments, a member on each line, as many as fit.
fn arguments(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    match Json::parse(text) {
        Ok(value) => pretty(&value, 0, "", "", &mut lines),
        Err(_) => lines.push(text.to_owned()),
    }
    let more = lines.len().saturating_sub(MOST_LINES);
    lines.truncate(MOST_LINES);
    let mut lines: Vec<String> = lines.iter().map(|line| cut(&printable(line))).collect();
    if more > 0 {
        lines.push(format!("... {more} more lines; `agenthalt approvals show ID --format json` shows all"));
    }
    lines
}

/// A value on lines of its own, numbers and texts as they stand.
fn pretty(value: &Json, depth: usize, before: &str, after: &str, lines: &mut Vec<String>) {
    let pad = "  ".repeat(depth);
    let mut inside = |open: char, close: char, members: Vec<(String, &Json)>| {
        lines.push(format!("{pad}{before}{open}"));
        let last = members.len().saturating_sub(1);
        for (place, (name, value)) in members.into_iter().enumerate() {
            pretty(value, depth + 1, &name, if place == last { "" } else { "," }, lines);
        }
        lines.push(format!("{pad}{close}{after}"));
    };
    match value {
        Json::Object(object) if !object.is_empty() => {
            let members = object.iter().map(|(name, value)| (format!("{}: ", Json::from(name)), value));
            inside('{', '}', members.collect());
        }
        Json::Array(items) if !items.is_empty() => {
            inside('[', ']', items.iter().map(|value| (String::new(), value)).collect());
        }
        other => lines.push(format!("{pad}{before}{other}{after}")),
    }
}

/// What fits a line; that something is missing is told.
fn cut(line: &str) -> String {
    let length = line.chars().count();
    if length <= MOST_COLUMNS {
        return line.to_owned();
    }
    let kept: String = line.chars().take(MOST_COLUMNS).collect();
    format!("{kept}... {} more characters", length - MOST_COLUMNS)
}

fn shown(cost: &Cost) -> String {
    if cost.unit == "money" {
        let sign = if cost.amount < 0 { "-" } else { "" };
        return format!("{sign}{}", Amount::from_millionths(cost.amount.unsigned_abs()));
    }
    format!("{} {}", cost.amount, if cost.unit.is_empty() { &cost.counter } else { &cost.unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_fit_a_terminal_and_nothing_is_left_out_in_silence() {
        assert_eq!(
            arguments(r#"{"a":1,"b":["x",{}]}"#),
            ["{", "  \"a\": 1,", "  \"b\": [", "    \"x\",", "    {}", "  ]", "}"]
        );
        let exact = r#"{"a":1.00000000000000000000000000001}"#;
        assert_eq!(arguments(exact).concat(), "{  \"a\": 1.00000000000000000000000000001}");
        let many = format!("[{}]", vec!["1"; 100].join(","));
        assert!(arguments(&many).last().is_some_and(|last| last.starts_with("... 62 more lines")));
        let long = arguments(&format!("{{\"a\":\"{}\"}}", "x".repeat(500)));
        assert!(long.iter().any(|line| line.ends_with("more characters")));
        assert!(!arguments("{\"a\":\"\u{202e}\"}").concat().contains('\u{202e}'));
    }

    #[test]
    fn what_it_costs_has_its_unit() {
        let cost = |amount, unit: &str| {
            let counter = "counted".to_owned();
            shown(&Cost { amount, unit: unit.to_owned(), counter, ..Cost::default() })
        };
        assert_eq!([cost(2_500_000, "money"), cost(3, "calls"), cost(1, "")], ["2.5", "3 calls", "1 counted"]);
    }
}
