//! What a protected resource covers: itself, what lies below it, what it lies below, and wildcards that
//! reach it. It compares folded texts only, and where two ways to read a text differ, either covers.

use std::borrow::Cow;
use std::cell::OnceCell;

use agenthalt_guard::{BadPattern, Tighten};

use crate::marks::Marks;
use crate::reading::Views;
use crate::text::with_slashes;

/// The longest wildcard that is held against a resource; a longer one is said to reach it.
const MOST_WILDCARD_BYTES: usize = 1_024;

/// The directory of a user.
const HOME: &str = "~";

/// A protected resource.
pub(crate) struct Protected<'a> {
    /// As a path without the `/` at its beginning.
    path: Around<'a>,
    /// The same with every `.` and `:` read as `/`; none where there is none, or a `/` parts it already.
    namespaces: Option<Around<'a>>,
    /// Whether its parts are only those that a `/` parts.
    is_path: bool,
    /// Whether it begins at the root, so that only there it is found.
    is_rooted: bool,
}

/// How a target meets a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cover {
    /// It is the resource.
    Is,
    /// It lies below the resource.
    Below,
    /// It is a wildcard, or something above the resource, that takes the resource with it.
    Reaches,
}

impl<'a> Protected<'a> {
    /// A resource of the settings, as a path.
    ///
    /// # Errors
    /// Where its text, changed as a path, is no pattern.
    pub(crate) fn new(path: Cow<'a, Tighten>) -> Result<Protected<'a>, BadPattern> {
        let marks = Marks::of(path.text());
        let is_rooted = path.text().starts_with('/');
        let bare =
            if is_rooted { Cow::Owned(path.changed(&|text| text.trim_start_matches('/').to_owned())?) } else { path };
        // In a set a `.` is a member.
        let is_path = marks.hold(Marks::SLASH) || bare.text().bytes().any(|b| b == b'[');
        let namespaces = if is_path || !marks.hold(Marks::NAMESPACE) {
            None
        } else {
            Some(Around::new(Cow::Owned(bare.changed(&namespaces_as_path)?)))
        };
        Ok(Protected { path: Around::new(bare), namespaces, is_path, is_rooted })
    }

    pub(crate) fn covers(&self, target: &Views<'_>) -> Option<Cover> {
        let special = Marks::SLASH | Marks::NAMESPACE | Marks::QUERY | Marks::WILDCARD;
        if !target.marks().hold(special) && self.path.is_plain {
            return self.covers_word(target);
        }
        for start in target.starts() {
            let cover = self.covers_path(start.trim_start_matches('/'), target.marks());
            if cover.is_some() {
                return cover;
            }
        }
        self.is_last_of(target).then_some(Cover::Is)
    }

    /// What [`Protected::covers`] says of a target with one part and without wildcards, as most are.
    fn covers_word(&self, target: &Views<'_>) -> Option<Cover> {
        let word = target.starts().first()?;
        if self.path.is(word) {
            return Some(Cover::Is);
        }
        let around = self.namespaces.as_ref().unwrap_or(&self.path);
        let is_above = around.has_parts && around.itself.forms().any(|form| lies_below(form, word));
        if self.path.is_everything || is_above || *word == HOME {
            return Some(Cover::Reaches);
        }
        self.is_last_of(target).then_some(Cover::Is)
    }

    fn is_last_of(&self, target: &Views<'_>) -> bool {
        !self.is_rooted && target.lasts().iter().any(|part| self.path.is(part))
    }

    fn covers_path(&self, path: &str, marks: Marks) -> Option<Cover> {
        if self.path.is(path) {
            return Some(Cover::Is);
        }
        if self.path.is_everything || is_root(path) {
            return Some(Cover::Reaches);
        }
        // A path without a `/` may still be parted, by namespaces.
        let has_slash = marks.hold(Marks::SLASH) && path.bytes().any(|b| b == b'/');
        let is_parted = !(self.is_path || has_slash);
        let around = if is_parted { self.namespaces.as_ref().unwrap_or(&self.path) } else { &self.path };
        let parts = if is_parted && marks.hold(Marks::NAMESPACE) {
            Cow::Owned(namespaces_as_path(path))
        } else {
            Cow::Borrowed(path)
        };
        let found = around.covers_below_or_above(&parts, !self.is_rooted);
        if found.is_some() || !marks.hold(Marks::WILDCARD) {
            return found;
        }
        let wildcard = wildcard(path);
        let is_reached = self.path.is_reached(&wildcard, !self.is_rooted)
            || (is_parted && around.is_reached(&namespaces_as_path(&wildcard), true));
        is_reached.then_some(Cover::Reaches)
    }
}

/// A resource and the patterns of what lies around it.
struct Around<'a> {
    itself: Cow<'a, Tighten>,
    /// Whether it is a text and no pattern.
    is_plain: bool,
    /// Whether a `/` parts it.
    has_parts: bool,
    /// Whether it is the root, or the directory in which everything is.
    is_everything: bool,
    /// Made when a pattern or a wildcard is first compared.
    below: OnceCell<Option<Below>>,
}

struct Below {
    /// What lies below the resource.
    at_start: Tighten,
    /// The resource somewhere within a path, and what lies below it there.
    anywhere: [Tighten; 2],
}

impl<'a> Around<'a> {
    fn new(itself: Cow<'a, Tighten>) -> Around<'a> {
        let is_plain = !itself.text().bytes().any(|b| matches!(b, b'*' | b'?' | b'['));
        let has_parts = itself.text().bytes().any(|b| b == b'/');
        let is_everything = matches!(itself.text(), "" | ".");
        Around { itself, is_plain, has_parts, is_everything, below: OnceCell::new() }
    }

    /// A resource with a set in its name is also met as it is written.
    fn is(&self, path: &str) -> bool {
        self.itself.meets_folded(path)
            || (!self.is_plain && self.itself.forms().any(|form| form.eq_ignore_ascii_case(path)))
    }

    fn covers_below_or_above(&self, path: &str, anywhere: bool) -> Option<Cover> {
        if self.is_plain {
            return self.itself.forms().find_map(|form| compare_parts(form, path, anywhere));
        }
        let Some(below) = self.below() else {
            return Some(Cover::Reaches);
        };
        let is_below = below.at_start.meets_folded(path)
            || (anywhere && below.anywhere.iter().any(|pattern| pattern.meets_folded(path)));
        if is_below {
            return Some(Cover::Below);
        }
        self.itself.forms().any(|form| lies_below(form, path)).then_some(Cover::Reaches)
    }

    fn is_reached(&self, wildcard: &str, anywhere: bool) -> bool {
        let Some(below) = self.below() else {
            return true;
        };
        if wildcard.len() > MOST_WILDCARD_BYTES || self.itself.overlaps(wildcard) || below.at_start.overlaps(wildcard) {
            return true;
        }
        // What lies in another place is not known: a part that is all wildcard is as good as its place.
        let parts = count_slashes(self.itself.text()) + 1;
        let mut rest = wildcard;
        while anywhere && let Some(at) = rest.bytes().position(|b| b == b'/') {
            rest = rest.get(at + 1..).unwrap_or_default();
            let run = first_parts(rest, parts);
            if !is_all_wildcard(run) && self.itself.overlaps(run) {
                return true;
            }
        }
        false
    }

    fn below(&self) -> Option<&Below> {
        self.below.get_or_init(|| Below::of(&self.itself).ok()).as_ref()
    }
}

/// Where a path and a plain resource meet, part by part.
fn compare_parts(resource: &str, path: &str, anywhere: bool) -> Option<Cover> {
    if lies_below(resource, path) {
        return Some(Cover::Reaches);
    }
    let mut rest = path;
    loop {
        if rest == resource || lies_below(rest, resource) {
            return Some(Cover::Below);
        }
        let at = if anywhere { rest.bytes().position(|b| b == b'/')? } else { return None };
        rest = rest.get(at + 1..)?;
    }
}

/// Whether a path has another one before its last parts.
fn lies_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

impl Below {
    fn of(itself: &Tighten) -> Result<Below, BadPattern> {
        let between = |before: &str, after: &str| itself.changed(&|form| [before, form, after].concat());
        Ok(Below { at_start: between("", "/*")?, anywhere: [between("*/", "")?, between("*/", "/*")?] })
    }
}

fn namespaces_as_path(text: &str) -> String {
    with_slashes(text, ['.', ':'])
}

/// What every resource may lie below.
fn is_root(path: &str) -> bool {
    path.is_empty() || path == HOME || path.bytes().all(|b| matches!(b, b'.' | b'/')) || path.ends_with(':')
}

/// A target with its wildcards in the form of patterns: `%` is one to a database, `.*` to an expression.
fn wildcard(path: &str) -> String {
    let mut wildcard = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '%' => wildcard.push('*'),
            '*' => {
                if wildcard.ends_with('.') {
                    wildcard.pop();
                }
                wildcard.push('*');
            }
            c => wildcard.push(c),
        }
    }
    wildcard
}

fn count_slashes(path: &str) -> usize {
    path.bytes().filter(|b| *b == b'/').count()
}

fn first_parts(path: &str, parts: usize) -> &str {
    let mut left = parts;
    let end = path.bytes().position(|b| {
        left -= usize::from(b == b'/');
        left == 0
    });
    path.get(..end.unwrap_or(path.len())).unwrap_or(path)
}

fn is_all_wildcard(run: &str) -> bool {
    run.bytes().all(|b| matches!(b, b'*' | b'?' | b'/'))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::Cover::{self, Below, Is, Reaches};
    use super::*;
    use crate::patterns::as_paths;
    use crate::reading::Reading;
    use proptest::prelude::*;

    fn cover(resource: &str, target: &str) -> Option<Cover> {
        let given = Tighten::new(resource).unwrap();
        let [path, _] = as_paths(&given);
        let protected = Protected::new(path.unwrap()).unwrap();
        protected.covers(&Reading::new(target, Marks::of(target), false).views())
    }

    fn holds(resource: &str, cases: &[(&str, Option<Cover>)]) {
        for (target, expected) in cases {
            assert_eq!(cover(resource, target), *expected, "{resource} {target}");
        }
    }

    #[test]
    fn a_resource_covers_itself_and_what_lies_below_it() {
        holds(
            "inbox",
            &[
                ("inbox", Some(Is)),
                ("inbox/", Some(Is)),
                ("./inbox", Some(Is)),
                ("/inbox", Some(Is)),
                ("inbox/1", Some(Below)),
                ("inbox/a/b", Some(Below)),
                ("inbox.1", Some(Below)),
                ("inbox:1", Some(Below)),
                ("inbox::$data", Some(Below)),
                ("inbox.", Some(Below)),
                ("inbox?permanent=1", Some(Reaches)),
                ("inbox2", None),
                ("inbox_old", None),
                ("myinbox", None),
                ("in", None),
                ("inbo", None),
                ("temp/x", None),
            ],
        );
    }

    #[test]
    fn a_resource_is_found_behind_namespaces() {
        holds(
            "inbox",
            &[
                ("mail/inbox", Some(Below)),
                ("mail/inbox/1", Some(Below)),
                ("/home/me/inbox/1", Some(Below)),
                ("mail.inbox", Some(Below)),
                ("mail.inbox.1", Some(Below)),
                ("mail__inbox", Some(Is)),
                ("https://host/inbox?x=1", Some(Below)),
                ("mail/my.inbox", Some(Is)),
                ("mail/inboxes", None),
            ],
        );
    }

    #[test]
    fn a_resource_that_begins_at_the_root_is_found_there() {
        holds(
            "/etc/passwd",
            &[
                ("/etc//passwd", Some(Is)),
                ("/tmp/../etc/passwd", Some(Is)),
                ("etc/passwd", Some(Is)),
                ("/etc/passwd/x", Some(Below)),
                ("file:///etc/passwd", Some(Is)),
                ("https://host/etc/passwd#x", Some(Is)),
                ("c:/etc/passwd", Some(Is)),
                ("/etc", Some(Reaches)),
                ("/", Some(Reaches)),
                ("/et", None),
                ("/etc/passwd.bak", None),
                ("/etc/passwd2", None),
                ("/etc/hosts", None),
                ("/home/etc/passwd", None),
                ("passwd", None),
            ],
        );
        holds("/", &[("/x", Some(Reaches)), ("x", Some(Reaches)), ("/", Some(Is))]);
    }

    #[test]
    fn what_lies_above_a_resource_reaches_it() {
        holds("a/b/c", &[("a", Some(Reaches)), ("a/b", Some(Reaches)), ("a/b/", Some(Reaches)), ("b", None)]);
        holds("prod.users", &[("prod", Some(Reaches)), ("prod.users.x", Some(Below)), ("prod.orders", None)]);
        for root in ["/", ".", "..", "../..", "./..", "~", "c:", "file:///", "a/..", "/.."] {
            holds("inbox", &[(root, Some(Reaches))]);
        }
    }

    #[test]
    fn wildcards_that_reach_a_resource_are_covered() {
        for target in [
            "*",
            "**",
            "?nbox",
            "in*",
            "*box",
            "*/x",
            "in[a-c]ox",
            "[i]nbox",
            "%",
            "inb%",
            ".*",
            "*.tmp",
            "in*/x",
            "**/*",
            "./*",
            "/*",
            "mail/inb*",
            "mail.inb*",
            "x/in?ox/1",
            "in*.1",
            "i?*",
        ] {
            assert_eq!(cover("inbox", target), Some(Reaches), "{target}");
        }
        assert_eq!(cover("inbox", "inbox/*"), Some(Below));
        for target in
            ["temp_*", "/tmp/*", "tmp/**", "/tmp/*.log", "out?", "[abc]", "100%", "in", "temp/out*x", "temp.*"]
        {
            assert_eq!(cover("inbox", target), None, "{target}");
        }
        for target in ["/etc/*", "/*/passwd", "etc/pass??", "/e*", "*"] {
            assert_eq!(cover("/etc/passwd", target), Some(Reaches), "{target}");
        }
        assert_eq!(cover("/etc/passwd", "/tmp/*"), None);
        assert_eq!(cover("inbox", &["temp_", &"?".repeat(2_000)].concat()), Some(Reaches));
    }

    #[test]
    fn a_resource_may_be_a_pattern_and_its_own_text() {
        holds(
            "system/*",
            &[("system/x", Some(Is)), ("system/x/y", Some(Is)), ("system", Some(Reaches)), ("sys", None)],
        );
        holds("report[1].pdf", &[("report[1].pdf", Some(Is)), ("report1.pdf", Some(Is)), ("report2.pdf", None)]);
        holds(
            "*_production",
            &[("db_production", Some(Is)), ("x", None), ("a/x", None), ("x/db_production", Some(Is))],
        );
        holds("var/lib/", &[("var/lib", Some(Is)), ("var/lib/x", Some(Below)), ("/srv/var/lib/x", Some(Below))]);
    }

    proptest! {
        #[test]
        fn the_short_way_for_words_says_what_the_long_one_says(resource in "(a|b|_|\\.|:|/){0,5}", word in "[ab_~]{1,4}") {
            let given = Tighten::new(&resource).unwrap();
            let [path, _] = as_paths(&given);
            let protected = Protected::new(path.unwrap()).unwrap();
            let reading = Reading::new(&word, Marks::of(&word), false);
            let long = protected
                .covers_path(&word, Marks::of(&word))
                .or_else(|| protected.is_last_of(&reading.views()).then_some(Is));
            prop_assert_eq!(protected.covers_word(&reading.views()), long);
        }
    }
}
