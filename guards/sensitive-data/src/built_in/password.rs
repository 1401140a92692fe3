//! The words that announce a password, and what is assigned to them. Longer words that one of them is
//! part of are none.

use super::Look;
use super::bytes::Bytes;
use crate::pattern::BuiltIn;

/// The words, and where in each the letter stands that sets off the look.
const WORDS: [(&str, usize); 6] =
    [("password", 4), ("passwd", 4), ("pwd", 1), ("passcode", 4), ("secret", 2), ("token", 2)];

/// Looks around a letter of one of the words.
pub(super) fn look(bytes: Bytes<'_>, at: usize) -> Look {
    for (word, place) in WORDS {
        let Some(start) = at.checked_sub(place) else { continue };
        let end = start + word.len();
        let goes_on = bytes.at(end).is_ascii_alphanumeric() || bytes.at(end) == b'_';
        if bytes.reads(start, word) && !goes_on && begins_word(bytes, start) {
            return Look::Found(BuiltIn::PasswordField, start, value_end(bytes, end).unwrap_or(end));
        }
    }
    Look::Past(at + 1)
}

/// Whether no letter or digit stands before it, or a small letter before a capital.
fn begins_word(bytes: Bytes<'_>, start: usize) -> bool {
    !bytes.is_inside_word(start) || (bytes.at(start).is_ascii_uppercase() && bytes.back(start, 1).is_ascii_lowercase())
}

/// The end of what is assigned to the word: behind `:`, `=` or `is`, up to a blank, or to the closing quote.
fn value_end(bytes: Bytes<'_>, end: usize) -> Option<usize> {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let quoted = bytes.run(end, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b'`'));
    let sign = bytes.run(quoted, is_blank);
    let behind = bytes.run(sign, |byte| matches!(byte, b':' | b'=' | b'>'));
    let behind = match behind == sign {
        false => behind,
        true if sign > end && bytes.reads(sign, "is ") => sign + 2,
        true => return None,
    };
    let open = bytes.run(behind, is_blank);
    let value = bytes.run(open, |byte| matches!(byte, b'"' | b'\'' | b'\\' | b'`'));
    let end = match value > open {
        true => {
            let quote = bytes.back(value, 1);
            bytes.run(value, |byte| byte != quote && byte != b'\n')
        }
        false => bytes.run(value, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b',' | b';' | b'&' | b'"')),
    };
    (end > value).then_some(end)
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found_of;
    use crate::pattern::{BuiltIn, BuiltIns};

    fn passwords(text: &str) -> Vec<&str> {
        let mut wanted = BuiltIns::default();
        wanted.add(BuiltIn::PasswordField);
        found_of(wanted, text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn the_words_are_found_with_what_is_assigned_to_them() {
        for (text, found) in [
            ("my password is hunter2 ok", "password is hunter2"),
            ("Password: hunter2, and", "Password: hunter2"),
            ("PWD=abc&x", "PWD=abc"),
            ("{\"passwd\": \"a b c\"}", "passwd\": \"a b c"),
            ("{\\\"token\\\":\\\"abc\\\"}", "token\\\":\\\"abc\\"),
            ("a secret", "secret"),
            ("db_password=x", "password=x"),
            ("dbPassword => x", "Password => x"),
            ("password is", "password"),
            ("token-based", "token"),
        ] {
            assert_eq!(passwords(text), [found], "{text}");
        }
    }

    #[test]
    fn longer_words_pass() {
        for text in
            ["passwordless", "tokenizer", "secretary", "token_count", "mypassword", "tokens", "pwdx", "passcodes"]
        {
            assert_eq!(passwords(text), [""; 0], "{text}");
        }
    }
}
