//! Which setting of a guard limits which of its counters, as the guard's schema tells people. It decides nothing: a
//! schema that says nothing, or something wrong, changes no verdict.

use agenthalt_json::{Json, Number, Object};
use agenthalt_sandbox::Guard;

use crate::roster::Seat;

/// The annotation of a property that limits a counter: `{"counter": NAME, "unit": UNIT}`.
const LIMIT: &str = "x-limit";
/// The annotation of a property that is the part of limits above which a human must approve: their names.
const WARNS: &str = "x-warns";
/// The unit of amounts that counters hold in millionths.
const MONEY: &str = "money";
/// How many decimal places millionths have.
const PLACES: u32 = 6;

/// A limit of a counter.
///
/// ```
/// # use agenthalt::{CounterFilter, testing};
/// let engine = testing::engine("guards: {budget: {max_daily_spend: 10}}");
/// let counters = engine.counters_blocking(&CounterFilter::default())?;
/// let limit = counters[0].limit.as_ref().unwrap();
/// assert_eq!((limit.setting.as_str(), limit.unit.as_str()), ("max_daily_spend", "money"));
/// assert_eq!((limit.most, limit.warns_above), (10_000_000, Some(8_000_000)));
/// # Ok::<(), agenthalt::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CounterLimit {
    /// The setting that limits it.
    pub setting: String,
    /// What is counted: `money`, in millionths, or a plural noun such as `calls`.
    pub unit: String,
    /// The most that the counter may show.
    pub most: i64,
    /// Above this a human must approve, where the guard says so.
    pub warns_above: Option<i64>,
}

impl CounterLimit {
    /// Whether the counter holds money, in millionths.
    ///
    /// ```
    /// # use agenthalt::{CounterFilter, testing};
    /// let engine = testing::engine("guards: {purchase: {max_purchase_count_per_day: 3}}");
    /// let counters = engine.counters_blocking(&CounterFilter::default())?;
    /// assert!(!counters[0].limit.as_ref().unwrap().is_money());
    /// # Ok::<(), agenthalt::Error>(())
    /// ```
    pub fn is_money(&self) -> bool {
        self.unit == MONEY
    }
}

/// The limits of a guard with its settings, each with the name of its counter.
pub(crate) fn of(seat: &Seat) -> Vec<(String, CounterLimit)> {
    let text = seat.occupant.as_ref().ok().and_then(|guard: &Guard| guard.component().schema(&seat.entry.limits).ok());
    let schema = text.and_then(|text| Json::parse(&text).ok());
    let properties = schema.as_ref().and_then(|schema| schema.as_object()?.get("properties")?.as_object());
    properties.map(|properties| limits(properties, seat.entry.settings.json())).unwrap_or_default()
}

fn limits(properties: &Object, settings: &Json) -> Vec<(String, CounterLimit)> {
    let found = properties.iter().filter_map(|(setting, property)| {
        let property = property.as_object()?;
        let limits = property.get(LIMIT)?.as_object()?;
        let (counter, unit) = (limits.get("counter")?.as_str()?, limits.get("unit")?.as_str()?);
        let places = if unit == MONEY { PLACES } else { 0 };
        let most = scaled(value(settings, setting, property)?, places)?;
        let warns_above = warning(properties, settings, setting).and_then(|part| share(most, part));
        let (setting, unit) = (setting.to_owned(), unit.to_owned());
        Some((counter.to_owned(), CounterLimit { setting, unit, most, warns_above }))
    });
    found.collect()
}

/// What a setting is, or is where the policy says nothing; none where it is switched off.
fn value<'a>(settings: &'a Json, setting: &str, property: &'a Object) -> Option<&'a Number> {
    match settings.as_object()?.get(setting).or_else(|| property.get("default"))? {
        Json::Number(number) => Some(number),
        _ => None,
    }
}

/// The part of a limit above which a human must approve.
fn warning<'a>(properties: &'a Object, settings: &'a Json, of: &str) -> Option<&'a Number> {
    properties.iter().find_map(|(setting, property)| {
        let property = property.as_object()?;
        let warns = property.get(WARNS)?.as_array()?.iter().any(|name| name.as_str() == Some(of));
        warns.then(|| value(settings, setting, property)).flatten()
    })
}

fn scaled(number: &Number, places: u32) -> Option<i64> {
    let (value, _) = number.scaled(places)?;
    i64::try_from(value).ok()
}

/// A part of a limit, rounded down: a total above it is above the part.
fn share(most: i64, part: &Number) -> Option<i64> {
    let millionths = i128::from(scaled(part, PLACES)?);
    i64::try_from(i128::from(most).checked_mul(millionths)?.checked_div(1_000_000)?).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    const SCHEMA: &str = r#"{
        "day": {"default": null, "x-limit": {"counter": "spent", "unit": "money"}},
        "calls": {"default": 60, "x-limit": {"counter": "minute", "unit": "calls"}},
        "warn": {"default": 0.8, "x-warns": ["day"]},
        "odd": {"default": 1, "x-limit": "minute"},
        "other": {"default": 3}
    }"#;

    fn read(settings: &str) -> Vec<(String, String, i64, Option<i64>)> {
        let schema = Json::parse(SCHEMA).unwrap();
        let limits = limits(schema.as_object().unwrap(), &Json::parse(settings).unwrap());
        limits.into_iter().map(|(counter, it)| (counter, it.setting, it.most, it.warns_above)).collect()
    }

    #[test]
    fn limits_are_those_of_the_settings_or_else_of_the_schema() {
        let minute = |most| ("minute".to_owned(), "calls".to_owned(), most, None);
        assert_eq!(read("{}"), [minute(60)]);
        assert_eq!(read(r#"{"calls": null}"#), []);
        let day = ("spent".to_owned(), "day".to_owned(), 12_500_000, Some(10_000_000));
        assert_eq!(read(r#"{"day": 12.5, "calls": 7}"#), [minute(7), day.clone()]);
        assert_eq!(read(r#"{"day": 12.5, "warn": null}"#), [minute(60), (day.0, day.1, day.2, None)]);
    }

    #[test]
    fn what_is_no_limit_is_left_out() {
        assert_eq!(read(r#"{"day": "12.5", "calls": 1e40}"#), []);
        assert_eq!(read("[]"), []);
    }
}
