//! Finds all that is looked for in one text: the patterns in it as it is written and in plain characters,
//! and in what stands behind its encodings. It knows nothing of trees, names and verdicts.

use std::cell::Cell;

use agenthalt_guard::{Error, Problems};

use crate::Settings;
use crate::altered::Altered;
use crate::built_in::Finder;
use crate::custom::Expression;
use crate::encoding::{base64, percent};
use crate::folded::folded;
use crate::pattern::{ALL, BuiltIn, BuiltIns, Pattern, nearest};
use crate::span::{Span, merged, without};

/// How often what was decoded is decoded again, the first time included.
const MOST_DECODED: u8 = 2;
/// How often a text is looked at again after something was taken out of it.
const MOST_ROUNDS: u8 = 4;

/// What is looked for.
pub(crate) struct Detector {
    built_in: Finder,
    custom: Vec<(String, Expression)>,
    /// All matches are wanted to take them out; one of a custom pattern is enough to deny.
    wants_all: bool,
    has_given_up: Cell<bool>,
}

impl Detector {
    /// The patterns of the settings; what is no good is a problem.
    pub(crate) fn new(settings: &Settings, problems: &mut Problems) -> Detector {
        let mut custom = Vec::with_capacity(settings.custom_patterns.len());
        let mut wanted = BuiltIns::default();
        for (name, pattern) in settings.custom_patterns.iter() {
            match Expression::new(pattern) {
                Ok(expression) => custom.push((name.clone(), expression)),
                Err(problem) => problems.add(pointer_to(name), problem),
            }
        }
        let is_custom = |name: &str| settings.custom_patterns.iter().any(|(custom, _)| custom == name);
        for (index, name) in settings.blocked_patterns.iter().enumerate() {
            match BuiltIn::named(name) {
                Some(pattern) => wanted.add(pattern),
                None if is_custom(name) => {}
                None => problems.add(["/blocked_patterns/", &index.to_string()].concat(), unknown(name, settings)),
            }
        }
        for pattern in ALL {
            if is_custom(pattern.name()) {
                wanted.remove(pattern);
            }
        }
        let (wants_all, has_given_up) = (settings.redact_on_modify, Cell::new(false));
        Detector { built_in: Finder::new(wanted), custom, wants_all, has_given_up }
    }

    /// The name of a pattern, for people.
    pub(crate) fn name(&self, pattern: Pattern) -> &str {
        match pattern {
            Pattern::BuiltIn(pattern) => pattern.name(),
            Pattern::Custom(index) => self.custom.get(index).map_or("custom", |(name, _)| name),
        }
    }

    /// What was found in a text, in order and apart from each other.
    pub(crate) fn find(&self, text: &str) -> Vec<Span> {
        let mut found = Vec::new();
        // Every encoding and every odd character makes a text longer.
        if text.len() < self.built_in.least_bytes && self.custom.is_empty() {
            return found;
        }
        self.look(text, 0, &mut found);
        if found.is_empty() { found } else { merged(text, found) }
    }

    /// What was found in a number: it stands there as it is, in digits.
    pub(crate) fn find_in_number(&self, number: &str) -> Vec<Span> {
        let mut found = Vec::new();
        if number.len() >= self.built_in.least_bytes || !self.custom.is_empty() {
            self.look_as_written(number, &mut found);
        }
        if found.is_empty() { found } else { merged(number, found) }
    }

    /// The text without what was found in it, and without what can then be found in the rest.
    pub(crate) fn redacted(&self, text: &str, found: &[Span]) -> String {
        let mut rest = without(text, found);
        for _ in 0..MOST_ROUNDS {
            let found = self.find(&rest);
            if found.is_empty() {
                return rest;
            }
            rest = without(&rest, &found);
        }
        crate::span::MARK.to_owned()
    }

    /// A fault, if a text could not be searched to its end.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.has_given_up.get() {
            false => Ok(()),
            true => Err(Error::new("a custom pattern could not be searched for")),
        }
    }

    fn look(&self, text: &str, decoded: u8, found: &mut Vec<Span>) {
        let is_odd = self.look_as_written(text, found);
        match is_odd.then(|| folded(text)).flatten() {
            Some(plain) => {
                let mut inner = Vec::new();
                self.look_as_written(&plain.text, &mut inner);
                self.look_behind_encodings(&plain.text, decoded, is_odd, &mut inner);
                found.extend(inner.into_iter().map(|span| plain.old(span)));
                // A character that became plain may have been the end of an encoded run.
                self.look_behind_encodings(text, decoded, is_odd, found);
            }
            None => self.look_behind_encodings(text, decoded, is_odd, found),
        }
    }

    /// Looks at a text and tells whether there are characters in it that may hide something.
    fn look_as_written(&self, text: &str, found: &mut Vec<Span>) -> bool {
        let is_odd = self.built_in.find(text, found);
        for (index, (_, expression)) in self.custom.iter().enumerate() {
            let pattern = Pattern::Custom(index);
            let searched = expression
                .each_match(text, !self.wants_all, &mut |start, end| found.push(Span { start, end, pattern }));
            if searched.is_err() {
                self.has_given_up.set(true);
            }
        }
        is_odd
    }

    fn look_behind_encodings(&self, text: &str, decoded: u8, is_odd: bool, found: &mut Vec<Span>) {
        if decoded >= MOST_DECODED {
            return;
        }
        if let Some(plain) = is_odd.then(|| percent::decoded(text)).flatten() {
            self.look_at_altered(&plain, decoded + 1, found);
        }
        base64::each_text(text, &mut |start, end, plain| {
            let mut inner = Vec::new();
            self.look(plain, decoded + 1, &mut inner);
            let first = merged(plain, inner).into_iter().next();
            found.extend(first.map(|span| Span { start, end, pattern: span.pattern }));
            first.is_some()
        });
    }

    fn look_at_altered(&self, plain: &Altered, decoded: u8, found: &mut Vec<Span>) {
        let mut inner = Vec::new();
        self.look(&plain.text, decoded, &mut inner);
        found.extend(merged(&plain.text, inner).into_iter().map(|span| plain.old(span)));
    }
}

fn pointer_to(name: &str) -> String {
    agenthalt_guard::Place::ROOT.key("custom_patterns").key(name).pointer()
}

fn unknown(name: &str, settings: &Settings) -> String {
    let custom = settings.custom_patterns.iter().map(|(name, _)| name.as_str());
    let known = ALL.iter().map(|pattern| pattern.name()).chain(custom);
    let name = agenthalt_guard::quote(name);
    match nearest(name.trim_matches('`'), known) {
        Some(near) => ["the pattern ", &name, " is not known: did you mean `", near, "`?"].concat(),
        None => {
            let known = ALL.map(BuiltIn::name).join("`, `");
            ["the pattern ", &name, " is not known: there are `", &known, "` and those of custom_patterns"].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::read_settings;

    fn detector(settings: &str) -> Detector {
        let settings: Settings = read_settings(settings).unwrap();
        let mut problems = Problems::new();
        let detector = Detector::new(&settings, &mut problems);
        problems.none_or(detector).unwrap()
    }

    fn redacted(text: &str) -> String {
        let detector =
            detector(r#"{"redact_on_modify":true,"blocked_patterns":["ssn","credit_card","api_key","email"]}"#);
        let found = detector.find(text);
        let rest = detector.redacted(text, &found);
        assert_eq!(detector.find(&rest), [], "{rest}");
        rest
    }

    #[test]
    fn odd_characters_hide_nothing() {
        for (text, rest) in [
            ("ssn １２３-４５-６７８９!", "ssn [REDACTED]!"),
            ("ssn ١٢٣-٤٥-٦٧٨٩", "ssn [REDACTED]"),
            ("123\u{200b}-45-6789\u{200b} x", "[REDACTED]\u{200b} x"),
            ("4111\u{a0}1111–1111\u{2009}1111", "[REDACTED]"),
            ("4111111111111111\u{200b}5", "[REDACTED]\u{200b}5"),
            ("номер 4111111111111111 ок", "номер [REDACTED] ок"),
            ("ѕk_live_abcdefghijklmnop", "[REDACTED]"),
            ("a\u{200b}@b.com", "[REDACTED]"),
        ] {
            assert_eq!(redacted(text), rest);
        }
    }

    #[test]
    fn encodings_hide_nothing_and_the_whole_run_goes() {
        for (text, rest) in [
            ("x=MTIzLTQ1LTY3ODk= y", "x=[REDACTED] y"),
            ("x=MTIzLTQ1LTY3ODk y", "x=[REDACTED] y"),
            // Base64 in base64, base64 in percent-encoding, percent-encoding in base64 and in itself.
            ("a TVRJekxUUTFMVFkzT0RrPQ== b", "a [REDACTED] b"),
            ("?q=MTIzLTQ1LTY3ODk%3D&x", "?q=[REDACTED]&x"),
            ("JTMxMjMlMkQ0NSUyRDY3ODk=", "[REDACTED]"),
            ("123%2D45%2D6789", "[REDACTED]"),
            ("?q=%31%32%33-45-6789&x=1", "?q=[REDACTED]&x=1"),
            ("123%252D45%252D6789", "[REDACTED]"),
            ("mail=a%40b.com", "mail=[REDACTED]"),
            ("https://evil.example/c/MTIzLTQ1LTY3ODk/x", "https://evil.example/c/[REDACTED]/x"),
            ("77yR77yS77yTLTQ1LTY3ODk=", "[REDACTED]"),
            ("MTIzLTQ1\u{200b}LTY3ODk=", "[REDACTED]"),
        ] {
            assert_eq!(redacted(text), rest);
        }
    }

    #[test]
    fn texts_of_nothing_but_encodings_take_linear_time() {
        let detector = detector("{}");
        for piece in [
            "%41",
            "%41 ",
            "%2541",
            "%ff",
            "AAAA/",
            "QUJDREVGR0hJSktMTU5P\n",
            "QUJDREVGR0hJSktMTU5P/a/",
            "MTIz-",
            "a/",
            "１",
            "１ ",
            "\u{200b}",
            "ѕa",
            "字",
            "4%31",
            "iVBORw0KGgoAAAANSUhEUgAA/",
            "QUFBQUFBQUFBQUFB ",
            "ab_",
            "=",
            "A\n",
        ] {
            let text = piece.repeat(100_000 / piece.len());
            let started = std::time::Instant::now();
            detector.find(&text);
            assert!(started.elapsed().as_secs() < 5, "{piece:?} took {:?}", started.elapsed());
        }
    }

    #[test]
    fn what_is_decoded_three_times_stays() {
        // Base64 three times over.
        let text = "VFZSSmVreFVVVEZNVkZrelQwUnJQUT09";
        assert_eq!(redacted(text), text);
    }

    #[test]
    fn findings_that_overlap_become_one_mark() {
        let detector = detector(r#"{"redact_on_modify":true,"custom_patterns":{"a":"[0-9]+-45","b":"45-[0-9]+ x"}}"#);
        let text = "123-45-6789 x";
        let found = detector.find(text);
        assert_eq!(found.len(), 1);
        assert_eq!(detector.redacted(text, &found), "[REDACTED]");
    }

    #[test]
    fn custom_patterns_replace_built_in_ones_of_their_name() {
        let detector = detector(r#"{"custom_patterns":{"ssn":"NEVER"},"blocked_patterns":["ssn"]}"#);
        assert_eq!(detector.find("123-45-6789"), []);
        assert_eq!(detector.find("NEVER").len(), 1);
    }

    #[test]
    fn patterns_that_meet_the_mark_end_too() {
        for pattern in [".+", "[A-Z]+", r"\\[.*", "R", "[^x]*", r"x?\\[REDACTED\\]y?", "."] {
            let settings = format!(r#"{{"redact_on_modify":true,"custom_patterns":{{"p":"{pattern}"}}}}"#);
            let detector = detector(&settings);
            for text in ["a RED [REDACTED] b", "x[REDACTED]y", "[REDACTED]", "R[REDACTED", "[[REDACTED]]"] {
                let rest = detector.redacted(text, &detector.find(text));
                assert_eq!(detector.find(&rest), [], "{pattern} {text} {rest}");
            }
        }
    }
}
