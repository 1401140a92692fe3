//! A guard's settings, from its `schema.json` to a table for people. A shape that it has no plain
//! words for is an error, never a gap in the table.

use anyhow::{Context, Result, bail};

use crate::docs::json::Json;
use crate::docs::markdown::{code, escape};

/// The schema of a guard's settings.
pub(super) struct Schema {
    root: Json,
    description: String,
}

impl Schema {
    /// Reads a schema.
    pub(super) fn read(text: &str) -> Result<Self> {
        let root: Json = serde_json::from_str(text).context("no JSON")?;
        let description = root.get("description").and_then(Json::text);
        let description = description.context("the settings have no doc comment that says what they are for")?;
        Ok(Self { description: description.to_owned(), root })
    }

    /// What the guard is for, in one sentence.
    pub(super) fn description(&self) -> &str {
        &self.description
    }

    /// The names of the settings.
    pub(super) fn settings(&self) -> Vec<&str> {
        let properties = self.root.get("properties").map(Json::fields).unwrap_or_default();
        properties.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// The settings by their name, each with its schema.
    pub(super) fn properties(&self) -> Result<&[(String, Json)]> {
        Ok(self.root.get("properties").context("the settings have no `properties`")?.fields())
    }

    /// The settings as a table.
    pub(super) fn table(&self) -> Result<String> {
        let mut lines = vec!["| setting | type | default | meaning |".to_owned(), "|---|---|---|---|".to_owned()];
        for (name, property) in self.properties()? {
            let row = self.row(name, property).with_context(|| format!("the setting `{name}`"))?;
            lines.push(row);
        }
        Ok(lines.join("\n"))
    }

    fn row(&self, name: &str, property: &Json) -> Result<String> {
        let kind = self.words(property)?;
        let description = property.get("description").and_then(Json::text).context("has no doc comment")?;
        let default = match property.get("default") {
            None => "must be given".to_owned(),
            Some(Json::Null) => "none".to_owned(),
            Some(Json::List(items)) if items.is_empty() => "none".to_owned(),
            Some(Json::Object(fields)) if fields.is_empty() => "none".to_owned(),
            Some(Json::List(items)) => items.iter().map(shown).collect::<Vec<_>>().join(" "),
            Some(value @ (Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_))) => shown(value),
        };
        Ok(format!("| {} | {kind} | {default} | {} |", code(name), escape(description)))
    }

    /// The type of a value in plain words.
    fn words(&self, schema: &Json) -> Result<String> {
        if let Some(reference) = schema.get("$ref") {
            return self.words(self.resolve(reference)?);
        }
        if let Some(Json::List(choices)) = schema.get("enum") {
            return Ok(choices.iter().map(shown).collect::<Vec<_>>().join(" or "));
        }
        for word in ["anyOf", "oneOf"] {
            if let Some(Json::List(choices)) = schema.get(word) {
                let words: Result<Vec<String>> = choices.iter().map(|choice| self.words(choice)).collect();
                return Ok(words?.join(" or "));
            }
        }
        if let Some(only) = schema.get("const") {
            return Ok(shown(only));
        }
        let names = match schema.get("type") {
            Some(Json::Text(name)) => vec![name.as_str()],
            Some(Json::List(names)) => names.iter().filter_map(Json::text).collect(),
            Some(Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_)) | None => Vec::new(),
        };
        if names.is_empty() {
            bail!("no plain words for the type {schema}");
        }
        let words: Result<Vec<String>> = names.iter().map(|name| self.words_of(name, schema)).collect();
        Ok(words?.join(" or "))
    }

    fn words_of(&self, name: &str, schema: &Json) -> Result<String> {
        Ok(match name {
            "null" => "`null`".to_owned(),
            "boolean" => "true or false".to_owned(),
            "string" => "text".to_owned(),
            "number" => format!("number{}", range(schema)),
            "integer" => format!("whole number{}", range(schema)),
            "array" => format!("list of {}", self.inner(schema.get("items").context("a list of what?")?)?),
            "object" => {
                let values = schema.get("additionalProperties").context("a map to what?")?;
                format!("map from name to {}", self.inner(values)?)
            }
            other => bail!("no plain words for the type `{other}`"),
        })
    }

    /// The type of what a list or a map holds; that it may be null goes without saying.
    fn inner(&self, schema: &Json) -> Result<String> {
        Ok(self.words(schema)?.trim_end_matches(" or `null`").to_owned())
    }

    fn resolve(&self, reference: &Json) -> Result<&Json> {
        let path = reference.text().and_then(|text| text.strip_prefix("#/"));
        let path = path.with_context(|| format!("no reference into this schema: {reference}"))?;
        let found = path.split('/').try_fold(&self.root, |json, field| json.get(field));
        found.with_context(|| format!("refers to `{path}`, which is not there"))
    }
}

/// The bounds of a number.
fn range(schema: &Json) -> String {
    let bound = |name: &str| schema.get(name).map(ToString::to_string);
    match (bound("minimum"), bound("maximum"), bound("exclusiveMinimum")) {
        (Some(least), Some(most), _) => format!(" ({least} to {most})"),
        (Some(least), None, _) => format!(" ({least} or more)"),
        (None, Some(most), _) => format!(" ({most} or less)"),
        (None, None, Some(least)) => format!(" (above {least})"),
        (None, None, None) => String::new(),
    }
}

/// A value as one would write it in a policy.
fn shown(value: &Json) -> String {
    code(&value.text().map_or_else(|| value.to_string(), str::to_owned))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    fn row(property: &str) -> Result<String> {
        let text = format!(
            r##"{{"description":"D.","properties":{{"x":{property}}},"$defs":{{"Per":{{"enum":["tenant","agent"]}}}}}}"##
        );
        Schema::read(&text)?.table().map(|table| table.lines().last().unwrap().to_owned())
    }

    fn kind(schema: &str) -> String {
        let row = row(&format!(r#"{{"description":"M.","default":null,{schema}}}"#)).unwrap();
        row.split(" | ").nth(1).unwrap().to_owned()
    }

    #[test]
    fn types_have_plain_words() {
        for (schema, words) in [
            (r#""type":"boolean""#, "true or false"),
            (r#""type":["number","null"],"minimum":0"#, "number (0 or more) or `null`"),
            (r#""type":"number","minimum":0,"maximum":1"#, "number (0 to 1)"),
            (r#""type":["integer","null"],"minimum":0,"format":"uint64""#, "whole number (0 or more) or `null`"),
            (r#""type":"number","exclusiveMinimum":0"#, "number (above 0)"),
            (r#""type":["array","null"],"items":{"type":"string"}"#, "list of text or `null`"),
            (
                r#""type":["object","null"],"additionalProperties":{"type":["array","null"],"items":{"type":"string"}}"#,
                "map from name to list of text or `null`",
            ),
            (r#""enum":["tenant","agent"],"type":"string""#, "`tenant` or `agent`"),
            (r##""$ref":"#/$defs/Per""##, "`tenant` or `agent`"),
            (r#""oneOf":[{"const":"a"},{"const":"b"}]"#, "`a` or `b`"),
        ] {
            assert_eq!(kind(schema), words, "{schema}");
        }
    }

    #[test]
    fn defaults_and_meanings_are_shown() {
        let row = |rest: &str| row(&format!(r#"{{"description":"What * meets.","type":"string"{rest}}}"#)).unwrap();
        assert_eq!(row(r#","default":"USD""#), "| `x` | text | `USD` | What \\* meets. |");
        assert_eq!(row(""), "| `x` | text | must be given | What \\* meets. |");
        assert_eq!(row(r#","default":["a","b_*"]"#), "| `x` | text | `a` `b_*` | What \\* meets. |");
        assert_eq!(row(r#","default":{}"#), "| `x` | text | none | What \\* meets. |");
    }

    #[test]
    fn a_shape_without_words_is_an_error_that_names_the_setting() {
        for property in [
            r#"{"description":"M."}"#,
            r#"{"description":"M.","type":"array"}"#,
            r#"{"description":"M.","type":"date"}"#,
            r##"{"description":"M.","$ref":"#/$defs/Gone"}"##,
            r#"{"type":"string"}"#,
        ] {
            let error = format!("{:#}", row(property).unwrap_err());
            assert!(error.starts_with("the setting `x`: "), "{error}");
        }
        assert!(Schema::read("{}").is_err() && Schema::read("no").is_err());
    }
}
