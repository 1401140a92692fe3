//! What a policy asks of those who approve: for all calls, for those of a guard, for those of some functions. Of all
//! that applies to a call the strictest counts.

use std::collections::BTreeSet;

use super::FunctionPattern;

/// For how long a question may be answered, and its yes used, where a policy says nothing: a day.
const EXPIRES_MS: u64 = 24 * 60 * 60 * 1_000;
/// How many questions of one agent may wait, where a policy says nothing.
const MOST_PENDING: u32 = 100;

/// For how long a question may be answered, and its yes used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// For so many milliseconds.
    After(u64),
    /// For ever.
    Never,
}

/// What a policy says in one place. What it does not say there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApprovalSetting {
    /// How many must say yes.
    pub required: Option<u32>,
    /// Whether those who ask for a call may not approve it.
    pub not_the_requester: Option<bool>,
    /// Who may approve: names in their folded form.
    pub approvers: Option<BTreeSet<String>>,
    /// For how long a question may be answered.
    pub expires: Option<Expiry>,
}

/// What a policy says of questions to humans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalPolicy {
    /// Of all.
    pub all: ApprovalSetting,
    /// Of those about some functions.
    pub functions: Vec<(FunctionPattern, ApprovalSetting)>,
    /// How many of one agent may wait for an answer at once.
    pub most_pending: u32,
}

impl Default for ApprovalPolicy {
    fn default() -> Self {
        ApprovalPolicy { all: ApprovalSetting::default(), functions: Vec::new(), most_pending: MOST_PENDING }
    }
}

/// What is asked of those who approve one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRules {
    /// How many must say yes; one at least.
    pub required: u32,
    /// Whether those who ask for the call may not approve it.
    pub not_the_requester: bool,
    /// Who may approve, by names in their folded form; anybody where this is none.
    pub approvers: Option<BTreeSet<String>>,
    /// For how many milliseconds the question may be answered and its yes used; for ever where this is none.
    pub expires_ms: Option<u64>,
}

impl ApprovalPolicy {
    /// What is asked of those who approve a call of this function, about which guards with these settings ask.
    ///
    /// ```
    /// # use agenthalt_core::approval::{ApprovalPolicy, ApprovalSetting, Expiry};
    /// let guard = ApprovalSetting { required: Some(2), expires: Some(Expiry::After(600_000)), ..Default::default() };
    /// let rules = ApprovalPolicy::default().rules("wire_money", [&guard]);
    /// assert_eq!((rules.required, rules.expires_ms), (2, Some(600_000)));
    /// ```
    // INVARIANT: what is said in more places never asks for less.
    pub fn rules<'a>(
        &'a self,
        function_name: &str,
        guards: impl IntoIterator<Item = &'a ApprovalSetting>,
    ) -> ApprovalRules {
        let functions = self.functions.iter().filter(|(pattern, _)| pattern.meets(function_name));
        let functions = functions.map(|(_, setting)| setting);
        let mut rules =
            ApprovalRules { required: 1, not_the_requester: false, approvers: None, expires_ms: Some(EXPIRES_MS) };
        let mut expires: Option<Expiry> = None;
        for setting in std::iter::once(&self.all).chain(guards).chain(functions) {
            rules.required = rules.required.max(setting.required.unwrap_or(1));
            rules.not_the_requester |= setting.not_the_requester.unwrap_or(false);
            rules.approvers = match (rules.approvers, &setting.approvers) {
                (Some(so_far), Some(more)) => Some(so_far.intersection(more).cloned().collect()),
                (so_far, more) => so_far.or_else(|| more.clone()),
            };
            expires = match (expires, setting.expires) {
                (Some(Expiry::After(one)), Some(Expiry::After(other))) => Some(Expiry::After(one.min(other))),
                (Some(Expiry::Never) | None, Some(other)) => Some(other),
                (so_far, _) => so_far,
            };
        }
        match expires {
            Some(Expiry::After(time)) => rules.expires_ms = Some(time),
            Some(Expiry::Never) => rules.expires_ms = None,
            None => {}
        }
        rules
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn names(names: &[&str]) -> Option<BTreeSet<String>> {
        Some(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_strictest_of_all_that_applies_counts() {
        let of_function = ApprovalSetting {
            required: Some(2),
            approvers: names(&["ann", "bob"]),
            expires: Some(Expiry::Never),
            not_the_requester: None,
        };
        let policy = ApprovalPolicy {
            all: ApprovalSetting { approvers: names(&["bob", "cleo"]), ..ApprovalSetting::default() },
            functions: vec![(FunctionPattern::new("wire_*").unwrap(), of_function)],
            ..ApprovalPolicy::default()
        };
        let of_guard =
            ApprovalSetting { not_the_requester: Some(true), required: Some(1), ..ApprovalSetting::default() };
        let rules = policy.rules("bank.wireMoney", [&of_guard]);
        let expected =
            ApprovalRules { required: 2, not_the_requester: true, approvers: names(&["bob"]), expires_ms: None };
        assert_eq!(rules, expected);
        let in_time = ApprovalSetting { expires: Some(Expiry::After(5)), ..ApprovalSetting::default() };
        assert_eq!(policy.rules("wire_", [&in_time]).expires_ms, Some(5), "never is not stricter than a time");
        let other = policy.rules("read", []);
        assert_eq!((other.required, other.approvers, other.expires_ms), (1, names(&["bob", "cleo"]), Some(EXPIRES_MS)));
    }
}
