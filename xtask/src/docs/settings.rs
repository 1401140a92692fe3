//! A guard's settings as a Rust type of the host, from its `schema.json`. It never leaves a setting out:
//! one that has no Rust type is an error that names guard and setting.

mod comment;
mod kind;

use anyhow::{Context, Result, bail};

use self::comment::{comment, prose};
use self::kind::{Choice, Kind, Place, upper_camel};
use crate::docs::json::Json;
use crate::docs::policy;
use crate::docs::schema::Schema;

/// Where the files lie, from the root.
pub(super) const FOLDER: &str = "host/agenthalt/src/settings";

/// What each file says of itself; a file without it lies there by somebody's hand.
pub(super) const MARK: &str = "//! Written by `cargo xtask docs` ";

/// By guard: what the example of its type sets. A schema cannot say which settings matter.
const EXAMPLES: [(&str, &str); 6] = [
    ("budget", r#"{"max_call_cost": 1, "max_daily_spend": 20}"#),
    ("deletion", r#"{"protected_resources": ["inbox", "sent"], "soft_delete_only": true}"#),
    ("purchase", r#"{"max_single_purchase": 100, "require_approval_above": 50}"#),
    ("rate_limit", r#"{"max_calls_per_minute": 30, "max_calls_per_session": 200}"#),
    ("scope", r#"{"deny_functions": ["drop_*", "format_*"], "require_approval_functions": ["send_*"]}"#),
    ("sensitive_data", r#"{"allow_functions": ["auth_login"], "redact_on_modify": true}"#),
];

/// The settings of a guard.
struct Settings<'a> {
    /// As policies name it.
    guard: &'a str,
    /// The name of the type.
    name: String,
    description: &'a str,
    fields: Vec<Field<'a>>,
}

struct Field<'a> {
    name: &'a str,
    description: &'a str,
    kind: Kind,
    default: &'a Json,
}

/// The file of a guard's settings, not yet formatted.
pub(super) fn file(guard: &str, schema_path: &str, schema: &Schema) -> Result<String> {
    let settings = Settings::of(guard, schema)?;
    let example = EXAMPLES.iter().find(|(name, _)| *name == guard).map(|(_, example)| *example);
    let example = example.with_context(|| {
        format!("the guard `{guard}` has no example: add one to `EXAMPLES` in xtask/src/docs/settings.rs")
    })?;
    let parts = [
        format!("//! The settings of the guard `{guard}`.\n{MARK}from `{schema_path}`: edit that, never this.\n"),
        settings.uses(),
        settings.type_with(example)?,
        settings.default()?,
        settings.conversion(),
        settings.choices().map(|choice| settings.choice(choice)).collect::<Result<Vec<_>>>()?.join("\n"),
    ];
    Ok(parts.join("\n"))
}

impl<'a> Settings<'a> {
    fn of(guard: &'a str, schema: &'a Schema) -> Result<Self> {
        let mut fields = Vec::new();
        for (name, property) in schema.properties()? {
            let field = Field::of(name, property);
            fields.push(field.with_context(|| format!("the setting `{name}` of the guard `{guard}`"))?);
        }
        if fields.is_empty() {
            bail!("the guard `{guard}` has no settings");
        }
        Ok(Self { guard, name: upper_camel(guard)?, description: schema.description(), fields })
    }

    /// The fields whose type is an enumeration of their own.
    fn choices(&self) -> impl Iterator<Item = (&Field<'a>, &Choice)> {
        self.fields.iter().filter_map(|field| Some((field, field.kind.choice()?)))
    }

    fn uses(&self) -> String {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let names = |name: &str| {
            self.fields.iter().any(|field| field.kind.rust().split(|c| !is_word(c)).any(|word| word == name))
        };
        let std = if names("BTreeMap") { "use std::collections::BTreeMap;\n\n" } else { "" };
        let json = if self.choices().next().is_some() { "{Json, Object}" } else { "Object" };
        let own = if names("Amount") { "{Amount, GuardSetup}" } else { "GuardSetup" };
        format!("{std}use agenthalt_json::{json};\n\nuse super::Setting;\nuse crate::{own};\n")
    }

    fn type_with(&self, example: &str) -> Result<String> {
        let mut text = comment("", &prose(self.description));
        text.push_str("///\n");
        text.push_str(&self.example(example)?);
        text.push_str(&format!("#[derive(Clone, Debug, PartialEq, Eq)]\npub struct {} {{\n", self.name));
        for field in &self.fields {
            text.push_str(&comment("    ", &prose(field.description)));
            text.push_str("    ///\n");
            text.push_str(&comment("    ", &format!("Default: {}.", field.default_in_yaml())));
            text.push_str(&format!("    pub {}: {},\n", field.name, field.kind.rust()));
        }
        text.push_str("}\n");
        Ok(text)
    }

    fn example(&self, settings: &str) -> Result<String> {
        let (guard, name) = (self.guard, &self.name);
        let settings: Json = serde_json::from_str(settings).with_context(|| format!("the example of `{guard}`"))?;
        let mut lines = vec![format!("use agenthalt::settings::{name};"), format!("let {guard} = {name} {{")];
        for (setting, value) in settings.fields() {
            let context = || format!("the example of `{guard}` sets `{setting}`");
            let field = self.fields.iter().find(|field| field.name == setting);
            let value =
                field.context("there is no such setting").and_then(|field| field.kind.value(value, Place::Example));
            lines.push(format!("    {setting}: {},", value.with_context(context)?));
        }
        lines.push(format!("    ..{name}::default()"));
        lines.push("};".to_owned());
        if lines.iter().any(|line| line.ends_with("?),") || line.ends_with("?,")) {
            lines.push("# Ok::<(), agenthalt::AmountError>(())".to_owned());
        }
        let lines: Vec<String> = lines.iter().map(|line| format!("/// {line}\n")).collect();
        Ok(format!("/// ```\n{}/// ```\n", lines.concat()))
    }

    fn default(&self) -> Result<String> {
        let mut text = format!("impl Default for {0} {{\nfn default() -> Self {{\n{0} {{\n", self.name);
        for Field { name, kind, default, .. } in &self.fields {
            let value = kind.value(default, Place::Source);
            let value = value.with_context(|| format!("the default of `{name}` of the guard `{}`", self.guard))?;
            text.push_str(&format!("{name}: {value},\n"));
        }
        text.push_str("}\n}\n}\n");
        Ok(text)
    }

    fn conversion(&self) -> String {
        let mut text = format!("impl From<{0}> for GuardSetup {{\nfn from(settings: {0}) -> Self {{\n", self.name);
        text.push_str("let settings = Object::from_iter([\n");
        for Field { name, .. } in &self.fields {
            text.push_str(&format!("(\"{name}\", settings.{name}.json()),\n"));
        }
        text.push_str(&format!("]);\nGuardSetup::built_in(\"{}\", settings)\n}}\n}}\n", self.guard));
        text
    }

    /// The enumeration that is a field's type.
    fn choice(&self, (field, choice): (&Field<'_>, &Choice)) -> Result<String> {
        let mut text = comment("", &prose(field.description));
        text.push_str("///\n");
        text.push_str(&self.choice_example(field, choice)?);
        text.push_str(&format!("#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum {} {{\n", choice.name));
        for (word, variant) in &choice.variants {
            text.push_str(&comment("    ", &format!("{} in a policy.", comment::code(word))));
            text.push_str(&format!("    {variant},\n"));
        }
        text.push_str(&format!("}}\n\nimpl Setting for {} {{\nfn json(self) -> Json {{\n", choice.name));
        text.push_str("Json::from(match self {\n");
        for (word, variant) in &choice.variants {
            text.push_str(&format!("{}::{variant} => {word:?},\n", choice.name));
        }
        text.push_str("})\n}\n}\n");
        Ok(text)
    }

    /// The enumeration in use: a word that is not the default, where there is one.
    fn choice_example(&self, field: &Field<'_>, choice: &Choice) -> Result<String> {
        let words = choice.variants.iter().map(|(word, _)| Json::Text(word.clone()));
        let words: Vec<Json> = words.collect();
        let other = words.iter().find(|word| *word != field.default).or(words.first());
        let other = other.with_context(|| format!("the setting `{}` allows no word", field.name))?;
        let value = field.kind.value(other, Place::Example)?;
        let (guard, name, setting) = (self.guard, &self.name, field.name);
        Ok(format!(
            "/// ```\n/// use agenthalt::settings::{{{name}, {}}};\n\
             /// let {guard} = {name} {{ {setting}: {value}, ..{name}::default() }};\n\
             /// assert_eq!({guard}.{setting}, {value});\n/// ```\n",
            choice.name
        ))
    }
}

impl<'a> Field<'a> {
    fn of(name: &'a str, property: &'a Json) -> Result<Self> {
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if !is_name {
            bail!("its name is none that a field can have");
        }
        let description = property.get("description").and_then(Json::text).context("has no doc comment")?;
        let default = property.get("default").context("must be given, and a type with a default needs one")?;
        Ok(Self { name, description, kind: Kind::of_setting(name, property, default)?, default })
    }

    /// The default as one would write it in a policy.
    fn default_in_yaml(&self) -> String {
        match self.default {
            Json::Null => "none".to_owned(),
            Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::List(_) | Json::Object(_) => {
                comment::code(&policy::flow(self.default))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

    use super::*;

    /// The file of a guard with the settings that its example sets, and one more.
    fn rate_limit(more: &str) -> Result<String> {
        let text = format!(
            r#"{{"description":"How [often].","properties":{{
                "max_calls_per_minute":{{"description":"M.","type":"integer","minimum":0,"default":60}},
                "max_calls_per_session":{{"description":"S.","type":["integer","null"],"minimum":0,"default":null}},
                {more}}}}}"#
        );
        file("rate_limit", "guards/rate-limit/schema.json", &Schema::read(&text).unwrap())
    }

    #[test]
    fn a_file_has_a_type_its_default_and_its_way_into_a_policy() {
        let text = rate_limit(r#""per":{"description":"By [what].","type":"string","enum":["a_b"],"default":"a_b"}"#);
        assert_eq!(
            text.unwrap(),
            r#"//! The settings of the guard `rate_limit`.
//! Written by `cargo xtask docs` from `guards/rate-limit/schema.json`: edit that, never this.

use agenthalt_json::{Json, Object};

use super::Setting;
use crate::GuardSetup;

/// How \[often\].
///
/// ```
/// use agenthalt::settings::RateLimit;
/// let rate_limit = RateLimit {
///     max_calls_per_minute: 30,
///     max_calls_per_session: Some(200),
///     ..RateLimit::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// M.
    ///
    /// Default: `60`.
    pub max_calls_per_minute: u64,
    /// S.
    ///
    /// Default: none.
    pub max_calls_per_session: Option<u64>,
    /// By \[what\].
    ///
    /// Default: `a_b`.
    pub per: Per,
}

impl Default for RateLimit {
fn default() -> Self {
RateLimit {
max_calls_per_minute: 60,
max_calls_per_session: None,
per: Per::AB,
}
}
}

impl From<RateLimit> for GuardSetup {
fn from(settings: RateLimit) -> Self {
let settings = Object::from_iter([
("max_calls_per_minute", settings.max_calls_per_minute.json()),
("max_calls_per_session", settings.max_calls_per_session.json()),
("per", settings.per.json()),
]);
GuardSetup::built_in("rate_limit", settings)
}
}

/// By \[what\].
///
/// ```
/// use agenthalt::settings::{RateLimit, Per};
/// let rate_limit = RateLimit { per: Per::AB, ..RateLimit::default() };
/// assert_eq!(rate_limit.per, Per::AB);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// `a_b` in a policy.
    AB,
}

impl Setting for Per {
fn json(self) -> Json {
Json::from(match self {
Per::AB => "a_b",
})
}
}
"#
        );
    }

    #[test]
    fn only_what_is_named_is_imported() {
        let text = rate_limit(
            r#""costs":{"description":"M.","type":"object","default":{},
                "additionalProperties":{"type":"number","minimum":0}}"#,
        );
        let text = text.unwrap();
        assert!(text.contains("\n\nuse std::collections::BTreeMap;\n\nuse agenthalt_json::Object;\n\n"), "{text}");
        assert!(text.contains("\nuse crate::{Amount, GuardSetup};\n"), "{text}");
    }

    #[test]
    fn a_setting_without_a_type_is_named_with_its_guard() {
        for property in [
            r#""x":{"description":"M.","type":"date","default":null}"#,
            r#""x":{"description":"M.","type":"string"}"#,
            r#""x":{"description":"M.","type":"boolean","default":1}"#,
            r#""x":{"type":"string","default":"a"}"#,
        ] {
            let error = format!("{:#}", rate_limit(property).unwrap_err());
            assert!(error.contains("`x` of the guard `rate_limit`: "), "{error}");
        }
        let error = rate_limit(r#""x-y":{"description":"M.","type":"boolean","default":true}"#).unwrap_err();
        assert!(format!("{error:#}").starts_with("the setting `x-y` of the guard `rate_limit`: "), "{error:#}");
    }

    #[test]
    fn an_example_sets_what_there_is() {
        let schema = r#"{"description":"D.","properties":{"x":{"description":"M.","type":"boolean","default":true}}}"#;
        let error = |guard| format!("{:#}", file(guard, "s", &Schema::read(schema).unwrap()).unwrap_err());
        assert_eq!(error("scope"), "the example of `scope` sets `deny_functions`: there is no such setting");
        assert!(error("other").starts_with("the guard `other` has no example: "));
    }

    #[test]
    fn a_guard_without_settings_has_no_type() {
        let schema = Schema::read(r#"{"description":"D.","properties":{}}"#).unwrap();
        assert!(file("scope", "s", &schema).is_err());
    }
}
