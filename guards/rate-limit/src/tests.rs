//! What passes and what is denied, rule by rule, and what an attacker tries.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

use agenthalt_guard::Verdict::{self, Allow, Deny};
use agenthalt_guard::testing::{TestCall, TestGuard};
use agenthalt_guard::{Decision, Guard, read_settings};

use crate::RateLimit;

/// 2026-01-15T12:00:00Z.
const NOON_MS: i64 = 1_768_478_400_000;

/// Settings with everything off but what is told.
fn only(told: &str) -> String {
    let all = ["max_calls_per_minute", "max_calls_per_minute_per_function", "max_identical_calls", "burst_threshold"];
    let off = all.iter().map(|name| format!("\"{name}\":")).filter(|name| !told.contains(name));
    let told = Some(told.to_owned()).filter(|told| !told.is_empty());
    format!("{{{}}}", off.map(|name| name + "null").chain(told).collect::<Vec<_>>().join(","))
}

fn guard(told: &str) -> TestGuard<RateLimit> {
    TestGuard::new(&only(told)).unwrap()
}

fn decide(guard: &mut TestGuard<RateLimit>, call: &TestCall) -> Decision {
    guard.judge(call).unwrap().unwrap()
}

/// A call of `f` with an argument that no other has, so many milliseconds after noon.
fn other(number: usize, after_ms: i64) -> TestCall {
    TestCall::new("f").arguments(&format!(r#"{{"i":{number}}}"#)).at_ms(NOON_MS + after_ms)
}

/// The verdicts on different calls at these milliseconds after noon.
fn at<const N: usize>(told: &str, times: [i64; N]) -> [Verdict; N] {
    let mut guard = guard(told);
    let mut number = 0;
    times.map(|after_ms| {
        number += 1;
        guard.verdict(&other(number, after_ms))
    })
}

/// The verdicts on calls named by letters, made at once.
fn letters(told: &str, calls: &str) -> Vec<Verdict> {
    let mut guard = guard(told);
    calls.chars().map(|c| guard.verdict(&TestCall::new("f").arguments(&format!(r#"{{"q":"{c}"}}"#)))).collect()
}

/// Where the first denial among calls named by letters stands, counted from one; zero without one.
fn first_denied(told: &str, calls: &str) -> usize {
    letters(told, calls).iter().position(|verdict| *verdict == Deny).map_or(0, |index| index + 1)
}

fn declared(settings: &str) -> Vec<String> {
    let guard = RateLimit::configure(read_settings(settings).unwrap()).unwrap();
    guard.counters().into_iter().map(|counter| counter.name.into_owned()).collect()
}

#[test]
fn only_counters_of_limits_that_are_set_are_declared() {
    assert_eq!(declared("{}"), ["cooldown", "minute", "function", "same", "turns", "burst"]);
    assert_eq!(declared(&only("")), Vec::<String>::new());
    assert_eq!(declared(&only(r#""max_calls_per_session":1"#)), ["session"]);
    for no_cooldown in [r#""burst_threshold":1,"cooldown_seconds":0"#, r#""burst_threshold":1,"cooldown_seconds":null"#]
    {
        assert_eq!(declared(&only(no_cooldown)), ["burst"]);
    }
    for no_burst in ["", r#""burst_threshold":1,"burst_window_seconds":null"#] {
        assert_eq!(declared(&only(no_burst)), Vec::<String>::new());
    }
}

#[test]
fn without_limits_everything_passes_and_nothing_is_charged() {
    let decision = decide(&mut guard(""), &TestCall::new("f"));
    assert_eq!((decision.verdict(), decision.risk_score(), decision.charges().len()), (Allow, 0.0, 0));
}

#[test]
fn attempts_that_pass_are_charged_whatever_others_say() {
    let decision = decide(&mut TestGuard::new("{}").unwrap(), &TestCall::new("f"));
    let charges: Vec<_> = decision.charges().iter().map(|c| (c.counter.as_ref(), c.amount, c.always)).collect();
    assert_eq!(charges, ["minute", "function", "same", "turns", "burst"].map(|counter| (counter, 1, true)));
}

#[test]
fn the_minute_slides_and_still_sees_what_is_exactly_as_old() {
    let minute = r#""max_calls_per_minute":2"#;
    assert_eq!(at(minute, [0, 0, 59_999, 60_000, 60_001]), [Allow, Allow, Deny, Deny, Allow]);
    assert_eq!(at(minute, [0, 30_000, 60_001, 60_002, 90_001]), [Allow, Allow, Allow, Deny, Allow]);
    assert_eq!(at(r#""max_calls_per_minute":0"#, [0, 600_000]), [Deny, Deny]);
}

#[test]
fn a_denied_call_is_counted_nowhere() {
    let mut guard = guard(r#""max_calls_per_minute":1,"max_calls_per_session":2,"max_identical_calls":2"#);
    let call = |after_ms| TestCall::new("f").at_ms(NOON_MS + after_ms);
    assert_eq!(guard.verdict(&call(0)), Allow);
    for after_ms in [1, 2, 3] {
        let decision = decide(&mut guard, &call(after_ms));
        assert_eq!((decision.verdict(), decision.risk_score(), decision.charges().len()), (Deny, 1.0, 0));
    }
    assert_eq!(guard.verdict(&call(60_001)), Allow);
    assert_eq!(guard.verdict(&call(120_002)), Deny, "two of the session");
}

#[test]
fn agents_are_counted_apart_and_in_the_folded_form() {
    let mut guard = guard(r#""max_calls_per_minute":1"#);
    let verdicts =
        ["a", "b", "A", " a", "\u{430}", "a\u{200b}", "b"].map(|agent| guard.verdict(&TestCall::new("f").agent(agent)));
    assert_eq!(verdicts, [Allow, Allow, Deny, Deny, Deny, Deny, Deny]);
}

#[test]
fn leaving_the_agent_out_skips_no_limit_and_the_reason_says_so() {
    for told in [
        r#""max_calls_per_minute":1"#,
        r#""max_calls_per_minute_per_function":1"#,
        r#""max_identical_calls":1"#,
        r#""burst_threshold":1"#,
    ] {
        let mut guard = guard(told);
        assert_eq!(guard.verdict(&TestCall::new("f")), Allow, "{told}");
        for agent in [TestCall::new("f"), TestCall::new("f").agent(" "), TestCall::new("f").agent("\u{200b}")] {
            let decision = decide(&mut guard, &agent);
            assert_eq!(decision.verdict(), Deny, "{told}");
            assert!(decision.reason().ends_with("; this call names no agent; such calls share one"));
        }
        assert_eq!(guard.verdict(&TestCall::new("f").agent("a")), Allow, "{told}");
    }
}

#[test]
fn a_function_is_counted_per_agent_and_in_the_folded_form() {
    let mut guard = guard(r#""max_calls_per_minute_per_function":1"#);
    let mut verdict = |function: &str, agent: &str| guard.verdict(&TestCall::new(function).agent(agent));
    assert_eq!(verdict("send_mail", "a"), Allow);
    for same in ["send_mail", "SEND_MAIL", "sendMail", "send-mail", " send mail", "s\u{435}nd_mail"] {
        assert_eq!(verdict(same, "a"), Deny, "{same}");
    }
    assert_eq!(verdict("send_mail", "b"), Allow);
    assert_eq!(verdict("read_mail", "a"), Allow);
    let minute = r#""max_calls_per_minute_per_function":1"#;
    assert_eq!(at(minute, [0, 60_000, 60_001]), [Allow, Deny, Allow]);
}

#[test]
fn a_session_is_counted_for_ever_and_across_agents() {
    let mut guard = guard(r#""max_calls_per_session":2"#);
    let call =
        |session, agent, days: i64| TestCall::new("f").session(session).agent(agent).at_ms(NOON_MS + days * 86_400_000);
    assert_eq!(guard.verdict(&call("s", "a", 0)), Allow);
    assert_eq!(guard.verdict(&call("s", "b", 40)), Allow);
    assert_eq!(guard.verdict(&call("s", "c", 400)), Deny);
    assert_eq!(guard.verdict(&call("S", "a", 0)), Allow, "sessions are as given");
}

#[test]
fn leaving_the_session_out_skips_no_limit_and_the_reason_says_so() {
    let mut guard = guard(r#""max_calls_per_session":1"#);
    assert_eq!(guard.verdict(&TestCall::new("f").agent("a")), Allow);
    let decision = decide(&mut guard, &TestCall::new("f").agent("b").session(""));
    assert_eq!(
        decision.reason(),
        "this would be call 2 of this session, the limit max_calls_per_session is 1; this call names no session; \
         such calls share one"
    );
}

#[test]
fn so_many_equal_calls_deny_the_next_until_another_comes_between() {
    assert_eq!(letters(r#""max_identical_calls":2"#, "aaaba"), [Allow, Allow, Deny, Allow, Allow]);
    assert_eq!(first_denied(r#""max_identical_calls":3"#, "aaaa"), 4);
    assert_eq!(first_denied(r#""max_identical_calls":0"#, "a"), 1);
    assert_eq!(letters(r#""max_identical_calls":null"#, &"a".repeat(99)), [Allow; 99]);
}

#[test]
fn time_forgets_no_run() {
    let mut guard = guard(r#""max_identical_calls":1"#);
    assert_eq!(guard.verdict(&TestCall::new("f")), Allow);
    assert_eq!(guard.verdict(&TestCall::new("f").seconds_later(86_400 * 365)), Deny);
}

#[test]
fn another_way_to_write_the_same_arguments_is_no_other_call() {
    for (first, second, expected) in [
        (r#"{"a":1,"b":{"c":2,"d":3}}"#, r#"{ "b": {"d":3,"c":2.0}, "a":1e0 }"#, Deny),
        (r#"{"q":"\u0078\/"}"#, r#"{"q":"x/"}"#, Deny),
        (r#"{"q":1}"#, r#"{"q":"1"}"#, Allow),
        (r#"{"q":[1,2]}"#, r#"{"q":[2,1]}"#, Allow),
        (r#"{"q":null}"#, r#"{}"#, Allow),
    ] {
        let mut guard = guard(r#""max_identical_calls":1"#);
        assert_eq!(guard.verdict(&TestCall::new("f").arguments(first)), Allow);
        assert_eq!(guard.verdict(&TestCall::new("f").arguments(second)), expected, "{second}");
        assert_eq!(guard.verdict(&TestCall::new("g").arguments(second)), Allow, "another function");
    }
}

#[test]
fn two_calls_in_turn_are_a_loop_after_one_round_more() {
    for (n, calls) in [(0, "ab"), (1, "ababa"), (2, "abababa"), (3, "ababababa")] {
        let expected = if n == 0 { 1 } else { 2 * (n + 1) + 1 };
        assert_eq!(first_denied(&format!(r#""max_identical_calls":{n}"#), calls), expected, "{n}");
    }
    assert_eq!(first_denied(r#""max_identical_calls":2"#, "xyabababa"), 9, "whatever came before");
    assert_eq!(first_denied(r#""max_identical_calls":2"#, "ababab"), 0, "three rounds pass");
}

#[test]
fn the_pair_breaks_at_a_third_call_and_at_no_denied_one() {
    let two = r#""max_identical_calls":2"#;
    assert_eq!(first_denied(two, "ababcababab"), 0);
    assert_eq!(first_denied(two, "abcabcabcabcabc"), 0, "three in turn are no pair");
    let verdicts = letters(two, "abababaaaca");
    assert_eq!(verdicts.get(6..), Some(&[Deny, Deny, Deny, Allow, Allow][..]), "a denied call ends no run");
}

#[test]
fn runs_are_those_of_one_agent() {
    let mut guard = guard(r#""max_identical_calls":2"#);
    let mut verdict = |agent: &str| guard.verdict(&TestCall::new("f").agent(agent));
    let verdicts = ["a", "b", "a", "b", "A", "B"].map(&mut verdict);
    assert_eq!(verdicts, [Allow, Allow, Allow, Allow, Deny, Deny]);
}

#[test]
fn a_run_as_long_as_is_looked_at_reaches_every_limit() {
    let mut guard = guard(r#""max_identical_calls":18446744073709551615"#);
    let call = TestCall::new("f").agent("a");
    for _ in 0..1_000 {
        assert_eq!(guard.verdict(&call), Allow);
    }
    assert_eq!(
        decide(&mut guard, &call).reason(),
        "this would be call 1001 in a row with the same function and arguments, the limit max_identical_calls is \
         18446744073709551615, and a run of 1000 reaches every limit"
    );
}

#[test]
fn a_burst_denies_and_starts_the_cooldown_with_the_denied_call() {
    let burst = r#""burst_threshold":2,"burst_window_seconds":2,"cooldown_seconds":10"#;
    let verdicts = at(burst, [0, 2_000, 2_000, 2_001, 11_999, 12_000, 12_000, 12_000]);
    assert_eq!(verdicts, [Allow, Allow, Deny, Deny, Deny, Allow, Allow, Deny]);
    assert_eq!(at(burst, [0, 0, 2_001]), [Allow, Allow, Allow], "out of the window");
}

#[test]
fn a_call_denied_in_the_cooldown_does_not_lengthen_it() {
    let burst = r#""burst_threshold":1,"burst_window_seconds":1,"cooldown_seconds":2"#;
    assert_eq!(at(burst, [0, 0, 1_000, 1_999, 2_000]), [Allow, Deny, Deny, Deny, Allow]);
}

#[test]
fn the_cooldown_holds_for_every_function_of_the_agent_and_for_no_other_agent() {
    let mut guard = guard(r#""burst_threshold":1"#);
    let call = |function, agent| TestCall::new(function).agent(agent);
    assert_eq!(guard.verdict(&call("f", "a")), Allow);
    assert_eq!(guard.verdict(&call("f", "a")), Deny);
    let later = |agent| call("g", agent).session("another").seconds_later(29);
    assert_eq!(guard.verdict(&later("A ")), Deny);
    assert_eq!(guard.verdict(&later("b")), Allow);
    assert_eq!(guard.verdict(&call("f", "a").seconds_later(30)), Allow);
}

#[test]
fn only_a_burst_starts_the_cooldown() {
    let told = r#""max_calls_per_minute_per_function":1,"burst_threshold":5"#;
    let mut guard = guard(told);
    assert_eq!(guard.verdict(&TestCall::new("f")), Allow);
    for _ in 0..9 {
        assert_eq!(guard.verdict(&TestCall::new("f")), Deny);
    }
    assert_eq!(guard.verdict(&TestCall::new("g")), Allow);
}

#[test]
fn without_a_cooldown_a_burst_denies_only_while_it_lasts() {
    for cooldown in ["0", "null"] {
        let told = format!(r#""burst_threshold":2,"burst_window_seconds":2,"cooldown_seconds":{cooldown}"#);
        assert_eq!(at(&told, [0, 1_000, 1_000, 2_000, 2_001]), [Allow, Allow, Deny, Deny, Allow], "{cooldown}");
    }
}

#[test]
fn without_a_burst_limit_there_is_no_cooldown() {
    for told in [r#""cooldown_seconds":30"#, r#""burst_threshold":1,"burst_window_seconds":null"#] {
        assert_eq!(at(told, [0; 50]), [Allow; 50], "{told}");
    }
}

#[test]
fn a_burst_threshold_of_nothing_lets_nothing_through() {
    assert_eq!(at(r#""burst_threshold":0,"cooldown_seconds":1"#, [0, 999, 1_000, 90_000]), [Deny; 4]);
}

#[test]
fn parts_of_a_second_are_kept() {
    let told = r#""burst_threshold":1,"burst_window_seconds":0.25,"cooldown_seconds":0.5"#;
    assert_eq!(at(told, [0, 251, 501, 1_000, 1_001]), [Allow, Allow, Deny, Deny, Allow], "denied at 501");
    let finer = r#""burst_threshold":1,"burst_window_seconds":0.0001,"cooldown_seconds":0.0001"#;
    assert_eq!(at(finer, [0, 1, 2]), [Allow, Deny, Allow]);
    let instant = r#""burst_threshold":1,"burst_window_seconds":0,"cooldown_seconds":0"#;
    assert_eq!(at(instant, [0, 0, 2]), [Allow, Deny, Allow]);
}

#[test]
fn a_clock_that_goes_backwards_ends_no_cooldown() {
    let told = r#""burst_threshold":1,"burst_window_seconds":5,"cooldown_seconds":30"#;
    assert_eq!(at(told, [100_000, 100_000, 50_000, 100_000]), [Allow, Deny, Deny, Deny]);
    let longest = r#""burst_threshold":1,"cooldown_seconds":9223372036854"#;
    assert_eq!(at(longest, [0, 0, 9_223_372_036_853_999, 9_223_372_036_854_000]), [Allow, Deny, Deny, Allow]);
}

#[test]
fn windows_are_independent_of_each_other() {
    let told = r#""max_calls_per_minute":3,"burst_threshold":2,"burst_window_seconds":5,"cooldown_seconds":1"#;
    assert_eq!(
        at(told, [0, 10_000, 20_000, 30_000, 60_001, 60_001]),
        [Allow, Allow, Allow, Deny, Allow, Deny],
        "the short window forgets nothing of the long one"
    );
}

/// What the last call's reason names, of calls that break several rules at once.
fn named(told: &str, calls: usize) -> String {
    let mut guard = guard(told);
    let call = TestCall::new("f").agent("a").session("s");
    for _ in 1..calls {
        guard.verdict(&call);
    }
    decide(&mut guard, &call).reason().to_owned()
}

#[test]
fn rules_speak_in_their_order() {
    let rules = [
        (
            r#""max_calls_per_minute":1"#,
            "this would be call 2 of this agent in 60 seconds, the limit max_calls_per_minute is 1",
        ),
        (
            r#""max_calls_per_minute_per_function":1"#,
            "this would be call 2 of this agent to `f` in 60 seconds, the limit max_calls_per_minute_per_function is 1",
        ),
        (r#""max_calls_per_session":1"#, "this would be call 2 of this session, the limit max_calls_per_session is 1"),
        (
            r#""max_identical_calls":1"#,
            "this would be call 2 in a row with the same function and arguments, the limit max_identical_calls is 1",
        ),
        (
            r#""burst_threshold":1,"burst_window_seconds":0.5"#,
            "this would be call 2 of this agent in 0.5 seconds, the limit burst_threshold is 1; no call passes for 30 \
             seconds",
        ),
    ];
    for (index, (_, reason)) in rules.iter().enumerate() {
        let from_here: Vec<&str> = rules.iter().skip(index).map(|(told, _)| *told).collect();
        assert_eq!(named(&from_here.join(","), 2), *reason);
    }
}

#[test]
fn the_cooldown_comes_before_all_and_tells_what_is_left() {
    let mut guard = guard(r#""burst_threshold":1,"cooldown_seconds":30.0"#);
    let call = TestCall::new("f").agent("a");
    assert_eq!([guard.verdict(&call), guard.verdict(&call)], [Allow, Deny]);
    assert_eq!(
        decide(&mut guard, &call.at_ms(NOON_MS + 17_500)).reason(),
        "a burst of calls put this agent in cooldown: 12.5 seconds are left, cooldown_seconds is 30"
    );
    let told = r#""burst_threshold":2,"burst_window_seconds":5,"max_calls_per_minute":2"#;
    assert!(named(told, 3).contains("max_calls_per_minute"), "a minute that is full starts no cooldown");
}

#[test]
fn the_reason_of_a_pair_tells_its_calls() {
    let mut guard = guard(r#""max_identical_calls":1"#);
    let mut verdict = |function: &str| decide(&mut guard, &TestCall::new(function).agent("a"));
    for function in ["f", "g", "f", "g"] {
        assert_eq!(verdict(function).verdict(), Allow);
    }
    assert_eq!(
        verdict("f").reason(),
        "this would be call 5 of the same two calls in turn, the limit max_identical_calls is 1, which lets 4 pass"
    );
}

#[test]
fn reasons_quote_what_the_call_says() {
    let mut guard = guard(r#""max_calls_per_minute_per_function":0"#);
    let name = format!("f`\n{}", "x".repeat(5_000));
    let decision = decide(&mut guard, &TestCall::new(&name).agent("a"));
    assert!(decision.reason().len() < 300 && decision.reason().contains("`f' x") && !decision.reason().contains('\n'));
}

#[test]
fn arguments_are_never_read() {
    let mut guard = guard(r#""max_calls_per_minute":1"#);
    assert_eq!(guard.verdict(&TestCall::new("f").arguments("no json")), Allow);
}
