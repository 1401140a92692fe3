//! Unicode's composed forms: NFC, and NFKC, which also opens compatibility forms. The tables are small
//! enough for a guard to carry. It never drops a character and never looks at case.

mod hangul;
mod mark;
mod pairs;
mod run;
mod table;

pub(crate) use mark::is_mark;
use pairs::{BY_PARTS, FAR_PAIRS, PAIRS};
use run::{Piece, find};
use table::{CANONICAL, COMPATIBLE};

/// The composed form of a text (NFC).
pub(crate) fn nfc(text: &str) -> String {
    compose(text.chars(), Opening::Canonical)
}

/// The composed form of a text without compatibility forms (NFKC).
pub(crate) fn nfkc(text: impl Iterator<Item = char>) -> String {
    compose(text, Opening::Compatible)
}

/// Whether a character is one of the many that normalising leaves alone, whatever stands beside it: a text
/// of nothing else is in its composed form already. A short list for common scripts, not all there are.
pub(crate) fn is_settled(c: char) -> bool {
    c < '\u{80}'
        || matches!(c,
            '\u{c0}'..='\u{131}'
            | '\u{391}'..='\u{3af}'
            | '\u{3b1}'..='\u{3ce}'
            | '\u{400}'..='\u{482}'
            | '\u{48a}'..='\u{52f}'
            | '\u{5d0}'..='\u{5ea}'
            | '\u{620}'..='\u{64a}'
            | '\u{904}'..='\u{939}'
            | '\u{93e}'..='\u{94c}'
            | '\u{e01}'..='\u{e30}'
            | '\u{3041}'..='\u{3096}'
            | '\u{30a1}'..='\u{30fa}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7a3}')
}

/// Which forms are opened before they are composed anew.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Canonical,
    Compatible,
}

fn compose(text: impl Iterator<Item = char>, opening: Opening) -> String {
    let mut composer = Composer::default();
    for c in text {
        open(c, opening, &mut |part| composer.take(part));
    }
    composer.finish()
}

/// Gives the parts of a character. This ends: no character opens to itself, as a test sees for all of them.
fn open(c: char, opening: Opening, part: &mut dyn FnMut(char)) {
    if c.is_ascii() {
        return part(c);
    }
    if let Some(letters) = hangul::open(c) {
        return letters.into_iter().flatten().for_each(part);
    }
    if let Some((first, second)) = parts(c) {
        open(first, opening, part);
        return open(second, opening, part);
    }
    let compatible = || if opening == Opening::Compatible { find(COMPATIBLE, c) } else { None };
    match find(CANONICAL, c).or_else(compatible) {
        None => part(c),
        Some(Piece::One(one)) => open(one, opening, part),
        Some(Piece::Text(text)) => text.chars().for_each(|c| open(c, opening, part)),
    }
}

/// Puts opened characters together: marks in the order of their classes, then pairs to one.
#[derive(Default)]
struct Composer {
    done: String,
    /// The last character that is no mark, in what it has become.
    starter: Option<char>,
    /// The marks behind it, in the order of the text.
    marks: Vec<(u8, char)>,
    /// The marks that found no place in it.
    left: String,
}

impl Composer {
    fn take(&mut self, c: char) {
        let class = mark::class_of(c);
        if class != 0 {
            self.marks.push((class, c));
            return;
        }
        self.set_marks();
        if self.left.is_empty()
            && let Some(pair) = self.starter.and_then(|starter| pair(starter, c))
        {
            self.starter = Some(pair);
            return;
        }
        self.set_starter(Some(c));
    }

    fn finish(mut self) -> String {
        self.set_marks();
        self.set_starter(None);
        self.done
    }

    fn set_starter(&mut self, next: Option<char>) {
        self.done.extend(self.starter);
        self.done.push_str(&self.left);
        self.left.clear();
        self.starter = next;
    }

    /// A pass a class, however many marks there are: a long run of them costs no more than a long text.
    fn set_marks(&mut self) {
        let mut class = 0;
        while let Some(next) = self.marks.iter().map(|mark| mark.0).filter(|next| *next > class).min() {
            class = next;
            // Within its class the first mark that stays bars the way for the others.
            let mut barred = false;
            for (_, mark) in self.marks.iter().filter(|mark| mark.0 == class) {
                match self.starter.filter(|_| !barred).and_then(|starter| pair(starter, *mark)) {
                    Some(pair) => self.starter = Some(pair),
                    None => {
                        barred = true;
                        self.left.push(*mark);
                    }
                }
            }
        }
        self.marks.clear();
    }
}

/// What two characters become together.
fn pair(first: char, second: char) -> Option<char> {
    if second < '\u{300}' {
        return None;
    }
    if let Some(syllable) = hangul::pair(first, second) {
        return Some(syllable);
    }
    if let (Ok(first), Ok(second)) = (u16::try_from(first), u16::try_from(second)) {
        let place = |index: &u16| PAIRS.get(usize::from(*index)).map(|(_, first, second)| (*first, *second));
        let at = BY_PARTS.binary_search_by_key(&Some((first, second)), place).ok()?;
        let (pair, ..) = PAIRS.get(usize::from(*BY_PARTS.get(at)?))?;
        return char::from_u32(u32::from(*pair));
    }
    FAR_PAIRS.iter().find(|(_, a, b)| (*a, *b) == (first, second)).map(|(pair, ..)| *pair)
}

/// What a pair of the first plane is made of.
fn parts(pair: char) -> Option<(char, char)> {
    let pair = u16::try_from(pair).ok()?;
    let at = PAIRS.binary_search_by_key(&pair, |(pair, ..)| *pair).ok()?;
    let (_, first, second) = PAIRS.get(at)?;
    Some((char::from_u32(u32::from(*first))?, char::from_u32(u32::from(*second))?))
}

#[cfg(test)]
mod tests;
