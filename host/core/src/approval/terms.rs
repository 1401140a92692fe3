//! The terms of a standing grant: which further calls a yes serves beside the very one that was asked about, and how
//! many. Terms only allow, so they meet names and values as they are written.

use agenthalt_json::{Json, Number, Object};

use super::function::matches;

/// The most calls that one yes may serve.
const MOST_TIMES: u32 = 10_000;
/// The most terms about arguments.
const MOST_ARGUMENTS: usize = 1_000;
/// Decimal places to which numbers are compared; what is finer counts as more.
const PLACES: u32 = 6;

/// On which terms a yes serves calls like the one that was asked about: of the same function by the same agent, with
/// arguments that meet all terms, in the same session unless it is said otherwise.
///
/// ```
/// # use agenthalt_core::approval::Terms;
/// let terms = Terms::new(5)?.argument("/to=*@example.org".parse()?).argument("/amount<=50".parse()?);
/// let meets = |text: &str| terms.meets(&agenthalt_json::Json::parse(text).unwrap());
/// assert!(meets(r#"{"to": "ada@example.org", "amount": 12.5}"#));
/// assert!(!meets(r#"{"to": "ada@example.com", "amount": 12.5}"#));
/// assert!(!meets(r#"{"to": "ada@example.org", "amount": 12.5, "cc": "x"}"#), "no term speaks of it");
/// assert!(!meets(r#"{"to": "ada@example.org"}"#), "what a term speaks of must be there");
/// # Ok::<(), agenthalt_core::approval::BadTerm>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    times: u32,
    any_session: bool,
    arguments: Vec<ArgumentTerm>,
}

/// What one value of the arguments must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentTerm {
    /// A JSON pointer, in which `*` stands for anything.
    pointer: String,
    value: ValueTerm,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum ValueTerm {
    /// A text in which `*` stands for anything.
    Like(String),
    /// This very value.
    Exactly(Json),
    /// A number from 0 to this.
    AtMost(Number),
}

/// Terms that are none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTerm {
    /// The text is no term.
    #[error("`{0}` is no term: write a pointer and what stands there, as `/to=*@example.org` or `/amount<=50`")]
    NoTerm(String),
    /// A yes serves so many calls.
    #[error("a yes serves 1 to {MOST_TIMES} calls")]
    Times,
}

impl ArgumentTerm {
    /// The very value at a pointer.
    pub fn exactly(pointer: &str, value: Json) -> Self {
        ArgumentTerm { pointer: pointer.to_owned(), value: ValueTerm::Exactly(value) }
    }

    /// Whether it speaks of the value at a pointer.
    pub fn speaks_of(&self, pointer: &str) -> bool {
        match &self.value {
            ValueTerm::Exactly(_) => self.pointer == pointer,
            ValueTerm::Like(_) | ValueTerm::AtMost(_) => wildcard(&self.pointer, pointer),
        }
    }

    fn is_met_by(&self, value: &Json) -> bool {
        match (&self.value, value) {
            (ValueTerm::Exactly(exactly), value) => exactly == value,
            (ValueTerm::Like(pattern), Json::String(text)) => wildcard(pattern, text),
            (ValueTerm::Like(pattern), value) => wildcard(pattern, &value.to_string()),
            (ValueTerm::AtMost(most), Json::Number(number)) => is_at_most(number, most),
            (ValueTerm::AtMost(_), _) => false,
        }
    }

    /// Whether there must be a value that it speaks of.
    fn wants_one(&self) -> bool {
        matches!(self.value, ValueTerm::Exactly(_)) || !self.pointer.contains('*')
    }
}

impl std::str::FromStr for ArgumentTerm {
    type Err = BadTerm;

    /// Reads `POINTER=PATTERN` or `POINTER<=NUMBER`.
    fn from_str(text: &str) -> Result<Self, BadTerm> {
        let bad = || BadTerm::NoTerm(crate::bounds::quoted(text));
        let (pointer, value) = text.split_once('=').ok_or_else(bad)?;
        let (pointer, value) = match pointer.strip_suffix('<') {
            Some(pointer) => (pointer, ValueTerm::AtMost(Number::parse(value).ok_or_else(bad)?)),
            None => (pointer, ValueTerm::Like(value.to_owned())),
        };
        if !pointer.starts_with('/') {
            return Err(bad());
        }
        Ok(ArgumentTerm { pointer: pointer.to_owned(), value })
    }
}

impl Terms {
    /// A yes that serves so many calls in all, the one that was asked about included.
    ///
    /// # Errors
    /// [`BadTerm::Times`] for none, and for more than 10,000.
    pub fn new(times: u32) -> Result<Self, BadTerm> {
        if !(1..=MOST_TIMES).contains(&times) {
            return Err(BadTerm::Times);
        }
        Ok(Terms { times, any_session: false, arguments: Vec::new() })
    }

    /// With what must be true of the arguments besides. Of a value of which no term speaks, the one that was asked
    /// about is meant.
    #[must_use]
    pub fn argument(mut self, term: ArgumentTerm) -> Self {
        self.arguments.push(term);
        self
    }

    /// In whichever session of the agent.
    #[must_use]
    pub fn any_session(self) -> Self {
        Terms { any_session: true, ..self }
    }

    /// How many calls it serves in all.
    pub fn times(&self) -> u32 {
        self.times
    }

    /// Whether it serves other sessions, too.
    pub fn serves_any_session(&self) -> bool {
        self.any_session
    }

    /// The same, with a term for every value of the arguments that were asked about of which none speaks: it must be
    /// that very value. None where a value cannot be known because `hides` is in it, or there are too many.
    pub fn about(mut self, asked: &Json, hides: &str) -> Option<Self> {
        let mut is_known = true;
        for (pointer, value) in leaves(asked) {
            if self.arguments.iter().any(|term| term.speaks_of(&pointer)) {
                continue;
            }
            is_known &= !pointer.contains(hides) && !value.to_string().contains(hides);
            self.arguments.push(ArgumentTerm::exactly(&pointer, value.clone()));
        }
        (is_known && self.arguments.len() <= MOST_ARGUMENTS).then_some(self)
    }

    /// Whether arguments meet all terms, and nothing in them is left without one.
    // INVARIANT: a value that no term speaks of, or a term without a value, meets nothing.
    pub fn meets(&self, arguments: &Json) -> bool {
        let leaves = leaves(arguments);
        let is_met = |(pointer, value): &(String, &Json)| {
            let mut speaking = self.arguments.iter().filter(|term| term.speaks_of(pointer)).peekable();
            speaking.peek().is_some() && speaking.all(|term| term.is_met_by(value))
        };
        let has_its_own =
            |term: &ArgumentTerm| !term.wants_one() || leaves.iter().any(|(pointer, _)| term.speaks_of(pointer));
        leaves.iter().all(is_met) && self.arguments.iter().all(has_its_own)
    }

    /// The terms as they are kept.
    pub fn to_json(&self) -> Json {
        let arguments = self.arguments.iter().map(|term| {
            let (kind, value) = match &term.value {
                ValueTerm::Like(pattern) => ("like", Json::from(pattern.as_str())),
                ValueTerm::Exactly(value) => ("exactly", value.clone()),
                ValueTerm::AtMost(number) => ("at_most", Json::Number(number.clone())),
            };
            Json::Object(Object::from_iter([("pointer", Json::from(term.pointer.as_str())), (kind, value)]))
        });
        Json::Object(Object::from_iter([
            ("any_session", Json::from(self.any_session)),
            ("arguments", Json::Array(arguments.collect())),
            ("times", Json::from(u64::from(self.times))),
        ]))
    }

    /// Terms that were kept; none where they are none.
    pub fn from_json(json: &Json) -> Option<Self> {
        let object = json.as_object()?;
        let (Json::Number(times), Json::Bool(any_session)) = (object.get("times")?, object.get("any_session")?) else {
            return None;
        };
        let terms = Terms::new(u32::try_from(times.as_u64()?).ok()?).ok()?;
        let arguments = object.get("arguments")?.as_array()?.iter().map(argument).collect::<Option<Vec<_>>>()?;
        Some(Terms { any_session: *any_session, arguments, ..terms })
    }
}

fn argument(json: &Json) -> Option<ArgumentTerm> {
    let object = json.as_object().filter(|object| object.len() == 2)?;
    let pointer = object.get("pointer")?.as_str()?.to_owned();
    let value = match (object.get("like"), object.get("exactly"), object.get("at_most")) {
        (Some(pattern), None, None) => ValueTerm::Like(pattern.as_str()?.to_owned()),
        (None, Some(value), None) => ValueTerm::Exactly(value.clone()),
        (None, None, Some(Json::Number(number))) => ValueTerm::AtMost(number.clone()),
        _ => return None,
    };
    Some(ArgumentTerm { pointer, value })
}

/// The values that hold no others, with their pointers.
fn leaves(arguments: &Json) -> Vec<(String, &Json)> {
    let mut leaves = Vec::new();
    arguments.walk(&mut |pointer, value| {
        let is_leaf = match value {
            Json::Object(object) => object.is_empty(),
            Json::Array(items) => items.is_empty(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => true,
        };
        // An empty object of arguments has nothing of which a term could speak.
        if is_leaf && !pointer.is_empty() {
            leaves.push((pointer.to_owned(), value));
        }
    });
    leaves
}

fn wildcard(pattern: &str, text: &str) -> bool {
    matches(&pattern.split('*').map(str::to_owned).collect::<Vec<_>>(), text)
}

fn is_at_most(number: &Number, most: &Number) -> bool {
    let (Some((value, is_exact)), Some((most, _))) = (number.scaled(PLACES), most.scaled(PLACES)) else {
        return false;
    };
    !number.is_negative() && (value < most || (value == most && is_exact))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    fn terms(arguments: &[&str]) -> Terms {
        arguments.iter().fold(Terms::new(3).unwrap(), |terms, term| terms.argument(term.parse().unwrap()))
    }

    #[test]
    fn arguments_meet_all_terms_and_have_nothing_besides() {
        for (given, met, left) in [
            (
                &["/a=x*z"][..],
                &[r#"{"a":"xz"}"#, r#"{"a":"xyz"}"#][..],
                &[r#"{"a":"XZ"}"#, "{}", r#"{"a":["xz"]}"#][..],
            ),
            (
                &["/a<=5"],
                &[r#"{"a":5}"#, r#"{"a":5.000}"#, r#"{"a":0}"#],
                &[r#"{"a":5.0000001}"#, r#"{"a":-1}"#, r#"{"a":"5"}"#, r#"{"a":1e400}"#],
            ),
            (&["/a/*=*"], &["{}", r#"{"a":[1,{"b":2}]}"#], &[r#"{"a":1}"#, r#"{"b":1}"#]),
            (&["/a=*", "/a<=5"], &[r#"{"a":5}"#], &[r#"{"a":6}"#, r#"{"a":"x"}"#]),
            (&["/a=[]"], &[r#"{"a":[]}"#, r#"{"a":"[]"}"#], &[r#"{"a":[1]}"#]),
            (&["/a=true"], &[r#"{"a":true}"#], &[r#"{"a":false}"#]),
            (&[], &["{}"], &[r#"{"a":1}"#]),
        ] {
            assert!(met.iter().all(|text| terms(given).meets(&json(text))), "{given:?}");
            assert!(!left.iter().any(|text| terms(given).meets(&json(text))), "{given:?}");
        }
    }

    #[test]
    fn of_what_no_term_speaks_the_very_value_is_meant() {
        let asked = json(r#"{"to":"ada","amount":5,"note":{"a*":[]}}"#);
        let about = terms(&["/to=*"]).about(&asked, "[REDACTED]").unwrap();
        assert!(about.meets(&json(r#"{"to":"bea","amount":5.0,"note":{"a*":[]}}"#)));
        for other in [r#"{"to":"bea","amount":6,"note":{"a*":[]}}"#, r#"{"to":"bea","amount":5,"note":{"ab":[]}}"#] {
            assert!(!about.meets(&json(other)), "{other}");
        }
        let hidden = json(r#"{"to":"ada","key":"[REDACTED]"}"#);
        assert_eq!(terms(&["/to=*"]).about(&hidden, "[REDACTED]"), None);
        assert!(terms(&["/key=k-*"]).about(&hidden, "[REDACTED]").is_some(), "what is hidden has a term of its own");
    }

    #[test]
    fn terms_are_kept_and_read_again() {
        let all = terms(&["/a=x*", "/b<=5.5"]).any_session().about(&json(r#"{"c":[1]}"#), "?").unwrap();
        assert_eq!(Terms::from_json(&json(&all.to_json().to_string())), Some(all));
        for bad in [
            "{}",
            r#"{"times":0,"any_session":false,"arguments":[]}"#,
            r#"{"times":1,"any_session":false,"arguments":[{"pointer":"/a"}]}"#,
        ] {
            assert_eq!(Terms::from_json(&json(bad)), None);
        }
    }

    #[test]
    fn what_is_no_term_is_told() {
        for text in ["", "a=b", "/a", "/a<=x", "=b"] {
            assert!(matches!(text.parse::<ArgumentTerm>(), Err(BadTerm::NoTerm(_))), "{text}");
        }
        assert_eq!([Terms::new(0), Terms::new(10_001)], [Err(BadTerm::Times), Err(BadTerm::Times)]);
    }
}
