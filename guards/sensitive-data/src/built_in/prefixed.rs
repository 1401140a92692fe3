//! Keys that four fixed characters begin: the access key ids of AWS and the API keys of Google. An `I`
//! stands in all of them. Letters in another case, or a letter or digit before them, make none.

use super::Look;
use super::bytes::{Bytes, Run};
use crate::pattern::{BuiltIn, BuiltIns};

/// Looks around an `I`.
pub(super) fn look(bytes: Bytes<'_>, at: usize, wanted: BuiltIns) -> Look {
    aws(bytes, at, wanted).or_else(|| google(bytes, at, wanted)).unwrap_or(Look::Past(at + 1))
}

/// `AKIA` or `ASIA` and exactly 16 capitals and digits.
fn aws(bytes: Bytes<'_>, at: usize, wanted: BuiltIns) -> Option<Look> {
    let start = at.checked_sub(2)?;
    let is_prefix = bytes.is(start, "AKIA") || bytes.is(start, "ASIA");
    if !is_prefix || !wanted.hold(BuiltIn::AwsKey) || bytes.is_inside_word(start) {
        return None;
    }
    let end = bytes.long_run(at, Run::Alphanumeric);
    let is_plain = bytes.between(start, end).iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (end - start == 20 && is_plain).then_some(Look::Found(BuiltIn::AwsKey, start, end))
}

/// `AIza` and about 35 characters.
fn google(bytes: Bytes<'_>, at: usize, wanted: BuiltIns) -> Option<Look> {
    let start = at.checked_sub(1)?;
    if !bytes.is(start, "AIza") || bytes.is_inside_word(start) {
        return None;
    }
    let pattern = wanted.first_of(&[BuiltIn::GoogleApiKey, BuiltIn::ApiKey])?;
    let end = bytes.long_run(at, Run::Token);
    (end - start >= 34).then_some(Look::Found(pattern, start, end))
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found;

    #[test]
    fn aws_keys_are_found_as_they_are_given_out() {
        for text in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"] {
            for (before, behind) in [("", ""), ("id=", ";"), ("key_", "_x"), ("é", "é")] {
                assert_eq!(found(&[before, text, behind].concat()), [("aws_key", text)]);
            }
        }
        let texts = "akiaiosfodnn7example xAKIAIOSFODNN7EXAMPLE AKIAIOSFODNN7EXAMPL AKIAIOSFODNN7EXAMPLES \
            AKIAIOSFODNN7EXAMPLEs AKIAIOSFODNN7example AKIA I AI";
        for text in texts.split_whitespace() {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn short_google_keys_are_none() {
        assert_eq!(found("AIzaSyA1SyA1SyA1SyA1"), []);
        assert_eq!(found("xAIzaSyA1SyA1SyA1SyA1SyA1SyA1SyA1SyA1abc"), []);
    }
}
