//! What holds for every call, tried on random ones.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use agenthalt_guard::testing::{TestCall, TestGuard};
use agenthalt_guard::{Json, Object, Verdict};
use proptest::prelude::*;

use crate::SensitiveData;
use crate::detector::Detector;

const ALL_PATTERNS: &str = r#"{"redact_on_modify":true,"sensitive_fields":[],"blocked_patterns":["ssn","credit_card","api_key",
    "aws_key","jwt","private_key","email","phone_us","ip_address","password_field","github_token","slack_token",
    "google_api_key"],"custom_patterns":{"employee":"EMP-\\d{6}"}}"#;

fn detector(settings: &str) -> Detector {
    let settings = agenthalt_guard::read_settings(settings).unwrap();
    Detector::new(&settings, &mut agenthalt_guard::Problems::new())
}

/// A card number with the right check digit.
fn checked(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| match (place % 2, u32::from(byte - b'0')) {
            (0, digit @ 0..=4) => digit * 2,
            (0, digit) => digit * 2 - 9,
            (_, digit) => digit,
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn grouped(digits: &str, separator: &str) -> String {
    let groups: Vec<String> =
        digits.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into_owned()).collect();
    groups.join(separator)
}

fn any_secret() -> impl Strategy<Value = String> {
    let separator =
        prop_oneof![Just(""), Just(" "), Just("-"), Just("."), Just("\u{2011}"), Just("\u{a0}"), Just(" - ")];
    prop_oneof![
        ("[1-5][0-9]{2}", "[- .]", "[0-9]{2}", "[0-9]{4}")
            .prop_map(|(a, s, g, n)| [&a, &s, &g, &s, &n].map(String::as_str).concat()),
        ("(4[0-9]{3}|5[1-5][0-9]{2})[0-9]{11}", separator).prop_map(|(digits, s)| grouped(&checked(&digits), s)),
        "3[47][0-9]{12}".prop_map(|digits| checked(&digits)),
        "(AKIA|ASIA)[0-9A-Z]{16}",
        "(key|api|token|secret|sk|pk)[-_][a-z]{12}[0-9]{4}[A-Za-z0-9]{0,12}",
        "sk-proj-[A-Za-z0-9]{24}",
        "gh[pousr]_[A-Za-z0-9]{36}",
        "glpat-[A-Za-z0-9]{20}",
        "xox[bpars]-[0-9]{12}-[A-Za-z0-9]{12}",
        "AIza[A-Za-z0-9]{35}",
        "eyJ[A-Za-z0-9]{12}\\.eyJ[A-Za-z0-9]{12}\\.[A-Za-z0-9]{12}",
        "[A-Za-z0-9]{20}".prop_map(|body| format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----")),
        "EMP-[0-9]{6}",
    ]
}

#[derive(Clone, Copy, Debug)]
enum Wrapping {
    Plain,
    Base64,
    Base64Twice,
    Percent,
    FullWidth,
    ZeroWidth,
}

impl Wrapping {
    fn wrap(self, secret: &str) -> String {
        match self {
            Wrapping::Plain => secret.to_owned(),
            Wrapping::Base64 => base64(secret),
            Wrapping::Base64Twice => base64(&base64(secret)),
            Wrapping::Percent => secret.bytes().map(|byte| format!("%{byte:02X}")).collect(),
            Wrapping::FullWidth => secret
                .chars()
                .map(|c| match c {
                    '0'..='9' => char::from_u32(u32::from(c) - 0x30 + 0xff10).unwrap(),
                    c => c,
                })
                .collect(),
            Wrapping::ZeroWidth => secret.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        }
    }
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    while !out.len().is_multiple_of(4) {
        out.push('=');
    }
    out
}

fn any_wrapping() -> impl Strategy<Value = Wrapping> {
    prop_oneof![
        Just(Wrapping::Plain),
        Just(Wrapping::Base64),
        Just(Wrapping::Base64Twice),
        Just(Wrapping::Percent),
        Just(Wrapping::FullWidth),
        Just(Wrapping::ZeroWidth),
    ]
}

fn harmless() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i32>().prop_map(|number| Json::from(i64::from(number))),
        (1_600_000_000_000_i64..1_999_999_999_999).prop_map(Json::from),
        "[a-z ,.!?]{0,30}".prop_map(Json::from),
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}".prop_map(Json::from),
        "[а-я漢字é ]{0,12}".prop_map(Json::from),
    ]
}

fn tree_around(leaf: impl Strategy<Value = Json> + 'static) -> impl Strategy<Value = Json> {
    let leaf = leaf.boxed();
    (leaf, prop::collection::vec((any::<bool>(), "[b-h]{1,4}", harmless(), harmless()), 1..6)).prop_map(
        |(leaf, levels)| {
            levels.into_iter().fold(leaf, |inner, (is_list, key, one, other)| match is_list {
                true => Json::from(vec![one, inner, other]),
                false => Json::Object(
                    [(format!("0{key}"), one), (key.clone(), inner), (format!("z{key}"), other)].into_iter().collect(),
                ),
            })
        },
    )
}

fn any_json() -> impl Strategy<Value = Json> {
    let text = prop_oneof![any::<String>(), "[0-9 .@%=/+-]{0,40}", "[A-Za-z0-9+/=_-]{0,60}"];
    let leaf = prop_oneof![harmless(), text.prop_map(Json::from), any::<i64>().prop_map(Json::from)];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

fn arguments(tree: Json) -> String {
    Json::Object([("x", tree)].into_iter().collect::<Object>()).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_secret_is_gone_from_what_runs(
        (secret, wrapping, text) in (any_secret(), any_wrapping(), "[a-z]{0,6} ", " [a-z]{0,6}").prop_map(|(secret, wrapping, before, behind)| {
            let text = [before.as_str(), &wrapping.wrap(&secret), &behind].concat();
            (secret, wrapping, text)
        }),
        around in tree_around(Just(Json::from("@secret@"))),
    ) {
        let tree = arguments(around).replace("\"@secret@\"", &Json::from(text.as_str()).to_string());
        let mut guard = TestGuard::<SensitiveData>::new(ALL_PATTERNS).unwrap();
        let decision = guard.judge(&TestCall::new("f").arguments(&tree)).unwrap().unwrap();
        prop_assert_eq!(decision.verdict(), Verdict::Modify, "{} {:?}", tree, wrapping);
        let rest = Json::Object(decision.new_arguments().unwrap().clone()).to_string();
        for form in [secret.clone(), wrapping.wrap(&secret)] {
            prop_assert!(!rest.contains(Json::from(form).to_string().trim_matches('"')), "{} of {}", rest, tree);
        }
        let said = format!("{} {:?}", decision.reason(), decision.details_given());
        prop_assert!(!said.contains(&secret), "{}", said);
        prop_assert_eq!(guard.verdict(&TestCall::new("f").arguments(&rest)), Verdict::Allow, "{}", rest);
    }

    #[test]
    fn secrets_in_keys_deny(secret in any_secret(), wrapping in any_wrapping()) {
        let mut object = Object::new();
        object.insert(wrapping.wrap(&secret), Json::from(1_i64));
        let call = TestCall::new("f").arguments(&arguments(Json::Object(object)));
        prop_assert_eq!(TestGuard::<SensitiveData>::new(ALL_PATTERNS).unwrap().verdict(&call), Verdict::Deny);
    }

    #[test]
    fn harmless_trees_pass(tree in tree_around(harmless())) {
        let call = TestCall::new("f").arguments(&arguments(tree));
        prop_assert_eq!(TestGuard::<SensitiveData>::new("{}").unwrap().verdict(&call), Verdict::Allow, "{:?}", call);
    }

    #[test]
    fn no_call_is_a_fault_and_redaction_is_final(tree in any_json()) {
        let call = TestCall::new("f").arguments(&arguments(tree));
        let mut guard = TestGuard::<SensitiveData>::new(ALL_PATTERNS).unwrap();
        let decision = guard.judge(&call).unwrap().unwrap();
        if let Some(rest) = decision.new_arguments() {
            let rest = Json::Object(rest.clone()).to_string();
            prop_assert_eq!(guard.verdict(&TestCall::new("f").arguments(&rest)), Verdict::Allow, "{}", rest);
        }
    }

    #[test]
    fn spans_are_whole_pieces_in_order(text in "([0-9]{1,6}|[a-zé１\u{200b}%@._ -]|4111|%2D|sk-|MTIzLTQ1LTY3ODk){0,24}") {
        let detector = detector(ALL_PATTERNS);
        let spans = detector.find(&text);
        let mut end = 0;
        for span in &spans {
            prop_assert!(end <= span.start && span.start < span.end && text.get(span.start..span.end).is_some());
            end = span.end;
        }
        let rest = detector.redacted(&text, &spans);
        prop_assert!(detector.find(&rest).is_empty());
    }
}
