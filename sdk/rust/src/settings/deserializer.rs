//! Reads settings from the exact JSON tree into the guard's own type. It never passes a number through a
//! float that the type did not ask for.

use std::cell::RefCell;
use std::fmt;

use agenthalt_json::{Json, Number};
use agenthalt_names::{fold, words};
use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{Fraction, special};
use crate::{Amount, Place, Problem, Problems, glob};

/// Reads settings: one JSON object.
///
/// # Errors
/// What is wrong, with its place: everything that the SDK's own types refuse, or the first other
/// mistake after it.
pub fn read_settings<S: DeserializeOwned>(text: &str) -> Result<S, Problems> {
    let json = Json::parse(text).map_err(|error| Problem {
        pointer: String::new(),
        message: format!("the settings cannot be read: {error}"),
    })?;
    if json.as_object().is_none() {
        return Err(
            Problem { pointer: String::new(), message: ["expected an object, found ", json.kind()].concat() }.into()
        );
    }
    let found = RefCell::new(Problems::new());
    let read = S::deserialize(Value { json: &json, at: &Place::ROOT, found: &found });
    let mut found = found.into_inner();
    match read {
        Ok(settings) => found.none_or(settings),
        Err(stop) => {
            found.add(stop.pointer.unwrap_or_default(), stop.message);
            Err(found)
        }
    }
}

/// The mistake at which reading stopped.
#[derive(Debug)]
struct Stop {
    pointer: Option<String>,
    message: String,
}

impl Stop {
    fn new(message: String) -> Stop {
        Stop { pointer: None, message }
    }

    /// The innermost place that knows of the mistake is its place.
    fn at(mut self, at: &Place<'_>) -> Stop {
        self.pointer.get_or_insert_with(|| at.pointer());
        self
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Stop {}

/// The sentences are made here: the defaults of serde would bring the code that shows floats.
impl de::Error for Stop {
    fn custom<T: fmt::Display>(message: T) -> Stop {
        Stop::new(message.to_string())
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Stop {
        Stop::new(format!("expected {expected}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Stop {
        Stop::new(format!("expected {expected}"))
    }

    fn invalid_length(_: usize, expected: &dyn de::Expected) -> Stop {
        Stop::new(format!("expected {expected}"))
    }

    fn unknown_variant(found: &str, expected: &'static [&'static str]) -> Stop {
        Stop::new(["`", found, "` is not known: expected one of `", &expected.join("`, `"), "`"].concat())
    }

    fn unknown_field(found: &str, expected: &'static [&'static str]) -> Stop {
        Stop::new(["the setting `", found, "` is not known: there are `", &expected.join("`, `"), "`"].concat())
    }

    fn missing_field(field: &'static str) -> Stop {
        Stop::new(["the setting `", field, "` is missing"].concat())
    }

    fn duplicate_field(field: &'static str) -> Stop {
        Stop::new(["the setting `", field, "` stands twice"].concat())
    }
}

/// A whole number, as serde takes it.
enum Whole {
    Unsigned(u64),
    Negative(i64),
}

impl Whole {
    fn visit<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self {
            Whole::Unsigned(value) => visitor.visit_u64(value),
            Whole::Negative(value) => visitor.visit_i64(value),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, Copy)]
struct Value<'a> {
    json: &'a Json,
    at: &'a Place<'a>,
    found: &'a RefCell<Problems>,
}

impl<'a> Value<'a> {
    fn expected(self, what: &str) -> Stop {
        Stop::new(["expected ", what, ", found ", self.json.kind()].concat()).at(self.at)
    }

    fn number(self) -> Result<&'a Number, Stop> {
        match self.json {
            Json::Number(number) => Ok(number),
            Json::Null | Json::Bool(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.expected("a number"))
            }
        }
    }

    fn whole(self) -> Result<Whole, Stop> {
        let number = self.number()?;
        if let Ok(value) = number.as_str().parse() {
            return Ok(Whole::Unsigned(value));
        }
        match (number.as_u64(), number.as_i64()) {
            (Some(value), _) => Ok(Whole::Unsigned(value)),
            (None, Some(value)) => Ok(Whole::Negative(value)),
            (None, None) => Err(Stop::new("expected a whole number".to_owned()).at(self.at)),
        }
    }

    fn text(self) -> Result<&'a str, Stop> {
        self.json.as_str().ok_or_else(|| self.expected("a text"))
    }

    /// What every place of a mistake ends in: one code for all types.
    fn placed<T>(self, visited: Result<T, Stop>) -> Result<T, Stop> {
        visited.map_err(|stop| stop.at(self.at))
    }

    fn float(self) -> Result<f64, Stop> {
        match self.number()?.as_str().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) | Err(_) => Err(Stop::new("the number is too large".to_owned()).at(self.at)),
        }
    }

    /// The text of a value that one of the SDK's types asks for. One that is no good is a problem; a
    /// harmless one stands in for it, so that the others are found too.
    fn checked(self, name: &str) -> Result<Option<&'a str>, Stop> {
        let (text, stand_in, problem) = match name {
            special::AMOUNT => {
                let number = self.number()?.as_str();
                (number, "0", Amount::exact(number).err().map(str::to_owned))
            }
            special::FRACTION => {
                let number = self.number()?.as_str();
                (number, "0", Fraction::exact(number).err().map(str::to_owned))
            }
            special::GLOB | special::NAME | special::WORD => {
                let text = self.text()?;
                (text, "x", check_text(name, text))
            }
            _ => return Ok(None),
        };
        Ok(Some(self.stand_in(text, stand_in, problem)))
    }

    fn stand_in(self, text: &'a str, stand_in: &'static str, problem: Option<String>) -> &'a str {
        match problem {
            None => text,
            Some(problem) => {
                self.found.borrow_mut().add(self.at.pointer(), problem);
                stand_in
            }
        }
    }
}

fn check_text(name: &str, text: &str) -> Option<String> {
    match name {
        special::GLOB => glob::check(text).err(),
        special::NAME => fold(text).is_empty().then(|| "is blank: give a name, or leave it out".to_owned()),
        special::WORD => {
            let is_blank = words(&fold(text)).next().is_none();
            is_blank.then(|| "holds no letter and no digit: give a word, or leave it out".to_owned())
        }
        _ => None,
    }
}

macro_rules! delegate {
    ($($($method:ident)* => $to:ident;)*) => {$($(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            self.$to(visitor)
        }
    )*)*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.json {
            Json::Null => self.placed(visitor.visit_unit()),
            Json::Bool(value) => self.placed(visitor.visit_bool(*value)),
            Json::Number(_) => self.deserialize_i64(visitor),
            Json::String(text) => self.placed(visitor.visit_str(text)),
            Json::Array(_) => self.deserialize_seq(visitor),
            Json::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.json {
            Json::Bool(value) => self.placed(visitor.visit_bool(*value)),
            Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                Err(self.expected("true or false"))
            }
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.placed(self.whole()?.visit(visitor))
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.placed(visitor.visit_f64(self.float()?))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.placed(visitor.visit_str(self.text()?))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.json {
            Json::Null => visitor.visit_none(),
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
                visitor.visit_some(self)
            }
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let Some(items) = self.json.as_array() else {
            return Err(self.expected("a list"));
        };
        self.placed(visitor.visit_seq(Items { items: items.iter(), index: 0, within: self }))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let Some(object) = self.json.as_object() else {
            return Err(self.expected("an object"));
        };
        let entries = object.iter();
        self.placed(visitor.visit_map(Entries { entries, key: "", value: &Json::Null, within: self }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        match self.checked(name)? {
            Some(text) => self.placed(visitor.visit_str(text)),
            None => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let name: StrDeserializer<'_, Stop> = self.text()?.into_deserializer();
        self.placed(visitor.visit_enum(name))
    }

    // Each says what was expected instead of taking whatever is there.
    delegate! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
            => deserialize_i64;
        deserialize_f32 => deserialize_f64;
        deserialize_string deserialize_char => deserialize_str;
    }

    forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

struct Items<'a> {
    items: std::slice::Iter<'a, Json>,
    index: usize,
    within: Value<'a>,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        let Some(json) = self.items.next() else {
            return Ok(None);
        };
        let at = self.within.at.index(self.index);
        self.index += 1;
        seed.deserialize(Value { json, at: &at, found: self.within.found }).map(Some).map_err(|stop| stop.at(&at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Entries<'a, I> {
    entries: I,
    key: &'a str,
    value: &'a Json,
    within: Value<'a>,
}

impl<'de, 'a, I: ExactSizeIterator<Item = (&'a str, &'a Json)>> de::MapAccess<'de> for Entries<'a, I> {
    type Error = Stop;

    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Stop> {
        let Some((key, value)) = self.entries.next() else {
            return Ok(None);
        };
        (self.key, self.value) = (key, value);
        let at = self.within.at.key(key);
        let key = Key { key, within: Value { json: value, at: &at, found: self.within.found } };
        seed.deserialize(key).map(Some).map_err(|stop| stop.at(&at))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Stop> {
        let at = self.within.at.key(self.key);
        seed.deserialize(Value { json: self.value, at: &at, found: self.within.found }).map_err(|stop| stop.at(&at))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

/// The key of an object, which may be a name or a pattern.
struct Key<'a> {
    key: &'a str,
    within: Value<'a>,
}

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_str(self.key)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_str(self.within.stand_in(self.key, "x", check_text(name, self.key)))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
