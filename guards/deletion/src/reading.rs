//! One way to read a target, folded and as a path, with the places at which a rule may begin to read it:
//! behind a scheme, behind namespaces. It never holds a pattern.

use std::borrow::Cow;

use agenthalt_guard::{Number, normalised_path};

use crate::marks::Marks;

/// A folded text that names a target.
pub(crate) struct Reading<'a> {
    path: Cow<'a, str>,
    marks: Marks,
    /// The number that the text is, in its one form.
    pub(crate) number: Option<String>,
}

impl<'a> Reading<'a> {
    /// The reading of a folded text with its marks; as a number only where somebody compares numbers.
    pub(crate) fn new(folded: &'a str, marks: Marks, compares_numbers: bool) -> Reading<'a> {
        let path = if marks.hold(Marks::SLASH) { normalised_path(folded) } else { Cow::Borrowed(folded) };
        let number = if compares_numbers { number(&path) } else { None };
        Reading { path, marks, number }
    }

    /// The places at which a rule may begin to read, found once for all rules.
    pub(crate) fn views(&self) -> Views<'_> {
        let path: &str = &self.path;
        let mut views =
            Views { marks: self.marks, starts: [path; 6], starts_found: 1, lasts: [path; 5], lasts_found: 0 };
        let mut end = path;
        if self.marks.hold(Marks::SLASH | Marks::NAMESPACE | Marks::QUERY) {
            let scheme = if self.marks.hold(Marks::NAMESPACE) { behind_scheme(path) } else { None };
            let host = scheme.and_then(|rest| behind_host(path, rest));
            views.starts_found = 0;
            let behind = scheme.or_else(|| behind_climb(path));
            for start in [Some(path), behind, host].into_iter().flatten() {
                views.add_start(start);
                let end = without_end(start);
                if end.len() < start.len() {
                    views.add_start(end);
                }
            }
            end = without_end(path);
            let last = behind_last(end, b"/.:");
            if last.len() < path.len() {
                views.add_last(last);
            }
            // The last part of a path may have a `.` in it: a file's name has.
            for separator in [b"/", b":"] {
                let part = behind_last(end, separator);
                if part.len() > last.len() && part.len() < end.len() {
                    views.add_last(part);
                }
            }
        }
        if self.marks.hold(Marks::UNDERSCORE)
            && let Some(behind) = behind_underscores(end)
        {
            views.add_last(behind);
        }
        views
    }
}

/// The places at which a rule may begin to read a target.
pub(crate) struct Views<'a> {
    marks: Marks,
    starts: [&'a str; 6],
    starts_found: usize,
    lasts: [&'a str; 5],
    lasts_found: usize,
}

impl<'a> Views<'a> {
    /// What the path may hold.
    pub(crate) fn marks(&self) -> Marks {
        self.marks
    }

    /// The path, and it without a drive, a scheme, a host, a climb, a query and what a system drops at its
    /// end.
    pub(crate) fn starts(&self) -> &[&'a str] {
        self.starts.get(..self.starts_found).unwrap_or(&self.starts)
    }

    /// The last part, behind all namespaces, in each way to see one that differs from the path.
    pub(crate) fn lasts(&self) -> &[&'a str] {
        self.lasts.get(..self.lasts_found).unwrap_or(&self.lasts)
    }

    fn add_start(&mut self, start: &'a str) {
        if let Some(place) = self.starts.get_mut(self.starts_found) {
            *place = start;
            self.starts_found += 1;
        }
    }

    fn add_last(&mut self, last: &'a str) {
        if let Some(place) = self.lasts.get_mut(self.lasts_found) {
            *place = last;
            self.lasts_found += 1;
        }
    }
}

/// What follows the last two `_` in a row.
fn behind_underscores(path: &str) -> Option<&str> {
    let (mut behind, mut before) = (None, b' ');
    for (at, byte) in path.bytes().enumerate() {
        if byte == b'_' && before == b'_' {
            behind = Some(at + 1);
        }
        before = byte;
    }
    path.get(behind?..).filter(|part| !part.is_empty())
}

/// Without a query, a fragment and separators at the end.
fn without_end(path: &str) -> &str {
    let end = path.bytes().position(|b| matches!(b, b'?' | b'#')).unwrap_or(path.len());
    path.get(..end).unwrap_or(path).trim_end_matches(['.', ':', '/'])
}

// One copy: a component carries it once.
#[inline(never)]
fn behind_last<'a>(path: &'a str, separators: &[u8]) -> &'a str {
    let at = path.bytes().rposition(|b| separators.contains(&b));
    at.and_then(|at| path.get(at + 1..)).unwrap_or(path)
}

/// What follows a first part such as `c:` or `file:`, from its `/` on.
fn behind_scheme(path: &str) -> Option<&str> {
    let at = path.bytes().position(|b| b == b'/')?;
    if path.get(..at)?.ends_with(':') { path.get(at..) } else { None }
}

/// What follows the `..` at the beginning, from its `/` on: the path may climb to the root.
fn behind_climb(path: &str) -> Option<&str> {
    let mut rest = path.strip_prefix("..")?;
    while let Some(next) = rest.strip_prefix("/..") {
        rest = next;
    }
    rest.starts_with('/').then_some(rest)
}

/// What stands before a query with a `..` in it: to a server the resource, from which a path would be
/// taken off.
// One copy: a component carries it once.
#[inline(never)]
pub(crate) fn before_climbing_query(text: &str) -> Option<&str> {
    let at = text.bytes().position(|b| matches!(b, b'?' | b'#'))?;
    let (resource, query) = text.split_at_checked(at)?;
    let climbs = query.as_bytes().windows(3).any(|run| run == b"/..");
    (climbs && !resource.is_empty()).then_some(resource)
}

/// What follows the host, from its `/` on. A drive has no host.
fn behind_host<'a>(path: &str, behind_scheme: &'a str) -> Option<&'a str> {
    let rest = behind_scheme.strip_prefix('/')?;
    let at = rest.bytes().position(|b| b == b'/')?;
    if path.len() - rest.len() > 3 { rest.get(at..) } else { None }
}

/// The number that a folded text is, however it is written: `42.0`, `+42` and `0042` are 42.
pub(crate) fn number(folded: &str) -> Option<String> {
    let begins_like_one = matches!(folded.bytes().next(), Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'_'));
    if !begins_like_one || !folded.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let (sign, digits) = match folded.strip_prefix(['_', '-']) {
        Some(digits) => ("-", digits),
        None => ("", folded.strip_prefix('+').unwrap_or(folded)),
    };
    let digits = match digits.trim_start_matches('0') {
        rest if rest.bytes().next().is_some_and(|b| b.is_ascii_digit()) => [sign, rest].concat(),
        rest => [sign, "0", rest].concat(),
    };
    Number::parse(digits.strip_suffix('.').unwrap_or(&digits)).map(|number| number.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(folded: &str) -> Vec<String> {
        Reading::new(folded, Marks::of(folded), false).views().starts().iter().map(|view| (*view).to_owned()).collect()
    }

    fn last_parts(folded: &str) -> Vec<String> {
        Reading::new(folded, Marks::of(folded), false).views().lasts().iter().map(|view| (*view).to_owned()).collect()
    }

    #[test]
    fn paths_begin_behind_drives_schemes_and_hosts() {
        assert_eq!(starts("inbox"), ["inbox"]);
        assert_eq!(starts("c:/users/../etc/x"), ["c:/etc/x", "/etc/x"]);
        assert_eq!(starts("file:///etc/x"), ["file:/etc/x", "/etc/x", "/x"]);
        assert_eq!(
            starts("https://h/in?a#b"),
            ["https:/h/in?a#b", "https:/h/in", "/h/in?a#b", "/h/in", "/in?a#b", "/in"]
        );
        assert_eq!(starts("inbox."), ["inbox.", "inbox"]);
        assert_eq!(starts("../x/../../etc/x"), ["../../etc/x", "/etc/x"]);
        assert_eq!(starts("../.etc"), ["../.etc", "/.etc"]);
        assert_eq!(starts("..etc/x"), ["..etc/x"]);
    }

    #[test]
    fn last_parts_stand_behind_namespaces() {
        for (folded, expected) in [
            ("db.users", &["users"][..]),
            ("mail/inbox", &["inbox"]),
            ("arn:aws:inbox", &["inbox"]),
            ("mail/inbox?x=1", &["inbox"]),
            ("mail__inbox", &["inbox"]),
            ("a.b__c", &["b__c", "c"]),
            ("inbox::$data", &["$data"]),
            ("a/b:c.d", &["d", "b:c.d", "c.d"]),
            ("a__b.c", &["c", "b.c"]),
            ("inbox", &[]),
        ] {
            assert_eq!(last_parts(folded), expected, "{folded}");
        }
    }

    #[test]
    fn numbers_are_one_however_they_are_written() {
        for text in ["42", "42.0", "+42", "0042", "42.", "4.2e1"] {
            assert_eq!(number(text).as_deref(), Some("42"), "{text}");
        }
        assert_eq!((number("_5.0").as_deref(), number("-5").as_deref()), (Some("-5"), Some("-5")));
        assert_eq!((number("000").as_deref(), number("0.50").as_deref()), (Some("0"), Some("0.5")));
        for text in ["", "x", "4 2", "1.2.3", "e", "--1", "_", ".", "42x", "0x2a"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
