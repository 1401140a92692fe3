//! The patterns of settings: `*`, `?`, `[seq]`, `[!seq]` and ranges, for whole names. It gives nothing
//! else a meaning, never backtracks further than the last `*`, and never decides which form of a name
//! is compared: that is what the types of `pattern` are for.

mod overlap;

use std::str::Chars;

pub(crate) use overlap::overlap;

/// How a member of a set is compared with a character of a name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Compare {
    /// As it is.
    Written,
    /// The character comes from a folded name; the member is folded by this function.
    Folded(fn(&str) -> String),
}

/// Says what is wrong with a pattern.
///
/// # Errors
/// A sentence, for a `[` that is never closed and for a range that holds nothing.
pub(crate) fn check(pattern: &str) -> Result<(), String> {
    if !has_set(pattern) {
        return Ok(());
    }
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '[' {
            continue;
        }
        let Some(set) = Set::take(&mut chars) else {
            return Err("the `[` is never closed: add a `]`, or write `[[]` for the character itself".to_owned());
        };
        for (low, high) in set.members() {
            if high < low {
                return Err(["the range `", &low.to_string(), "-", &high.to_string(), "` holds nothing"].concat());
            }
        }
    }
    Ok(())
}

fn has_set(pattern: &str) -> bool {
    pattern.bytes().any(|b| b == b'[')
}

/// Folds the plain characters of a checked pattern; its brackets stay as they are.
pub(crate) fn fold_plain_characters(pattern: &str, fold: fn(&str) -> String) -> String {
    if pattern.is_ascii() && !has_set(pattern) {
        return fold(pattern);
    }
    let mut folded = String::new();
    let mut rest = pattern;
    while let Some((run, special)) = rest.find(['*', '?', '[']).and_then(|at| rest.split_at_checked(at)) {
        push_run(&mut folded, run, rest.len() == pattern.len(), false, fold);
        let mut chars = special.chars();
        let opens_set = chars.next() == Some('[');
        if opens_set {
            Set::take(&mut chars);
        }
        let after = chars.as_str();
        folded.push_str(special.strip_suffix(after).unwrap_or(special));
        rest = after;
    }
    push_run(&mut folded, rest, rest.len() == pattern.len(), true, fold);
    folded
}

/// Folds one run of plain characters. Blanks are trimmed only at the ends of the whole pattern, and
/// what folding turns into `*`, `?` or `[` stays a plain character, as a set of one.
fn push_run(folded: &mut String, run: &str, first: bool, last: bool, fold: fn(&str) -> String) {
    let mut guarded = String::with_capacity(run.len() + 2);
    if !first {
        guarded.push('.');
    }
    guarded.push_str(run);
    if !last {
        guarded.push('.');
    }
    let text = fold(&guarded);
    let text = if first { text.as_str() } else { text.strip_prefix('.').unwrap_or(&text) };
    let text = if last { text } else { text.strip_suffix('.').unwrap_or(text) };
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[') {
            folded.push('[');
            folded.push(c);
            folded.push(']');
        } else {
            folded.push(c);
        }
    }
}

/// Whether a checked pattern meets the whole of a name.
// One copy for every way to compare: a component carries it once.
#[inline(never)]
pub(crate) fn matches(pattern: &str, name: &str, compare: Compare) -> bool {
    let (pattern_bytes, name_bytes) = (pattern.as_bytes(), name.as_bytes());
    let mut plain = 0;
    loop {
        match (pattern_bytes.get(plain), name_bytes.get(plain)) {
            (None, None) => return true,
            (Some(b'*' | b'?' | b'['), _) => break,
            (Some(a), Some(b)) if a == b => plain += 1,
            _ => return false,
        }
    }
    // What is equal so far is whole characters, as none of the special ones is part of another.
    let (Some(pattern), Some(name)) = (pattern.get(plain..), name.get(plain..)) else {
        return false;
    };
    if pattern.bytes().any(|b| matches!(b, b'?' | b'[')) {
        matches_chars(pattern, name, compare)
    } else {
        matches_stars(pattern.as_bytes(), name.as_bytes())
    }
}

/// Matches a pattern that begins with a `*` and has no `?` and no set: by bytes, piece by piece.
fn matches_stars(pattern: &[u8], name: &[u8]) -> bool {
    let last = pattern.iter().rposition(|b| *b == b'*').unwrap_or_default();
    let (pieces, end) = pattern.split_at(last);
    let Some(mut rest) = name.strip_suffix(end.strip_prefix(b"*").unwrap_or(end)) else {
        return false;
    };
    for piece in pieces.split(|b| *b == b'*') {
        let Some(first) = piece.first() else {
            continue;
        };
        loop {
            let Some(found) = rest.iter().position(|b| b == first).and_then(|at| rest.get(at..)) else {
                return false;
            };
            if let Some(behind) = found.strip_prefix(piece) {
                rest = behind;
                break;
            }
            rest = found.get(1..).unwrap_or_default();
        }
    }
    true
}

fn matches_chars(pattern: &str, name: &str, compare: Compare) -> bool {
    let mut pattern = pattern.chars();
    let mut name = name.chars();
    let mut retry: Option<(Chars<'_>, Chars<'_>)> = None;
    loop {
        let mut ahead = pattern.clone();
        let met = match ahead.next() {
            None if name.as_str().is_empty() => return true,
            None => false,
            Some('*') => {
                if ahead.as_str().is_empty() {
                    return true;
                }
                retry = Some((ahead.clone(), name.clone()));
                pattern = ahead;
                continue;
            }
            Some('?') => name.next().is_some(),
            Some('[') => match (Set::take(&mut ahead), name.next()) {
                (Some(set), Some(c)) => set.holds(c, compare),
                (None, _) | (_, None) => false,
            },
            Some(c) => name.next() == Some(c),
        };
        if met {
            pattern = ahead;
            continue;
        }
        let Some((after_star, rest)) = &mut retry else {
            return false;
        };
        if rest.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        name = rest.clone();
    }
}

/// What stands between brackets.
struct Set<'a> {
    negated: bool,
    body: &'a str,
}

impl<'a> Set<'a> {
    /// Reads a set whose `[` has been read; `None` where no `]` follows. A `]` that comes first is a
    /// member.
    fn take(chars: &mut Chars<'a>) -> Option<Set<'a>> {
        let text = chars.as_str();
        let (negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut after_first = text.chars();
        after_first.next()?;
        let tail = after_first.as_str();
        let (inner, after) = tail.split_once(']')?;
        let body = text.strip_suffix(tail).map(str::len).and_then(|first| text.get(..first + inner.len()))?;
        *chars = after.chars();
        Some(Set { negated, body })
    }

    /// The members as ranges; a single one is a range from itself to itself.
    fn members(&self) -> impl Iterator<Item = (char, char)> {
        let mut chars = self.body.chars();
        std::iter::from_fn(move || {
            let low = chars.next()?;
            let mut ahead = chars.clone();
            if ahead.next() == Some('-')
                && let Some(high) = ahead.next()
            {
                chars = ahead;
                return Some((low, high));
            }
            Some((low, low))
        })
    }

    fn holds(&self, c: char, compare: Compare) -> bool {
        let held = self.members().any(|(low, high)| {
            (low..=high).contains(&c)
                || match compare {
                    Compare::Written => false,
                    Compare::Folded(fold) => holds_folded(low, high, c, fold),
                }
        });
        held != self.negated
    }
}

/// Whether something between two ends folds to a character: its capital, a `-` or a blank where it is
/// `_`, and outside ASCII a single member that folds to it.
fn holds_folded(low: char, high: char, c: char, fold: fn(&str) -> String) -> bool {
    let range = low..=high;
    if range.contains(&c.to_ascii_uppercase()) || (c == '_' && (range.contains(&'-') || range.contains(&' '))) {
        return true;
    }
    !(low.is_ascii() && c.is_ascii())
        && (c.to_uppercase().any(|upper| range.contains(&upper))
            || (low == high && fold(low.encode_utf8(&mut [0; 4])).chars().eq([c])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use agenthalt_names::fold;
    use proptest::prelude::*;

    fn meets(pattern: &str, name: &str) -> bool {
        assert_eq!(check(pattern), Ok(()), "{pattern}");
        matches(pattern, name, Compare::Written)
    }

    fn meets_folded(pattern: &str, name: &str) -> bool {
        assert_eq!(check(pattern), Ok(()), "{pattern}");
        matches(&fold_plain_characters(pattern, fold), &fold(name), Compare::Folded(fold))
    }

    #[test]
    fn stars_cross_separators_and_line_ends() {
        assert!(meets("drop_*", "drop_a.b/c\nd"));
        assert!(meets("*", ""));
        assert!(meets("**", "x"));
        assert!(meets("a*b*c", "a--b--b--c"));
        assert!(!meets("drop", "drop_table"));
        assert!(!meets("a?c", "ac"));
    }

    #[test]
    fn nothing_else_is_special() {
        assert!(meets("a.b(c)+", "a.b(c)+"));
        assert!(!meets("a.b(c)+", "axb(c)+"));
        assert!(meets("{a,b}\\", "{a,b}\\"));
        assert!(!meets("{a,b}", "a"));
        assert!(meets("a]", "a]"));
    }

    #[test]
    fn sets_hold_members_and_ranges() {
        assert!(meets("fn[*]", "fn*") && !meets("fn[*]", "fnx"));
        assert!(meets("[a-c]", "b") && !meets("[a-c]", "d"));
        assert!(meets("[!a-c]", "d") && !meets("[!a-c]", "b"));
        assert!(meets("[]x]", "]") && meets("[!]x]", "y") && !meets("[!]x]", "]"));
        assert!(meets("[a-]", "-") && meets("[-a]", "-") && meets("[^a]", "^"));
        assert!(!meets("[a]", ""));
    }

    #[test]
    fn open_brackets_and_empty_ranges_are_refused() {
        for pattern in ["[", "a[b", "[]", "[!]", "[z-a]", "x[a-cz-y]"] {
            assert!(check(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn empty_pattern_meets_only_the_empty_name() {
        assert!(meets("", "") && !meets("", "x"));
    }

    #[test]
    fn plain_characters_are_folded_and_brackets_stay() {
        assert!(meets_folded("Drop-*", "drop_table"));
        assert!(meets_folded("dropTable", "DROP-TABLE"));
        assert!(meets_folded("drop[A-Z]x", "dropqx") && meets_folded("drop[-_]x", "drop-x"));
        assert!(meets_folded("x[!A]", "xb") && !meets_folded("x[!A]", "xa"));
        assert!(meets_folded("[Z-a]*", "zoo"));
        assert!(meets_folded("drop *", "drop table") && !meets_folded("drop *", "dropdown"));
        assert!(meets_folded(" drop* ", "dropdown"));
        assert!(meets_folded("[é]x", "Éx"));
    }

    #[test]
    fn characters_that_fold_to_special_ones_stay_plain() {
        assert!(meets_folded("a＊", "a*") && !meets_folded("a＊", "ab"));
        assert!(meets_folded("a［b", "a[b"));
    }

    #[test]
    fn long_patterns_on_long_names_end_soon() {
        let name = "a".repeat(5_000);
        assert!(!meets(&format!("{}b", "a*".repeat(200)), &name));
    }

    /// Every way to cut the name is tried: slow, and plainly right.
    fn reference(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|cut| name.get(cut..).is_some_and(|tail| reference(rest, tail))),
            Some(('?', rest)) => name.split_first().is_some_and(|(_, tail)| reference(rest, tail)),
            Some((c, rest)) => name.split_first().is_some_and(|(n, tail)| n == c && reference(rest, tail)),
        }
    }

    proptest! {
        #[test]
        fn a_naive_matcher_agrees(pattern in "[ab*?é]{0,8}", name in "[abé]{0,8}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(meets(&pattern, &name), reference(&chars(&pattern), &chars(&name)));
        }

        #[test]
        fn a_naive_matcher_agrees_where_there_are_only_stars(pattern in "[ab*é]{0,8}", name in "[abé]{0,10}") {
            let chars = |s: &str| s.chars().collect::<Vec<_>>();
            prop_assert_eq!(meets(&pattern, &name), reference(&chars(&pattern), &chars(&name)));
        }

        #[test]
        fn what_is_accepted_never_panics(pattern in any::<String>(), name in any::<String>()) {
            if check(&pattern).is_ok() {
                let folded = fold_plain_characters(&pattern, fold);
                prop_assert_eq!(check(&folded), Ok(()));
                matches(&folded, &fold(&name), Compare::Folded(fold));
            }
        }

        #[test]
        fn a_plain_name_meets_itself_folded(name in "[ -)+->@-Z\\\\-~а-яÀ-ſ]{0,12}") {
            prop_assert!(meets_folded(&name, &name));
        }
    }
}
