//! Text to tree: RFC 8259 to the letter, with bounds, and without a second reading of anything.

use std::fmt::{self, Write};

use crate::scan::plain_run;
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
            ErrorKind::DuplicateKey { key } => {
                f.write_str("the key `")?;
                quote(f, key)?;
                f.write_str("` stands twice in one object")
            }
            ErrorKind::LoneSurrogate => write!(f, "half of a surrogate pair at byte {}", self.offset),
            ErrorKind::Syntax(expected) => write!(f, "not JSON: {expected} at byte {}", self.offset),
        }
    }
}

impl std::error::Error for Error {}

/// Writes a text as a message quotes it: escaped, and cut after 64 characters. Not as the standard
/// library escapes: that brings tables as large as this whole module into every guard.
fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    for (place, c) in text.chars().enumerate() {
        match c {
            _ if place == 64 => return f.write_char('…'),
            '\0' => f.write_str("\\0")?,
            '\t' => f.write_str("\\t")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '"' | '\'' | '\\' => write!(f, "\\{c}")?,
            _ if is_unseen(c) => write!(f, "\\u{{{:x}}}", u32::from(c))?,
            _ => f.write_char(c)?,
        }
    }
    Ok(())
}

/// Control characters, and those that move or hide the text around them.
fn is_unseen(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{a0}'
        | '\u{ad}'
        | '\u{300}'..='\u{36f}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{2000}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}'
        | '\u{205f}'..='\u{206f}'
        | '\u{3000}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{fffc}'
        | '\u{e0000}'..)
}

/// What ends the reading. Boxed, so that every value on its way out is small.
type Stop = Box<Error>;

pub(crate) fn parse(text: &str, limits: Limits) -> Result<Json, Error> {
    if text.len() > limits.bytes {
        return Err(Error { kind: ErrorKind::TooLarge { limit: limits.bytes }, offset: limits.bytes });
    }
    Parser { text, at: 0, limits }.whole().map_err(|stop| *stop)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    limits: Limits,
}

impl<'a> Parser<'a> {
    fn whole(&mut self) -> Result<Json, Stop> {
        let value = self.value(0)?;
        match self.next() {
            None => Ok(value),
            Some(_) => Err(self.expected("the end of the text")),
        }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no space.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other,
            }
        }
    }

    fn expected(&self, what: &'static str) -> Stop {
        self.stop(ErrorKind::Syntax(what))
    }

    #[cold]
    fn stop(&self, kind: ErrorKind) -> Stop {
        Box::new(Error { kind, offset: self.at })
    }

    fn value(&mut self, depth: usize) -> Result<Json, Stop> {
        match self.next() {
            Some(b'0'..=b'9' | b'-') => self.number(),
            Some(b'"') => Ok(Json::String(self.string()?)),
            Some(b'{') => self.object(self.deeper(depth)?),
            Some(b'[') => self.array(self.deeper(depth)?),
            _ => self.word(),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Stop> {
        if depth >= self.limits.depth {
            return Err(self.stop(ErrorKind::TooDeep { limit: self.limits.depth }));
        }
        Ok(depth + 1)
    }

    fn word(&mut self) -> Result<Json, Stop> {
        let (value, length) = match self.rest() {
            [b'n', b'u', b'l', b'l', ..] => (Json::Null, 4),
            [b't', b'r', b'u', b'e', ..] => (Json::Bool(true), 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (Json::Bool(false), 5),
            [..] => return Err(self.expected("expected a value")),
        };
        self.at += length;
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, Stop> {
        if let Some((number, length)) = Number::short(self.rest()) {
            self.at += length;
            return Ok(Json::Number(number));
        }
        self.any_number()
    }

    #[inline(never)]
    fn any_number(&mut self) -> Result<Json, Stop> {
        let is_part = |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'e' | b'E' | b'+');
        let rest = self.rest();
        let length = rest.iter().position(|b| !is_part(b)).unwrap_or(rest.len());
        match self.text.get(self.at..self.at + length).and_then(Number::parse) {
            Some(number) => {
                self.at += length;
                Ok(Json::Number(number))
            }
            None => Err(self.expected("expected a number with an exponent of at most a thousand million")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Json, Stop> {
        self.at += 1;
        let mut items = Vec::new();
        if self.next() == Some(b']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.value(depth)?);
            match self.next() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Json::Array(items));
                }
                _ => return Err(self.expected("expected `,` or `]`")),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Stop> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.next() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(Object::new()));
        }
        loop {
            if self.next() != Some(b'"') {
                return Err(self.expected("expected a key"));
            }
            let key = self.string()?;
            if self.next() != Some(b':') {
                return Err(self.expected("expected `:`"));
            }
            self.at += 1;
            let value = self.value(depth)?;
            entries.push((key, value));
            match self.next() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Object::from_entries(entries)
                        .map(Json::Object)
                        .map_err(|key| self.stop(ErrorKind::DuplicateKey { key }));
                }
                _ => return Err(self.expected("expected `,` or `}`")),
            }
        }
    }

    fn string(&mut self) -> Result<String, Stop> {
        self.at += 1;
        let start = self.at;
        self.at += plain_run(self.rest());
        let plain = self.text.get(start..self.at).unwrap_or_default();
        if self.peek() == Some(b'"') {
            self.at += 1;
            return Ok(plain.to_owned());
        }
        self.string_after(plain)
    }

    /// Reads the rest of a string that holds an escape.
    #[inline(never)]
    fn string_after(&mut self, plain: &str) -> Result<String, Stop> {
        let mut out = plain.to_owned();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escape()?);
                }
                Some(0..=0x1f) => return Err(self.expected("expected an escape for the control character")),
                Some(_) => {
                    let start = self.at;
                    self.at += plain_run(self.rest());
                    out.push_str(self.text.get(start..self.at).unwrap_or_default());
                }
                None => return Err(self.expected("expected the closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let plain = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            Some(_) => return Err(self.expected("expected an escape that JSON knows")),
            None => return Err(self.expected("expected an escape")),
        };
        self.at += 1;
        Ok(plain)
    }

    /// Reads what follows `\u`, with its second half where it is the first of a pair.
    fn unicode(&mut self) -> Result<char, Stop> {
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
                    _ => return Err(Box::new(Error { kind: ErrorKind::LoneSurrogate, offset: start })),
                }
            }
            other => other,
        };
        char::from_u32(code).ok_or_else(|| Box::new(Error { kind: ErrorKind::LoneSurrogate, offset: start }))
    }

    fn hex(&mut self) -> Result<u32, Stop> {
        let mut code = 0;
        for ahead in 0..4 {
            let digit = self.text.as_bytes().get(self.at + ahead).and_then(|b| char::from(*b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.expected("expected four hexadecimal digits"))?;
        }
        self.at += 4;
        Ok(code)
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
    fn a_key_that_hides_or_turns_text_is_told_escaped() {
        let told = |key: &str| Json::parse(&format!("{{\"{key}\":1,\"{key}\":2}}")).unwrap_err().to_string();
        assert_eq!(told("a\\n'\\\"é"), "the key `a\\n\\'\\\"é` stands twice in one object");
        assert_eq!(told("\\u0007\u{202e}x"), "the key `\\u{7}\\u{202e}x` stands twice in one object");
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
