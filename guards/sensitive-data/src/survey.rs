//! The walk through a document: what was found in its texts, numbers, keys and names, where, and what
//! stands in its place afterwards. It never keeps a piece of what was found, not even in a pointer.

use agenthalt_guard::{Json, Object, Place};

use crate::detector::Detector;
use crate::field::FieldNames;
use crate::span::{MARK, Span};

/// How many findings are told one by one.
const MOST_TOLD: usize = 10;
/// What a field is reported as that is sensitive by its name.
const FIELD: &str = "sensitive_field";

/// What is walked through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Arguments,
    Metadata,
    Output,
}

impl Part {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Arguments => "arguments",
            Part::Metadata => "metadata",
            Part::Output => "output",
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) pattern: String,
    pub(crate) part: Part,
    pub(crate) pointer: String,
    /// In characters; none for a field that holds neither text nor number.
    pub(crate) length: Option<usize>,
    pub(crate) is_in_key: bool,
}

/// What the walks found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The first of them.
    pub(crate) told: Vec<Finding>,
    /// How many there are.
    pub(crate) count: usize,
    /// The first that cannot be taken out.
    pub(crate) out_of_reach: Option<Finding>,
    /// The first place that lies too deep to be scanned.
    pub(crate) too_deep: Option<(Part, String)>,
    /// By the number of the value: what takes its place.
    rewrites: Vec<(usize, Json)>,
}

/// A walk through one document.
pub(crate) struct Survey<'a> {
    pub(crate) detector: &'a Detector,
    pub(crate) fields: &'a FieldNames,
    pub(crate) most_depth: Option<usize>,
    pub(crate) redacts: bool,
    pub(crate) part: Part,
    pub(crate) found: &'a mut Found,
    /// How many values were met: the number of the next one.
    pub(crate) met: usize,
}

impl Survey<'_> {
    /// Walks through a document, the outer before the inner.
    pub(crate) fn walk(&mut self, value: &Json) {
        self.value(value, &Place::ROOT, 0);
    }

    /// Looks at a text that is no document.
    pub(crate) fn text(&mut self, text: &str) -> Option<String> {
        let spans = self.detector.find(text);
        self.tell_all(text, &spans, &Place::ROOT, false);
        (!spans.is_empty() && self.redacts).then(|| self.detector.redacted(text, &spans))
    }

    fn value(&mut self, value: &Json, place: &Place<'_>, depth: usize) {
        if self.most_depth.is_some_and(|most| depth > most) {
            self.found.too_deep.get_or_insert_with(|| (self.part, place.pointer()));
            return;
        }
        let number = self.met;
        self.met += 1;
        match value {
            Json::Null | Json::Bool(_) => {}
            Json::String(text) => {
                let spans = self.detector.find(text);
                if !spans.is_empty() {
                    self.tell_all(text, &spans, place, false);
                    self.rewrite(number, |detector| Json::String(detector.redacted(text, &spans)));
                }
            }
            // A number holds no mark, so all of it goes.
            Json::Number(value) => {
                let spans = self.detector.find_in_number(value.as_str());
                if !spans.is_empty() {
                    self.tell_all(value.as_str(), &spans, place, false);
                    self.rewrite(number, |_| Json::from(MARK));
                }
            }
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &place.index(index), depth + 1);
                }
            }
            Json::Object(object) => self.object(object, place, depth),
        }
    }

    fn object(&mut self, object: &Object, place: &Place<'_>, depth: usize) {
        // The names of the metadata are the surface's own, not the agent's.
        let are_names_given = self.part == Part::Metadata && depth == 0;
        for (key, value) in object.iter() {
            let spans = self.detector.find(key);
            let shown = if spans.is_empty() { None } else { Some(self.detector.redacted(key, &spans)) };
            let place = place.key(shown.as_deref().unwrap_or(key));
            if !are_names_given {
                self.tell_all(key, &spans, &place, true);
                if self.fields.meet(key) {
                    self.field(value, &place);
                    continue;
                }
            }
            self.value(value, &place, depth + 1);
        }
    }

    /// The value of a sensitive field: all of it goes, whatever it is.
    fn field(&mut self, value: &Json, place: &Place<'_>) {
        let number = self.met;
        self.met += 1;
        let length = match value {
            Json::String(text) if text == MARK => return,
            Json::String(text) => Some(text.chars().count()),
            Json::Number(number) => Some(number.as_str().len()),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        };
        self.tell(FIELD, place, length, false);
        self.rewrite(number, |_| Json::from(MARK));
    }

    fn rewrite(&mut self, number: usize, rest: impl FnOnce(&Detector) -> Json) {
        if self.redacts && self.part != Part::Metadata {
            self.found.rewrites.push((number, rest(self.detector)));
        }
    }

    fn tell_all(&mut self, text: &str, spans: &[Span], place: &Place<'_>, is_in_key: bool) {
        let detector = self.detector;
        for span in spans {
            let length = text.get(span.start..span.end).map(|piece| piece.chars().count());
            self.tell(detector.name(span.pattern), place, length, is_in_key);
        }
    }

    fn tell(&mut self, pattern: &str, place: &Place<'_>, length: Option<usize>, is_in_key: bool) {
        let is_out_of_reach = is_in_key || self.part == Part::Metadata;
        let is_first_out_of_reach = is_out_of_reach && self.found.out_of_reach.is_none();
        if self.found.count < MOST_TOLD || is_first_out_of_reach {
            let (pattern, pointer) = (pattern.to_owned(), place.pointer());
            let finding = Finding { pattern, part: self.part, pointer, length, is_in_key };
            if is_first_out_of_reach {
                self.found.out_of_reach = Some(finding.clone());
            }
            if self.found.count < MOST_TOLD {
                self.found.told.push(finding);
            }
        }
        self.found.count += 1;
    }
}

impl Found {
    /// Puts into a document what takes the place of what was found in it. The document is the one that was
    /// walked through, so that its values have the same numbers.
    pub(crate) fn rewrite(self, document: &mut Json) {
        let mut rewrites = self.rewrites.into_iter().peekable();
        rewrite(document, &mut rewrites, &mut 0);
    }
}

type Rewrites = std::iter::Peekable<std::vec::IntoIter<(usize, Json)>>;

fn rewrite(value: &mut Json, rewrites: &mut Rewrites, met: &mut usize) {
    let number = *met;
    *met += 1;
    if let Some((_, rest)) = rewrites.next_if(|(at, _)| *at == number) {
        *value = rest;
        return;
    }
    match value {
        Json::Array(items) => items.iter_mut().for_each(|item| rewrite(item, rewrites, met)),
        Json::Object(object) => object.iter_mut().for_each(|(_, item)| rewrite(item, rewrites, met)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}
