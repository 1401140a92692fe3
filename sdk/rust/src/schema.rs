//! JSON Schemas of settings, in the part of the language that the host checks: types, properties,
//! items, enums, bounds, descriptions and defaults. It never says less than the types do.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::{Amount, FoldedName, Fraction, FunctionWords, List, Loosen, LoosenFolded, Map, Tighten};

/// The JSON Schema of a settings type, indented.
pub fn schema_text<S: JsonSchema>() -> String {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let schema = settings.with_transform(Plain).into_generator().into_root_schema_for::<S>();
    format!("{:#}\n", schema.as_value())
}

/// Takes out what the host does not check, and writes a list of named values as one.
#[derive(Clone)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        schema.remove("format");
        schema.remove("title");
        let names: Option<Vec<_>> = schema
            .get("oneOf")
            .and_then(|cases| cases.as_array())
            .and_then(|cases| cases.iter().map(|case| case.get("const").cloned()).collect());
        if let Some(names) = names {
            schema.remove("oneOf");
            schema.insert("type".to_owned(), "string".into());
            schema.insert("enum".to_owned(), names.into());
        }
    }
}

macro_rules! schema_of {
    ($($type:ty, $name:literal, $schema:expr;)*) => {$(
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

schema_of! {
    Amount, "Amount", json_schema!({ "type": "number", "minimum": 0 });
    Fraction, "Fraction", json_schema!({ "type": "number", "minimum": 0, "maximum": 1 });
    Tighten, "Tighten", json_schema!({ "type": "string" });
    Loosen, "Loosen", json_schema!({ "type": "string" });
    LoosenFolded, "LoosenFolded", json_schema!({ "type": "string" });
    FunctionWords, "FunctionWords",
        json_schema!({ "type": ["array", "null"], "items": { "type": "string", "minLength": 1 } });
    FoldedName, "FoldedName", json_schema!({ "type": "string", "minLength": 1 });
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("List_{}", T::schema_name()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let items = generator.subschema_for::<T>();
        json_schema!({ "type": ["array", "null"], "items": items })
    }
}

impl<K, V: JsonSchema> JsonSchema for Map<K, V> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        Cow::Owned(format!("Map_{}", V::schema_name()))
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<V>();
        json_schema!({ "type": ["object", "null"], "additionalProperties": values })
    }
}

// Defaults stand in the schema, so what has one is written there. Money is shown, never computed with.

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let millionths = self.millionths();
        if millionths % 1_000_000 == 0 {
            serializer.serialize_i64(millionths / 1_000_000)
        } else {
            serializer.serialize_f64(millionths as f64 / 1e6)
        }
    }
}

impl Serialize for Fraction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

macro_rules! serialize_as_text {
    ($($type:ty)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.text())
            }
        }
    )*};
}

serialize_as_text!(Tighten Loosen LoosenFolded FoldedName);

impl Serialize for FunctionWords {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<K: Serialize, V: Serialize> Serialize for Map<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (key, value)))
    }
}
