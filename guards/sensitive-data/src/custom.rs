//! The policy's own regular expressions, over an automaton that is built while it runs: time grows with
//! the text and never explodes. Compiled only where there are any, and the half that finds where a match
//! begins only when something matched.

use std::cell::{OnceCell, RefCell};

use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::{Anchored, Input, MatchKind};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::Hir;
use regex_syntax::hir::translate::Translator;

/// The most memory that one expression may take, in bytes, compiled and while it runs.
const MOST_COMPILED: usize = 256 << 10;
const MOST_RUNNING: usize = 1 << 20;
/// How deep an expression may nest.
const MOST_NESTED: u32 = 64;

/// A compiled expression.
pub(crate) struct Expression {
    hir: Hir,
    forward: Automaton,
    backward: OnceCell<Option<Automaton>>,
}

struct Automaton {
    dfa: DFA,
    cache: RefCell<Cache>,
}

/// A match in a text could not be looked for; the guard's answer is a fault then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GaveUp;

impl Expression {
    /// Compiles an expression.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(crate) fn new(pattern: &str) -> Result<Expression, String> {
        if pattern.is_empty() {
            return Err("is empty: give a regular expression, or leave it out".to_owned());
        }
        let no_good = |what: String| ["the regular expression is no good: ", &what].concat();
        // As it is written first: rewriting must not make sense of what has none.
        let mut parser = ParserBuilder::new().nest_limit(MOST_NESTED).build();
        parser.parse(pattern).map_err(|error| no_good(error.kind().to_string()))?;
        let rewritten = in_ascii_classes(pattern);
        let tree = parser.parse(&rewritten).map_err(|error| no_good(error.kind().to_string()))?;
        let hir = Translator::new().translate(&rewritten, &tree).map_err(|error| no_good(error.kind().to_string()))?;
        let forward = Automaton::new(&hir, false)
            .ok_or_else(|| "the regular expression is too large: make it shorter, or repeat less in it".to_owned())?;
        Ok(Expression { hir, forward, backward: OnceCell::new() })
    }

    /// Calls back with all matches that are not empty, or with the first only.
    ///
    /// # Errors
    /// [`GaveUp`] where the automaton does; nothing is known of the text then.
    pub(crate) fn each_match(
        &self,
        text: &str,
        only_first: bool,
        give: &mut dyn FnMut(usize, usize),
    ) -> Result<(), GaveUp> {
        let mut at = 0;
        while at <= text.len() {
            let Some(end) = self.forward.search(text, at, text.len(), false)? else {
                return Ok(());
            };
            let start = match self.backward.get_or_init(|| Automaton::new(&self.hir, true)) {
                Some(backward) => backward.search(text, at, end, true)?.ok_or(GaveUp)?,
                None => return Err(GaveUp),
            };
            if start < end {
                give(start, end);
                if only_first {
                    return Ok(());
                }
                at = end;
            } else {
                let behind = text.get(end..).and_then(|rest| rest.chars().next());
                at = end + behind.map_or(1, char::len_utf8);
            }
        }
        Ok(())
    }
}

impl Automaton {
    /// An automaton that finds where a match ends, or backwards from there where it begins.
    fn new(hir: &Hir, is_backward: bool) -> Option<Automaton> {
        let config = thompson::Config::new()
            .reverse(is_backward)
            .shrink(false)
            .which_captures(WhichCaptures::None)
            .nfa_size_limit(Some(MOST_COMPILED));
        let nfa: NFA = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
        // Backwards the longest match is the one that began first.
        let kind = if is_backward { MatchKind::All } else { MatchKind::LeftmostFirst };
        let config = DFA::config().match_kind(kind).cache_capacity(MOST_RUNNING);
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let cache = RefCell::new(dfa.create_cache());
        Some(Automaton { dfa, cache })
    }

    fn search(&self, text: &str, start: usize, end: usize, is_backward: bool) -> Result<Option<usize>, GaveUp> {
        let mut cache = self.cache.borrow_mut();
        let input = Input::new(text).range(start..end);
        let found = if is_backward {
            self.dfa.try_search_rev(&mut cache, &input.anchored(Anchored::Yes))
        } else {
            self.dfa.try_search_fwd(&mut cache, &input)
        };
        found.map(|found| found.map(|half| half.offset())).map_err(|_| GaveUp)
    }
}

/// Writes `\d`, `\w`, `\s` and `\b` out in ASCII. With all of Unicode in them an expression would take a
/// hundred times as long to compile, in every call; a text with other digits and blanks in it is looked at
/// in its plain form too.
fn in_ascii_classes(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        let Some(escaped) = (c == '\\').then(|| chars.next()).flatten() else {
            out.push(c);
            continue;
        };
        let written = match escaped {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            's' => "[\\t\\n\\v\\f\\r\\x20]",
            'S' => "[^\\t\\n\\v\\f\\r\\x20]",
            'B' => "(?-u:\\B)",
            // `\b{start}` and its like keep what stands in the braces.
            'b' if chars.as_str().starts_with('{') => match chars.as_str().split_once('}') {
                Some((kind, rest)) => {
                    chars = rest.chars();
                    out.push_str("(?-u:\\b");
                    out.push_str(kind);
                    "})"
                }
                None => "\\b",
            },
            'b' => "(?-u:\\b)",
            other => {
                out.push('\\');
                out.push(other);
                continue;
            }
        };
        out.push_str(written);
    }
    out
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn matches<'a>(pattern: &str, text: &'a str) -> Vec<&'a str> {
        let mut found = Vec::new();
        let expression = Expression::new(pattern).unwrap();
        expression.each_match(text, false, &mut |start, end| found.push(text.get(start..end).unwrap())).unwrap();
        found
    }

    #[test]
    fn expressions_match_as_everybody_expects() {
        for (pattern, text, found) in [
            (r"EMP-\d{6}", "EMP-123456 emp-123456 EMP-12345", &["EMP-123456"][..]),
            (r"(?i)emp-\d{6}", "EMP-123456 emp-123456", &["EMP-123456", "emp-123456"]),
            (r"\bcat\b", "cat concat cat_ a cat", &["cat", "cat"]),
            (r"\w+@\w+", "to a_1@b now", &["a_1@b"]),
            (r"[\w.-]+:\s\S+", "a.b-c: x\ty", &["a.b-c: x"]),
            (r"[^\d\s]+", "12 ab 34", &["ab"]),
            (r"a|ab", "ab", &["a"]),
            (r"x*", "axxb", &["xx"]),
            (r"(?i)müller", "MÜLLER Müller", &["MÜLLER", "Müller"]),
            (r"[äöü]+", "süöß", &["üö"]),
            (r"a.c", "aéc", &["aéc"]),
            (r"^a$", "a", &["a"]),
            (r"^a$", "ab", &[]),
            (r"(?m)^b$", "a\nb\nc", &["b"]),
            (r"\\d", r"\d 5", &[r"\d"]),
            (r"\b{start}a", "ba a", &["a"]),
            (r"(?x) a \d # a comment with \d", "a5", &["a5"]),
            (r"日本\d", "日本5", &["日本5"]),
        ] {
            assert_eq!(matches(pattern, text), found, "{pattern}");
        }
    }

    #[test]
    fn what_would_explode_elsewhere_loads_and_is_quick() {
        let text = ["a".repeat(200_000).as_str(), "b"].concat();
        let started = std::time::Instant::now();
        assert_eq!(matches(r"(a+)+$", &text), [""; 0]);
        assert!(started.elapsed().as_secs() < 5);
    }

    #[test]
    fn what_is_no_good_is_refused_with_the_reason() {
        for (pattern, reason) in [
            ("(", "unclosed group"),
            ("", "is empty"),
            ("[z-a]", "range"),
            ("a**{", "repetition"),
            (r"(a)\1", "backreferences"),
            ("(?=a)", "look-around"),
            ("a{1000}{1000}", "too large"),
            (r"\w{50000}", "too large"),
            ("*", "repetition"),
        ] {
            let problem = Expression::new(pattern).err().unwrap();
            assert!(problem.contains(reason), "{pattern}: {problem}");
        }
        assert!(Expression::new(&"(".repeat(100_000)).is_err());
        assert!(Expression::new(&["(".repeat(1_000), ")".repeat(1_000)].concat()).is_err());
    }

    #[test]
    fn only_the_first_match_is_given_when_one_is_enough() {
        let mut count = 0;
        Expression::new("a").unwrap().each_match("aaa", true, &mut |_, _| count += 1).unwrap();
        assert_eq!(count, 1);
    }
}
