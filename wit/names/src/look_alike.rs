//! Which letters outside ASCII look like one ASCII letter, by the skeletons of Unicode's report 39. It
//! never has an entry for an ASCII character.

mod table;

use table::LOOK_ALIKES;

/// The small ASCII letter that a letter outside ASCII looks like.
pub(crate) fn look_alike(c: char) -> Option<char> {
    if c.is_ascii() {
        return None;
    }
    let index = LOOK_ALIKES.binary_search_by_key(&u32::from(c), |entry| entry >> 8).ok()?;
    LOOK_ALIKES.get(index).map(|entry| char::from(entry.to_le_bytes()[0]))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use std::fmt::Write;
    use unicode_normalization::UnicodeNormalization;
    use unicode_security::confusable_detection::skeleton;

    /// The letters that stay under NFKC (the others are normalised before they are looked up) and whose
    /// skeleton is the one of an ASCII letter. `m` has the skeleton `rn`.
    fn compute() -> Vec<u32> {
        let ascii_of = |c: char| match skeleton(&c.to_string()).collect::<String>().as_str() {
            "rn" => Some(b'm'),
            text => match text.as_bytes() {
                [letter] if letter.is_ascii_alphabetic() => Some(letter.to_ascii_lowercase()),
                _ => None,
            },
        };
        ('\u{80}'..=char::MAX)
            .filter(|c| c.is_alphabetic() && c.to_string().nfkc().eq([*c]))
            .filter_map(|c| Some(u32::from(c) << 8 | u32::from(ascii_of(c)?)))
            .collect()
    }

    fn source() -> String {
        let mut text = String::from(
            "//! The look-alikes, made from Unicode's confusables by the test `write_the_table`; never edited by hand.\n\n\
             /// Letters outside ASCII above the small ASCII letter they look like, sorted.\n\
             #[rustfmt::skip]\n\
             pub(super) static LOOK_ALIKES: &[u32] = &[",
        );
        for (index, entry) in compute().iter().enumerate() {
            let gap = if index % 10 == 0 { "\n    " } else { " " };
            write!(text, "{gap}{entry:#x},").unwrap();
        }
        text.push_str("\n];\n");
        text
    }

    #[test]
    fn the_table_is_the_one_of_unicode() {
        assert!(
            LOOK_ALIKES == compute(),
            "the look-alikes differ from Unicode's: run `cargo test -p agenthalt-names -- --ignored write_the_table`"
        );
    }

    #[test]
    #[ignore = "rewrites a source file"]
    fn write_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/look_alike/table.rs");
        std::fs::write(path, source()).unwrap();
    }
}
