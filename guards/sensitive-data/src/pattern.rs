//! What may be looked for: the built-in patterns by their names, and those of the policy by their place
//! in it. Nothing is looked for here.

/// A built-in pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum BuiltIn {
    Ssn,
    CreditCard,
    ApiKey,
    AwsKey,
    Jwt,
    PrivateKey,
    Email,
    PhoneUs,
    IpAddress,
    PasswordField,
    GithubToken,
    SlackToken,
    GoogleApiKey,
}

/// The patterns that are looked for unless the policy says otherwise.
pub(crate) const DEFAULT: [BuiltIn; 6] =
    [BuiltIn::Ssn, BuiltIn::CreditCard, BuiltIn::ApiKey, BuiltIn::AwsKey, BuiltIn::Jwt, BuiltIn::PrivateKey];

/// All built-in patterns.
pub(crate) const ALL: [BuiltIn; 13] = [
    BuiltIn::Ssn,
    BuiltIn::CreditCard,
    BuiltIn::ApiKey,
    BuiltIn::AwsKey,
    BuiltIn::Jwt,
    BuiltIn::PrivateKey,
    BuiltIn::Email,
    BuiltIn::PhoneUs,
    BuiltIn::IpAddress,
    BuiltIn::PasswordField,
    BuiltIn::GithubToken,
    BuiltIn::SlackToken,
    BuiltIn::GoogleApiKey,
];

impl BuiltIn {
    /// The name in policies and reports.
    pub(crate) fn name(self) -> &'static str {
        match self {
            BuiltIn::Ssn => "ssn",
            BuiltIn::CreditCard => "credit_card",
            BuiltIn::ApiKey => "api_key",
            BuiltIn::AwsKey => "aws_key",
            BuiltIn::Jwt => "jwt",
            BuiltIn::PrivateKey => "private_key",
            BuiltIn::Email => "email",
            BuiltIn::PhoneUs => "phone_us",
            BuiltIn::IpAddress => "ip_address",
            BuiltIn::PasswordField => "password_field",
            BuiltIn::GithubToken => "github_token",
            BuiltIn::SlackToken => "slack_token",
            BuiltIn::GoogleApiKey => "google_api_key",
        }
    }

    /// No match has fewer bytes.
    pub(crate) fn least_bytes(self) -> usize {
        match self {
            BuiltIn::PasswordField => 3,
            BuiltIn::Email => 6,
            BuiltIn::IpAddress => 7,
            BuiltIn::PhoneUs => 10,
            BuiltIn::Ssn => 11,
            BuiltIn::CreditCard => 13,
            BuiltIn::ApiKey | BuiltIn::AwsKey | BuiltIn::Jwt | BuiltIn::PrivateKey => 13,
            BuiltIn::GithubToken | BuiltIn::SlackToken | BuiltIn::GoogleApiKey => 13,
        }
    }

    /// The pattern of this name.
    pub(crate) fn named(name: &str) -> Option<BuiltIn> {
        ALL.into_iter().find(|pattern| pattern.name() == name)
    }
}

/// A set of built-in patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct BuiltIns(u16);

impl BuiltIns {
    /// All of them.
    #[cfg(test)]
    pub(crate) fn all() -> BuiltIns {
        let mut all = BuiltIns::default();
        ALL.into_iter().for_each(|pattern| all.add(pattern));
        all
    }

    pub(crate) fn add(&mut self, pattern: BuiltIn) {
        self.0 |= 1 << pattern as u8;
    }

    pub(crate) fn remove(&mut self, pattern: BuiltIn) {
        self.0 &= !(1 << pattern as u8);
    }

    pub(crate) fn hold(self, pattern: BuiltIn) -> bool {
        self.0 & (1 << pattern as u8) != 0
    }

    /// The first of these patterns that is in the set.
    pub(crate) fn first_of(self, patterns: &[BuiltIn]) -> Option<BuiltIn> {
        patterns.iter().copied().find(|pattern| self.hold(*pattern))
    }
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    BuiltIn(BuiltIn),
    /// A pattern of the policy, by its place in it.
    Custom(usize),
}

/// The known name that comes nearest to one that is not known, if it comes near.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let most = (name.len() / 3).clamp(1, 3);
    // Names too long to be meant are not compared.
    let near = known.filter(|known| name.len() <= 32 && known.len() <= 32).map(|known| (distance(name, known), known));
    near.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut least = cell(&last, j) + usize::from(a != b);
            least = least.min(cell(&last, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = j > 0 && i > 0 && other.get(j - 1) == Some(a) && one.get(i - 1) == Some(b);
            if swapped {
                least = least.min(cell(&before, j - 1) + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_known_by_its_name() {
        for (index, pattern) in ALL.into_iter().enumerate() {
            assert_eq!(BuiltIn::named(pattern.name()), Some(pattern));
            assert_eq!(pattern as usize, index);
        }
        assert!(DEFAULT.iter().all(|pattern| BuiltIns::all().hold(*pattern)));
    }

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        let nearest = |name| nearest(name, ALL.iter().map(|pattern| pattern.name()));
        assert_eq!(nearest("emial"), Some("email"));
        assert_eq!(nearest("creditcard"), Some("credit_card"));
        assert_eq!(nearest("ssm"), Some("ssn"));
        assert_eq!(nearest("iban"), None);
        assert_eq!(nearest(&"x".repeat(100_000)), None);
    }
}
