//! The lists of patterns, and what they say of a target. What tightens is held against every way to
//! read the target; what loosens must be met by the target as it is written and as it is decoded.

use std::borrow::Cow;

use agenthalt_guard::{Error, Json, Loosen, Number, Tighten, fold_forms, normalised_path, quote};

use crate::marks::Marks;
use crate::protected::{Cover, Protected};
use crate::reading::{Reading, Views, before_climbing_query, number};
use crate::{Settings, targets, text};

/// The longest target that is compared; no name, path or URL is longer.
const MOST_TARGET_BYTES: usize = 65_536;

/// The lists as they are compared.
pub(crate) struct Patterns<'a> {
    allow: Vec<Cow<'a, Loosen>>,
    /// Those that decoding changes, decoded: for targets that are read so.
    allow_decoded: Vec<Loosen>,
    deny: Vec<Listed<'a, Cow<'a, Tighten>>>,
    protected: Vec<Listed<'a, Protected<'a>>>,
    /// Whether a pattern that tightens is a number.
    compares_numbers: bool,
}

/// A pattern of the settings, and what is made of it.
struct Listed<'a, P> {
    given: &'a Tighten,
    compared: P,
    /// The number that it is: numbers compare as numbers.
    number: Option<String>,
}

impl<'a> Patterns<'a> {
    /// The lists of the settings; none where there is nothing to hold a target against.
    ///
    /// # Errors
    /// A fault where a pattern cannot be compared as a path.
    pub(crate) fn of(settings: &'a Settings) -> Result<Option<Patterns<'a>>, Error> {
        let (allow, deny, protected) =
            (&settings.allow_patterns, &settings.deny_patterns, &settings.protected_resources);
        if allow.is_empty() && deny.is_empty() && protected.is_empty() {
            return Ok(None);
        }
        let mut patterns = Patterns {
            allow: Vec::new(),
            allow_decoded: Vec::new(),
            deny: Vec::new(),
            protected: Vec::new(),
            compares_numbers: false,
        };
        for given in allow.iter() {
            patterns.allow.push(if Marks::of(given.text()).hold(Marks::SLASH) {
                Cow::Owned(changed(given, &path_text))
            } else {
                Cow::Borrowed(given)
            });
            // A `*` that only decoding shows is none.
            if let Some(decoded) = text::decoded(given.text())
                && wildcards(&decoded) == wildcards(given.text())
            {
                patterns.allow_decoded.push(changed(given, &|_| path_text(&decoded)));
            }
        }
        for given in deny.iter() {
            for compared in as_paths(given).into_iter().flatten() {
                patterns.deny.push(Listed { given, compared, number: number(given.text()) });
            }
            patterns.compares_numbers |= number(given.text()).is_some();
        }
        // An empty pattern meets only the empty text, which is no target.
        for given in protected.iter().filter(|resource| !resource.text().is_empty()) {
            for path in as_paths(given).into_iter().flatten() {
                let compared = Protected::new(path).map_err(Error::new)?;
                patterns.protected.push(Listed { given, compared, number: number(given.text()) });
            }
            patterns.compares_numbers |= number(given.text()).is_some();
        }
        Ok(Some(patterns))
    }

    /// The reason why something that a value names may not be deleted.
    ///
    /// The depth is bounded: the host refuses a call that nests deeper than 64.
    pub(crate) fn refusal(&self, value: &Json) -> Option<String> {
        match value {
            Json::Null => None,
            Json::Bool(value) => self.refusal_of_text(if *value { "true" } else { "false" }, &self.allow),
            Json::Number(number) => self.refusal_of_number(number),
            Json::String(text) => self.refusal_of_text(text, &self.allow),
            Json::Array(items) => items.iter().find_map(|item| self.refusal(item)),
            Json::Object(object) => object.iter().find_map(|(key, value)| {
                let is_target = holds_no_text(value) && !targets::is_usual_field(key);
                let refusal = if is_target { self.refusal_of_text(key, &[]) } else { None };
                refusal.or_else(|| self.refusal(value))
            }),
        }
    }

    fn refusal_of_number(&self, target: &Number) -> Option<String> {
        let is_same = |pattern: &Loosen| number(pattern.text()).is_some_and(|number| number == target.as_str());
        self.tightened(target.as_str(), Marks::of(target.as_str())).or_else(|| {
            let is_allowed = self.allow.is_empty()
                || self.allow.iter().any(|pattern| pattern.meets_written(target.as_str()) || is_same(pattern));
            if is_allowed { None } else { Some(not_allowed(target.as_str())) }
        })
    }

    fn refusal_of_text(&self, text: &str, allow: &[Cow<'_, Loosen>]) -> Option<String> {
        if text.len() > MOST_TARGET_BYTES && !text.bytes().any(|b| b == b',') {
            let (length, most) = (text.len().to_string(), MOST_TARGET_BYTES.to_string());
            let target = ["the target ", &quote(text), " is ", &length].concat();
            return Some([&target, " bytes long, deletion compares at most ", &most].concat());
        }
        let marks = Marks::of(text);
        if let Some(reason) = self.tightened(text, marks) {
            return Some(reason);
        }
        let decoded = if marks.hold(Marks::ENCODED) { text::decoded(text) } else { None };
        if let Some(reason) = decoded.as_deref().and_then(|decoded| self.tightened(decoded, Marks::of(decoded))) {
            return Some(reason);
        }
        if allow.is_empty() {
            return None;
        }
        for (text, is_decoded) in [(Some(text), false), (decoded.as_deref(), true)] {
            for part in text::parts(text.unwrap_or_default()) {
                let resource = before_climbing_query(part);
                if ![Some(part), resource].into_iter().flatten().all(|path| self.is_allowed(path, is_decoded)) {
                    return Some(not_allowed(part));
                }
            }
        }
        None
    }

    fn is_allowed(&self, part: &str, is_decoded: bool) -> bool {
        let path = normalised_path(part);
        self.allow.iter().any(|pattern| pattern.meets_written(&path))
            || (is_decoded && self.allow_decoded.iter().any(|pattern| pattern.meets_written(&path)))
    }

    fn tightened(&self, text: &str, marks: Marks) -> Option<String> {
        if self.deny.is_empty() && self.protected.is_empty() {
            return None;
        }
        if !marks.hold(Marks::COMMA | Marks::LINE | Marks::WRAPPING | Marks::UNFOLDED) {
            return self.tightened_form(text, marks, text);
        }
        let mut is_parted = false;
        for piece in text::pieces(text) {
            is_parted = piece.len() < text.len();
            if let Some(reason) = self.tightened_piece(piece) {
                return Some(reason);
            }
        }
        if is_parted && text::may_be_whole(text) { self.tightened_piece(text) } else { None }
    }

    fn tightened_piece(&self, piece: &str) -> Option<String> {
        let unwrapped = text::unwrapped(piece);
        let is_wrapped = unwrapped.len() < piece.trim().len() && !unwrapped.is_empty();
        for text in [Some(piece), is_wrapped.then_some(unwrapped)].iter().flatten() {
            let (folded, unbroken) = fold_forms(text);
            for form in [Some(folded), unbroken].iter().flatten() {
                if let Some(reason) = self.tightened_form(form, Marks::of(form), piece) {
                    return Some(reason);
                }
            }
        }
        None
    }

    // One copy: a component carries it once.
    #[inline(never)]
    fn tightened_form(&self, form: &str, marks: Marks, shown: &str) -> Option<String> {
        let read = |text| self.tightened_reading(&Reading::new(text, marks, self.compares_numbers), shown);
        let resource = if marks.hold(Marks::QUERY) { before_climbing_query(form) } else { None };
        read(form).or_else(|| read(resource?))
    }

    fn tightened_reading(&self, target: &Reading<'_>, shown: &str) -> Option<String> {
        let views = target.views();
        for listed in &self.protected {
            let cover = if listed.is_number(target) { Some(Cover::Is) } else { listed.compared.covers(&views) };
            if let Some(cover) = cover {
                return Some(refused(shown, said(cover), listed.given, "protected_resources"));
            }
        }
        for listed in &self.deny {
            if listed.is_number(target) || meets(&listed.compared, &views) {
                return Some(refused(shown, " meets ", listed.given, "deny_patterns"));
            }
        }
        None
    }
}

fn refused(target: &str, said: &str, pattern: &Tighten, setting: &str) -> String {
    ["the target ", &quote(target), said, &quote(pattern.text()), " of ", setting].concat()
}

impl<P> Listed<'_, P> {
    fn is_number(&self, target: &Reading<'_>) -> bool {
        self.number.is_some() && self.number == target.number
    }
}

fn meets(pattern: &Tighten, target: &Views<'_>) -> bool {
    for start in target.starts() {
        if pattern.meets_folded(start) || start.strip_prefix('/').is_some_and(|bare| pattern.meets_folded(bare)) {
            return true;
        }
    }
    target.lasts().iter().any(|part| pattern.meets_folded(part))
}

fn said(cover: Cover) -> &'static str {
    match cover {
        Cover::Is => " is ",
        Cover::Below => " lies below ",
        Cover::Reaches => " reaches ",
    }
}

fn not_allowed(target: &str) -> String {
    ["the target ", &quote(target), " meets no pattern of allow_patterns"].concat()
}

/// Whether what stands under a name says nothing, as in `{"inbox": true}`: the name is the target.
fn holds_no_text(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => true,
        Json::String(text) => text.trim().is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(object) => object.is_empty(),
    }
}

fn wildcards(pattern: &str) -> usize {
    pattern.bytes().filter(|b| matches!(b, b'*' | b'?' | b'[')).count()
}

/// A pattern as a path with `/` for `\`, and where it is encoded, decoded: as the targets are read that
/// it is held against.
pub(crate) fn as_paths(pattern: &Tighten) -> [Option<Cow<'_, Tighten>>; 2] {
    if !Marks::of(pattern.text()).hold(Marks::SLASH | Marks::ENCODED) {
        return [Some(Cow::Borrowed(pattern)), None];
    }
    // What cannot be changed meets what is written like it.
    let path = pattern.changed(&slashed_path_text).unwrap_or_else(|_| pattern.clone());
    let decoded = text::decoded(pattern.text()).and_then(|decoded| Tighten::new(&path_text(&decoded)).ok());
    [Some(Cow::Owned(path)), decoded.map(Cow::Owned)]
}

fn changed(pattern: &Loosen, change: &dyn Fn(&str) -> String) -> Loosen {
    pattern.changed(change).unwrap_or_else(|_| pattern.clone())
}

fn slashed_path_text(pattern: &str) -> String {
    path_text(&text::with_slashes(pattern, text::BACKSLASH))
}

/// In a set a `/` is a member and parts nothing.
fn path_text(pattern: &str) -> String {
    if pattern.bytes().any(|b| b == b'[') { pattern.to_owned() } else { normalised_path(pattern).into_owned() }
}

#[cfg(test)]
mod tests;
