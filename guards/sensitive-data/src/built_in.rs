//! The built-in patterns, in one pass over a text. Each family is set off by a byte that stands in all of
//! its matches and seldom elsewhere, and then looks around that byte; so the pass itself costs a few
//! instructions a byte. No family looks at a byte more often than a fixed number of times, whatever the
//! text: an attacker cannot make it slow.
//!
//! | module | patterns | set off by |
//! |---|---|---|
//! | `bytes` | the text, read without ever failing | |
//! | `number` | ssn, credit_card, phone_us, ip_address | a digit |
//! | `key` | api_key, github_token, slack_token | `-`, `_` |
//! | `prefixed` | aws_key, google_api_key | `I`, in `AKIA`, `ASIA` and `AIza` |
//! | `jwt` | jwt | `J`, in `eyJ` |
//! | `private_key` | private_key | `V`, in `PRIVATE KEY` |
//! | `email` | email | `@` |
//! | `password` | password_field | `w`, `k`, `c`, in password, token, secret |

mod bytes;
mod card;
mod email;
mod jwt;
mod key;
mod number;
mod password;
mod phone;
mod prefixed;
mod private_key;

use bytes::Bytes;

use crate::pattern::{ALL, BuiltIn, BuiltIns, Pattern};
use crate::seek::{seek, seen};
use crate::span::Span;

/// What a byte sets off, one bit a family.
mod family {
    pub(super) const NUMBER: u8 = 1;
    pub(super) const KEY: u8 = 2;
    pub(super) const PREFIXED: u8 = 4;
    pub(super) const JWT: u8 = 8;
    pub(super) const PRIVATE_KEY: u8 = 16;
    pub(super) const EMAIL: u8 = 32;
    pub(super) const PASSWORD: u8 = 64;
    /// None: the byte may be part of an encoding, or is outside ASCII.
    pub(super) const ODD: u8 = 128;
}

/// By byte: the families that it sets off.
static FAMILIES: [u8; 256] = families();

#[expect(clippy::indexing_slicing, reason = "computed when the guard is compiled")]
const fn families() -> [u8; 256] {
    let mut table = [0; 256];
    let mut digit = b'0';
    while digit <= b'9' {
        table[digit as usize] = family::NUMBER;
        digit += 1;
    }
    table[b'-' as usize] = family::KEY;
    table[b'_' as usize] = family::KEY;
    table[b'I' as usize] = family::PREFIXED;
    table[b'J' as usize] = family::JWT;
    table[b'V' as usize] = family::PRIVATE_KEY;
    table[b'v' as usize] = family::PRIVATE_KEY;
    table[b'@' as usize] = family::EMAIL;
    let word_letters = *b"wWkKcC";
    table[b'%' as usize] = family::ODD;
    let mut odd = 128;
    while odd < table.len() {
        table[odd] = family::ODD;
        odd += 1;
    }
    let mut index = 0;
    while index < word_letters.len() {
        table[word_letters[index] as usize] = family::PASSWORD;
        index += 1;
    }
    table
}

fn families_of(byte: u8) -> u8 {
    FAMILIES.get(usize::from(byte)).copied().unwrap_or(0)
}

/// What one family says of the place that set it off.
enum Look {
    /// From the first to the second byte stands this pattern.
    Found(BuiltIn, usize, usize),
    /// Nothing that begins before this byte; the pass goes on there.
    Past(usize),
}

/// The families that the wanted patterns need.
fn watched(wanted: BuiltIns) -> u8 {
    let mut watched = 0;
    for (family, patterns) in [
        (family::NUMBER, &[BuiltIn::Ssn, BuiltIn::CreditCard, BuiltIn::PhoneUs, BuiltIn::IpAddress][..]),
        (family::KEY, &[BuiltIn::ApiKey, BuiltIn::GithubToken, BuiltIn::SlackToken]),
        (family::PREFIXED, &[BuiltIn::AwsKey, BuiltIn::ApiKey, BuiltIn::GoogleApiKey]),
        (family::JWT, &[BuiltIn::Jwt]),
        (family::PRIVATE_KEY, &[BuiltIn::PrivateKey]),
        (family::EMAIL, &[BuiltIn::Email]),
        (family::PASSWORD, &[BuiltIn::PasswordField]),
    ] {
        if wanted.first_of(patterns).is_some() {
            watched |= family;
        }
    }
    watched
}

/// Finds the wanted patterns in a text.
pub(crate) struct Finder {
    wanted: BuiltIns,
    watched: u8,
    /// No match has fewer bytes, as it is written or however it is hidden.
    pub(crate) least_bytes: usize,
}

impl Finder {
    pub(crate) fn new(wanted: BuiltIns) -> Finder {
        let least = ALL.into_iter().filter(|pattern| wanted.hold(*pattern)).map(BuiltIn::least_bytes).min();
        Finder { wanted, watched: watched(wanted), least_bytes: least.unwrap_or(usize::MAX) }
    }

    /// Adds all matches in a text. `false` where the text is plain: ASCII without a percent sign.
    pub(crate) fn find(&self, text: &str, found: &mut Vec<Span>) -> bool {
        let families = seen(text.as_bytes(), families_of);
        if families & self.watched != 0 {
            self.find_watched(text, found);
        }
        families & family::ODD != 0
    }

    fn find_watched(&self, text: &str, found: &mut Vec<Span>) {
        let bytes = Bytes::of(text);
        let mut at = 0;
        // A token that was none is not read again from a later start within it.
        let mut no_jwt_before = 0;
        while let Some(skipped) = seek(bytes.between(at, bytes.len()), families_of, self.watched) {
            at += skipped;
            let set_off = families_of(bytes.at(at)) & self.watched;
            // A digit before a letter, as in digests and encodings, is no number.
            if set_off == family::NUMBER && bytes.at(at + 1).is_ascii_alphabetic() {
                at += 1;
                continue;
            }
            let look = match set_off {
                family::NUMBER => number::look(bytes, at, self.wanted),
                family::KEY => key::look(bytes, at, self.wanted),
                family::PREFIXED => prefixed::look(bytes, at, self.wanted),
                family::PRIVATE_KEY => private_key::look(bytes, at),
                family::EMAIL => email::look(bytes, at),
                family::PASSWORD => password::look(bytes, at),
                family::JWT if at >= no_jwt_before => jwt::look(bytes, at),
                _ => Look::Past(at + 1),
            };
            at = match look {
                Look::Found(pattern, start, end) => {
                    found.push(Span { start, end, pattern: Pattern::BuiltIn(pattern) });
                    end
                }
                Look::Past(past) if set_off == family::JWT => {
                    no_jwt_before = no_jwt_before.max(past);
                    at + 1
                }
                Look::Past(past) => past,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found with every pattern on.
    pub(super) fn found(text: &str) -> Vec<(&'static str, &str)> {
        found_of(BuiltIns::all(), text)
    }

    pub(super) fn found_of(wanted: BuiltIns, text: &str) -> Vec<(&'static str, &str)> {
        let mut spans = Vec::new();
        Finder::new(wanted).find(text, &mut spans);
        let name = |pattern| match pattern {
            Pattern::BuiltIn(pattern) => pattern.name(),
            Pattern::Custom(_) => "custom",
        };
        spans
            .iter()
            .map(|span| (name(span.pattern), text.get(span.start..span.end).unwrap_or("out of bounds")))
            .collect()
    }

    #[test]
    fn only_wanted_patterns_are_found() {
        let text = "123-45-6789 4111111111111111 a@b.co 10.0.0.1 415-555-2671 AKIAIOSFODNN7EXAMPLE pwd";
        assert_eq!(found_of(BuiltIns::default(), text), []);
        for pattern in ALL {
            let mut one = BuiltIns::default();
            one.add(pattern);
            assert!(found_of(one, text).iter().all(|(name, _)| *name == pattern.name()), "{pattern:?}");
        }
        assert_eq!(found(text).len(), 7);
    }

    #[test]
    fn one_text_may_hold_many() {
        let text = "call 415-555-2671 or mail a.b@example.com; card 4111 1111 1111 1111, ssn 123-45-6789.";
        let names: Vec<_> = found(text).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["phone_us", "email", "credit_card", "ssn"]);
    }

    #[test]
    fn texts_of_nothing_but_starts_take_linear_time() {
        for piece in [
            "-eyJ",
            "eyJ.",
            "eyJa.eyJ",
            "a@",
            "@a.",
            "1 ",
            "4 ",
            "41 ",
            "4111 ",
            "411111-",
            "123-45-",
            "1.",
            "sk-",
            "sk_a",
            "AIza",
            "AKIA",
            "-----BEGIN PRIVATE KEY-----",
            "PRIVATE KEY",
            "password=",
            "token is ",
            "ghp_",
            "----",
            "415-555",
            "xoxb-",
        ] {
            let text = piece.repeat(200_000 / piece.len());
            let started = std::time::Instant::now();
            found(&text);
            for pattern in ALL {
                let mut one = BuiltIns::default();
                one.add(pattern);
                found_of(one, &text);
            }
            assert!(started.elapsed().as_secs() < 5, "{piece:?} took {:?}", started.elapsed());
        }
    }
}
