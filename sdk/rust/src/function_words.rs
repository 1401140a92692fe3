//! Which words of a function's name act: whole words of its last part; where that part begins by reading,
//! only those after the first `and`, `or` or `then`. It never looks at arguments.

use agenthalt_names::{fold, words};

use crate::Name;

/// The first words of names that only read or arrange.
const READING: [&str; 18] = [
    "get", "read", "list", "fetch", "search", "query", "find", "lookup", "describe", "show", "view", "count", "check",
    "parse", "sort", "track", "is", "has",
];

/// What joins a second deed to a first one.
const JOINING: [&str; 3] = ["and", "or", "then"];

/// The words by which the built-in guards know a purchase.
pub const PURCHASE_WORDS: &[&str] = &[
    "purchase",
    "buy",
    "order",
    "checkout",
    "make_payment",
    "place_order",
    "subscribe",
    "subscription",
    "pay",
    "transfer_funds",
    "send_money",
    "wire_transfer",
    "charge",
    "donate",
    "invest",
    "bid",
];

/// The words by which the built-in guards know a deletion.
pub const DELETION_WORDS: &[&str] = &[
    "delete",
    "remove",
    "drop",
    "destroy",
    "purge",
    "erase",
    "trash",
    "wipe",
    "clear",
    "truncate",
    "unlink",
    "rm",
    "expunge",
    "discard",
    "uninstall",
    "shred",
    "overwrite",
];

/// Words of which each, where it acts in a function's name, says what the call does.
///
/// ```
/// use agenthalt_guard::{DELETION_WORDS, FunctionWords, Name};
/// let deletion = FunctionWords::of(DELETION_WORDS);
/// assert_eq!(deletion.acting(&Name::new("emails.bulkDelete")), Some("delete"));
/// assert_eq!(deletion.acting(&Name::new("list_deleted_items")), None);
/// assert_eq!(deletion.acting(&Name::new("get_or_create_and_delete_all")), Some("delete"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionWords(Words);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    Fixed(&'static [&'static str]),
    Given(Vec<String>),
}

impl FunctionWords {
    /// Words that the guard brings, in their folded form.
    pub const fn of(words: &'static [&'static str]) -> FunctionWords {
        FunctionWords(Words::Fixed(words))
    }

    /// Words that the settings give; those that hold no letter and no digit meet nothing.
    pub fn new<'a>(given: impl IntoIterator<Item = &'a str>) -> FunctionWords {
        FunctionWords(Words::Given(given.into_iter().map(fold).collect()))
    }

    /// The words, folded.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (fixed, given) = match &self.0 {
            Words::Fixed(fixed) => (*fixed, &[][..]),
            Words::Given(given) => (&[][..], given.as_slice()),
        };
        fixed.iter().copied().chain(given.iter().map(String::as_str))
    }

    /// The first word that acts in the name.
    pub fn acting(&self, name: &Name<'_>) -> Option<&str> {
        let found = name.parts().lasts().find_map(|last| self.acting_in(last));
        if found.is_some() || !name.has_unbroken() {
            return found;
        }
        name.unbroken().lasts().find_map(|last| self.acting_in(last))
    }

    fn acting_in(&self, folded: &str) -> Option<&str> {
        let name: Vec<&str> = words(folded).collect();
        if !name.first().is_some_and(|first| READING.contains(first)) {
            return self.listed_in(&name);
        }
        // What a name that reads joins to its reading is a deed, however it begins.
        let mut joined = name.iter();
        joined.find(|word| JOINING.contains(word))?;
        self.listed_in(joined.as_slice())
    }

    fn listed_in(&self, name: &[&str]) -> Option<&str> {
        let in_name = |phrase: &str| {
            if phrase.bytes().all(|b| b.is_ascii_lowercase()) {
                return name.contains(&phrase) && !phrase.is_empty();
            }
            let length = words(phrase).count();
            length > 0 && name.windows(length).any(|run| words(phrase).eq(run.iter().copied()))
        };
        self.iter().find(|phrase| in_name(phrase))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acts(listed: &'static [&'static str], name: &str) -> bool {
        FunctionWords::of(listed).acting(&Name::new(name)).is_some()
    }

    #[test]
    fn deeds_are_known_by_whole_words() {
        for name in ["delete_email", "bulkDelete", "emails.trash", "get_or_create_and_delete_all", "db__drop", "DELETE"]
        {
            assert!(acts(DELETION_WORDS, name), "{name}");
        }
        for name in ["list_deleted_items", "dropdown_select", "undelete", "parse_payload", "drop.users_list", ""] {
            assert!(!acts(DELETION_WORDS, name), "{name}");
        }
        for name in ["make_payment", "makePayment", "bank.transfer-funds", "place_order"] {
            assert!(acts(PURCHASE_WORDS, name), "{name}");
        }
        for name in ["get_order_status", "sort_order", "reorder_columns", "parse_payload", "make_a_payment"] {
            assert!(!acts(PURCHASE_WORDS, name), "{name}");
        }
    }

    #[test]
    fn after_a_joining_word_every_listed_word_acts() {
        for name in
            ["list_then_permanently_delete", "get_or_list_purge_all", "get_or_list_and_read_then_wipe", "getOrDelete"]
        {
            assert!(acts(DELETION_WORDS, name), "{name}");
        }
        for name in ["get_and_read", "get_delete_markers_and_more", "list_deleted_items_or_none"] {
            assert!(!acts(DELETION_WORDS, name), "{name}");
        }
    }

    #[test]
    fn a_deed_behind_a_separator_that_only_folding_shows_acts() {
        for name in ["list--delete_all", "db.get_users--purge", "delete--list_x", "db -delete"] {
            assert!(acts(DELETION_WORDS, name), "{name}");
        }
    }

    #[test]
    fn another_case_hides_no_deed() {
        assert!(acts(DELETION_WORDS, "dElEtE_email") && acts(DELETION_WORDS, "dеlete_email"));
    }

    #[test]
    fn given_words_are_folded() {
        let words = FunctionWords::new(["Nuke-It", "--"]);
        assert_eq!(words.acting(&Name::new("nukeIt_now")), Some("nuke_it"));
        assert_eq!(words.acting(&Name::new("a--b")), None);
    }
}
