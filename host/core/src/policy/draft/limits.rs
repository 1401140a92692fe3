//! Reads the limits of a policy: what a guard may use, and how large and how deep a call may be. No
//! limit is lifted: what is above a ceiling is a problem, and so is nothing at all.

use super::super::yaml::{Entry, Node, Value};
use super::{REMEMBERED_MS, Reader, find};

use agenthalt_json::Limits as JsonLimits;

use crate::limits::{GuardLimits, parse_size, parse_time_ms};

/// The longest time for which an answer is kept on record.
const LONGEST_REMEMBERED_MS: u64 = 31 * 24 * 60 * 60 * 1_000;

impl Reader {
    pub(super) fn limits(&mut self, entries: &[Entry]) -> GuardLimits {
        let default = GuardLimits::default();
        let Some(node) = find(entries, "limits") else { return default };
        let Some(entries) = self.map(node, "`limits:`") else { return default };
        self.known_keys(entries, &["fuel", "memory", "time"], "limit");
        let fuel = match find(entries, "fuel") {
            None => Some(default.fuel()),
            Some(Node { value: Value::Number(number), .. }) if number.as_u64().is_some_and(|fuel| fuel > 0) => {
                number.as_u64()
            }
            Some(other) => {
                self.say(other.at, "`fuel` is a whole number above zero, as `50000000`");
                None
            }
        };
        let memory = self.quantity(entries, "memory", default.memory_bytes(), parse_size, "a size, as `16MiB`");
        let time = self.quantity(entries, "time", default.time_ms(), parse_time_ms, "a time, as `250ms`");
        let (Some(fuel), Some(memory), Some(time)) = (fuel, memory, time) else { return default };
        GuardLimits::new(fuel, memory, time).unwrap_or_else(|error| {
            self.say(node.at, error.to_string());
            default
        })
    }

    pub(super) fn call_limits(&mut self, node: &Node) -> JsonLimits {
        let most = JsonLimits::default();
        let Some(entries) = self.map(node, "`call:`") else { return most };
        self.known_keys(entries, &["max_depth", "max_size", "remembered_for"], "limit");
        let depth = match find(entries, "max_depth") {
            None => most.depth,
            Some(other) => match &other.value {
                Value::Number(number) if (1..=64).contains(&number.as_u64().unwrap_or(0)) => {
                    number.as_u64().and_then(|depth| usize::try_from(depth).ok()).unwrap_or(most.depth)
                }
                _ => {
                    self.say(other.at, "`max_depth` is a whole number from 1 to 64");
                    most.depth
                }
            },
        };
        let size = self.quantity(entries, "max_size", most.bytes as u64, parse_size, "a size, as `64KiB`");
        let bytes = match size.and_then(|size| usize::try_from(size).ok()) {
            Some(bytes) if (2..=most.bytes).contains(&bytes) => bytes,
            Some(_) => {
                self.say(node.at, "`max_size` is from 2B to 1MiB");
                most.bytes
            }
            None => most.bytes,
        };
        JsonLimits { depth, bytes }
    }

    pub(super) fn remembered_ms(&mut self, node: &Node) -> u64 {
        let Value::Map(entries) = &node.value else { return REMEMBERED_MS };
        let form = "a time from 1s to 31d, as `24h`";
        match self.quantity(entries, "remembered_for", REMEMBERED_MS, parse_time_ms, form) {
            Some(time) if (1_000..=LONGEST_REMEMBERED_MS).contains(&time) => time,
            Some(_) => {
                self.say(node.at, "`remembered_for` is from 1s to 31d");
                REMEMBERED_MS
            }
            None => REMEMBERED_MS,
        }
    }

    fn quantity(
        &mut self,
        entries: &[Entry],
        name: &str,
        default: u64,
        parse: fn(&str) -> Option<u64>,
        form: &str,
    ) -> Option<u64> {
        let Some(node) = find(entries, name) else { return Some(default) };
        let value = match &node.value {
            Value::Text(text) => parse(text),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) => None,
        };
        if value.is_none() {
            self.say(node.at, format!("`{name}` is {form}"));
        }
        value
    }
}
