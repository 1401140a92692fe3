//! Which field names are sensitive: those in which an entry of the settings stands as whole words in a
//! row, whatever separates them. Values do not matter here.

use std::cell::RefCell;

use agenthalt_guard::{FoldedName, Problems};

use crate::folded::is_far_script;

/// Other spellings of an entry.
const SPELLINGS: [(&str, &[&str]); 1] = [("password", &["passwd", "pwd", "passcode", "passphrase"])];

/// The word that stands for so much beside secrets that its neighbours decide.
const TOKEN: &str = "token";
/// A token behind one of these marks a place in a listing or a text, gives a signal, or is one of those
/// that are counted.
const BEFORE_TOKEN: &str = "page paging pagination next prev previous continuation continue cursor scroll skip sync delta change \
    watch resume start starting stop end cancel cancellation abort pad eos bos unk mask special max min \
    per first";
/// A token before one of these is measured or described.
const BEHIND_TOKEN: &str = "count counts counter limit limits budget usage length len size total index position offset type cost \
    price rate per estimate ratio latency";

/// The sensitive names.
#[derive(Debug)]
pub(crate) struct FieldNames {
    /// In the folded form, nothing but letters and digits.
    names: Vec<String>,
    are_ascii: bool,
    /// The first bytes of the names, one bit for each value modulo 64.
    first_bytes: u64,
    /// The folded forms of the letters met so far: to fold one costs as much as to look at many names.
    letters: RefCell<Vec<(char, String)>>,
}

impl FieldNames {
    /// Names of the settings; one without a letter or digit is a problem.
    pub(crate) fn new(settings: &[FoldedName], problems: &mut Problems) -> FieldNames {
        let mut names: Vec<String> = Vec::with_capacity(settings.len() + 4);
        for (index, name) in settings.iter().enumerate() {
            let joined: String = name.text().chars().filter(|c| is_word_char(*c)).collect();
            if joined.is_empty() {
                let pointer = ["/sensitive_fields/", &index.to_string()].concat();
                problems.add(pointer, "holds no letter and no digit: give a name, or leave it out");
                continue;
            }
            for (entry, spellings) in SPELLINGS {
                if joined == entry {
                    names.extend(spellings.iter().map(|spelling| (*spelling).to_owned()));
                }
            }
            names.push(joined);
        }
        let first_bytes = names.iter().filter_map(|name| name.bytes().next()).fold(0, |set, byte| set | bit(byte));
        let are_ascii = names.iter().all(|name| name.is_ascii());
        FieldNames { names, are_ascii, first_bytes, letters: RefCell::default() }
    }

    /// Whether a field of this name is sensitive.
    pub(crate) fn meet(&self, field: &str) -> bool {
        if self.names.is_empty() {
            return false;
        }
        // Letters of scripts far from the Latin one fold to themselves.
        if field.is_ascii() || field.chars().all(|c| c.is_ascii() || is_far_script(c)) {
            return self.meet_in(field.as_bytes());
        }
        // Folding a name as a whole costs far more, and differs only in what is not ASCII.
        let is_alone = if self.are_ascii { becomes_ascii_alone } else { folds_alone };
        let is_met = if field.chars().all(|c| c.is_ascii() || is_far_script(c) || is_alone(c)) {
            self.meet_in(self.letter_by_letter(field).as_bytes())
        } else {
            self.meet_in(FoldedName::new(field).text().as_bytes())
        };
        is_met || self.meet_in(field.as_bytes())
    }

    /// The folded form of a name of letters that fold alone; ASCII stays as it is.
    fn letter_by_letter(&self, field: &str) -> String {
        let mut folded = String::with_capacity(field.len() + 8);
        let mut letters = self.letters.borrow_mut();
        let mut behind_small = false;
        for c in field.chars() {
            if c.is_ascii() || is_far_script(c) {
                behind_small = c.is_ascii_lowercase();
                folded.push(c);
                continue;
            }
            if behind_small && c.is_uppercase() {
                folded.push('_');
            }
            behind_small = c.is_lowercase();
            let place = letters.binary_search_by_key(&c, |(letter, _)| *letter).unwrap_or_else(|place| {
                letters.insert(place, (c, FoldedName::new(c.encode_utf8(&mut [0; 4])).text().to_owned()));
                place
            });
            folded.extend(letters.get(place).map(|(_, form)| form.as_str()));
        }
        folded
    }

    fn meet_in(&self, field: &[u8]) -> bool {
        let mut before = Kind::Separator;
        for (at, byte) in field.iter().enumerate() {
            let kind = Kind::of(*byte);
            let is_start = kind.begins_word(before, field.get(at + 1).copied());
            before = kind;
            if is_start
                && self.first_bytes & bit(byte.to_ascii_lowercase()) != 0
                && self.names.iter().any(|name| meets_at(field, at, name))
            {
                return true;
            }
        }
        false
    }
}

/// Whether a letter folds to the same whatever stands beside it: Latin, Greek and Cyrillic ones do.
fn folds_alone(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{17f}' | '\u{388}'..='\u{3ff}' | '\u{400}'..='\u{482}' | '\u{48a}'..='\u{52f}')
}

/// Whether a character becomes ASCII, or not, whatever stands beside it. The letters and marks of scripts
/// up to the extension of Greek do: two that become one letter never become an ASCII one.
fn becomes_ascii_alone(c: char) -> bool {
    matches!(c, '\u{c0}'..='\u{10ff}' | '\u{1200}'..='\u{1fff}')
}

fn bit(byte: u8) -> u64 {
    1 << (byte % 64)
}

/// What a byte is to the words of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Separator,
    Small,
    Capital,
    Digit,
    /// Part of a letter outside ASCII.
    Far,
}

impl Kind {
    fn of(byte: u8) -> Kind {
        match byte {
            b'a'..=b'z' => Kind::Small,
            b'A'..=b'Z' => Kind::Capital,
            b'0'..=b'9' => Kind::Digit,
            0x80.. => Kind::Far,
            _ => Kind::Separator,
        }
    }

    /// Whether a word begins with a byte of this kind behind that one: also with a capital behind a small
    /// letter or a digit, as in `apiKey` and `oauth2Token`, with the last capital of several before a small letter, as in `DBPassword`,
    /// and where the script changes.
    fn begins_word(self, before: Kind, next: Option<u8>) -> bool {
        match (before, self) {
            (_, Kind::Separator) => false,
            (Kind::Separator, _) | (Kind::Small | Kind::Digit, Kind::Capital) => true,
            (Kind::Capital, Kind::Capital) => next.is_some_and(|next| next.is_ascii_lowercase()),
            (before, kind) => (before == Kind::Far) != (kind == Kind::Far),
        }
    }
}

/// Whether a name stands from the beginning of this word to the end of one.
fn meets_at(field: &[u8], start: usize, name: &str) -> bool {
    let mut at = start;
    for wanted in name.bytes() {
        // A separator ends a word, so the name may go on behind it.
        at += run(field, at, |byte| Kind::of(byte) == Kind::Separator);
        if field.get(at).map(u8::to_ascii_lowercase) != Some(wanted) {
            return false;
        }
        at += 1;
    }
    let is_token = name == TOKEN;
    let digits = run(field, at, |byte| byte.is_ascii_digit());
    let is_plural = !name.ends_with(TOKEN) && matches!(field.get(at), Some(b's' | b'S')) && ends_word(field, at + 1);
    if !ends_word(field, at + digits) && !is_plural {
        return false;
    }
    !is_token || !(word_before(field, start, BEFORE_TOKEN) || word_behind(field, at, BEHIND_TOKEN))
}

fn run(field: &[u8], at: usize, is_in: impl Fn(u8) -> bool) -> usize {
    field.get(at..).unwrap_or_default().iter().take_while(|byte| is_in(**byte)).count()
}

/// Whether no word goes on here.
fn ends_word(field: &[u8], at: usize) -> bool {
    match (field.get(at.wrapping_sub(1)), field.get(at)) {
        (_, None) => true,
        (Some(before), Some(byte)) => {
            let kind = Kind::of(*byte);
            kind == Kind::Separator || kind.begins_word(Kind::of(*before), field.get(at + 1).copied())
        }
        (None, Some(_)) => false,
    }
}

/// Whether the word before this place is one of these.
fn word_before(field: &[u8], start: usize, words: &str) -> bool {
    let before = field.get(..start).unwrap_or_default();
    let separators = before.iter().rev().take_while(|byte| Kind::of(**byte) == Kind::Separator).count();
    let end = start - separators;
    words.split(' ').any(|word| {
        let Some(from) = end.checked_sub(word.len()) else { return false };
        let found = field.get(from..end).unwrap_or_default();
        let begins = from == 0 || ends_word(field, from);
        begins && found.eq_ignore_ascii_case(word.as_bytes())
    })
}

/// Whether the word behind this place is one of these.
fn word_behind(field: &[u8], at: usize, words: &str) -> bool {
    let from = at + run(field, at, |byte| Kind::of(byte) == Kind::Separator);
    words.split(' ').any(|word| {
        let found = field.get(from..from + word.len()).unwrap_or_default();
        found.eq_ignore_ascii_case(word.as_bytes()) && ends_word(field, from + word.len())
    })
}

fn is_word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;

    fn of(names: &[&str]) -> FieldNames {
        let names: Vec<FoldedName> = names.iter().map(|name| FoldedName::new(name)).collect();
        FieldNames::new(&names, &mut Problems::new())
    }

    fn meets(field: &str) -> bool {
        FieldNames::new(&Settings::default().sensitive_fields, &mut Problems::new()).meet(field)
    }

    #[test]
    fn sensitive_words_are_met_in_every_form() {
        let fields = "password Password PASSWORD passwd user_password userPassword user-password pwd apiKey api_key \
            API-Key X-API-KEY apikey APIKEY aPiKeY openai.api_key api_key_id access_token accessToken \
            refresh_token token auth_token authToken TOKEN id_token client_secret secretKey privateKey \
            private_key_pem ssn SSN ssn_field userSsn user_SSN creditCard credit-card-number creditcard \
            social_security socialSecurityNumber password2 password_1 token1 api_keys passwords secrets \
            DBPassword AWSSecretKey userAPIToken JWTSecret pass_word p.a.s.s.w.o.r.d ｐａｓｓｗｏｒｄ pаsswоrd \
            pass\u{200b}word api\u{200b}_key tоken 密码password next_access_token page_access_token token_id \
            csrfToken token_secret passphrase oauth2Token user1Password token2Value \
            ㎩ssword 密㎩ssword мойPasswоrd SЕCRET секретTоkеn größe_tоken übersecret_Ѕecret";
        for field in fields.split_whitespace().chain(["new password", " password "]) {
            assert!(meets(field), "{field}");
        }
    }

    #[test]
    fn names_that_only_sound_so_are_not_met() {
        let fields = "max_tokens maxTokens tokens tokenizer className class_name page_token pageToken nextPageToken \
            next_token NextToken sync_token nextSyncToken cancellation_token cancellationToken token_count \
            tokenCount TOKEN_LIMIT token_type prompt_tokens max_token cost_per_token continuation_token \
            eos_token tokenized secretary secretariat passwordless compass bypass lesson session assn ssn1a \
            key api keyboard private credit card social capital monkey _ x token_per_second pageTokenSize \
            mytoken 描述 описание paſs";
        for field in fields.split_whitespace().chain([""]) {
            assert!(!meets(field), "{field}");
        }
    }

    #[test]
    fn entries_are_compared_in_their_folded_form() {
        for (entry, field, is_met) in [
            ("Password", "password", true),
            ("apiKey", "API_KEY", true),
            ("api-key", "apiKey", true),
            ("page_token", "page_token", true),
            ("page_token", "pageToken", true),
            ("access_token", "access_tokens", false),
            ("pin", "pin", true),
            ("pin", "pinned", false),
            ("pin", "spin", false),
            ("密码", "密码", true),
            ("密码", "用户密码", false),
            ("密码", "user密码", true),
            ("пароль", "ПАРОЛЬ", true),
            ("contraseña", "Contraseña", true),
            ("пароль", "мойПароль", true),
            ("пароль", "мойпароль", false),
            ("strasse", "STRAßE", true),
            ("mot de passe", "motDePasse", true),
        ] {
            assert_eq!(of(&[entry]).meet(field), is_met, "{entry} {field}");
        }
        assert!(!of(&[]).meet("password"));
    }

    #[test]
    fn letters_that_fold_alone_do() {
        let letters: Vec<char> = ('\u{80}'..='\u{600}').filter(|c| folds_alone(*c)).collect();
        let form = |text: &str| FoldedName::new(text).text().to_owned();
        for (c, beside) in letters.iter().flat_map(|c| ['0', 'a', 'é', 'ι', 'и', 'ѕ', 'ß'].map(|beside| (*c, beside)))
        {
            let (one, other) = (form(&c.to_string()), form(&beside.to_string()));
            assert_eq!(
                form(&format!("{beside}{c}{beside}")).replace('_', ""),
                [&other, &one, &other].map(String::as_str).concat()
            );
        }
    }

    #[test]
    fn what_becomes_ascii_does_so_alone() {
        let form = |text: &str| FoldedName::new(text).text().replace('_', "");
        for c in ('\u{80}'..='\u{2000}').filter(|c| becomes_ascii_alone(*c)) {
            for beside in ['0', 'a', 'o', 'é', 'ι', 'и', '\u{301}', '\u{345}', 'क'] {
                for text in [format!("x{beside}{c}"), format!("x{c}{beside}")] {
                    let parts: String = text.chars().map(|c| form(&c.to_string())).collect();
                    let whole = form(&text);
                    assert!(whole == parts || !(whole.is_ascii() || parts.is_ascii()), "U+{:04X} {text}", u32::from(c));
                }
            }
        }
        // An entry that is not ASCII meets both ways to write an accent.
        for field in ["contraseña", "contrasen\u{303}a", "Contrasen\u{303}a"] {
            assert!(of(&["contraseña"]).meet(field) && of(&["contrasen\u{303}a"]).meet(field), "{field}");
        }
    }

    #[test]
    fn entries_without_a_letter_are_problems() {
        let mut problems = Problems::new();
        FieldNames::new(&[FoldedName::new("ok"), FoldedName::new("-.-")], &mut problems);
        assert_eq!(
            problems.as_slice().iter().map(|problem| problem.pointer.as_str()).collect::<Vec<_>>(),
            ["/sensitive_fields/1"]
        );
    }
}
