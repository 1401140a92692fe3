//! Whether two patterns have a text in common. It never says no where there is one.

use super::Set;

/// Whether some text meets both patterns. A set stands for any character, so a pair of patterns may be
/// said to overlap that does not, and never the other way; an unclosed `[` is plain.
pub(crate) fn overlap(first: &str, second: &str) -> bool {
    let steps: Vec<Step> = steps_of(second).collect();
    // Where in `second` a text may stand that the part of `first` read so far meets.
    let mut places = vec![false; steps.len() + 1];
    if let Some(start) = places.first_mut() {
        *start = true;
    }
    pass_stars(&mut places, &steps);
    for step in steps_of(first) {
        if step == Step::Star {
            let mut reached = false;
            for place in &mut places {
                reached |= *place;
                *place = reached;
            }
            continue;
        }
        let mut before = (false, None);
        for (place, next) in places.iter_mut().zip(steps.iter().map(Some).chain([None])) {
            let (reached, passed) = before;
            let stays = *place && next == Some(&Step::Star);
            before = (*place, next);
            *place = stays || (reached && passed.is_some_and(|passed: &Step| passed.accepts(step)));
        }
        pass_stars(&mut places, &steps);
    }
    places.last().copied().unwrap_or(false)
}

/// A star may hold nothing.
fn pass_stars(places: &mut [bool], steps: &[Step]) {
    let mut behind_star = false;
    for (place, next) in places.iter_mut().zip(steps.iter().map(Some).chain([None])) {
        *place |= behind_star;
        behind_star = *place && next == Some(&Step::Star);
    }
}

/// What a pattern asks for next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Star,
    Any,
    Plain(char),
}

impl Step {
    /// Whether one character may meet both; stars are passed elsewhere.
    fn accepts(self, other: Step) -> bool {
        match (self, other) {
            (Step::Star, _) | (_, Step::Star) => false,
            (Step::Any, _) | (_, Step::Any) => true,
            (Step::Plain(a), Step::Plain(b)) => a == b,
        }
    }
}

fn steps_of(pattern: &str) -> impl Iterator<Item = Step> {
    let mut chars = pattern.chars();
    std::iter::from_fn(move || {
        Some(match chars.next()? {
            '*' => Step::Star,
            '?' => Step::Any,
            '[' if Set::take(&mut chars).is_some() => Step::Any,
            c => Step::Plain(c),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::glob::{Compare, matches};
    use proptest::prelude::*;

    #[test]
    fn overlap_takes_sets_for_any_character() {
        assert!(overlap("in[a-c]ox", "inbox") && overlap("in[x]ox", "inbox") && overlap("[i]*", "inbox"));
        assert!(overlap("in*", "*box") && !overlap("in*", "out*") && !overlap("in?", "inbox"));
        assert!(overlap("a[b", "a[b") && !overlap("a[b", "ab"));
    }

    fn meets(pattern: &str, text: &str) -> bool {
        matches(pattern, text, Compare::Written)
    }

    proptest! {
        #[test]
        fn patterns_overlap_where_a_text_meets_both(a in "[ab*?]{0,4}", b in "[ab*?]{0,4}") {
            let mut texts = vec![String::new()];
            for length in 1..=8 {
                let longer = texts.iter().filter(|t| t.len() == length - 1).flat_map(|t| [format!("{t}a"), format!("{t}b")]);
                let longer: Vec<String> = longer.collect();
                texts.extend(longer);
            }
            let both = texts.iter().any(|text| meets(&a, text) && meets(&b, text));
            prop_assert_eq!(overlap(&a, &b), both);
        }
    }
}
