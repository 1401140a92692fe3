//! Named values in the order of their keys. The sort of the standard library is as large as all of the
//! reading, and a guard hardly ever needs one: what the host hands it is sorted.

use crate::Json;

type Entry = (String, Json);

/// Sorts by the bytes of the keys, with about as many comparisons as there are entries times their
/// logarithm. Equal keys keep their order.
pub(crate) fn by_key(mut first: Vec<Entry>) -> Vec<Entry> {
    if first.is_sorted_by(|a, b| a.0 <= b.0) {
        return first;
    }
    let mut second = by_key(first.split_off(first.len() / 2));
    let mut first = by_key(first);
    let mut merged = Vec::with_capacity(first.len() + second.len());
    // From the ends, the greater first; of equal keys the later one is the greater.
    while let Some(greatest) = if last_key(&first) > last_key(&second) { first.pop() } else { second.pop() } {
        merged.push(greatest);
    }
    merged.reverse();
    merged
}

/// The last key; none, which is below every key, where there is no more.
fn last_key(entries: &[Entry]) -> Option<&str> {
    entries.last().map(|entry| entry.0.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_are_sorted_and_equal_keys_keep_their_order(keys in prop::collection::vec("[a-e]{0,2}", 0..40)) {
            let numbered = (0_u64..).map(Json::from);
            let entries: Vec<Entry> = keys.into_iter().zip(numbered).collect();
            let mut expected = entries.clone();
            expected.sort_by(|a, b| a.0.cmp(&b.0));
            prop_assert_eq!(by_key(entries), expected);
        }
    }

    #[test]
    fn many_entries_in_the_worst_order_take_no_time() {
        let entries: Vec<Entry> = (0..100_000).rev().map(|i| (format!("{i:06}"), Json::Null)).collect();
        assert!(by_key(entries).is_sorted_by(|a, b| a.0 < b.0));
    }
}
