//! Text to tree: RFC 8259 to the letter, with bounds, and without a second reading of anything.

use std::fmt;

use crate::{Json, Number, Object};

/// What a text may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Arrays and objects within each other.
    pub depth: usize,
    /// Bytes of text.
    pub bytes: usize,
}

impl Default for Limits {
    /// Nesting up to 64, size up to 1 MiB.
    fn default() -> Self {
        Limits { depth: 64, bytes: 1 << 20 }
    }
}

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is larger than the limit.
    TooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// Arrays and objects nest deeper than the limit.
    TooDeep {
        /// The limit in levels.
        limit: usize,
    },
    /// An object holds a key twice.
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// A `\u` escape is half of a surrogate pair.
    LoneSurrogate,
    /// What stands here is no JSON; says what was expected.
    Syntax(&'static str),
}

/// A text is not what it should be, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// The byte of the text at which it was seen.
    pub offset: usize,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ErrorKind::TooLarge { limit } => write!(f, "larger than {limit} bytes"),
            ErrorKind::TooDeep { limit } => write!(f, "nested deeper than {limit} levels"),
            ErrorKind::DuplicateKey { key } => write!(f, "the key `{}` stands twice in one object", quoted(key)),
            ErrorKind::LoneSurrogate => write!(f, "half of a surrogate pair at byte {}", self.offset),
            ErrorKind::Syntax(expected) => write!(f, "not JSON: {expected} at byte {}", self.offset),
        }
    }
}

impl std::error::Error for Error {}

/// A text as a message quotes it: escaped, and cut after 64 characters.
fn quoted(text: &str) -> String {
    let mut chars = text.chars();
    let mut shown: String = chars.by_ref().take(64).flat_map(char::escape_debug).collect();
    if chars.next().is_some() {
        shown.push('…');
    }
    shown
}

pub(crate) fn parse(text: &str, limits: Limits) -> Result<Json, Error> {
    if text.len() > limits.bytes {
        return Err(Error { kind: ErrorKind::TooLarge { limit: limits.bytes }, offset: limits.bytes });
    }
    let mut parser = Parser { text, at: 0, limits };
    parser.skip_space();
    let value = parser.value(0)?;
    parser.skip_space();
    match parser.peek() {
        None => Ok(value),
        Some(_) => Err(parser.expected("the end of the text")),
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected(&self, what: &'static str) -> Error {
        self.error(ErrorKind::Syntax(what))
    }

    fn error(&self, kind: ErrorKind) -> Error {
        Error { kind, offset: self.at }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, Error> {
        match self.peek() {
            Some(b'{') => self.object(self.deeper(depth)?),
            Some(b'[') => self.array(self.deeper(depth)?),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            _ => Err(self.expected("expected a value")),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Error> {
        if depth >= self.limits.depth {
            return Err(self.error(ErrorKind::TooDeep { limit: self.limits.depth }));
        }
        Ok(depth + 1)
    }

    fn word(&mut self, word: &'static str, value: Json) -> Result<Json, Error> {
        match self.text.get(self.at..self.at + word.len()) {
            Some(found) if found == word => {
                self.at += word.len();
                Ok(value)
            }
            _ => Err(self.expected("expected a value")),
        }
    }

    fn number(&mut self) -> Result<Json, Error> {
        let start = self.at;
        while matches!(self.peek(), Some(b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let found = self.text.get(start..self.at).unwrap_or_default();
        match Number::parse(found) {
            Some(number) => Ok(Json::Number(number)),
            None => {
                self.at = start;
                Err(self.expected("expected a number with an exponent of at most a thousand million"))
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, Error> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth)?);
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                _ => return Err(self.expected("expected `,` or `]`")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Error> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Object::new()));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.expected("expected a key"));
            }
            let key = self.string()?;
            self.skip_space();
            if self.peek() != Some(b':') {
                return Err(self.expected("expected `:`"));
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(depth)?;
            entries.push((key, value));
            self.skip_space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Object::from_entries(entries)
                        .map(Json::Object)
                        .map_err(|key| self.error(ErrorKind::DuplicateKey { key }));
                }
                _ => return Err(self.expected("expected `,` or `}`")),
            }
        }
    }

    fn string(&mut self) -> Result<String, Error> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            // One look at each byte: this loop is most of what a large call costs a guard.
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            out.push_str(self.text.get(self.at..self.at + plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(_) => return Err(self.expected("expected an escape for the control character")),
                None => return Err(self.expected("expected the closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let Some(letter) = self.peek() else {
            return Err(self.expected("expected an escape"));
        };
        let plain = match letter {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.expected("expected an escape that JSON knows")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Reads what follows `\u`, with its second half where it is the first of a pair.
    fn unicode(&mut self) -> Result<char, Error> {
        let start = self.at;
        let first = self.hex()?;
        let code = match first {
            0xd800..=0xdbff => {
                let paired = self.text.get(self.at..self.at + 2) == Some("\\u");
                if paired {
                    self.at += 2;
                }
                match paired.then(|| self.hex()).transpose()? {
                    Some(second @ 0xdc00..=0xdfff) => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                    _ => return Err(Error { kind: ErrorKind::LoneSurrogate, offset: start }),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or(Error { kind: ErrorKind::LoneSurrogate, offset: start })
    }

    fn hex(&mut self) -> Result<u32, Error> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(self.expected("expected four hexadecimal digits"));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| self.expected("expected four hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn kind(text: &str) -> ErrorKind {
        Json::parse(text).unwrap_err().kind
    }

    #[test]
    fn canonical_text_sorts_keys_and_keeps_numbers() {
        let text = " { \"b\" : [ 1.0 , 0.10, true,null ] , \"a\\u0041\" : \"\\u00e9\\/\\n\" } ";
        assert_eq!(Json::parse(text).unwrap().to_string(), r#"{"aA":"é/\n","b":[1,0.1,true,null]}"#);
    }

    #[test]
    fn duplicate_keys_are_refused_after_unescaping() {
        assert_eq!(kind(r#"{"a":1,"\u0061":2}"#), ErrorKind::DuplicateKey { key: "a".to_owned() });
        assert_eq!(kind(r#"{"x":{"b":1,"a":2,"b":3}}"#), ErrorKind::DuplicateKey { key: "b".to_owned() });
    }

    #[test]
    fn a_long_key_is_told_in_short() {
        for key in ["k".repeat(80_000), "\\u0007".repeat(80_000)] {
            let error = Json::parse(&format!("{{\"{key}\":1,\"{key}\":2}}")).unwrap_err().to_string();
            assert!(error.len() < 1_024 && error.contains("…`"), "{} bytes", error.len());
        }
    }

    #[test]
    fn lone_surrogates_are_refused_and_pairs_read() {
        for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
            assert_eq!(kind(text), ErrorKind::LoneSurrogate, "{text}");
        }
        assert_eq!(Json::parse(r#""\ud83d\ude00""#).unwrap(), Json::from("😀"));
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(Json::parse(&nested(64)).is_ok());
        assert_eq!(kind(&nested(65)), ErrorKind::TooDeep { limit: 64 });
        assert_eq!(kind(&"[".repeat(500_000)), ErrorKind::TooDeep { limit: 64 });
        let large = format!("\"{}\"", "x".repeat(1 << 20));
        assert_eq!(kind(&large), ErrorKind::TooLarge { limit: 1 << 20 });
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "'a'",
            "nul",
            "1 2",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[1 2]",
            "{\"a\" 1}",
            "NaN",
            "Infinity",
            "-",
            "\u{feff}1",
            "\"é",
        ] {
            assert!(matches!(kind(text), ErrorKind::Syntax(_)), "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(Json::from),
            "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?"
                .prop_map(|text| Json::Number(Number::parse(&text).unwrap())),
            any::<String>().prop_map(Json::String),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
                prop::collection::vec((any::<String>(), inner), 0..6)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back_as_itself(value in any_json()) {
            let text = value.to_string();
            let again = Json::parse(&text).unwrap();
            prop_assert_eq!(&again, &value);
            prop_assert_eq!(again.to_string(), text);
        }

        #[test]
        fn a_common_parser_agrees_on_what_is_json(text in "[\\[\\]{}:,\"a-c0-3.e\\\\u -]{0,24}") {
            let ours = Json::parse(&text);
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            // They keep the last of two equal keys and refuse what overflows a double.
            match (&ours, &theirs) {
                (Err(Error { kind: ErrorKind::DuplicateKey { .. }, .. }), Ok(_)) => {}
                (Ok(_), Err(error)) if error.to_string().starts_with("number out of range") => {}
                _ => prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} {:?}", text, ours, theirs),
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in any::<String>()) {
            let _ = Json::parse(&text);
        }
    }
}
