//! The nearest known name to a misspelt one.

/// The known name that `name` was most likely meant to be, as a hint to end a sentence with: empty
/// where none is near.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min_by_key(|(distance, _)| *distance);
    match nearest {
        Some((distance, candidate)) if distance <= candidate.chars().count().div_ceil(3) => {
            format!("; did you mean `{candidate}`?")
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
        assert!(hint(&name, [&name[1..]]).starts_with("; did you mean"));
        assert_eq!(hint(&"x".repeat(1 << 20), ["y".repeat(1 << 20).as_str()]), "");
    }
}
