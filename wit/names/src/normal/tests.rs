//! Holds the tables to those of `unicode-normalization`, and writes them.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{
    canonical_combining_class, compose as pair_of, decompose_canonical, decompose_compatible, is_combining_mark,
};

use super::run::{IS_SINGLES, IS_TEXT, Run};
use super::*;

/// So many lines are looked through at most for the one of a character.
const LONGEST_TEXT_RUN: u32 = 32;

fn all() -> impl Iterator<Item = char> {
    '\u{80}'..=char::MAX
}

fn is_hangul(c: char) -> bool {
    ('\u{ac00}'..='\u{d7a3}').contains(&c)
}

/// The runs of a table, whose texts are appended.
fn runs(openings: &BTreeMap<u32, String>, texts: &mut String) -> Vec<Run> {
    let one = |c: u32| {
        let mut chars = openings.get(&c)?.chars();
        let one = u32::from(chars.next()?);
        chars.next().is_none().then_some(one)
    };
    let mut runs: Vec<Run> = Vec::new();
    let mut next = 0;
    for (c, text) in openings.range(0..) {
        let c = *c;
        if c < next {
            continue;
        }
        let shifts = one(c).map_or(0, |first| (0..256).take_while(|at| one(c + at) == Some(first + at)).count() as u32);
        if shifts > 3 {
            runs.push(Run(c << 8 | (shifts - 1), one(c).unwrap()));
            next = c + shifts;
            continue;
        }
        let singles = (c..c + LONGEST_TEXT_RUN).map_while(one).count() as u32;
        if singles > 8 {
            runs.push(Run(c << 8 | (singles - 1), IS_TEXT | IS_SINGLES | texts.len() as u32));
            texts.extend((c..c + singles).filter_map(|c| openings.get(&c)).map(String::as_str));
            texts.push('\n');
            next = c + singles;
            continue;
        }
        next = c + 1;
        match runs.last_mut() {
            Some(Run(head, at))
                if *at & (IS_TEXT | IS_SINGLES) == IS_TEXT
                    && (*head >> 8) + (*head & 0xff) + 1 == c
                    && (*head & 0xff) + 1 < LONGEST_TEXT_RUN =>
            {
                *head += 1;
            }
            _ => runs.push(Run(c << 8, IS_TEXT | texts.len() as u32)),
        }
        texts.push_str(text);
        texts.push('\n');
    }
    runs
}

fn marks() -> Vec<u32> {
    let class = |c: char| match canonical_combining_class(c) {
        0 if is_combining_mark(c) => mark::UNORDERED,
        class => class,
    };
    let mut entries = Vec::new();
    let mut last = 0;
    for c in all() {
        if class(c) != last {
            last = class(c);
            entries.push(u32::from(c) << 8 | u32::from(last));
        }
    }
    entries
}

/// The tables and their texts, by file.
fn sources() -> [(&'static str, String); 3] {
    let (mut canonical, mut compatible, mut pairs) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for c in all().filter(|c| !is_hangul(*c)) {
        let mut text = String::new();
        decompose_canonical(c, |part| text.push(part));
        if !text.chars().eq([c]) {
            if text.nfc().eq([c]) {
                let second = text.chars().last().unwrap();
                let mut rest = text.strip_suffix(second).unwrap().nfc();
                let first = rest.next().unwrap();
                assert!(rest.next().is_none() && pair_of(first, second) == Some(c));
                pairs.push((c, first, second));
                if c.max(first).max(second) <= '\u{ffff}' {
                    continue;
                }
            }
            canonical.insert(u32::from(c), text);
            continue;
        }
        let mut text = String::new();
        decompose_compatible(c, |part| text.push(part));
        if !text.chars().eq([c]) {
            compatible.insert(u32::from(c), text);
        }
    }
    let (near, far): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(c, a, b)| (*c).max(*a).max(*b) <= '\u{ffff}');
    let mut by_parts: Vec<usize> = (0..near.len()).collect();
    by_parts.sort_by_key(|index| near.get(*index).map(|(_, first, second)| (*first, *second)));
    let mut texts = String::new();
    let (canonical, compatible) = (runs(&canonical, &mut texts), runs(&compatible, &mut texts));

    const MADE: &str = "made by the test `write_the_normal_tables`; never edited by hand.\n";
    let mut table = format!("//! What characters open to, and marks, {MADE}\nuse super::run::Run;\n");
    let run = |run: &Run| format!("Run({:#x}, {:#x})", run.0, run.1);
    list(
        &mut table,
        "What opens in every form and is no pair of the first plane.",
        "CANONICAL: &[Run]",
        &canonical,
        run,
    );
    list(&mut table, "What opens in compatibility forms only.", "COMPATIBLE: &[Run]", &compatible, run);
    list(&mut table, "Where marks of a class begin or end.", "MARKS: &[u32]", &marks(), |entry| format!("{entry:#x}"));
    let mut pairs = format!("//! Pairs of characters that become one, {MADE}");
    let hex = |(c, a, b): &(char, char, char)| format!("({:#x}, {:#x}, {:#x})", *c as u32, *a as u32, *b as u32);
    list(
        &mut pairs,
        "What pairs of the first plane become, sorted, and they.",
        "PAIRS: &[(u16, u16, u16)]",
        &near,
        hex,
    );
    list(
        &mut pairs,
        "The places of the pairs, sorted by what they are made of.",
        "BY_PARTS: &[u16]",
        &by_parts,
        usize::to_string,
    );
    let far_pair = |(c, a, b): &(char, char, char)| {
        format!("('{}', '{}', '{}')", c.escape_unicode(), a.escape_unicode(), b.escape_unicode())
    };
    list(&mut pairs, "The pairs outside the first plane.", "FAR_PAIRS: &[(char, char, char)]", &far, far_pair);
    [("table.rs", table), ("pairs.rs", pairs), ("texts.txt", texts)]
}

fn list<T>(table: &mut String, about: &str, what: &str, items: &[T], show: impl Fn(&T) -> String) {
    write!(table, "\n/// {about}\n#[rustfmt::skip]\npub(super) static {what} = &[").unwrap();
    let mut width = 120;
    for item in items {
        let item = show(item);
        width += item.len() + 2;
        if width > 118 {
            table.push_str("\n   ");
            width = item.len() + 5;
        }
        write!(table, " {item},").unwrap();
    }
    table.push_str("\n];\n");
}

#[test]
#[ignore = "rewrites source files"]
fn write_the_normal_tables() {
    for (file, text) in sources() {
        std::fs::write(format!("{}/src/normal/{file}", env!("CARGO_MANIFEST_DIR")), text).unwrap();
    }
}

#[test]
fn the_tables_are_those_of_unicode() {
    let committed = [include_str!("table.rs"), include_str!("pairs.rs"), include_str!("texts.txt")];
    assert!(
        sources().map(|(_, text)| text) == committed,
        "the tables differ from Unicode's: run `cargo test -p agenthalt-names -- --ignored write_the_normal_tables`"
    );
}

#[test]
fn every_character_has_the_forms_of_unicode() {
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        assert_eq!(nfc(&text), text.nfc().collect::<String>(), "{}", c.escape_unicode());
        assert_eq!(nfkc(text.chars()), text.nfkc().collect::<String>(), "{}", c.escape_unicode());
        assert_eq!(mark::class_of(c), canonical_combining_class(c), "{}", c.escape_unicode());
        assert_eq!(is_mark(c), is_combining_mark(c), "{}", c.escape_unicode());
    }
}

#[test]
fn every_opened_form_composes_as_in_unicode() {
    for c in all().filter(|c| !c.nfd().eq([*c])) {
        let opened: String = c.nfd().collect();
        for text in
            [opened.clone(), format!("{opened}\u{323}"), format!("{opened}\u{301}\u{301}x"), format!("{opened}{c}")]
        {
            assert_eq!(nfc(&text), text.nfc().collect::<String>(), "{}", text.escape_unicode());
        }
    }
}

proptest! {
    #[test]
    fn every_text_has_the_forms_of_unicode(
        text in r"([a-zé\u{300}-\u{345}\u{4d0}]|[\u{900}-\u{10a0}]|[\u{1100}-\u{11ff}가-갛]|[\u{1e00}-\u{1fff}]|\PC){0,24}"
    ) {
        prop_assert_eq!(nfc(&text), text.nfc().collect::<String>());
        prop_assert_eq!(nfkc(text.chars()), text.nfkc().collect::<String>());
    }
}

#[test]
fn a_long_run_of_marks_is_put_in_order_in_good_time() {
    let text: String = ["\u{301}", "\u{323}", "\u{345}"].concat().repeat(100_000);
    assert_eq!(nfc(&text), text.nfc().collect::<String>());
}

#[test]
fn settled_characters_stay_whatever_stands_beside_them() {
    let is_yes = |c: char| {
        unicode_normalization::is_nfkc_quick(std::iter::once(c)) == unicode_normalization::IsNormalized::Yes
            && canonical_combining_class(c) == 0
    };
    for c in ('\0'..=char::MAX).filter(|c| is_settled(*c)) {
        assert!(is_yes(c), "U+{:04X}", u32::from(c));
    }
}

proptest! {
    #[test]
    fn settled_texts_are_in_composed_form(text in "[a-zÀ-ıΑ-ία-ώЀ-҂Ҋ-ԯא-תؠ-يऄ-हा-ौก-ะぁ-ゖァ-ヺ一-鿿가-힣]{0,12}") {
        prop_assert!(text.chars().all(is_settled));
        prop_assert_eq!(text.nfkc().collect::<String>(), text);
    }
}
