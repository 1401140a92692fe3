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
}
