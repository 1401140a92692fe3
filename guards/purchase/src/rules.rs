//! The rules of purchase in their order: malformed, category, single, count, day, approval. No float
//! takes part in a comparison.

use agenthalt_guard::{Amount, Charge, Counter, Decision, Error, Object, Readings};

use crate::amount::Stated;
use crate::field::Names;
use crate::{Settings, amount, category};

const DAILY_AMOUNT: &str = "daily_purchases";
const DAILY_COUNT: &str = "daily_purchase_count";

/// The risk of a purchase that states no amount.
const UNKNOWN_RISK: f64 = 0.8;
/// The risk of an amount that has no limit to be measured by.
const UNLIMITED_RISK: f64 = 0.5;

/// What is limited is counted: purchases of the tenant on the calendar day.
pub(crate) fn counters(settings: &Settings) -> Vec<Counter> {
    let amount = settings.max_daily_purchases.map(|_| Counter::sum(DAILY_AMOUNT).day());
    let count = settings.max_purchase_count_per_day.map(|_| Counter::count(DAILY_COUNT).day());
    amount.into_iter().chain(count).collect()
}

/// Judges a purchase by its arguments and by what was bought before.
pub(crate) fn judge(settings: &Settings, arguments: &Object, readings: &Readings) -> Result<Decision, Error> {
    let mut names = Names::new(settings);
    let stated = match amount::of(settings, arguments, &mut names) {
        Ok(stated) => stated,
        Err(reason) => return Ok(Decision::deny(reason)),
    };
    if let Err(reason) = category::judge(settings, arguments, &mut names) {
        return Ok(Decision::deny(reason));
    }
    // An amount that is not known is at least zero, and counts as such.
    let amount = stated.amount.unwrap_or_default();
    let refusal = match single(settings, amount) {
        None => match count(settings, readings)? {
            None => day(settings, amount, readings)?,
            refusal => refusal,
        },
        refusal => refusal,
    };
    if let Some(reason) = refusal {
        return Ok(Decision::deny(reason));
    }
    Ok(approval(settings, &stated).charge_all(charges(settings, amount)))
}

fn single(settings: &Settings, amount: Amount) -> Option<String> {
    let limit = settings.max_single_purchase.filter(|limit| amount > *limit)?;
    let (amount, limit) = (amount.to_string(), limit.to_string());
    Some(["the purchase amounts to ", &amount, ", the limit max_single_purchase is ", &limit].concat())
}

fn count(settings: &Settings, readings: &Readings) -> Result<Option<String>, Error> {
    let Some(limit) = settings.max_purchase_count_per_day else {
        return Ok(None);
    };
    let with_this = readings.count(DAILY_COUNT)?.saturating_add(1);
    if with_this <= limit {
        return Ok(None);
    }
    let (with_this, limit) = (with_this.to_string(), limit.to_string());
    let limit = [", the limit max_purchase_count_per_day is ", &limit].concat();
    Ok(Some(["this would be purchase number ", &with_this, " of the day", &limit].concat()))
}

fn day(settings: &Settings, amount: Amount, readings: &Readings) -> Result<Option<String>, Error> {
    let Some(limit) = settings.max_daily_purchases else {
        return Ok(None);
    };
    let sum = readings.amount(DAILY_AMOUNT)?.checked_add(amount);
    if sum.is_some_and(|sum| sum <= limit) {
        return Ok(None);
    }
    let sum = sum.map_or_else(|| "too much".to_owned(), |sum| sum.to_string());
    let (amount, limit) = (amount.to_string(), limit.to_string());
    let limit = [", above the limit max_daily_purchases of ", &limit].concat();
    Ok(Some(["a purchase of ", &amount, " would bring the day to ", &sum, &limit].concat()))
}

/// Whether a human is asked.
fn approval(settings: &Settings, stated: &Stated) -> Decision {
    let amount = match stated.amount {
        Some(amount) if !stated.is_unclear => amount,
        Some(_) | None => {
            let reason = "the purchase states no amount in a form that is known, so a human must approve it";
            return Decision::require_approval(reason).risk(UNKNOWN_RISK);
        }
    };
    let Some(threshold) = settings.require_approval_above.filter(|threshold| amount > *threshold) else {
        return Decision::allow();
    };
    let (shown, threshold) = (amount.to_string(), threshold.to_string());
    let reason = ["the purchase amounts to ", &shown, ", above require_approval_above, which is ", &threshold].concat();
    Decision::require_approval(reason).risk(risk(settings, amount))
}

/// How much of the limit an amount is. A figure to show: nothing is decided by it.
fn risk(settings: &Settings, amount: Amount) -> f64 {
    match settings.max_single_purchase {
        None => UNLIMITED_RISK,
        Some(Amount::ZERO) => 1.0,
        Some(limit) => amount.millionths() as f64 / limit.millionths() as f64,
    }
}

/// The amount as it was judged: what the call itself is settled at is another figure.
fn charges(settings: &Settings, amount: Amount) -> impl Iterator<Item = Charge> {
    let amount = settings.max_daily_purchases.map(|_| Charge::permitted(DAILY_AMOUNT, amount));
    let count = settings.max_purchase_count_per_day.map(|_| Charge::permitted(DAILY_COUNT, 1));
    amount.into_iter().chain(count)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::DAILY_AMOUNT;
    use crate::Purchase;
    use agenthalt_guard::Verdict::{self, Allow, Deny, RequireApproval};
    use agenthalt_guard::testing::{TestCall, TestGuard};
    use agenthalt_guard::{Decision, PURCHASE_WORDS};

    const DAY: i64 = 24 * 3_600;

    fn guard(settings: &str) -> TestGuard<Purchase> {
        TestGuard::new(settings).unwrap()
    }

    fn buy(json: &str) -> TestCall {
        TestCall::new("buy").arguments(json)
    }

    fn costing(amount: &str) -> TestCall {
        buy(&format!(r#"{{"amount":{amount}}}"#))
    }

    fn decision(settings: &str, call: &TestCall) -> Decision {
        guard(settings).judge(call).unwrap().unwrap()
    }

    /// The verdicts on purchases of these amounts, one after another.
    fn verdicts<const N: usize>(settings: &str, amounts: [&str; N]) -> [Verdict; N] {
        let mut guard = guard(settings);
        amounts.map(|amount| guard.verdict(&costing(amount)))
    }

    #[test]
    fn calls_that_buy_nothing_are_not_its_business() {
        for function in [
            "get_order_status",
            "parse_payload",
            "set_border_color",
            "list_buyers",
            "reorder_columns",
            "reorder",
            "sort_order",
        ] {
            let call = TestCall::new(function).arguments(r#"{"amount":"x","currency":"BTC"}"#);
            assert_eq!(guard(r#"{"max_single_purchase":1}"#).judge(&call), Ok(None), "{function}");
        }
    }

    #[test]
    fn every_purchase_word_acts_in_every_spelling() {
        let mut guard = guard(r#"{"max_single_purchase":1}"#);
        for word in PURCHASE_WORDS {
            for name in
                [format!("{word}_item"), word.to_uppercase(), format!("shop.{word}"), format!("get_x_and_{word}")]
            {
                let call = TestCall::new(&name).arguments(r#"{"amount":2}"#);
                assert_eq!(guard.verdict(&call), Deny, "{name}");
            }
        }
        for name in ["bυy_item", "mcp__shop__buyNow", "bulkPurchase"] {
            assert_eq!(guard.verdict(&TestCall::new(name).arguments(r#"{"amount":2}"#)), Deny, "{name}");
        }
    }

    #[test]
    fn given_words_replace_the_usual_ones() {
        let settings = r#"{"max_single_purchase":1,"purchase_functions":["Acquire"]}"#;
        let acquire = TestCall::new("acquire_item").arguments(r#"{"amount":2}"#);
        assert_eq!(guard(settings).verdict(&acquire), Deny);
        assert_eq!(guard(settings).judge(&costing("2")), Ok(None));
        for none in ["[]", "null"] {
            let settings = format!(r#"{{"max_single_purchase":1,"purchase_functions":{none}}}"#);
            assert_eq!(guard(&settings).judge(&costing("2")), Ok(None));
        }
    }

    #[test]
    fn without_limits_a_purchase_is_allowed_and_nothing_charged() {
        let decision = decision("{}", &costing("1000000"));
        assert_eq!((decision.verdict(), decision.charges().len()), (Allow, 0));
    }

    #[test]
    fn what_reaches_a_limit_passes_and_what_exceeds_it_does_not() {
        let single = r#"{"max_single_purchase":100,"require_approval_above":50}"#;
        let amounts = ["50", "50.000001", "100", "100.000001", "\"100.0000001\""];
        assert_eq!(verdicts(single, amounts), [Allow, RequireApproval, RequireApproval, Deny, Deny]);
        let day = r#"{"max_daily_purchases":0.3}"#;
        assert_eq!(verdicts(day, ["0.1", "0.1", "0.1", "0", "0.000001"]), [Allow, Allow, Allow, Allow, Deny]);
        let count = r#"{"max_purchase_count_per_day":2}"#;
        assert_eq!(verdicts(count, ["1", "0", "1"]), [Allow, Allow, Deny]);
        assert_eq!(verdicts(r#"{"max_purchase_count_per_day":0}"#, ["0"]), [Deny]);
        assert_eq!(verdicts(r#"{"require_approval_above":0}"#, ["0", "0.01"]), [Allow, RequireApproval]);
        assert_eq!(verdicts(r#"{"max_single_purchase":0}"#, ["0", "0.01"]), [Allow, Deny]);
    }

    #[test]
    fn an_approval_tells_the_share_of_the_limit_as_risk() {
        let risk = |settings: &str, amount: &str| {
            let decision = decision(settings, &costing(amount));
            assert_eq!(decision.verdict(), RequireApproval);
            decision.risk_score()
        };
        assert_eq!(risk(r#"{"max_single_purchase":100,"require_approval_above":50}"#, "75"), 0.75);
        assert_eq!(risk(r#"{"max_single_purchase":100,"require_approval_above":50}"#, "100"), 1.0);
        assert_eq!(risk(r#"{"require_approval_above":50}"#, "75"), 0.5);
        let decision = decision(r#"{"require_approval_above":50}"#, &costing("75"));
        assert_eq!(decision.reason(), "the purchase amounts to 75, above require_approval_above, which is 50");
    }

    #[test]
    fn a_purchase_without_an_amount_is_asked_about() {
        for json in [
            "{}",
            r#"{"item":"x"}"#,
            r#"{"amount":null}"#,
            r#"{"amount_usd":11}"#,
            r#"{"amount":{}}"#,
            r#"{"amount":{"usd":9}}"#,
            r#"{"amount":{"usd":9},"price":1}"#,
        ] {
            let decision = decision(r#"{"max_single_purchase":10}"#, &buy(json));
            assert_eq!((decision.verdict(), decision.risk_score()), (RequireApproval, 0.8), "{json}");
        }
        let above = buy(r#"{"amount":{"usd":11},"price":1}"#);
        assert_eq!(decision(r#"{"max_single_purchase":10}"#, &above).verdict(), Deny);
        let settings = r#"{"blocked_categories":["luxury"]}"#;
        assert_eq!(decision(settings, &buy(r#"{"category":"luxury"}"#)).verdict(), Deny);
    }

    #[test]
    fn a_purchase_without_an_amount_still_counts() {
        let mut guard = guard(r#"{"max_purchase_count_per_day":1,"max_daily_purchases":10}"#);
        let decision = guard.judge_approved(&buy("{}")).unwrap().unwrap();
        assert_eq!(decision.verdict(), RequireApproval);
        assert!(decision.charges().iter().any(|charge| charge.counter == DAILY_AMOUNT && charge.amount == 0));
        assert_eq!(guard.verdict(&buy("{}")), Deny);
        assert_eq!(guard.verdict(&costing("1")), Deny);
    }

    #[test]
    fn the_first_rule_in_order_speaks() {
        let settings = r#"{"blocked_categories":["luxury"],"max_single_purchase":10,"max_purchase_count_per_day":0,
            "max_daily_purchases":5,"require_approval_above":1}"#;
        for (json, said) in [
            (r#"{"amount":"x","category":"luxury"}"#, "is a text that is no number"),
            (r#"{"amount":11,"currency":"BTC","category":"luxury"}"#, "the currency in"),
            (r#"{"amount":11,"category":"luxury"}"#, "blocked_categories"),
            (r#"{"amount":11}"#, "the limit max_single_purchase is 10"),
            (r#"{"amount":6}"#, "the limit max_purchase_count_per_day is 0"),
        ] {
            let decision = decision(settings, &buy(json));
            assert_eq!(decision.verdict(), Deny, "{json}");
            assert!(decision.reason().contains(said), "{json}: {}", decision.reason());
        }
        let decision = decision(r#"{"max_daily_purchases":5,"require_approval_above":1}"#, &costing("6"));
        assert_eq!(
            (decision.verdict(), decision.reason()),
            (Deny, "a purchase of 6 would bring the day to 6, above the limit max_daily_purchases of 5")
        );
    }

    #[test]
    fn denied_call_spends_nothing() {
        let settings = r#"{"max_single_purchase":5,"max_daily_purchases":5,"max_purchase_count_per_day":1}"#;
        assert_eq!(verdicts(settings, ["6", "-5", "\"x\"", "5", "0"]), [Deny, Deny, Deny, Allow, Deny]);
    }

    #[test]
    fn approved_purchases_are_charged_and_others_asked_about_are_not() {
        let settings = r#"{"max_daily_purchases":150,"require_approval_above":50}"#;
        let mut guard = guard(settings);
        assert_eq!(guard.verdict(&costing("100")), RequireApproval);
        for expected in [RequireApproval, Deny] {
            assert_eq!(guard.judge_approved(&costing("100")).unwrap().unwrap().verdict(), expected);
        }
    }

    #[test]
    fn totals_are_those_of_the_tenant_and_of_the_calendar_day() {
        for settings in [r#"{"max_daily_purchases":100}"#, r#"{"max_purchase_count_per_day":1}"#] {
            let mut guard = guard(settings);
            let call = |agent: &str, seconds| costing("60").agent(agent).session(agent).seconds_later(seconds);
            assert_eq!(guard.verdict(&call("a", 0)), Allow);
            assert_eq!(guard.verdict(&call("b", 1)), Deny);
            assert_eq!(guard.verdict(&costing("60")), Deny);
            assert_eq!(guard.verdict(&call("a", DAY / 2 - 1)), Deny);
            assert_eq!(guard.verdict(&call("a", DAY / 2)), Allow);
            assert_eq!(guard.verdict(&call("a", DAY / 2 + 1)), Deny);
        }
    }

    #[test]
    fn what_the_call_itself_costs_takes_no_amounts_place() {
        // A call has one settled cost, that of budget: settled, a purchase of 6 by a call for a cent would
        // count as a cent.
        let decision = decision(r#"{"max_daily_purchases":100,"max_purchase_count_per_day":1}"#, &costing("6"));
        let charges: Vec<_> =
            decision.charges().iter().map(|charge| (charge.amount, charge.settles, charge.always)).collect();
        assert_eq!(charges, [(6_000_000, false, false), (1, false, false)]);
    }

    #[test]
    fn enormous_amounts_do_not_wrap() {
        let settings = r#"{"max_daily_purchases":9223372036854.775807}"#;
        assert_eq!(verdicts(settings, ["9223372036854", "9223372036854", "9223372036855"]), [Allow, Deny, Deny]);
    }
}
