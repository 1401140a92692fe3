//! The settings of the guard `sensitive_data`.
//! Written by `cargo xtask docs` from `guards/sensitive-data/schema.json`: edit that, never this.

use std::collections::BTreeMap;

use agenthalt_json::Object;

use super::Setting;
use crate::GuardSetup;

/// Which data a call may carry.
///
/// ```
/// use agenthalt::settings::SensitiveData;
/// let sensitive_data = SensitiveData {
///     allow_functions: vec!["auth_login".into()],
///     redact_on_modify: true,
///     ..SensitiveData::default()
/// };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensitiveData {
    /// Functions that meet one of these patterns, as they are written and with their namespace, are exempt.
    ///
    /// Default: `[]`.
    pub allow_functions: Vec<String>,
    /// The built-in patterns that are looked for: ssn, credit_card, api_key, aws_key, jwt, private_key, email,
    /// phone_us, ip_address, password_field, github_token, slack_token, google_api_key. Custom patterns are
    /// always looked for and may be named here.
    ///
    /// Default: `[ssn, credit_card, api_key, aws_key, jwt, private_key]`.
    pub blocked_patterns: Vec<String>,
    /// By name: regular expressions that are looked for, without look-around and back-references. `\d`, `\w`,
    /// `\s` and `\b` know ASCII only, but a text with other digits, dashes or blanks is also looked at with
    /// plain ones in their place; `(?i)`, `.` and `[...]` know all of Unicode. One that bears the name of a
    /// built-in pattern takes its place.
    ///
    /// Default: `{}`.
    pub custom_patterns: BTreeMap<String, String>,
    /// Takes what was found out of the arguments instead of denying the call.
    ///
    /// Default: `false`.
    pub redact_on_modify: bool,
    /// Judges what calls carry; false switches the guard off for the call itself.
    ///
    /// Default: `true`.
    pub scan_arguments: bool,
    /// How many levels deep values may lie, counted from 1 for the arguments themselves; what lies deeper is
    /// denied, as it is not scanned.
    ///
    /// Default: none.
    pub scan_depth: Option<u64>,
    /// Judges what comes back, too: it is redacted with redact_on_modify, else withheld.
    ///
    /// Default: `false`.
    pub scan_output: bool,
    /// Fields whose value is sensitive whatever it is, at any depth. A name is met where it stands as whole
    /// words in the field's folded name: `api_key` in `apiKey`, `X-API-Key` and `apikey`, digits behind it and
    /// a plural `s` aside. `password` is also met as passwd, pwd, passcode and passphrase. The single word
    /// `token` is not met where the word before it says that it marks a place or gives a signal (page, next,
    /// sync, continuation, cancellation and the like) or that it is counted (max, per), nor where the word
    /// behind it is a measure or a kind (count, limit, usage, type and the like); tokens, in the plural, are
    /// counted and never met.
    ///
    /// Default: `[password, secret, token, api_key, private_key, ssn, credit_card, social_security]`.
    pub sensitive_fields: Vec<String>,
}

impl Default for SensitiveData {
    fn default() -> Self {
        SensitiveData {
            allow_functions: Vec::new(),
            blocked_patterns: ["ssn", "credit_card", "api_key", "aws_key", "jwt", "private_key"]
                .map(str::to_owned)
                .into(),
            custom_patterns: BTreeMap::new(),
            redact_on_modify: false,
            scan_arguments: true,
            scan_depth: None,
            scan_output: false,
            sensitive_fields: [
                "password",
                "secret",
                "token",
                "api_key",
                "private_key",
                "ssn",
                "credit_card",
                "social_security",
            ]
            .map(str::to_owned)
            .into(),
        }
    }
}

impl From<SensitiveData> for GuardSetup {
    fn from(settings: SensitiveData) -> Self {
        let settings = Object::from_iter([
            ("allow_functions", settings.allow_functions.json()),
            ("blocked_patterns", settings.blocked_patterns.json()),
            ("custom_patterns", settings.custom_patterns.json()),
            ("redact_on_modify", settings.redact_on_modify.json()),
            ("scan_arguments", settings.scan_arguments.json()),
            ("scan_depth", settings.scan_depth.json()),
            ("scan_output", settings.scan_output.json()),
            ("sensitive_fields", settings.sensitive_fields.json()),
        ]);
        GuardSetup::built_in("sensitive_data", settings)
    }
}
