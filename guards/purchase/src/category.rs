//! What kinds of things a purchase names: the category fields of the arguments and of their item or
//! items, all of them. It never looks at amounts.

use agenthalt_guard::{Json, Object, Words, WrittenName, quote};

use crate::Settings;
use crate::field::Names;

/// The most letters of different categories that are compared in one call: each takes time, and one
/// outside ASCII as much as [`STRANGE_WEIGHT`] others.
const MOST_LETTERS: usize = 32 * 1024;
const STRANGE_WEIGHT: usize = 32;
/// How many categories are remembered, so that what stands in every line item is compared once.
const MOST_KNOWN: usize = 64;

/// Judges the categories that a purchase names; the error is the reason of a denial.
pub(crate) fn judge<'a>(settings: &Settings, arguments: &'a Object, names: &mut Names<'a>) -> Result<(), String> {
    if settings.blocked_categories.is_empty() && settings.allowed_categories.is_empty() {
        return Ok(());
    }
    let mut categories = Categories { settings, names, known: Vec::new(), letters: 0 };
    categories.object(arguments, false)?;
    if categories.letters == 0 && !settings.allowed_categories.is_empty() {
        return Err("the purchase names no category, and only the allowed_categories may be bought".to_owned());
    }
    Ok(())
}

struct Categories<'s, 'a> {
    settings: &'s Settings,
    names: &'s mut Names<'a>,
    /// Categories that may be bought.
    known: Vec<&'a str>,
    /// How many letters were compared.
    letters: usize,
}

impl<'a> Categories<'_, 'a> {
    /// The arguments, or what stands in an item, however deep.
    fn object(&mut self, object: &'a Object, is_in_item: bool) -> Result<(), String> {
        for (key, value) in object.iter() {
            let key = self.names.key(key)?;
            let is_category = key.meets(&self.settings.category_field) || key.is("category");
            let is_item = is_in_item || key.is("item") || key.is("items");
            if is_category {
                self.category(value)?;
            } else if is_item {
                self.items(value)?;
            }
        }
        Ok(())
    }

    fn items(&mut self, value: &'a Json) -> Result<(), String> {
        match value {
            Json::Object(object) => self.object(object, true),
            Json::Array(items) => items.iter().try_for_each(|item| self.items(item)),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
        }
    }

    /// What stands in a category field. A list and an object are opened: all they hold are categories.
    fn category(&mut self, value: &'a Json) -> Result<(), String> {
        match value {
            Json::Null => Ok(()),
            Json::Bool(true) => self.named("true"),
            Json::Bool(false) => self.named("false"),
            Json::Number(number) => self.named(number.as_str()),
            Json::String(text) => self.named(text),
            Json::Array(items) => items.iter().try_for_each(|item| self.category(item)),
            Json::Object(object) => object.iter().try_for_each(|(key, value)| {
                self.named(key)?;
                self.category(value)
            }),
        }
    }

    /// A blank text names nothing.
    fn named(&mut self, text: &'a str) -> Result<(), String> {
        if text.trim().is_empty() || self.known.contains(&text) {
            return Ok(());
        }
        let strange = if text.is_ascii() { 0 } else { text.chars().filter(|c| !c.is_ascii()).count() };
        self.letters = self.letters.saturating_add(text.len() + strange * STRANGE_WEIGHT);
        if self.letters > MOST_LETTERS {
            let (most, weight) = (MOST_LETTERS.to_string(), STRANGE_WEIGHT.to_string());
            let weighed = [" letters of categories, where one outside ASCII counts as ", &weight].concat();
            return Err(["the purchase names more than ", &most, &weighed].concat());
        }
        if !self.settings.blocked_categories.is_empty() {
            let words = Words::new(text);
            if let Some(blocked) = self.settings.blocked_categories.iter().find(|blocked| blocked.meets(&words)) {
                let blocked = quote(blocked.text());
                return Err(["the category ", &quote(text), " meets ", &blocked, " of blocked_categories"].concat());
            }
        }
        let allowed = &self.settings.allowed_categories;
        if !allowed.is_empty() && !allowed.contains(&WrittenName::new(text)) {
            return Err(["the category ", &quote(text), " is none of allowed_categories"].concat());
        }
        if self.known.len() < MOST_KNOWN {
            self.known.push(text);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use crate::Purchase;
    use agenthalt_guard::Verdict::{self, Allow, Deny};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    /// The verdict on a purchase of 1 with these further arguments.
    fn verdict(settings: &str, json: &str) -> Verdict {
        let call = TestCall::new("buy").arguments(&format!(r#"{{"amount":1,{json}}}"#));
        TestGuard::<Purchase>::new(settings).unwrap().verdict(&call)
    }

    fn reason(settings: &str, json: &str) -> String {
        let call = TestCall::new("buy").arguments(json);
        TestGuard::<Purchase>::new(settings).unwrap().judge(&call).unwrap().unwrap().reason().to_owned()
    }

    const BLOCKED: &str = r#"{"blocked_categories":["gambling","adult goods"]}"#;
    const ALLOWED: &str = r#"{"allowed_categories":["office","software"]}"#;

    #[test]
    fn categories_in_items_are_read_however_deep() {
        for json in [
            r#""items":{"a":{"category":"gambling"}}"#,
            r#""item":{"details":{"category":"gambling"}}"#,
            r#""items":[{"product":[{"Category":["gambling"]}]}]"#,
        ] {
            assert_eq!(verdict(BLOCKED, json), Deny, "{json}");
        }
        assert_eq!(verdict(BLOCKED, r#""seller":{"category":"gambling"}"#), Allow);
        assert_eq!(verdict(ALLOWED, r#""items":[{"product":{"category":"office"}}]"#), Allow);
    }

    #[test]
    fn blocked_categories_meet_whole_words_in_a_row() {
        for category in ["gambling", "online gambling site", "GAMBLING", "gambling-not-office", "for adult goods only"]
        {
            assert_eq!(verdict(BLOCKED, &format!(r#""category":"{category}""#)), Deny, "{category}");
        }
        for category in ["art", "adult", "goods, adult", "nongambling", ""] {
            assert_eq!(verdict(BLOCKED, &format!(r#""category":"{category}""#)), Allow, "{category}");
        }
        assert_eq!(verdict(r#"{"blocked_categories":["art"]}"#, r#""category":"smart-home""#), Allow);
    }

    #[test]
    fn a_blocked_category_hides_nowhere_in_the_category_fields() {
        for json in [
            r#""Category":"gambling""#,
            r#""саtegory":"gambling""#,
            r#""category":"gаmbling""#,
            r#""category":["office","gambling"]"#,
            r#""category":"office, gambling""#,
            r#""category":{"name":"gambling"}"#,
            r#""category":{"gambling":true}"#,
            r#""item":{"category":"gambling"}"#,
            r#""Item":{"CATEGORY":"gambling"}"#,
            r#""items":{"category":"gambling"}"#,
            r#""items":[{"category":"office"},{"category":"gambling"}]"#,
            r#""item":[[{"category":"gambling"}]]"#,
            r#""items":[{"item":{"category":"gambling"}}]"#,
            r#""category":"office","item":{"category":"gambling"}"#,
        ] {
            assert_eq!(verdict(BLOCKED, json), Deny, "{json}");
        }
    }

    #[test]
    fn the_named_field_and_category_are_both_read() {
        let settings = r#"{"category_field":"kind","blocked_categories":["gambling"]}"#;
        for json in [
            r#""kind":"gambling""#,
            r#""kind":"office","category":"gambling""#,
            r#""kind":"gambling","category":"office""#,
            r#""items":[{"KIND":"gambling"}]"#,
        ] {
            assert_eq!(verdict(settings, json), Deny, "{json}");
        }
        assert_eq!(verdict(BLOCKED, r#""kind":"gambling""#), Allow);
    }

    #[test]
    fn numbers_and_booleans_are_categories_by_their_text() {
        let settings = r#"{"blocked_categories":["42","true"]}"#;
        for (value, expected) in [("42", Deny), ("42.0", Deny), ("true", Deny), ("\"42\"", Deny), ("420", Allow)] {
            assert_eq!(verdict(settings, &format!(r#""category":{value}"#)), expected, "{value}");
        }
        assert_eq!(verdict(r#"{"blocked_categories":["none","null"]}"#, r#""item":{"category":null}"#), Allow);
    }

    #[test]
    fn allowed_categories_meet_the_whole_name_as_it_is_written() {
        for (category, expected) in [
            ("office", Allow),
            ("software", Allow),
            ("Software licences", Deny),
            ("gambling-not-office", Deny),
            ("Office", Deny),
            ("оffice", Deny),
            ("office\u{200b}", Deny),
            ("office, software", Deny),
        ] {
            assert_eq!(verdict(ALLOWED, &format!(r#""category":"{category}""#)), expected, "{category}");
        }
    }

    #[test]
    fn with_an_allow_list_every_category_must_be_on_it() {
        for (json, expected) in [
            (r#""category":"office","item":{"category":"software"}"#, Allow),
            (r#""category":["office","software"]"#, Allow),
            (r#""items":[{"category":"office"},{"sku":1}]"#, Allow),
            (r#""category":"office","item":{"category":"food"}"#, Deny),
            (r#""category":["office","food"]"#, Deny),
            (r#""category":{"office":"food"}"#, Deny),
            (r#""category":7"#, Deny),
        ] {
            assert_eq!(verdict(ALLOWED, json), expected, "{json}");
        }
        let both = r#"{"allowed_categories":["office","gambling"],"blocked_categories":["gambling"]}"#;
        assert_eq!(verdict(both, r#""category":"gambling""#), Deny);
    }

    #[test]
    fn with_an_allow_list_a_purchase_without_category_is_denied() {
        for json in [
            r#""x":1"#,
            r#""category":"""#,
            r#""category":"  ""#,
            r#""category":null"#,
            r#""category":[]"#,
            r#""category":{}"#,
            r#""items":[{"category":null}]"#,
            r#""product":{"category":"office"}"#,
        ] {
            assert_eq!(verdict(ALLOWED, json), Deny, "{json}");
        }
    }

    #[test]
    fn reasons_name_the_rule_and_quote_the_call() {
        assert_eq!(
            reason(BLOCKED, r#"{"category":"on-line`gambling"}"#),
            "the category `on-line'gambling` meets `gambling` of blocked_categories"
        );
        assert_eq!(reason(ALLOWED, r#"{"category":"food"}"#), "the category `food` is none of allowed_categories");
        assert_eq!(
            reason(ALLOWED, r#"{"amount":1}"#),
            "the purchase names no category, and only the allowed_categories may be bought"
        );
        let many = format!(r#"{{"category":"{}"}}"#, "x ".repeat(40_000));
        let said = "the purchase names more than 32768 letters of categories, where one outside ASCII counts as 32";
        assert_eq!(reason(BLOCKED, &many), said);
    }

    #[test]
    fn a_category_of_every_line_item_is_compared_once() {
        for category in ["food", "食料品"] {
            let lines = format!(r#"{{"category":"{category}"}},"#).repeat(5_000);
            assert_eq!(verdict(BLOCKED, &format!(r#""items":[{lines}1]"#)), Allow);
            assert_eq!(verdict(BLOCKED, &format!(r#""items":[{lines}{{"category":"gambling"}}]"#)), Deny);
        }
    }
}
