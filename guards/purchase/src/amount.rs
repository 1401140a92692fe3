//! What a purchase costs: the largest figure in its arguments, with quantities and line items. It never
//! takes the smaller of two figures, and it does not judge what it finds.

use agenthalt_guard::{Amount, Json, Malformed, Object, Place};

use crate::Settings;
use crate::field::{Meaning, Names, shown};

/// What a purchase says that it costs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    /// The largest figure; none where there is no field that is known.
    pub(crate) amount: Option<Amount>,
    /// Whether an amount field holds an object without a field that is known. The numbers in it count,
    /// and nobody knows what they are.
    pub(crate) is_unclear: bool,
}

/// What a purchase says that it costs; the error is the reason of a denial: an amount or a quantity that
/// is none, another currency.
pub(crate) fn of<'a>(settings: &Settings, arguments: &'a Object, names: &mut Names<'a>) -> Result<Stated, String> {
    let mut search = Search { settings, names, is_unclear: false };
    let amount = search.object(arguments, &Place::ROOT, true)?;
    Ok(Stated { amount, is_unclear: search.is_unclear })
}

struct Search<'s, 'a> {
    settings: &'s Settings,
    names: &'s mut Names<'a>,
    is_unclear: bool,
}

/// What a number or a text is where it stands.
#[derive(Clone, Copy)]
enum Scalar {
    /// An amount; malformed if it is none.
    Amount,
    /// An amount, unless it is a text that is no number.
    AmountOrText,
    /// Nothing.
    Other,
}

impl<'a> Search<'_, 'a> {
    /// The largest figure of an object and of all that is below it. The depth is bounded: the host
    /// refuses a call that nests deeper than 64.
    fn object(&mut self, object: &'a Object, at: &Place<'_>, is_top: bool) -> Result<Option<Amount>, String> {
        let (mut own, mut total, mut below, mut quantity) = (None, None, None, None);
        for (name, value) in object.iter() {
            let here = at.key(name);
            match self.names.key(name)?.meaning(self.settings) {
                Meaning::Amount => own = own.max(self.figure(value, name, &here, Scalar::Amount)?),
                Meaning::Value => {
                    let scalar = if is_top { Scalar::Amount } else { Scalar::AmountOrText };
                    own = own.max(self.figure(value, name, &here, scalar)?);
                }
                Meaning::Total => total = total.max(self.figure(value, name, &here, Scalar::Amount)?),
                Meaning::Quantity => quantity = quantity.max(read_quantity(value, name, &here)?),
                Meaning::Currency => self.check_currency(value, name, &here)?,
                Meaning::None => below = below.max(self.figure(value, name, &here, Scalar::Other)?),
            }
        }
        if let Some(quantity) = quantity {
            // A total is no figure that a quantity is meant for: with only a total beside it, it is meant
            // for what is below.
            let multiplied = if own.is_some() { &mut own } else { &mut below };
            if let Some(figure) = multiplied {
                *figure = figure.times(quantity).ok_or_else(|| too_much(at))?;
            }
        }
        Ok(own.max(total).max(below))
    }

    /// The largest figure of a value; of a list the sum of those of its items.
    fn figure(
        &mut self,
        value: &'a Json,
        name: &str,
        at: &Place<'_>,
        scalar: Scalar,
    ) -> Result<Option<Amount>, String> {
        match value {
            Json::Object(object) => {
                let figure = self.object(object, at, false)?;
                match scalar {
                    Scalar::Amount if figure.is_none() && !object.is_empty() => {
                        self.is_unclear = true;
                        largest_number(value, name, at)
                    }
                    Scalar::Amount | Scalar::AmountOrText | Scalar::Other => Ok(figure),
                }
            }
            Json::Array(items) => {
                let mut sum: Option<Amount> = None;
                for (index, item) in items.iter().enumerate() {
                    if let Some(figure) = self.figure(item, name, &at.index(index), scalar)? {
                        let added = sum.unwrap_or_default().checked_add(figure);
                        sum = Some(added.ok_or_else(|| too_much(at))?);
                    }
                }
                Ok(sum)
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => match scalar {
                Scalar::Amount => Amount::from_json(value).map_err(|malformed| no_amount(malformed, name, at)),
                Scalar::AmountOrText => match Amount::from_json(value) {
                    Ok(amount) => Ok(amount),
                    Err(Malformed::NoNumber) => Ok(None),
                    Err(malformed) => Err(no_amount(malformed, name, at)),
                },
                Scalar::Other => Ok(None),
            },
        }
    }

    /// A blank text names no currency. Another case is no other currency, another letter is.
    fn check_currency(&self, value: &Json, name: &str, at: &Place<'_>) -> Result<(), String> {
        let expected = self.settings.currency.text().trim();
        let found = match value {
            Json::Null => return Ok(()),
            Json::String(text) => {
                let text = text.trim();
                if text.is_empty() || text.eq_ignore_ascii_case(expected) {
                    return Ok(());
                }
                agenthalt_guard::quote(text)
            }
            Json::Array(items) => {
                return items
                    .iter()
                    .enumerate()
                    .try_for_each(|(index, item)| self.check_currency(item, name, &at.index(index)));
            }
            Json::Object(object) => {
                return object.iter().try_for_each(|(key, value)| self.check_currency(value, key, &at.key(key)));
            }
            Json::Bool(_) | Json::Number(_) => value.kind().to_owned(),
        };
        let expected = agenthalt_guard::quote(expected);
        Err(["the currency in ", &shown(name, at), " is ", &found, ", and only ", &expected, " is allowed"].concat())
    }
}

/// The largest number of a value in which no field is known.
fn largest_number(value: &Json, name: &str, at: &Place<'_>) -> Result<Option<Amount>, String> {
    let mut largest = None;
    match value {
        Json::Number(_) => largest = Amount::from_json(value).map_err(|malformed| no_amount(malformed, name, at))?,
        Json::String(_) => largest = Amount::from_json(value).unwrap_or_default(),
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                largest = largest.max(largest_number(item, name, &at.index(index))?);
            }
        }
        Json::Object(object) => {
            for (key, value) in object.iter() {
                largest = largest.max(largest_number(value, key, &at.key(key))?);
            }
        }
        Json::Null | Json::Bool(_) => {}
    }
    Ok(largest)
}

/// A quantity: a number above zero.
fn read_quantity(value: &Json, name: &str, at: &Place<'_>) -> Result<Option<Amount>, String> {
    let what = match Amount::from_json(value) {
        Ok(Some(Amount::ZERO)) => "zero".to_owned(),
        Ok(quantity) => return Ok(quantity),
        Err(malformed) => malformed.to_string(),
    };
    Err(["the quantity in ", &shown(name, at), " is ", &what, ", not a number above zero"].concat())
}

fn no_amount(malformed: Malformed, name: &str, at: &Place<'_>) -> String {
    let what = malformed.to_string();
    ["the amount in ", &shown(name, at), " is ", &what, ", not an amount of zero or more"].concat()
}

/// An amount that does not fit is above every limit, also above one that is not set.
fn too_much(at: &Place<'_>) -> String {
    let at = at.pointer();
    let at = if at.is_empty() { "the arguments".to_owned() } else { agenthalt_guard::quote(&at) };
    ["what ", &at, " come to is too large: at most 9223372036854 can be judged"].concat()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use agenthalt_guard::FoldedName;

    fn found_in(amount_field: &str, json: &str) -> Result<Option<String>, String> {
        let settings = Settings { amount_field: FoldedName::new(amount_field), ..Settings::default() };
        let json = Json::parse(json).unwrap();
        let stated = of(&settings, json.as_object().unwrap(), &mut Names::new(&settings))?;
        Ok(stated.amount.map(|amount| amount.to_string()))
    }

    fn found(json: &str) -> Result<Option<String>, String> {
        found_in("amount", json)
    }

    fn assert_found(cases: &[(&str, &str)]) {
        for (json, amount) in cases {
            assert_eq!(found(json), Ok(Some((*amount).to_owned())), "{json}");
        }
    }

    #[test]
    fn the_largest_field_of_an_object_counts() {
        assert_found(&[
            (r#"{"amount":1,"total":9999}"#, "9999"),
            (r#"{"amount":9999,"total":1}"#, "9999"),
            (r#"{"price":1,"cost":2,"value":3}"#, "3"),
            (r#"{"amount":5,"price":"7.5","cost":"+7"}"#, "7.5"),
            (r#"{"amount":null,"total":11}"#, "11"),
            (r#"{"AMOUNT":11,"price":1}"#, "11"),
            (r#"{"amount":1,"Amount":2,"аmount":3}"#, "3"),
            (r#"{"amount":0}"#, "0"),
        ]);
        assert_eq!(found_in("usd", r#"{"usd":2,"amount":9}"#), Ok(Some("2".to_owned())));
        assert_eq!(found_in("usd", r#"{"amount":9}"#), Ok(None));
    }

    #[test]
    fn figures_are_found_at_any_depth() {
        assert_found(&[
            (r#"{"item":{"price":99}}"#, "99"),
            (r#"{"amount":1,"order":{"details":{"cost":99}}}"#, "99"),
            (r#"{"order":[[{"lines":{"total":99}}]]}"#, "99"),
        ]);
    }

    #[test]
    fn a_quantity_multiplies_what_stands_beside_it_but_no_total() {
        assert_found(&[
            (r#"{"amount":99,"quantity":1000}"#, "99000"),
            (r#"{"price":99,"qty":"1000"}"#, "99000"),
            (r#"{"cost":2.5,"Count":3}"#, "7.5"),
            (r#"{"value":2,"units":0.5}"#, "1"),
            (r#"{"total":90,"quantity":3}"#, "90"),
            (r#"{"total":90,"price":40,"quantity":3}"#, "120"),
            (r#"{"price":10,"quantity":1,"qty":50,"count":2}"#, "500"),
            (r#"{"price":10,"quantity":null}"#, "10"),
            (r#"{"price":0.000001,"quantity":0.1}"#, "0.000001"),
        ]);
    }

    #[test]
    fn a_quantity_without_a_figure_multiplies_what_is_below() {
        assert_found(&[
            (r#"{"quantity":1000,"item":{"price":99}}"#, "99000"),
            (r#"{"quantity":3,"item":{"total":10}}"#, "30"),
            (r#"{"quantity":10,"item":{"price":5,"quantity":2}}"#, "100"),
            (r#"{"quantity":10,"a":{"qty":2,"b":{"price":5}}}"#, "100"),
            (r#"{"quantity":2,"items":[{"price":5},{"price":6}]}"#, "22"),
            (r#"{"quantity":1000,"total":1,"item":{"price":99}}"#, "99000"),
            (r#"{"quantity":1000,"price":null,"item":{"price":99}}"#, "99000"),
            (r#"{"quantity":1000,"amount":{},"item":{"price":99}}"#, "99000"),
            (r#"{"quantity":3,"price":50,"item":{"price":99}}"#, "150"),
            (r#"{"quantity":2,"price":10,"item":{"price":99}}"#, "99"),
        ]);
    }

    #[test]
    fn what_stands_in_an_amount_field_is_opened() {
        assert_found(&[
            (r#"{"amount":{"value":99,"currency":"USD"}}"#, "99"),
            (r#"{"amount":{"value":"99.00","currency_code":"USD"}}"#, "99"),
            (r#"{"amount":{"value":99},"quantity":2}"#, "198"),
            (r#"{"price":{"amount":{"amount":4}},"quantity":2}"#, "8"),
            (r#"{"amount":[99]}"#, "99"),
            (r#"{"amount":[50,"60"]}"#, "110"),
            (r#"{"amount":[[50,60],[1,null]]}"#, "111"),
            (r#"{"cost":[{"price":5,"quantity":2},{"price":6}],"quantity":2}"#, "32"),
            (r#"{"total":{"amount":30},"quantity":3}"#, "30"),
            (r#"{"total":[10,20],"quantity":3}"#, "30"),
            (r#"{"amount":5,"price":{"value":99},"quantity":2}"#, "198"),
            (r#"{"value":[7,8]}"#, "15"),
        ]);
        for json in [r#"{"amount":{}}"#, r#"{"amount":[]}"#, r#"{"amount":[null]}"#, r#"{"amount":{"usd":null}}"#] {
            assert_eq!(found(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn an_amount_in_an_unknown_form_counts_and_is_unclear() {
        let settings = Settings::default();
        for (json, amount, is_unclear) in [
            (r#"{"amount":{"usd":9999},"price":1}"#, 9999, true),
            (r#"{"amount":{"usd":"9999"},"price":1}"#, 9999, true),
            (r#"{"price":[{"units":"5","nanos":7}]}"#, 7, true),
            (r#"{"amount":{"text":"ten thousand"},"price":1}"#, 1, true),
            (r#"{"amount":{"value":5,"decimals":18}}"#, 5, false),
            (r#"{"amount":{},"price":1}"#, 1, false),
            (r#"{"price":1,"a":{"usd":9999}}"#, 1, false),
            (r#"{"price":1,"sizes":[{"value":{"width":9}}]}"#, 1, false),
        ] {
            let json = Json::parse(json).unwrap();
            let stated = of(&settings, json.as_object().unwrap(), &mut Names::new(&settings));
            assert_eq!(stated, Ok(Stated { amount: Some(Amount::whole(amount)), is_unclear }), "{json}");
        }
        assert!(found(r#"{"amount":{"usd":-5}}"#).is_err() && found(r#"{"amount":{"usd":1e300}}"#).is_err());
    }

    #[test]
    fn line_items_of_one_list_are_added_up() {
        assert_found(&[
            (r#"{"items":[{"price":60},{"price":60}]}"#, "120"),
            (r#"{"items":[{"price":60,"quantity":2},{"total":5},{"sku":"x"}]}"#, "125"),
            (r#"{"items":[{"product":{"price":60}},{"product":{"price":60}}]}"#, "120"),
            (r#"{"items":[[{"price":1},{"price":2}],[{"price":3}]]}"#, "6"),
            (r#"{"items":[{"price":60},{"price":60}],"amount":100}"#, "120"),
            (r#"{"items":[{"price":60},{"price":60}],"amount":130}"#, "130"),
            (r#"{"items":[{"price":60}],"extras":[{"price":70}]}"#, "70"),
            (r#"{"items":[{"price":0.1},{"price":0.1},{"price":0.1}]}"#, "0.3"),
        ]);
    }

    #[test]
    fn without_a_known_field_there_is_no_amount() {
        for json in [
            "{}",
            r#"{"item":"x"}"#,
            r#"{"amount":null}"#,
            r#"{"amount_usd":11}"#,
            r#"{"ids":[1,2,3]}"#,
            r#"{"quantity":3}"#,
            r#"{"options":[{"name":"color","value":"red"}]}"#,
        ] {
            assert_eq!(found(json), Ok(None), "{json}");
        }
    }

    #[test]
    fn what_is_no_amount_is_malformed_in_every_amount_field() {
        for field in ["amount", "price", "total", "cost", "value"] {
            for value in [
                "\"x\"",
                "\"\"",
                "\"$5\"",
                "\"5 USD\"",
                "\"nan\"",
                "\"inf\"",
                "\"-Infinity\"",
                "\"١١\"",
                "\"１１\"",
                "true",
                "false",
                "-1",
                "\"-1\"",
                "1e300",
                "[\"x\"]",
                "[[true]]",
            ] {
                let reason = found(&format!(r#"{{"{field}":{value},"price ":1}}"#)).unwrap_err();
                assert!(reason.starts_with(&format!("the amount in `/{field}")), "{value}: {reason}");
            }
        }
    }

    #[test]
    fn text_is_malformed_at_any_depth_but_not_in_a_deeper_value() {
        for field in ["amount", "price", "total", "cost"] {
            let reason = found(&format!(r#"{{"amount":1,"a":[{{"{field}":"free"}}]}}"#)).unwrap_err();
            assert!(reason.contains(&format!("`/a/0/{field}` is a text that is no number")), "{reason}");
        }
        assert!(found_in("usd", r#"{"a":{"usd":"x"}}"#).is_err());
        assert!(found_in("value", r#"{"a":{"value":"x"}}"#).is_err());
        assert_found(&[
            (r#"{"amount":1,"options":[{"name":"color","value":"red"}]}"#, "1"),
            (r#"{"amount":1,"options":[{"name":"colors","value":["red","blue"]}]}"#, "1"),
            (r#"{"amount":1,"item":{"value":99}}"#, "99"),
            (r#"{"amount":1,"item":{"value":"99"}}"#, "99"),
        ]);
        for value in ["true", "-5", "\"-5\"", "1e300", "\"1e300\""] {
            assert!(found(&format!(r#"{{"amount":1,"a":{{"value":{value}}}}}"#)).is_err(), "{value}");
        }
    }

    #[test]
    fn a_quantity_that_is_no_number_above_zero_is_malformed() {
        for field in ["quantity", "qty", "count", "units"] {
            for value in ["0", "-1", "\"0\"", "\"many\"", "true", "[2]", "{}", "1e300", "\"\""] {
                let json = format!(r#"{{"amount":1,"a":{{"{field}":{value}}},"qty":2}}"#);
                let reason = found(&json).unwrap_err();
                assert!(reason.starts_with(&format!("the quantity in `/a/{field}` is ")), "{value}: {reason}");
                assert!(reason.ends_with("not a number above zero"), "{value}: {reason}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_denied() {
        for json in [
            r#"{"amount":9000000000000,"quantity":2}"#,
            r#"{"amount":9000000000000,"quantity":9000000000000}"#,
            r#"{"quantity":2,"a":{"amount":9000000000000}}"#,
            r#"{"items":[{"price":9000000000000},{"price":9000000000000}]}"#,
            r#"{"amount":[9000000000000,9000000000000]}"#,
        ] {
            let reason = found(json).unwrap_err();
            assert!(reason.contains("too large"), "{reason}");
        }
    }

    #[test]
    fn another_currency_is_found_anywhere() {
        for json in [
            r#"{"amount":9,"currency":"BTC"}"#,
            r#"{"amount":9,"Currency":"JPY"}"#,
            r#"{"amount":{"value":9,"currency":"EUR"}}"#,
            r#"{"amount":{"value":9,"currencyCode":"EUR"}}"#,
            r#"{"amount":9,"items":[{"currency":"EUR"}]}"#,
            r#"{"amount":9,"currency":["USD","BTC"]}"#,
            r#"{"amount":9,"currency":{"code":"BTC"}}"#,
            r#"{"amount":9,"currency":"$"}"#,
            r#"{"amount":9,"currency":"UЅD"}"#,
            r#"{"amount":9,"currency":840}"#,
            r#"{"amount":9,"currency":true}"#,
        ] {
            let reason = found(json).unwrap_err();
            assert!(reason.starts_with("the currency in `/") && reason.ends_with("only `USD` is allowed"), "{reason}");
        }
        for value in ["\"USD\"", "\" usd \"", "\"\"", "null", "[]", "[\"USD\"]"] {
            assert_eq!(found(&format!(r#"{{"amount":9,"currency":{value}}}"#)), Ok(Some("9".to_owned())), "{value}");
        }
    }

    #[test]
    fn reasons_stay_short_and_still_name_the_field() {
        let deep = format!("{}{}{}", r#"{"aaaaaaaaaa":"#.repeat(20), r#"{"price":"x"}"#, "}".repeat(20));
        let reason = found(&deep).unwrap_err();
        assert!(reason.starts_with("the amount in the field `price` deep inside is "), "{reason}");
    }

    #[test]
    fn the_largest_call_is_judged() {
        let lines = r#"{"price":1},"#.repeat(80_000);
        assert_found(&[(&format!(r#"{{"items":[{lines}{{"price":1}}]}}"#), "80001")]);
        let nested = format!("{}{}{}", r#"{"quantity":1,"a":"#.repeat(60), r#"{"price":5}"#, "}".repeat(60));
        assert_found(&[(&nested, "5")]);
        let hidden: String = (1..100).map(|n| format!(r#"{{"рrice{}":1}},"#, "\u{200b}".repeat(n))).collect();
        let reason = found(&format!(r#"{{"items":[{hidden}1]}}"#)).unwrap_err();
        assert!(reason.contains("1000 characters outside ASCII"), "{reason}");
        let lines = r#"{"値段":5,"価格":7,"цена":1,"рrice":1},"#.repeat(2_000);
        assert_found(&[(&format!(r#"{{"items":[{lines}1]}}"#), "2000")]);
    }
}
