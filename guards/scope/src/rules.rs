//! The rules of scope in their order: read-only, agent deny, agent allow, deny, allow, approval. The
//! first that speaks is the answer; none of them looks at arguments.

use agenthalt_guard::{DELETION_WORDS, Decision, FunctionWords, Loosen, Name, PURCHASE_WORDS, Tighten, quote};

use crate::Settings;

/// The verbs that change something, beside those of deletion and purchase.
const CHANGING_WORDS: FunctionWords =
    FunctionWords::of(&["create", "update", "set", "write", "send", "post", "put", "insert", "move", "run", "execute"]);
const CHANGING: [FunctionWords; 3] =
    [CHANGING_WORDS, FunctionWords::of(DELETION_WORDS), FunctionWords::of(PURCHASE_WORDS)];

/// The risk of a call that a human is asked about.
const APPROVAL_RISK: f64 = 0.6;

/// Judges a call by its name and its agent.
pub(crate) fn judge(settings: &Settings, name: &Name<'_>, agent: Option<&str>) -> Decision {
    let refusal = read_only(settings, name)
        .or_else(|| agent_deny(settings, name, agent))
        .or_else(|| agent_allow(settings, name, agent))
        .or_else(|| deny(settings, name))
        .or_else(|| allow(settings, name));
    if let Some(reason) = refusal {
        return Decision::deny(reason);
    }
    match met(&settings.require_approval_functions, name) {
        Some(pattern) => Decision::require_approval(
            [&function(name), " meets ", &quote(pattern.text()), " of require_approval_functions"].concat(),
        )
        .risk(APPROVAL_RISK),
        None => Decision::allow(),
    }
}

fn read_only(settings: &Settings, name: &Name<'_>) -> Option<String> {
    if !settings.read_only_mode {
        return None;
    }
    if !settings.read_only_patterns.iter().any(|pattern| pattern.meets(name)) {
        return Some(
            ["only reading is allowed, and ", &function(name), " meets none of the read_only_patterns"].concat(),
        );
    }
    let verb = CHANGING.iter().find_map(|words| words.acting(name).map(str::to_owned))?;
    Some(["only reading is allowed, and ", &quote(&verb), " in ", &function(name), " changes something"].concat())
}

fn agent_deny(settings: &Settings, name: &Name<'_>, agent: Option<&str>) -> Option<String> {
    let lists = settings.deny_by_agent.iter().filter(|(listed, _)| agent.is_none_or(|agent| listed.meets(agent)));
    for (listed, patterns) in lists {
        if let Some(pattern) = met(patterns, name) {
            let (function, pattern) = (function(name), quote(pattern.text()));
            let of = [" of deny_by_agent for ", &quote(listed.text())].concat();
            return Some([&function, " meets ", &pattern, &of, anonymous(agent)].concat());
        }
    }
    None
}

fn agent_allow(settings: &Settings, name: &Name<'_>, agent: Option<&str>) -> Option<String> {
    let mut lists = settings.allow_by_agent.iter().filter(|(listed, _)| agent.is_none_or(|agent| listed.meets(agent)));
    let (listed, _) = lists.find(|(_, patterns)| !any_meets(patterns, name))?;
    let listed = quote(listed.text());
    Some([&function(name), " meets no pattern of allow_by_agent for ", &listed, anonymous(agent)].concat())
}

fn deny(settings: &Settings, name: &Name<'_>) -> Option<String> {
    let pattern = met(&settings.deny_functions, name)?;
    Some([&function(name), " meets ", &quote(pattern.text()), " of deny_functions"].concat())
}

fn allow(settings: &Settings, name: &Name<'_>) -> Option<String> {
    if settings.allow_functions.is_empty() || any_meets(&settings.allow_functions, name) {
        return None;
    }
    Some([&function(name), " meets no pattern of allow_functions"].concat())
}

fn met<'a>(patterns: &'a [Tighten], name: &Name<'_>) -> Option<&'a Tighten> {
    patterns.iter().find(|pattern| pattern.meets(name))
}

fn any_meets(patterns: &[Loosen], name: &Name<'_>) -> bool {
    patterns.iter().any(|pattern| pattern.meets(name))
}

fn function(name: &Name<'_>) -> String {
    ["the function ", &quote(name.raw())].concat()
}

/// Leaving the id out never skips an agent's rule.
fn anonymous(agent: Option<&str>) -> &'static str {
    if agent.is_some() { "" } else { "; this call names no agent, so the rules of every agent hold" }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use crate::Scope;
    use agenthalt_guard::Verdict::{self, Allow, Deny, RequireApproval};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    fn verdict(settings: &str, call: TestCall) -> Verdict {
        TestGuard::<Scope>::new(settings).unwrap().verdict(&call)
    }

    /// The verdicts on calls of these functions without an agent.
    fn holds(settings: &str, expected: &[(&str, Verdict)]) {
        for (function, expected) in expected {
            assert_eq!(verdict(settings, TestCall::new(function)), *expected, "{settings} {function:?}");
        }
    }

    #[test]
    fn everything_is_allowed_unless_told() {
        holds("{}", &[("anything", Allow), ("drop_table", Allow)]);
    }

    #[test]
    fn denied_functions_are_met_in_every_form_and_namespace() {
        let settings = r#"{"deny_functions":["drop_*"]}"#;
        holds(
            settings,
            &[
                ("drop_a\nb", Deny),
                ("drop_a.b/c", Deny),
                ("db.drop_table", Deny),
                ("mcp__db__DropTable", Deny),
                ("mcp--db--drop_table", Deny),
                ("dropdown", Allow),
            ],
        );
        holds(r#"{"deny_functions":["fn[*]",""]}"#, &[("fn*", Deny), ("fnx", Allow), ("x", Allow)]);
        holds(r#"{"deny_functions":["a.b(c)+"]}"#, &[("a.b(c)+", Deny), ("axb(c)+", Allow)]);
    }

    #[test]
    fn allowed_functions_are_met_as_written() {
        let settings = r#"{"allow_functions":["get_*"],"require_approval_functions":["send_email"]}"#;
        holds(settings, &[("get_x", Allow), ("GET_x", Deny), ("db.get_x", Deny), ("send_email", Deny)]);
    }

    #[test]
    fn denial_comes_before_approval() {
        let settings = r#"{"deny_functions":["post_*"],"require_approval_functions":["post_*","send"]}"#;
        holds(settings, &[("post_x", Deny), ("send", RequireApproval), ("mail.send", RequireApproval)]);
        let mut guard = TestGuard::<Scope>::new(settings).unwrap();
        assert_eq!(guard.judge(&TestCall::new("send")).unwrap().unwrap().risk_score(), 0.6);
    }

    #[test]
    fn agents_are_known_in_every_form() {
        let settings = r#"{"deny_by_agent":{"bad":["send_*"]}}"#;
        for agent in ["bad", "BAD", "bad ", "bAd", "b\u{200b}ad", "bаd"] {
            assert_eq!(verdict(settings, TestCall::new("send_x").agent(agent)), Deny, "{agent}");
        }
        assert_eq!(verdict(settings, TestCall::new("send_x").agent("good")), Allow);
        assert_eq!(verdict(settings, TestCall::new("get_x").agent("bad")), Allow);
    }

    #[test]
    fn an_agent_with_a_list_must_meet_it() {
        let settings = r#"{"allow_by_agent":{"lim":[],"root":["*"]},"deny_functions":["drop_*"]}"#;
        assert_eq!(verdict(settings, TestCall::new("read_x").agent("lim")), Deny);
        assert_eq!(verdict(settings, TestCall::new("read_x").agent("root")), Allow);
        assert_eq!(verdict(settings, TestCall::new("drop_x").agent("root")), Deny);
        assert_eq!(verdict(settings, TestCall::new("read_x").agent("other")), Allow);
    }

    #[test]
    fn leaving_the_agent_out_skips_no_rule() {
        let settings = r#"{"allow_by_agent":{"a":["get_*"]},"deny_by_agent":{"b":["get_secret"]}}"#;
        holds(settings, &[("get_x", Allow), ("send_x", Deny), ("get_secret", Deny)]);
        for blank in ["", "  ", "\u{200b}"] {
            assert_eq!(verdict(settings, TestCall::new("send_x").agent(blank)), Deny);
        }
        let mut guard = TestGuard::<Scope>::new(settings).unwrap();
        let decision = guard.judge(&TestCall::new("send_x")).unwrap().unwrap();
        assert!(decision.reason().contains("names no agent"), "{}", decision.reason());
    }

    #[test]
    fn read_only_mode_lets_only_reading_through() {
        let settings = r#"{"read_only_mode":true}"#;
        holds(
            settings,
            &[
                ("get_user", Allow),
                ("read_", Allow),
                ("GetUser", Allow),
                ("get_order_status", Allow),
                ("get", Deny),
                ("delete_x", Deny),
                ("gеt_user", Deny),
                ("files.get_user", Deny),
                ("get_and_delete", Deny),
                ("find_or_create_user", Deny),
                ("get_users--purge", Deny),
            ],
        );
        holds(r#"{"read_only_mode":true,"read_only_patterns":[]}"#, &[("get_x", Deny)]);
        let own = r#"{"read_only_mode":true,"read_only_patterns":["peek*","*_email"]}"#;
        holds(own, &[("peek", Allow), ("get_x", Deny), ("send_email", Deny)]);
    }

    #[test]
    fn reasons_name_the_rule_and_the_pattern() {
        let mut guard = TestGuard::<Scope>::new(r#"{"deny_functions":["drop_*"]}"#).unwrap();
        let decision = guard.judge(&TestCall::new("drop_table")).unwrap().unwrap();
        assert_eq!(decision.reason(), "the function `drop_table` meets `drop_*` of deny_functions");
    }
}
