//! The Rust type of a setting, and values of it as Rust writes them. It never guesses: a schema that
//! says anything else than what a type here can hold is an error.

use anyhow::{Context, Result, bail};

use crate::docs::json::Json;

/// What would make a schema mean more than its `type` says.
const NOT_READ: [&str; 7] = ["$ref", "allOf", "anyOf", "oneOf", "not", "const", "properties"];

/// The type of a setting.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Truth,
    /// A whole number that 32 bits hold.
    Small,
    Whole,
    /// A number, to a millionth.
    Amount,
    Text,
    Choice(Choice),
    Option(Box<Kind>),
    List(Box<Kind>),
    Map(Box<Kind>),
}

/// An enumeration of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) name: String,
    /// The word in a policy and the name in Rust.
    pub(super) variants: Vec<(String, String)>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// In the host itself.
    Source,
    /// In an example, where brevity counts and an error may be passed on.
    Example,
}

impl Kind {
    /// The type of a setting. A list or a map that has a default is empty rather than none.
    pub(super) fn of_setting(name: &str, schema: &Json, default: &Json) -> Result<Self> {
        let (kind, may_be_null) = Self::of(Some(name), schema)?;
        Ok(match (&kind, default) {
            (Kind::List(_), Json::List(_)) | (Kind::Map(_), Json::Object(_)) => kind,
            (_, _) if may_be_null => Kind::Option(Box::new(kind)),
            (_, _) => kind,
        })
    }

    /// The type of what a list or a map holds.
    fn inner(schema: &Json) -> Result<Box<Self>> {
        let (kind, may_be_null) = Self::of(None, schema)?;
        let is_empty_for_null = matches!(kind, Kind::List(_) | Kind::Map(_));
        let kind = Box::new(kind);
        Ok(if may_be_null && !is_empty_for_null { Box::new(Kind::Option(kind)) } else { kind })
    }

    /// A type without its null, and whether null is allowed.
    fn of(name: Option<&str>, schema: &Json) -> Result<(Self, bool)> {
        if let Some(word) = NOT_READ.iter().find(|word| schema.get(word).is_some()) {
            bail!("no Rust type for a schema with `{word}`");
        }
        let names: Vec<&str> = match schema.get("type") {
            Some(Json::Text(name)) => vec![name.as_str()],
            Some(Json::List(names)) => names.iter().filter_map(Json::text).collect(),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => Vec::new(),
        };
        let (word, may_be_null) = match names[..] {
            [word] | [word, "null"] | ["null", word] => (word, names.len() > 1),
            _ => bail!("no Rust type for {schema}"),
        };
        let kind = match (word, schema.get("enum"), name) {
            ("string", Some(Json::List(words)), Some(name)) => Kind::Choice(Choice::of(name, words)?),
            (_, Some(words), _) => bail!("no Rust type for the enumeration {words}"),
            ("boolean", None, _) => Kind::Truth,
            ("integer", None, _) if is_small(schema)? => Kind::Small,
            ("integer", None, _) => Kind::Whole,
            ("number", None, _) => least(schema).map(|()| Kind::Amount)?,
            ("string", None, _) => Kind::Text,
            ("array", None, _) => Kind::List(Self::inner(schema.get("items").context("a list of what?")?)?),
            ("object", None, _) => {
                Kind::Map(Self::inner(schema.get("additionalProperties").context("a map to what?")?)?)
            }
            (_, None, _) => bail!("no Rust type for `{word}`"),
        };
        Ok((kind, may_be_null))
    }

    /// The type as Rust writes it.
    pub(super) fn rust(&self) -> String {
        match self {
            Kind::Truth => "bool".to_owned(),
            Kind::Small => "u32".to_owned(),
            Kind::Whole => "u64".to_owned(),
            Kind::Amount => "Amount".to_owned(),
            Kind::Text => "String".to_owned(),
            Kind::Choice(choice) => choice.name.clone(),
            Kind::Option(inner) => format!("Option<{}>", inner.rust()),
            Kind::List(inner) => format!("Vec<{}>", inner.rust()),
            Kind::Map(inner) => format!("BTreeMap<String, {}>", inner.rust()),
        }
    }

    /// The enumeration that this is, or may be none of.
    pub(super) fn choice(&self) -> Option<&Choice> {
        match self {
            Kind::Choice(choice) => Some(choice),
            Kind::Option(inner) => inner.choice(),
            Kind::Truth | Kind::Small | Kind::Whole | Kind::Amount | Kind::Text | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// A value of this type as Rust writes it.
    pub(super) fn value(&self, value: &Json, place: Place) -> Result<String> {
        Ok(match (self, value) {
            (Kind::Truth, Json::Bool(value)) => value.to_string(),
            (Kind::Small, Json::Number(number)) => grouped(&whole(number, u64::from(u32::MAX))?),
            (Kind::Whole, Json::Number(number)) => grouped(&whole(number, u64::MAX)?),
            (Kind::Amount, Json::Number(number)) => amount(number, place)?,
            (Kind::Text, Json::Text(text)) => owned(text, place),
            (Kind::Choice(choice), Json::Text(word)) => choice.value(word)?,
            (Kind::Option(_), Json::Null) => "None".to_owned(),
            (Kind::Option(inner), value) => format!("Some({})", inner.value(value, place)?),
            (Kind::List(_), Json::List(items)) if items.is_empty() => "Vec::new()".to_owned(),
            (Kind::List(inner), Json::List(items)) => inner.list(items, place)?,
            (Kind::Map(_), Json::Object(fields)) if fields.is_empty() => "BTreeMap::new()".to_owned(),
            (Kind::Map(inner), Json::Object(fields)) => {
                let entry = |(name, value): &(String, Json)| -> Result<String> {
                    Ok(format!("({}, {})", owned(name, place), inner.value(value, place)?))
                };
                format!("BTreeMap::from([{}])", fields.iter().map(entry).collect::<Result<Vec<_>>>()?.join(", "))
            }
            (_, _) => bail!("`{value}` is no `{}`", self.rust()),
        })
    }

    /// A list of values of this type.
    fn list(&self, items: &[Json], place: Place) -> Result<String> {
        let texts: Option<Vec<String>> = items.iter().map(|item| Some(format!("{:?}", item.text()?))).collect();
        Ok(match (self, place, texts) {
            (Kind::Text, Place::Source, Some(texts)) => format!("[{}].map(str::to_owned).into()", texts.join(", ")),
            (_, _, _) => {
                let items: Result<Vec<String>> = items.iter().map(|item| self.value(item, place)).collect();
                format!("vec![{}]", items?.join(", "))
            }
        })
    }
}

impl Choice {
    fn of(name: &str, words: &[Json]) -> Result<Self> {
        let mut variants = Vec::new();
        // Null stands among the words where the type allows it.
        for word in words.iter().filter(|word| **word != Json::Null) {
            let word = word.text().with_context(|| format!("no Rust name for the word {word}"))?;
            variants.push((word.to_owned(), upper_camel(word)?));
        }
        Ok(Self { name: upper_camel(name)?, variants })
    }

    fn value(&self, word: &str) -> Result<String> {
        let variant = self.variants.iter().find(|(own, _)| own == word);
        let (_, variant) = variant.with_context(|| format!("`{word}` is none of its words"))?;
        Ok(format!("{}::{variant}", self.name))
    }
}

/// The name of a type or variant, of words between which `_` stands.
pub(super) fn upper_camel(name: &str) -> Result<String> {
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect::<String>()
    });
    let camel: String = words.collect();
    if !camel.starts_with(|c: char| c.is_ascii_alphabetic()) || !camel.chars().all(|c| c.is_ascii_alphanumeric()) {
        bail!("`{name}` makes no name of a Rust type");
    }
    Ok(camel)
}

/// Holds that a number is never below 0: no type here can be.
fn least(schema: &Json) -> Result<()> {
    match schema.get("minimum").or(schema.get("exclusiveMinimum")) {
        Some(Json::Number(least)) if !least.starts_with('-') => Ok(()),
        Some(_) | None => bail!("no Rust type for a number that may be below 0"),
    }
}

/// Whether every whole number that is allowed fits into 32 bits.
fn is_small(schema: &Json) -> Result<bool> {
    least(schema)?;
    let most = schema.get("maximum").map(ToString::to_string);
    Ok(most.is_some_and(|most| most.parse::<u32>().is_ok()))
}

fn whole(number: &str, most: u64) -> Result<String> {
    let value = number.parse::<u64>().ok().filter(|value| *value <= most);
    value.map(|value| value.to_string()).with_context(|| format!("`{number}` is no whole number up to {most}"))
}

fn amount(number: &str, place: Place) -> Result<String> {
    let (units, decimals) = number.split_once('.').unwrap_or((number, ""));
    let millionths = format!("{units}{:0<6}", decimals.trim_end_matches('0'));
    // An amount holds what a counter can: an `i64` that is not negative.
    let is_amount = millionths.len() == units.len().saturating_add(6)
        && millionths.bytes().all(|byte| byte.is_ascii_digit())
        && millionths.parse::<i64>().is_ok();
    if !is_amount {
        bail!("`{number}` is no amount: a number of 0 or more with at most six decimals");
    }
    Ok(match place {
        Place::Example => format!("{number:?}.parse()?"),
        Place::Source => match millionths.trim_start_matches('0') {
            "" => "Amount::ZERO".to_owned(),
            millionths => format!("Amount::from_millionths({})", grouped(millionths)),
        },
    })
}

fn owned(text: &str, place: Place) -> String {
    match place {
        Place::Source => format!("{text:?}.to_owned()"),
        Place::Example => format!("{text:?}.into()"),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (place, digit) in (0..digits.len()).rev().zip(digits.chars()) {
        grouped.push(digit);
        if place > 0 && place % 3 == 0 {
            grouped.push('_');
        }
    }
    grouped
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn json(text: &str) -> Json {
        serde_json::from_str(text).unwrap()
    }

    /// The type and the default of a setting.
    fn setting(schema: &str, default: &str) -> Result<(String, String)> {
        let kind = Kind::of_setting("per_day", &json(&format!("{{{schema}}}")), &json(default))?;
        Ok((kind.rust(), kind.value(&json(default), Place::Source)?))
    }

    #[test]
    fn settings_have_types_that_hold_their_defaults() {
        let texts = r#""type":"array","items":{"type":"string"}"#;
        let null = |schema: &str| schema.replace(r#""type":"array""#, r#""type":["array","null"]"#);
        let map = |inner: &str| format!(r#""type":["object","null"],"additionalProperties":{{{inner}}}"#);
        for (schema, default, kind, value) in [
            (r#""type":"boolean""#, "true", "bool", "true"),
            (r#""type":["boolean","null"]"#, "false", "Option<bool>", "Some(false)"),
            (r#""type":"integer","minimum":0"#, "12345", "u64", "12_345"),
            (r#""type":"integer","minimum":0,"maximum":4294967295"#, "123", "u32", "123"),
            (r#""type":"integer","minimum":0,"maximum":4294967296"#, "1", "u64", "1"),
            (r#""type":["integer","null"],"minimum":0"#, "10", "Option<u64>", "Some(10)"),
            (r#""type":["null","integer"],"minimum":0"#, "null", "Option<u64>", "None"),
            (r#""type":"number","minimum":0"#, "0.01", "Amount", "Amount::from_millionths(10_000)"),
            (r#""type":"number","exclusiveMinimum":0"#, "5", "Amount", "Amount::from_millionths(5_000_000)"),
            (r#""type":["number","null"],"minimum":0"#, "0", "Option<Amount>", "Some(Amount::ZERO)"),
            (r#""type":"string""#, r#""a\"b""#, "String", r#""a\"b".to_owned()"#),
            (r#""type":"string","enum":["a","b_c"]"#, r#""b_c""#, "PerDay", "PerDay::BC"),
            (r#""type":["string","null"],"enum":["a",null]"#, "null", "Option<PerDay>", "None"),
            (texts, "[]", "Vec<String>", "Vec::new()"),
            (texts, r#"["a"]"#, "Vec<String>", r#"["a"].map(str::to_owned).into()"#),
            (&null(texts), "[]", "Vec<String>", "Vec::new()"),
            (&null(texts), "null", "Option<Vec<String>>", "None"),
            (&map(r#""type":"number","minimum":0"#), "{}", "BTreeMap<String, Amount>", "BTreeMap::new()"),
            (&map(&null(texts)), "{}", "BTreeMap<String, Vec<String>>", "BTreeMap::new()"),
            (
                &map(r#""type":["integer","null"],"minimum":0"#),
                r#"{"a":1,"b":null}"#,
                "BTreeMap<String, Option<u64>>",
                r#"BTreeMap::from([("a".to_owned(), Some(1)), ("b".to_owned(), None)])"#,
            ),
        ] {
            assert_eq!(setting(schema, default).unwrap(), (kind.to_owned(), value.to_owned()), "{schema} {default}");
        }
    }

    #[test]
    fn a_shape_without_a_type_is_an_error() {
        for schema in [
            "",
            r#""type":"date""#,
            r#""type":["string","number"]"#,
            r#""type":["string","number","null"]"#,
            r#""type":"array""#,
            r#""type":"array","items":{"type":"array"}"#,
            r#""type":"array","items":{"type":"string","enum":["a"]}"#,
            r#""type":"object","additionalProperties":false"#,
            r#""type":"object","additionalProperties":{"type":"string"},"properties":{}"#,
            r#""type":"number""#,
            r#""type":"integer","minimum":-1"#,
            r#""type":"integer","enum":[1,2]"#,
            r#""type":"string","enum":["1st"]"#,
            r#""type":"string","oneOf":[]"#,
            r##""$ref":"#/$defs/Per""##,
        ] {
            assert!(setting(schema, "null").is_err(), "{schema}");
        }
    }

    #[test]
    fn a_default_of_another_type_is_an_error() {
        for (schema, default) in [
            (r#""type":"boolean""#, "null"),
            (r#""type":"integer","minimum":0"#, "-1"),
            (r#""type":"integer","minimum":0"#, "1.0"),
            (r#""type":"integer","minimum":0,"maximum":10"#, "4294967296"),
            (r#""type":"number","minimum":0"#, "0.0000001"),
            (r#""type":"number","minimum":0"#, "0.1234567"),
            (r#""type":"number","minimum":0"#, "-0.5"),
            (r#""type":"number","minimum":0"#, "1e300"),
            (r#""type":"number","minimum":0"#, "9223372036855"),
            (r#""type":"string","enum":["a"]"#, r#""b""#),
            (r#""type":"array","items":{"type":"string"}"#, "[1]"),
        ] {
            assert!(setting(schema, default).is_err(), "{schema} {default}");
        }
    }

    #[test]
    fn examples_are_short() {
        let value = |schema: &str, value: &str| {
            let value = json(value);
            Kind::of_setting("x", &json(schema), &value).unwrap().value(&value, Place::Example).unwrap()
        };
        assert_eq!(value(r#"{"type":["number","null"],"minimum":0}"#, "10.5"), r#"Some("10.5".parse()?)"#);
        assert_eq!(value(r#"{"type":"array","items":{"type":"string"}}"#, r#"["a"]"#), r#"vec!["a".into()]"#);
    }
}
