//! No span holds a text of a call's arguments: every worked case is judged while all that is traced is
//! gathered. One process of its own, since what gathers hears all threads.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use agenthalt::{Call, Json, testing};
use agenthalt_tests::case;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Texts that are shorter stand in names by chance.
const SHORTEST_SECRET: usize = 6;

/// Gathers the fields of all spans and events, by name.
#[derive(Clone, Default)]
struct Gatherer(Arc<Gathered>);

#[derive(Default)]
struct Gathered {
    fields: Mutex<Vec<(String, String)>>,
    spans: Mutex<BTreeMap<&'static str, usize>>,
    next: AtomicU64,
}

impl Visit for &Gathered {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.lock().unwrap().push((field.name().to_owned(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.lock().unwrap().push((field.name().to_owned(), value.to_owned()));
    }
}

impl Subscriber for Gatherer {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("agenthalt")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        *self.0.spans.lock().unwrap().entry(span.metadata().name()).or_default() += 1;
        span.record(&mut &*self.0);
        Id::from_u64(self.0.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut &*self.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut &*self.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The texts in a value, however deep.
fn texts(value: &Json, found: &mut BTreeSet<String>) {
    value.walk(&mut |_, value| {
        if let Json::String(text) = value {
            found.insert(text.clone());
        }
    });
}

#[test]
fn spans_hold_no_secret_of_the_cases() {
    let gatherer = Gatherer::default();
    tracing::subscriber::set_global_default(gatherer.clone()).unwrap();
    let mut judged = 0;
    for case in case::judged() {
        let engine = testing::builder(&case.policy.to_string()).build().unwrap();
        for (number, step) in case.steps.iter().enumerate() {
            let call = step.call(&case.id, number);
            engine.evaluate_blocking(&call);
            judged += 1;

            let mut secrets = BTreeSet::new();
            for text in [Some(&call.arguments), call.metadata.as_ref()].into_iter().flatten() {
                if let Ok(value) = Json::parse(text) {
                    texts(&value, &mut secrets);
                }
            }
            let names = [Some(&call.function_name), call.agent_id.as_ref(), call.session_id.as_ref()];
            let fields = std::mem::take(&mut *gatherer.0.fields.lock().unwrap());
            assert!(fields.iter().any(|(name, value)| name == "gen_ai.operation.name" && value == "execute_tool"));
            for secret in secrets.iter().filter(|it| it.len() >= SHORTEST_SECRET && !names.contains(&Some(*it))) {
                let shown = fields.iter().find(|(_, value)| value.contains(secret.as_str()));
                assert_eq!(shown, None, "{}: `{secret}`", case.id);
            }
        }
    }
    assert!(judged > 1_000, "only {judged} calls were judged");
    {
        let spans = gatherer.0.spans.lock().unwrap();
        assert_eq!(spans.get("execute_tool"), Some(&judged));
        assert!(spans.get("guard").is_some_and(|guards| *guards > judged), "{spans:?}");
    }
    names_in_spans_are_cut_and_hold_no_line_break(&gatherer);
}

fn names_in_spans_are_cut_and_hold_no_line_break(gatherer: &Gatherer) {
    let long = format!("a\nb{}", "c".repeat(10_000));
    let engine = testing::engine("guards: {scope: {}}");
    let call = Call::new(long.clone(), "{}").agent(long.clone()).session(long.clone()).id(long);
    assert!(engine.evaluate_blocking(&call).is_allowed());
    let fields = gatherer.0.fields.lock().unwrap();
    let of_call = fields.iter().filter(|(_, value)| value.contains("a bccc")).count();
    assert_eq!(of_call, 5, "{fields:?}");
    assert!(fields.iter().all(|(_, value)| value.len() <= 160 && !value.contains('\n')), "{fields:?}");
}
