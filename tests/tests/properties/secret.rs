//! Random secrets of every built-in pattern, and ways to hide one in a text. It judges nothing.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;

/// A policy that looks for every pattern and redacts.
pub(crate) const EVERY_PATTERN: &str = r#"{"guards":{"sensitive_data":{"redact_on_modify":true,
    "custom_patterns":{"employee_id":"EMP-\\d{6}"},"blocked_patterns":["ssn","credit_card","api_key","aws_key","jwt",
    "private_key","email","phone_us","ip_address","password_field","github_token","slack_token","google_api_key"]}}}"#;

fn shaped(regex: &str) -> BoxedStrategy<String> {
    string_regex(regex).unwrap().boxed()
}

/// A secret that some pattern finds.
pub(crate) fn secret() -> impl Strategy<Value = String> {
    let run = "[A-Za-z]{6}[0-9]{4}[A-Za-z0-9]{6,20}";
    prop_oneof![
        ssn(),
        card(),
        shaped(&format!("(key|api|token|secret|sk|pk)[-_]{run}")),
        shaped("(ghp|gho|ghs|ghu)_[A-Za-z0-9]{36}"),
        shaped("glpat-[A-Za-z0-9]{20}"),
        shaped("sk_live_[A-Za-z0-9]{24}"),
        shaped("(AKIA|ASIA)[A-Z0-9]{16}"),
        shaped("eyJhbGciOiJIUzI1NiJ9\\.eyJ[A-Za-z0-9_-]{20,40}\\.[A-Za-z0-9_-]{42}[A-Za-z0-9]"),
        shaped("-----BEGIN (RSA |EC |OPENSSH )?PRIVATE KEY-----"),
        shaped("[a-z]{1,8}\\.[a-z0-9]{1,8}@[a-z]{2,9}\\.(com|org|example)"),
        shaped("(\\([2-9][0-9]{2}\\) |[2-9][0-9]{2}-)[2-9][0-9]{2}-[0-9]{4}"),
        shaped("(10|172|192)\\.(1?[0-9]{1,2})\\.([1-9][0-9]?)\\.(2[0-4][0-9]|[1-9])"),
        shaped("password=[a-z]{4}[0-9]{4}"),
        shaped("xoxb-[0-9]{12}-[0-9]{13}-[A-Za-z0-9]{24}"),
        shaped("AIza[A-Za-z0-9_-]{34}[A-Za-z0-9]"),
        shaped("EMP-[0-9]{6}"),
    ]
}

fn ssn() -> impl Strategy<Value = String> {
    let area = (1_u32..=899).prop_filter("no such area", |area| *area != 666);
    (area, 1_u32..=99, 1_u32..=9_999, select(&["-", " ", "."][..]))
        .prop_map(|(area, group, serial, dash)| format!("{area:03}{dash}{group:02}{dash}{serial:04}"))
}

fn card() -> impl Strategy<Value = String> {
    // The first digits, how many in all, and the usual groups.
    let kinds: [(&str, &[usize]); 8] = [
        ("4", &[4, 4, 4, 4]),
        ("51", &[4, 4, 4, 4]),
        ("2221", &[4, 4, 4, 4]),
        ("2720", &[4, 4, 4, 4]),
        ("6011", &[4, 4, 4, 4]),
        ("37", &[4, 6, 5]),
        ("34", &[4, 6, 5]),
        ("3530", &[4, 4, 4, 4]),
    ];
    (select(kinds.to_vec()), prop::collection::vec(0_u8..=9, 19), select(&["", " ", "-"][..])).prop_map(
        |((prefix, groups), random, dash)| {
            let length: usize = groups.iter().sum();
            let mut digits: Vec<u8> = prefix.bytes().map(|b| b - b'0').chain(random).take(length - 1).collect();
            digits.push(check_digit(&digits));
            let mut shown = String::new();
            let mut rest = digits.as_slice();
            for group in groups {
                if !shown.is_empty() {
                    shown.push_str(dash);
                }
                shown.extend(rest[..*group].iter().map(|digit| char::from(b'0' + digit)));
                rest = &rest[*group..];
            }
            shown
        },
    )
}

/// What makes the sum over all digits, every second one doubled, a multiple of ten.
fn check_digit(digits: &[u8]) -> u8 {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, d)| u32::from(if at % 2 == 0 { doubled(*d) } else { *d })).sum();
    u8::try_from((10 - sum % 10) % 10).unwrap()
}

/// How a secret is hidden.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Hiding {
    Plain,
    /// The signs as `%2D`, or every character.
    Percent {
        all: bool,
    },
    PercentTwice,
    Base64 {
        for_urls: bool,
        padded: bool,
    },
    Base64Twice,
}

pub(crate) fn hiding() -> impl Strategy<Value = Hiding> {
    prop_oneof![
        4 => Just(Hiding::Plain),
        2 => any::<bool>().prop_map(|all| Hiding::Percent { all }),
        1 => Just(Hiding::PercentTwice),
        2 => any::<(bool, bool)>().prop_map(|(for_urls, padded)| Hiding::Base64 { for_urls, padded }),
        1 => Just(Hiding::Base64Twice),
    ]
}

impl Hiding {
    /// The secret, hidden.
    pub(crate) fn hide(self, secret: &str) -> String {
        let noted = format!("note: {secret} ok");
        match self {
            Hiding::Plain => secret.to_owned(),
            Hiding::Percent { all } => percent(secret, all),
            Hiding::PercentTwice => percent(&percent(secret, true), false),
            Hiding::Base64 { for_urls, padded } => base64(&noted, for_urls, padded),
            Hiding::Base64Twice => base64(&base64(&noted, false, true), false, true),
        }
    }
}

fn percent(text: &str, all: bool) -> String {
    let byte = |b: u8| match b {
        _ if all || !b.is_ascii_alphanumeric() => format!("%{b:02X}"),
        b => char::from(b).to_string(),
    };
    text.bytes().map(byte).collect()
}

fn base64(text: &str, for_urls: bool, padded: bool) -> String {
    let letter = |six: u32| {
        let place = u8::try_from(six & 63).unwrap();
        char::from(match place {
            0..26 => b'A' + place,
            26..52 => b'a' + place - 26,
            52..62 => b'0' + place - 52,
            62 => {
                if for_urls {
                    b'-'
                } else {
                    b'+'
                }
            }
            _ => {
                if for_urls {
                    b'_'
                } else {
                    b'/'
                }
            }
        })
    };
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - three.len()));
        out.extend((0..=three.len()).map(|at| letter(bits >> (18 - 6 * at))));
        out.push_str(if padded { ["", "=", "=="][3 - three.len()] } else { "" });
    }
    out
}

#[test]
fn known_secrets_and_encodings_come_out() {
    assert_eq!(check_digit(&[4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]), 1);
    assert_eq!(base64("any carnal pleas", false, true), "YW55IGNhcm5hbCBwbGVhcw==");
    assert_eq!(percent("a-b", false), "a%2Db");
}
