//! JSON web tokens: parts in base64 with points between them, the first of which is a JSON object. It
//! never judges what they say.

use super::Look;
use super::bytes::{Bytes, Run, is_token_byte};
use crate::pattern::BuiltIn;

/// Looks around the `J` of a part that begins with `eyJ`, which is `{"` in base64. Where it is no token,
/// nothing that begins before the end of this part is one.
pub(super) fn look(bytes: Bytes<'_>, at: usize) -> Look {
    let past = Look::Past(at + 1);
    let Some(start) = at.checked_sub(2) else {
        return past;
    };
    if !bytes.is(start, "eyJ") || bytes.is_inside_word(start) {
        return past;
    }
    let header = bytes.long_run(at, Run::Token);
    let payload = bytes.long_run(header + 1, Run::Token);
    if header < start + 10 || bytes.at(header) != b'.' || bytes.at(payload) != b'.' {
        return Look::Past(header);
    }
    // The part in the middle is empty where a token is encrypted to a key that both know; the last one is
    // where nobody signed. An encrypted token has five parts.
    let mut end = bytes.long_run(payload + 1, Run::Token);
    for _ in 0..2 {
        if bytes.at(end) == b'.' && is_token_byte(bytes.at(end + 1)) {
            end = bytes.long_run(end + 1, Run::Token);
        }
    }
    let is_empty = payload == header + 1 && end == payload + 1;
    if is_empty { Look::Past(header) } else { Look::Found(BuiltIn::Jwt, start, end) }
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found_of;
    use crate::pattern::{BuiltIn, BuiltIns};

    fn found(text: &str) -> Vec<(&'static str, &str)> {
        let mut wanted = BuiltIns::default();
        wanted.add(BuiltIn::Jwt);
        found_of(wanted, text)
    }

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";

    #[test]
    fn tokens_are_found_signed_or_not() {
        for text in [TOKEN, "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.", "eyJhbGciOiJkaXIifQ..aXY0Njc4.Y2lwaGVy.dGFn"] {
            for (before, behind) in [("", ""), ("Bearer ", " "), ("token-", ","), ("\"", "\"")] {
                let within = [before, text, behind].concat();
                assert_eq!(found(&within), [("jwt", text)], "{within}");
            }
        }
    }

    #[test]
    fn single_parts_and_words_pass() {
        for text in [
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJhbGciOiJIUzI1NiJ9.",
            "eyJ.eyJ.x",
            "xeyJhbGciOiJIUzI1NiJ9.eyJ.x",
            "eyJhbGciOiJIUzI1NiJ9.eyJ",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_token_behind_one_that_is_none_is_found() {
        let text = ["eyJhbGciOiJIUzI1NiJ9 eyJ-eyJ-eyJ ", TOKEN].concat();
        assert_eq!(found(&text), [("jwt", TOKEN)]);
    }
}
