//! The rules of budget in their order: malformed cost, the call's own limit, the limits of the totals,
//! and only then warnings. No float takes part in a comparison.

use agenthalt_guard::{Amount, Call, Charge, Decision, Error, Readings};

use crate::totals::{Kind, Total, limited};
use crate::{Per, Settings, cost};

/// Judges a call by its cost and by what was spent before.
pub(crate) fn judge(settings: &Settings, call: &Call, readings: &Readings) -> Result<Decision, Error> {
    let cost = match cost::of(settings, call)? {
        Ok(cost) => cost,
        Err(reason) => return Ok(Decision::deny(reason)),
    };
    if let Some(limit) = settings.max_call_cost
        && cost > limit
    {
        let (cost, limit) = (cost.to_string(), limit.to_string());
        return Ok(Decision::deny(["the call costs ", &cost, ", the limit max_call_cost is ", &limit].concat()));
    }
    let mut warning = None;
    let mut charges = Vec::new();
    for total in limited(settings) {
        let spent = readings.sum(total.kind.counter_name())?;
        let sum = i128::from(spent) + i128::from(cost.millionths());
        if sum > i128::from(total.limit.millionths()) {
            let limit = [" the limit ", total.kind.setting(), " of ", &total.limit.to_string()].concat();
            return Ok(Decision::deny(sentence(total, cost, sum, " above", &limit, anonymous(total, settings, call))));
        }
        charges.push(Charge::permitted(total.kind.counter_name(), cost).settles());
        if warning.is_none()
            && let Some(threshold) = settings.warn_threshold
            && threshold.is_exceeded(sum, total.limit.millionths())
        {
            warning = Some((total, sum, threshold));
        }
    }
    let decision = match warning {
        None => Decision::allow(),
        Some((total, sum, threshold)) => {
            let (threshold, limit) = (threshold.to_string(), total.limit.to_string());
            let limit = [" ", &threshold, " of ", total.kind.setting(), ", which is ", &limit].concat();
            Decision::require_approval(sentence(total, cost, sum, " above", &limit, anonymous(total, settings, call)))
                .risk(share(sum, total.limit))
        }
    };
    Ok(decision.charge_all(charges))
}

/// How much of the limit a total is. A figure to show: nothing is decided by it.
fn share(sum: i128, limit: Amount) -> f64 {
    if limit == Amount::ZERO { 1.0 } else { sum as f64 / limit.millionths() as f64 }
}

fn sentence(total: Total, cost: Amount, sum: i128, above: &str, limit: &str, note: &str) -> String {
    let sum = i64::try_from(sum)
        .ok()
        .and_then(Amount::from_millionths)
        .map_or_else(|| "too much".to_owned(), |s| s.to_string());
    ["a cost of ", &cost.to_string(), " would bring ", total.kind.shown(), " to ", &sum, ",", above, limit, note]
        .concat()
}

/// Leaving an id out never skips a limit: such calls share one.
fn anonymous(total: Total, settings: &Settings, call: &Call) -> &'static str {
    match (total.kind, settings.per) {
        (Kind::Session, _) if call.session.is_none() => "; this call names no session; such calls share one",
        (Kind::Day | Kind::Month, Per::Agent) if call.agent.is_none() => {
            "; this call names no agent; such calls share one"
        }
        (Kind::Session | Kind::Day | Kind::Month, _) => "",
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use crate::Budget;
    use agenthalt_guard::Verdict::{self, Allow, Deny, RequireApproval};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    const DAY: i64 = 24 * 3_600;

    fn guard(settings: &str) -> TestGuard<Budget> {
        TestGuard::new(settings).unwrap()
    }

    fn costing(cost: &str) -> TestCall {
        TestCall::new("f").arguments(&format!(r#"{{"estimated_cost":{cost}}}"#))
    }

    /// The verdicts on the same call made again and again.
    fn verdicts<const N: usize>(settings: &str, call: &TestCall) -> [Verdict; N] {
        let mut guard = guard(settings);
        [(); N].map(|()| guard.verdict(call))
    }

    #[test]
    fn without_limits_everything_is_allowed_and_nothing_charged() {
        let decision = guard("{}").judge(&costing("1000000")).unwrap().unwrap();
        assert_eq!((decision.verdict(), decision.charges().len()), (Allow, 0));
    }

    #[test]
    fn what_reaches_a_limit_passes_and_what_exceeds_it_is_denied() {
        let settings = r#"{"max_daily_spend":8,"default_cost":4,"warn_threshold":1.0}"#;
        assert_eq!(verdicts(settings, &TestCall::new("f")), [Allow, Allow, Deny]);
        let cents = r#"{"max_daily_spend":0.3,"default_cost":0.1,"warn_threshold":1}"#;
        assert_eq!(verdicts(cents, &TestCall::new("f")), [Allow, Allow, Allow, Deny]);
    }

    #[test]
    fn a_warning_asks_above_its_part_and_not_at_it() {
        let settings = r#"{"max_daily_spend":10,"default_cost":4,"warn_threshold":0.8}"#;
        assert_eq!(verdicts(settings, &TestCall::new("f")), [Allow, Allow, Deny]);
        let settings = r#"{"max_daily_spend":1,"default_cost":0.3,"warn_threshold":0.7}"#;
        assert_eq!(verdicts(settings, &TestCall::new("f")), [Allow, Allow, RequireApproval, RequireApproval]);
        let off = r#"{"max_daily_spend":1,"default_cost":0.3,"warn_threshold":null}"#;
        assert_eq!(verdicts(off, &TestCall::new("f")), [Allow, Allow, Allow, Deny]);
    }

    #[test]
    fn a_warning_tells_the_share_as_risk_and_still_proposes_the_charge() {
        let mut guard = guard(r#"{"max_session_spend":10,"default_cost":9}"#);
        let call = TestCall::new("f").session("s");
        let decision = guard.judge_approved(&call).unwrap().unwrap();
        assert_eq!((decision.verdict(), decision.risk_score()), (RequireApproval, 0.9));
        assert_eq!(
            decision.reason(),
            "a cost of 9 would bring the session to 9, above 0.8 of max_session_spend, which is 10"
        );
        assert_eq!(guard.verdict(&call), Deny);
    }

    #[test]
    fn hard_limits_come_before_any_warning() {
        let mut guard =
            guard(r#"{"max_session_spend":10,"max_daily_spend":20,"default_cost":9,"warn_threshold":0.99}"#);
        assert_eq!(guard.verdict(&TestCall::new("f").session("a")), Allow);
        assert_eq!(guard.verdict(&TestCall::new("f").session("b")), Allow);
        assert_eq!(guard.verdict(&costing("9.95").session("c")), Deny);
    }

    #[test]
    fn denied_call_spends_nothing() {
        let mut guard = guard(r#"{"max_call_cost":1,"max_daily_spend":1,"default_cost":0.5,"warn_threshold":1}"#);
        let verdicts = ["5", "0", "0", "0"].map(|cost| guard.verdict(&costing(cost)));
        assert_eq!(verdicts, [Deny, Allow, Allow, Deny]);
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_through() {
        let settings = r#"{"max_daily_spend":0}"#;
        assert_eq!(verdicts(settings, &costing("0")), [Deny]);
        let free = r#"{"max_daily_spend":0,"default_cost":0}"#;
        assert_eq!(verdicts(free, &costing("0")), [Allow]);
    }

    #[test]
    fn days_and_months_begin_anew_and_sessions_never() {
        let call = TestCall::new("f").session("s");
        for (limit, seconds, expected) in [
            ("max_daily_spend", DAY / 2 - 1, Deny),
            ("max_daily_spend", DAY / 2, Allow),
            ("max_monthly_spend", DAY / 2, Deny),
            ("max_monthly_spend", 17 * DAY, Allow),
            ("max_session_spend", 40 * DAY, Deny),
        ] {
            let mut guard = guard(&format!(r#"{{"{limit}":1,"default_cost":0.6}}"#));
            assert_eq!(guard.verdict(&call), Allow);
            assert_eq!(guard.verdict(&call.clone().seconds_later(seconds)), expected, "{limit} {seconds}");
        }
    }

    #[test]
    fn leaving_the_session_out_skips_no_limit() {
        let mut guard = guard(r#"{"max_session_spend":0.5,"default_cost":0.4,"warn_threshold":1}"#);
        assert_eq!(guard.verdict(&TestCall::new("f")), Allow);
        let decision = guard.judge(&TestCall::new("f").session("")).unwrap().unwrap();
        assert_eq!(decision.verdict(), Deny);
        assert!(decision.reason().ends_with("this call names no session; such calls share one"));
        assert_eq!(guard.verdict(&TestCall::new("f").session("A")), Allow);
        assert_eq!(guard.verdict(&TestCall::new("f").session("a")), Allow);
    }

    #[test]
    fn totals_may_be_counted_per_agent() {
        let mut guard = guard(r#"{"max_daily_spend":1,"default_cost":0.6,"per":"agent"}"#);
        let verdicts = ["a", "b", "A "].map(|agent| guard.verdict(&TestCall::new("f").agent(agent)));
        assert_eq!(verdicts, [Allow, Allow, Deny]);
    }

    #[test]
    fn enormous_costs_do_not_wrap() {
        let mut guard = guard(r#"{"max_daily_spend":9223372036854,"warn_threshold":null}"#);
        assert_eq!(guard.verdict(&costing("9223372036853")), Allow);
        assert_eq!(guard.verdict(&costing("9223372036853")), Deny);
        assert_eq!(guard.verdict(&costing("9223372036855")), Deny);
    }
}
