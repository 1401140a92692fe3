//! API keys: the formats of vendors, and a word that announces a key with letters and digits behind it.
//! All of them have a short word before a `-` or `_`, so the look goes back from there. Ordinary words and
//! hyphenated phrases are never taken for one.

use super::Look;
use super::bytes::{Bytes, Run};
use crate::pattern::{BuiltIn, BuiltIns};

/// The longest word that announces a key.
const LONGEST_WORD: usize = 7;

/// Looks at the word before a `-` or `_` and at what follows.
pub(super) fn look(bytes: Bytes<'_>, at: usize, wanted: BuiltIns) -> Look {
    let past = Look::Past(at + 1);
    if !bytes.back(at, 1).is_ascii_alphabetic() {
        return past;
    }
    let start = bytes.run_back(at, LONGEST_WORD, |byte| byte.is_ascii_alphanumeric());
    if bytes.is_inside_word(start) {
        return past;
    }
    match read(bytes, start, at, wanted) {
        Some((pattern, end)) => Look::Found(pattern, start, end),
        None => past,
    }
}

/// The wanted pattern that the key meets, the closest first, and its end. What is not wanted is not read:
/// nothing would make sure that it is read only once.
fn read(bytes: Bytes<'_>, start: usize, at: usize, wanted: BuiltIns) -> Option<(BuiltIn, usize)> {
    let is_word = |word: &str| word.len() == at - start && bytes.reads(start, word);
    let is_any = |words: &[&str]| words.iter().any(|word| is_word(word));
    let token = |patterns: &[BuiltIn], from: usize, least: usize| {
        let pattern = wanted.first_of(patterns)?;
        let end = bytes.long_run(from, Run::Token);
        (end >= from + least).then_some((pattern, end))
    };
    let any = &[BuiltIn::ApiKey][..];
    let (is_dash, behind) = (bytes.at(at) == b'-', at + 1);
    // Most words before a dash are none of these.
    match (at - start, bytes.at(start).to_ascii_lowercase()) {
        (3, b'g') if !is_dash && is_any(&["ghp", "gho", "ghu", "ghs", "ghr"]) => {
            token(&[BuiltIn::GithubToken, BuiltIn::ApiKey], behind, 16)
        }
        (6, b'g') if is_word("github") && bytes.reads(behind, "pat_") => {
            token(&[BuiltIn::GithubToken, BuiltIn::ApiKey], behind + 4, 16)
        }
        (6, b'g') if is_dash && is_word("gocspx") => token(any, behind, 16),
        (_, b'g') if is_dash && is_any(&GITLAB) => token(any, behind, 16),
        (4, b'x') if is_dash && (is_word("xapp") || is_slack(bytes, start)) => {
            token(&[BuiltIn::SlackToken, BuiltIn::ApiKey], behind, 10)
        }
        (5, b'w') if is_word("whsec") => token(any, behind, 16),
        (2, b's' | b'p' | b'r') if is_any(&["sk", "pk", "rk"]) => {
            let vendor = vendor_of_sk(bytes, behind).and_then(|(word, least)| token(any, behind + word, least));
            vendor.or_else(|| announced(bytes, start, behind, wanted))
        }
        (_, b'k' | b'a' | b't' | b's') if is_any(&["key", "api", "token", "secret"]) => {
            announced(bytes, start, behind, wanted)
        }
        _ => None,
    }
}

/// What the tokens of GitLab begin with.
const GITLAB: [&str; 12] =
    ["glpat", "gldt", "glrt", "glft", "glcbt", "glptt", "glimt", "gloas", "glsoat", "glagent", "glffct", "glwt"];

fn is_slack(bytes: Bytes<'_>, start: usize) -> bool {
    bytes.reads(start, "xox") && bytes.at(start + 3).is_ascii_alphabetic()
}

/// The length of the word behind `sk-` and its like that OpenAI, Anthropic, OpenRouter and Stripe use, and
/// how long a key is at least behind it.
fn vendor_of_sk(bytes: Bytes<'_>, behind: usize) -> Option<(usize, usize)> {
    let vendors = [
        (["proj-", "ant-", "svcacct-", "admin-", "none-", "or-v1-"].as_slice(), 20),
        (["live_", "test_"].as_slice(), 10),
    ];
    vendors
        .into_iter()
        .find_map(|(words, least)| words.iter().find(|word| bytes.reads(behind, word)).map(|word| (word.len(), least)))
}

/// 16 or more letters and digits in one run, four of them digits at least; behind `sk` 32 of any.
fn announced(bytes: Bytes<'_>, start: usize, behind: usize, wanted: BuiltIns) -> Option<(BuiltIn, usize)> {
    // `rk` is the word of one vendor only.
    if !wanted.hold(BuiltIn::ApiKey) || bytes.reads(start, "rk") {
        return None;
    }
    let end = bytes.long_run(behind, Run::Alphanumeric);
    let digits = bytes.between(behind, end).iter().filter(|byte| byte.is_ascii_digit()).count();
    let is_long = bytes.reads(start, "sk") && end >= behind + 32;
    let is_key = is_long || (end >= behind + 16 && digits >= 4);
    // What hangs on the run belongs to the key.
    is_key.then(|| (BuiltIn::ApiKey, bytes.long_run(end, Run::Token)))
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::{found, found_of};
    use crate::pattern::{BuiltIn, BuiltIns};

    fn keys(text: &str) -> Vec<&str> {
        let mut wanted = BuiltIns::default();
        wanted.add(BuiltIn::ApiKey);
        found_of(wanted, text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn keys_of_vendors_are_found() {
        let texts = "sk-proj-abcdefghijklmnopqrstuvwx sk-abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuv \
            sk-ant-api03-abcdefghijklmnop_-qrst sk_live_abcdefghijklmnop pk_test_TYooMQauvdEDq54NiTphI7jx \
            rk_live_abcdefghij whsec_abcdefghijklmnop ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2 \
            gho_abcdefghijklmnopqrst github_pat_11ABCDEFG_abcdefghijkl glpat-abcdefghij1234567890 \
            xoxb-123456789012-abcdefABCDEF xapp-1-A0123456789-1234567890 \
            AIzaSyA1SyA1SyA1SyA1SyA1SyA1SyA1SyA1abc GOCSPX-abcdefghijklmnopqrstuvwx";
        for text in texts.split_whitespace() {
            for (before, behind) in [("", ""), ("key=", "&x"), ("Bearer ", "."), ("my_", " x"), ("é", "é")] {
                let within = [before, text, behind].concat();
                assert_eq!(keys(&within), [text], "{within}");
            }
        }
    }

    #[test]
    fn announced_keys_are_found_in_any_case() {
        for text in [
            "key-1234567890abcdef",
            "api_a1b2c3d4e5f6g7h8",
            "TOKEN_ABCDEFGH12345678",
            "secret-abcdefghijkl1234",
            "sk-abcdefghijkl1234",
            "pk_1234567890123456",
            "key_abcdefghijkl1234-rest",
        ] {
            assert_eq!(keys(text), [text]);
        }
        assert_eq!(keys("x-api-key-1234567890abcdef"), ["key-1234567890abcdef"]);
    }

    #[test]
    fn ordinary_words_pass() {
        let texts = "skateboarding-championships disk-usage-report-2026-final tokenization_of_documents \
            keyboard-shortcuts-reference https://ex.com/tasks-for-the-next-quarter task-1234567890abcdef \
            monkey_1234567890abcdef key-abcdefghijklmnop key-123456789012345 key=1234567890abcdef \
            secret-1234-5678-9012-3456 api_key_of_the_department_2026 token-abcdefghijklmnop123 \
            sk-learn-extension-2024-01-15 pk-123 api-v1-customers-20260115 glp-abcdefghij1234567890 \
            sk-internationalization xo-1234567890123 key_ _key rk-abcdefghijkl1234";
        for text in texts.split_whitespace() {
            assert_eq!(keys(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn tokens_of_one_vendor_have_a_pattern_of_their_own() {
        let name = |text| found(text).first().map(|found| found.0);
        assert_eq!(name("ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"), Some("github_token"));
        assert_eq!(name("xoxb-123456789012-abcdefABCDEF"), Some("slack_token"));
        assert_eq!(name("AIzaSyA1SyA1SyA1SyA1SyA1SyA1SyA1SyA1abc"), Some("google_api_key"));
        let mut wanted = BuiltIns::default();
        wanted.add(BuiltIn::SlackToken);
        assert_eq!(found_of(wanted, "ghp_a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2a1B2"), []);
    }
}
