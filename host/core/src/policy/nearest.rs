//! The nearest known name to a misspelt one. It never compares names that are too long to be meant,
//! nor looks through more than a few.

use crate::bounds::quoted;

/// The most characters of a name that is compared.
const MOST_CHARS: usize = 64;
/// The most known names that are looked through.
const MOST_KNOWN: usize = 64;

/// The known name that `name` was most likely meant to be, as a hint to end a sentence with: empty
/// where none is near.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let is_short = |name: &str| name.chars().nth(MOST_CHARS).is_none();
    if !is_short(name) {
        return String::new();
    }
    let nearest = known
        .into_iter()
        .take(MOST_KNOWN)
        .filter(|candidate| is_short(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, candidate)) if distance <= candidate.chars().count().div_ceil(3) => {
            format!("; did you mean `{}`?", quoted(candidate))
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_near_name_is_offered() {
        assert_eq!(hint("max_daily_spent", ["max_daily_spend", "per"]), "; did you mean `max_daily_spend`?");
        assert_eq!(hint("colour", ["max_daily_spend", "per"]), "");
        assert_eq!(hint("x", []), "");
    }

    #[test]
    fn names_too_long_to_be_meant_get_no_hint() {
        let (name, long) = ("x".repeat(64), "x".repeat(65));
        assert_eq!(hint(&long, [name.as_str()]), "");
        assert_eq!(hint(&name, [long.as_str()]), "");
        assert!(hint(&name, ["x".repeat(63).as_str()]).starts_with("; did you mean"));
        assert_eq!(hint(&"x".repeat(1 << 20), ["y".repeat(1 << 20).as_str()]), "");
    }
}
