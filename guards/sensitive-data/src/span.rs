//! What was found in one text: where it begins and ends, merged where it overlaps, and taken out. A mark
//! that stands for something taken out is never found again.

use crate::pattern::Pattern;

/// What takes the place of something sensitive.
pub(crate) const MARK: &str = "[REDACTED]";

/// A piece of a text, in bytes, and what it was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) pattern: Pattern,
}

/// Puts spans in order, joins those that overlap and drops those of nothing but marks.
pub(crate) fn merged(text: &str, mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| !is_marked(text, *span));
    // Nearly always they come in order.
    if !spans.is_sorted_by_key(order) {
        spans.sort_unstable_by_key(order);
    }
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// The earlier first, of two that begin together the longer.
fn order(span: &Span) -> (usize, usize) {
    (span.start, usize::MAX - span.end)
}

/// Whether all of a span lies in marks.
fn is_marked(text: &str, span: Span) -> bool {
    let bytes = text.as_bytes();
    let mut at = span.start;
    while at < span.end {
        let starts = (at.saturating_sub(MARK.len() - 1))..=at;
        let covering = |start: &usize| bytes.get(*start..).is_some_and(|rest| rest.starts_with(MARK.as_bytes()));
        match starts.rev().find(covering) {
            Some(start) => at = start + MARK.len(),
            None => return false,
        }
    }
    true
}

/// The text with a mark in the place of each span; the spans are in order and apart from each other.
pub(crate) fn without(text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len() + spans.len() * MARK.len());
    let mut from = 0;
    for span in spans {
        out.push_str(text.get(from..span.start).unwrap_or_default());
        out.push_str(MARK);
        from = span.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::BuiltIn;

    fn span(start: usize, end: usize) -> Span {
        Span { start, end, pattern: Pattern::BuiltIn(BuiltIn::Ssn) }
    }

    #[test]
    fn overlapping_spans_become_one() {
        let text = "abcdefghij";
        let spans = merged(text, vec![span(5, 7), span(0, 2), span(1, 3), span(6, 6), span(3, 4)]);
        assert_eq!(spans, [span(0, 3), span(3, 4), span(5, 7)]);
        assert_eq!(without(text, &spans), "[REDACTED][REDACTED]e[REDACTED]hij");
    }

    #[test]
    fn marks_are_never_found() {
        let text = "a[REDACTED][REDACTED]b";
        for (start, end, found) in [(1, 11, 0), (2, 10, 0), (1, 21, 0), (5, 15, 0), (0, 11, 1), (11, 22, 1), (0, 1, 1)]
        {
            assert_eq!(merged(text, vec![span(start, end)]).len(), found, "{start} {end}");
        }
    }
}
