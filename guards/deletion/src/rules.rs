//! The rules of deletion in their order: soft delete, cooldown, bulk, session, day, patterns, approval.
//! The first that speaks is the answer. No float takes part in a comparison.

use agenthalt_guard::{Amount, Call, Charge, Counter, Decision, Error, Name, Readings, quote};

use crate::patterns::Patterns;
use crate::targets::Targets;
use crate::totals::{Kind, Total, limited};
use crate::{Settings, hard};

/// The risk of a deletion that every human is asked about.
const APPROVAL_RISK: f64 = 0.6;
/// The risk of a deletion that does not say of what.
const NO_TARGET_RISK: f64 = 0.9;
/// When something was last deleted.
const LAST_DELETION: &str = "last_deletion";

/// The counters that these settings need.
pub(crate) fn counters(settings: &Settings) -> Vec<Counter> {
    let cooldown = cooldown(settings).map(|_| Counter::last_time(LAST_DELETION));
    cooldown.into_iter().chain(limited(settings).map(Total::counter)).collect()
}

/// Judges a call; one whose function does not delete is not judged.
pub(crate) fn judge(settings: &Settings, call: &Call, readings: &Readings) -> Result<Option<Decision>, Error> {
    let name = call.name();
    if settings.deletion_functions.acting(&name).is_none() {
        return Ok(None);
    }
    if let Some(reason) = hard(settings, &name, call)? {
        return Ok(Some(Decision::deny(reason)));
    }
    if let Some(reason) = too_soon(settings, call, readings)? {
        return Ok(Some(Decision::deny(reason)));
    }
    let targets = Targets::of(settings, call.arguments.object()?);
    if let Some(reason) = too_many(settings, call, readings, targets.count())? {
        return Ok(Some(Decision::deny(reason)));
    }
    if let Some(reason) = met(settings, &targets)? {
        return Ok(Some(Decision::deny(reason)));
    }
    let decision = if !targets.has_any() {
        let function = quote(name.raw());
        let reason = ["the call of ", &function, " names no target in any field that deletion knows"].concat();
        Decision::require_approval(reason).risk(NO_TARGET_RISK)
    } else if settings.require_approval_always {
        let reason = "every deletion needs the approval of a human: require_approval_always is set";
        Decision::require_approval(reason).risk(APPROVAL_RISK)
    } else {
        Decision::allow()
    };
    Ok(Some(decision.charge_all(charges(settings, targets.count()))))
}

fn charges(settings: &Settings, count: u64) -> Vec<Charge> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let mut charges = Vec::new();
    if cooldown(settings).is_some() {
        charges.push(Charge::permitted(LAST_DELETION, 1));
    }
    for total in limited(settings) {
        charges.push(Charge::permitted(total.kind.counter_name(), count));
    }
    charges
}

fn hard(settings: &Settings, name: &Name<'_>, call: &Call) -> Result<Option<String>, Error> {
    if !settings.soft_delete_only {
        return Ok(None);
    }
    let (said, what, then) = match hard::word(name) {
        Some(word) => (quote(word), " in the function ", [&quote(name.raw()), " deletes for good"].concat()),
        None => match hard::flag(call.arguments.json()?) {
            Some(pointer) => ("the flag ".to_owned(), "", [&quote(&pointer), " asks to delete for good"].concat()),
            None => return Ok(None),
        },
    };
    Ok(Some(["soft_delete_only is set, and ", &said, what, &then].concat()))
}

fn too_soon(settings: &Settings, call: &Call, readings: &Readings) -> Result<Option<String>, Error> {
    let Some(cooldown) = cooldown(settings) else {
        return Ok(None);
    };
    let wait = left_to_wait(cooldown, readings.last_time(LAST_DELETION)?, call.time_ms);
    Ok(wait.map(|wait| {
        let (cooldown, wait) = (cooldown.to_string(), wait.to_string());
        [&cooldown, " seconds (cooldown_seconds) must lie between two deletions, wait ", &wait, " more"].concat()
    }))
}

fn too_many(settings: &Settings, call: &Call, readings: &Readings, count: u64) -> Result<Option<String>, Error> {
    if let Some(limit) = settings.max_bulk_delete
        && count > limit
    {
        let (count, limit) = (count.to_string(), limit.to_string());
        return Ok(Some(["the call deletes ", &count, " targets, the limit max_bulk_delete is ", &limit].concat()));
    }
    for total in limited(settings) {
        let sum = readings.count(total.kind.counter_name())?.saturating_add(count);
        if sum > total.limit {
            // Leaving the id out never skips a limit: such calls share one.
            let is_anonymous = total.kind == Kind::Session && call.session.is_none();
            let note = if is_anonymous { "; this call names no session; such calls share one" } else { "" };
            let (count, sum, limit) = (count.to_string(), sum.to_string(), total.limit.to_string());
            let (shown, setting) = (total.kind.shown(), total.kind.setting());
            let would = ["deleting ", &count, " more would bring ", shown, " to ", &sum, " targets, above the limit "];
            return Ok(Some([&would.concat(), setting, " of ", &limit, note].concat()));
        }
    }
    Ok(None)
}

fn met(settings: &Settings, targets: &Targets<'_>) -> Result<Option<String>, Error> {
    let patterns = Patterns::of(settings)?;
    Ok(patterns.and_then(|patterns| targets.values().find_map(|value| patterns.refusal(value))))
}

fn cooldown(settings: &Settings) -> Option<Amount> {
    settings.cooldown_seconds.filter(|seconds| *seconds > Amount::ZERO)
}

/// How many seconds are left of a cooldown; none where it is over. A last deletion that is stamped later
/// than the call is waited for too.
fn left_to_wait(cooldown: Amount, last_ms: Option<i64>, now_ms: i64) -> Option<Amount> {
    let elapsed = i128::from(now_ms) - i128::from(last_ms?);
    let left = i128::from(cooldown.millionths()) - elapsed * 1_000;
    if left <= 0 {
        return None;
    }
    i64::try_from(left).ok().and_then(Amount::from_millionths).or(Some(cooldown))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use crate::Deletion;
    use agenthalt_guard::Verdict::{self, Allow, Deny, RequireApproval};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    const DAY: i64 = 24 * 3_600;

    fn guard(settings: &str) -> TestGuard<Deletion> {
        TestGuard::new(settings).unwrap()
    }

    fn delete(arguments: &str) -> TestCall {
        TestCall::new("delete").arguments(arguments)
    }

    fn ids(count: usize) -> TestCall {
        delete(&format!(r#"{{"ids":{:?}}}"#, vec!["x"; count]))
    }

    fn reason(settings: &str, call: &TestCall) -> String {
        guard(settings).judge(call).unwrap().unwrap().reason().to_owned()
    }

    #[test]
    fn only_functions_that_delete_are_judged() {
        let settings = r#"{"max_bulk_delete":0}"#;
        for function in ["delete_email", "bulkDelete", "emails.trash", "DELETE", "rm", "overwrite_file", "dеlete"] {
            assert_eq!(guard(settings).verdict(&TestCall::new(function)), Deny, "{function}");
        }
        for function in ["list_deleted_items", "dropdown_select", "undelete", "raindrop_forecast", "read_file"] {
            assert_eq!(guard(settings).judge(&TestCall::new(function)).unwrap(), None, "{function}");
        }
    }

    #[test]
    fn given_words_replace_the_usual_ones() {
        let settings = r#"{"max_bulk_delete":0,"deletion_functions":["nuke","take away"]}"#;
        for (function, expected) in [("nuke_it", Deny), ("takeAway", Deny), ("delete", Allow), ("take", Allow)] {
            assert_eq!(guard(settings).verdict(&TestCall::new(function)), expected, "{function}");
        }
        let none = r#"{"max_bulk_delete":0,"deletion_functions":[]}"#;
        assert_eq!(guard(none).judge(&ids(1)).unwrap(), None);
    }

    #[test]
    fn without_settings_ten_targets_are_allowed_and_nothing_is_charged() {
        let decision = guard("{}").judge(&ids(10)).unwrap().unwrap();
        assert_eq!((decision.verdict(), decision.charges().len()), (Allow, 0));
        assert_eq!(guard("{}").verdict(&ids(11)), Deny);
        assert_eq!(guard(r#"{"max_bulk_delete":null}"#).verdict(&ids(500)), Allow);
        assert_eq!(reason("{}", &ids(11)), "the call deletes 11 targets, the limit max_bulk_delete is 10");
    }

    #[test]
    fn totals_count_targets_and_not_calls() {
        for (limit, setting) in [("max_deletions_per_day", "the day"), ("max_deletions_per_session", "the session")] {
            let mut guard = guard(&format!(r#"{{"{limit}":10}}"#));
            let verdicts = [6, 5, 4, 1].map(|count| guard.verdict(&ids(count).session("s")));
            assert_eq!(verdicts, [Allow, Deny, Allow, Deny]);
            let decision = guard.judge(&ids(2).session("s")).unwrap().unwrap();
            let expected =
                format!("deleting 2 more would bring {setting} to 12 targets, above the limit {limit} of 10");
            assert_eq!(decision.reason(), expected);
        }
    }

    #[test]
    fn days_begin_anew_and_sessions_never() {
        for (limit, seconds, expected) in [
            ("max_deletions_per_day", DAY / 2 - 1, Deny),
            ("max_deletions_per_day", DAY / 2, Allow),
            ("max_deletions_per_session", 40 * DAY, Deny),
        ] {
            let mut guard = guard(&format!(r#"{{"{limit}":1}}"#));
            assert_eq!(guard.verdict(&ids(1).session("s")), Allow);
            assert_eq!(guard.verdict(&ids(1).session("s").seconds_later(seconds)), expected, "{limit} {seconds}");
        }
    }

    #[test]
    fn sessions_are_counted_apart_and_everything_else_together() {
        let call = |session: &str| ids(1).session(session).agent(session);
        let mut guard = guard(r#"{"max_deletions_per_session":1,"max_deletions_per_day":3}"#);
        let verdicts = ["a", "A", "a", "b", "c"].map(|session| guard.verdict(&call(session)));
        assert_eq!(verdicts, [Allow, Allow, Deny, Allow, Deny]);
        let mut guard = super::tests::guard(r#"{"cooldown_seconds":5}"#);
        assert_eq!((guard.verdict(&call("a")), guard.verdict(&call("b"))), (Allow, Deny));
    }

    #[test]
    fn leaving_the_session_out_skips_no_limit() {
        let mut guard = guard(r#"{"max_deletions_per_session":1}"#);
        assert_eq!(guard.verdict(&ids(1)), Allow);
        let decision = guard.judge(&ids(1).session("")).unwrap().unwrap();
        assert_eq!(decision.verdict(), Deny);
        assert!(decision.reason().ends_with("this call names no session; such calls share one"));
    }

    #[test]
    fn a_cooldown_is_over_when_its_seconds_have_passed() {
        for (cooldown, later_ms, expected) in [
            ("5", 4_999, Deny),
            ("5", 5_000, Allow),
            ("5.0", 5_001, Allow),
            ("0.5", 499, Deny),
            ("0.5", 500, Allow),
            ("0.000001", 0, Deny),
            ("0.000001", 1, Allow),
            ("5", -1_000_000, Deny),
            ("0", 0, Allow),
            ("null", 0, Allow),
            ("9223372036854", 1_000_000_000, Deny),
        ] {
            let mut guard = guard(&format!(r#"{{"cooldown_seconds":{cooldown}}}"#));
            let start = 1_768_478_400_000;
            assert_eq!(guard.verdict(&ids(1).at_ms(start)), Allow);
            assert_eq!(guard.verdict(&ids(1).at_ms(start + later_ms)), expected, "{cooldown} {later_ms}");
        }
    }

    #[test]
    fn a_denied_deletion_starts_no_cooldown_and_counts_nowhere() {
        let mut guard = guard(r#"{"cooldown_seconds":5,"max_deletions_per_day":1,"deny_patterns":["x"]}"#);
        assert_eq!(guard.verdict(&delete(r#"{"id":"x"}"#)), Deny);
        assert_eq!(guard.verdict(&delete(r#"{"id":"y"}"#)), Allow);
        let call = delete(r#"{"id":"y"}"#).seconds_later(1);
        let decision = guard.judge(&call).unwrap().unwrap();
        let expected = "5 seconds (cooldown_seconds) must lie between two deletions, wait 4 more";
        assert_eq!(decision.reason(), expected);
    }

    #[test]
    fn an_approved_deletion_is_counted_like_any_other() {
        let settings = r#"{"require_approval_always":true,"max_deletions_per_day":2,"cooldown_seconds":1}"#;
        let mut guard = guard(settings);
        let call = |seconds| ids(2).seconds_later(seconds);
        assert_eq!(guard.verdict(&call(0)), RequireApproval);
        assert_eq!(guard.judge_approved(&call(0)).unwrap().unwrap().verdict(), RequireApproval);
        assert!(guard.judge(&call(0)).unwrap().unwrap().reason().contains("cooldown_seconds"));
        assert!(guard.judge(&call(1)).unwrap().unwrap().reason().contains("max_deletions_per_day"));
    }

    #[test]
    fn approvals_say_why_and_how_risky() {
        let approval = |settings: &str, arguments: &str| {
            let decision = guard(settings).judge(&delete(arguments)).unwrap().unwrap();
            assert_eq!(decision.verdict(), RequireApproval, "{arguments}");
            (decision.risk_score(), decision.reason().to_owned())
        };
        let (risk, reason) = approval(r#"{"require_approval_always":true}"#, r#"{"id":"x"}"#);
        assert_eq!((risk, reason.contains("require_approval_always")), (0.6, true));
        for arguments in ["{}", r#"{"id":null}"#, r#"{"ids":[]}"#, r#"{"folder":"inbox"}"#, r#"{"id":" "}"#] {
            let (risk, reason) = approval(r#"{"require_approval_always":true,"allow_patterns":["a"]}"#, arguments);
            assert_eq!(risk, 0.9, "{arguments}");
            assert_eq!(reason, "the call of `delete` names no target in any field that deletion knows");
        }
    }

    #[test]
    fn a_deletion_without_a_target_counts_as_one_target() {
        let mut guard = guard(r#"{"max_deletions_per_day":1}"#);
        assert_eq!(guard.judge_approved(&delete("{}")).unwrap().unwrap().verdict(), RequireApproval);
        assert_eq!(guard.verdict(&delete("{}")), Deny);
    }

    #[test]
    fn the_rules_speak_in_their_order() {
        let all = r#"{"soft_delete_only":true,"cooldown_seconds":5,"max_bulk_delete":2,"max_deletions_per_session":1,
            "max_deletions_per_day":1,"deny_patterns":["x"],"require_approval_always":true}"#;
        let mut guard = guard(all);
        let one = delete(r#"{"id":"y"}"#);
        assert_eq!(guard.judge_approved(&one).unwrap().unwrap().verdict(), RequireApproval);
        let later = |call: TestCall| call.seconds_later(5);
        for (call, named) in [
            (TestCall::new("purge").arguments(r#"{"ids":["x","x","x"]}"#), "soft_delete_only"),
            (ids(3), "cooldown_seconds"),
            (later(ids(3)), "max_bulk_delete"),
            (later(ids(2)), "max_deletions_per_session"),
            (later(ids(1)).session("other"), "max_deletions_per_day"),
            (later(ids(1)).session("other").seconds_later(DAY), "deny_patterns"),
            (later(one).session("other").seconds_later(DAY), "require_approval_always"),
        ] {
            let decision = guard.judge(&call).unwrap().unwrap();
            assert!(decision.reason().contains(named), "{named}: {}", decision.reason());
        }
    }

    #[test]
    fn enormous_numbers_do_not_wrap() {
        let settings = r#"{"max_deletions_per_day":18446744073709551615,"max_bulk_delete":18446744073709551615}"#;
        let verdict: Verdict = guard(settings).verdict(&ids(1_000));
        assert_eq!(verdict, Allow);
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_through() {
        for limit in ["max_bulk_delete", "max_deletions_per_day", "max_deletions_per_session"] {
            assert_eq!(guard(&format!(r#"{{"{limit}":0}}"#)).verdict(&delete("{}")), Deny, "{limit}");
        }
    }

    #[test]
    fn what_comes_from_the_call_is_quoted() {
        let call = TestCall::new("delete`\n").arguments(r#"{"id":"a`\nb"}"#);
        assert_eq!(
            reason(r#"{"allow_patterns":["t*"]}"#, &call),
            "the target `a' b` meets no pattern of allow_patterns"
        );
        assert_eq!(reason("{}", &TestCall::new("delete`\n")).matches('`').count(), 2);
    }
}
