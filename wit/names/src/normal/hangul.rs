//! Hangul syllables, which are counted and not listed. It never touches another script.

const SYLLABLES: u32 = 0xac00;
const LEADING: u32 = 0x1100;
const VOWELS: u32 = 0x1161;
/// One before the first trailing letter: a syllable may have none.
const TRAILING: u32 = 0x11a7;
const LEADING_COUNT: u32 = 19;
const VOWEL_COUNT: u32 = 21;
const TRAILING_COUNT: u32 = 28;
const SYLLABLE_COUNT: u32 = LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT;

/// The letters of a syllable.
pub(super) fn open(c: char) -> Option<[Option<char>; 3]> {
    let index = index_in(c, SYLLABLES, SYLLABLE_COUNT)?;
    let (rest, trailing) = (index / TRAILING_COUNT, index % TRAILING_COUNT);
    let trailing = if trailing == 0 { None } else { char::from_u32(TRAILING + trailing) };
    Some([char::from_u32(LEADING + rest / VOWEL_COUNT), char::from_u32(VOWELS + rest % VOWEL_COUNT), trailing])
}

/// The syllable of a leading letter and a vowel, or of a syllable without a trailing letter and one.
pub(super) fn pair(first: char, second: char) -> Option<char> {
    if let Some(leading) = index_in(first, LEADING, LEADING_COUNT) {
        let vowel = index_in(second, VOWELS, VOWEL_COUNT)?;
        return char::from_u32(SYLLABLES + (leading * VOWEL_COUNT + vowel) * TRAILING_COUNT);
    }
    let syllable = index_in(first, SYLLABLES, SYLLABLE_COUNT)?;
    let trailing = index_in(second, TRAILING, TRAILING_COUNT).filter(|trailing| *trailing != 0)?;
    if syllable.is_multiple_of(TRAILING_COUNT) { char::from_u32(u32::from(first) + trailing) } else { None }
}

fn index_in(c: char, first: u32, count: u32) -> Option<u32> {
    u32::from(c).checked_sub(first).filter(|index| *index < count)
}
