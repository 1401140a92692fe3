//! What a call costs. The operator's figure is a floor: a call never makes itself cheaper.

use agenthalt_guard::{Amount, Call, Document, Error, Name, Place, visit_fields};

use crate::Settings;

/// The cost of a call; the inner error is the reason of a denial.
pub(crate) fn of(settings: &Settings, call: &Call) -> Result<Result<Amount, String>, Error> {
    let mut cost = floor(settings, call);
    for (document, whose) in [(&call.arguments, "arguments"), (&call.metadata, "metadata")] {
        match stated(settings, document, whose)? {
            Ok(stated) => cost = cost.max(stated),
            Err(reason) => return Ok(Err(reason)),
        }
    }
    Ok(Ok(cost))
}

/// The operator's figure: that of the exact name, else the highest that meets, else the default.
fn floor(settings: &Settings, call: &Call) -> Amount {
    if settings.cost_estimator.is_empty() {
        return settings.default_cost;
    }
    let name: Name<'_> = call.name();
    let entries = settings.cost_estimator.iter();
    let exact = entries.clone().filter(|(pattern, _)| pattern.is_exactly(&name)).map(|(_, cost)| *cost).max();
    exact
        .or_else(|| entries.filter(|(pattern, _)| pattern.meets(&name)).map(|(_, cost)| *cost).max())
        .unwrap_or(settings.default_cost)
}

/// The highest cost that a document states.
fn stated(settings: &Settings, document: &Document, whose: &str) -> Result<Result<Amount, String>, Error> {
    if document.text() == "{}" {
        return Ok(Ok(Amount::ZERO));
    }
    let mut highest = Ok(Amount::ZERO);
    visit_fields(document.json()?, &settings.cost_field, &mut |place: &Place<'_>, value| {
        let Ok(known) = &mut highest else {
            return;
        };
        match Amount::from_json(value) {
            Ok(stated) => *known = (*known).max(stated.unwrap_or_default()),
            Err(malformed) => {
                let field = agenthalt_guard::quote(&place.pointer());
                let what = malformed.to_string();
                highest =
                    Err(["the cost in ", &field, " of the ", whose, " is ", &what, ", not an amount of zero or more"]
                        .concat());
            }
        }
    });
    Ok(highest)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use crate::Budget;
    use agenthalt_guard::Verdict::{self, Allow, Deny};
    use agenthalt_guard::testing::{TestCall, TestGuard};

    fn verdict(settings: &str, call: TestCall) -> Verdict {
        TestGuard::<Budget>::new(settings).unwrap().verdict(&call)
    }

    fn stating(json: &str) -> TestCall {
        TestCall::new("f").arguments(json)
    }

    #[test]
    fn a_call_never_undercuts_the_operator() {
        let settings = r#"{"max_call_cost":1,"cost_estimator":{"f":5},"default_cost":0.5}"#;
        assert_eq!(verdict(settings, stating(r#"{"estimated_cost":0.1}"#)), Deny);
        assert_eq!(verdict(settings, TestCall::new("f").metadata(r#"{"estimated_cost":0.2}"#)), Deny);
        assert_eq!(verdict(settings, TestCall::new("g")), Allow);
        assert_eq!(verdict(settings, TestCall::new("g").metadata(r#"{"estimated_cost":9}"#)), Deny);
    }

    #[test]
    fn the_exact_name_wins_and_else_the_highest_pattern() {
        let settings = r#"{"max_call_cost":1,"cost_estimator":{"gpt4_call":0.5,"gpt*":5,"*":0.1}}"#;
        for (function, expected) in [("gpt4_call", Allow), ("GPT4_call", Allow), ("gpt5", Deny), ("f", Allow)] {
            assert_eq!(verdict(settings, TestCall::new(function)), expected, "{function}");
        }
        let dear = r#"{"max_call_cost":1,"cost_estimator":{"gpt4_call":5}}"#;
        for function in ["gpt4_call", "GPT4_CALL", "gpt4-call", "openai.gpt4_call"] {
            assert_eq!(verdict(dear, TestCall::new(function)), Deny, "{function}");
        }
        assert_eq!(verdict(dear, TestCall::new("gpt4_call_v2")), Allow);
    }

    #[test]
    fn the_field_is_found_at_any_depth_and_in_any_form() {
        let settings = r#"{"max_call_cost":1}"#;
        for json in [
            r#"{"opts":{"estimated_cost":50}}"#,
            r#"{"Estimated_Cost":50}"#,
            r#"{"items":[{"estimated_cost":0.5},{"estimatedCost":50}]}"#,
        ] {
            assert_eq!(verdict(settings, stating(json)), Deny, "{json}");
        }
        let own = r#"{"max_call_cost":1,"cost_field":"usd"}"#;
        assert_eq!(verdict(own, stating(r#"{"usd":2}"#)), Deny);
        assert_eq!(verdict(own, stating(r#"{"estimated_cost":2}"#)), Allow);
    }

    #[test]
    fn malformed_costs_deny_and_name_the_field() {
        let settings = r#"{"max_call_cost":100}"#;
        for value in ["\"abc\"", "\"$2\"", "\"\"", "\"1_0\"", "[1]", "{\"usd\":1}", "true", "false", "-1", "\"NaN\""] {
            let json = format!(r#"{{"a":{{"estimated_cost":{value}}}}}"#);
            let decision = TestGuard::<Budget>::new(settings).unwrap().judge(&stating(&json)).unwrap().unwrap();
            assert_eq!(decision.verdict(), Deny, "{value}");
            assert!(decision.reason().contains("`/a/estimated_cost` of the arguments"), "{}", decision.reason());
        }
        assert_eq!(verdict(settings, TestCall::new("f").metadata(r#"{"estimated_cost":"NaN"}"#)), Deny);
    }

    #[test]
    fn numeric_text_counts_and_null_is_not_given() {
        let settings = r#"{"max_call_cost":1}"#;
        for (value, expected) in [("\"2.5\"", Deny), ("\" 0.5 \"", Allow), ("\"1e1\"", Deny), ("null", Allow)] {
            assert_eq!(verdict(settings, stating(&format!(r#"{{"estimated_cost":{value}}}"#))), expected, "{value}");
        }
    }
}
