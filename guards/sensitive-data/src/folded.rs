//! A text in plain characters: digits of other scripts, odd dashes and blanks, full-width and styled
//! letters, and Greek and Cyrillic ones that look like Latin ones and stand in a word with them, become
//! ASCII, and what nobody sees is dropped. It never changes the case of a letter, and leaves all else as it
//! is.

use crate::altered::Altered;
use crate::seek::seek;

/// What becomes of one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plain {
    Kept,
    Dropped,
    As(u8),
}

/// The text in plain characters; `None` where that is the text itself.
pub(crate) fn folded(text: &str) -> Option<Altered> {
    let bytes = text.as_bytes();
    let mut altered: Option<Altered> = None;
    let (mut at, mut kept_to, mut mixed_to) = (0, 0, 0);
    let mut behind_digit = false;
    while let Some(skipped) = seek(bytes.get(at..).unwrap_or_default(), |byte| byte, 0x80) {
        at += skipped;
        if skipped > 0 {
            behind_digit = at.checked_sub(1).and_then(|last| bytes.get(last)).is_some_and(u8::is_ascii_digit);
        }
        if at >= mixed_to && bytes.get(at).is_some_and(is_like_latin_lead) {
            let end = word_end(bytes, at);
            if !touches_ascii(bytes, at, end) {
                // A word of its own script, as nearly all are.
                (at, behind_digit) = (end, false);
                continue;
            }
            mixed_to = end;
        }
        let far = far_row(bytes, at);
        if far > at {
            (at, behind_digit) = (far, false);
            continue;
        }
        let c = text.get(at..).and_then(|rest| rest.chars().next())?;
        let end = at + c.len_utf8();
        let mut buffer = [0; 1];
        let replacement = match plain(c) {
            // What is drawn over a digit does not make it another one.
            Plain::Kept if behind_digit && is_drawn_over(c) => "",
            Plain::Kept => {
                (at, behind_digit) = (end, false);
                continue;
            }
            Plain::Dropped => "",
            Plain::As(byte) => {
                behind_digit = byte.is_ascii_digit();
                char::from(byte).encode_utf8(&mut buffer)
            }
        };
        let altered = altered.get_or_insert_with(|| Altered::with_capacity(text.len()));
        altered.keep(text.get(kept_to..at).unwrap_or_default());
        altered.replace(at, end, replacement);
        (at, kept_to) = (end, end);
    }
    let mut altered = altered?;
    altered.keep(text.get(kept_to..).unwrap_or_default());
    Some(altered)
}

/// Where a row of letters of far scripts ends that begins here, as far as their first bytes tell: nearly all
/// of what East Asian texts are made of, passed over without reading it.
fn far_row(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some([lead, second, third]) = bytes.get(end..end + 3) {
        match (lead, second, third) {
            (0xe4..=0xe9 | 0xeb..=0xec, _, _) | (0xe3, 0x82.., _) | (0xe3, 0x81, 0x81..) => end += 3,
            _ => break,
        }
    }
    end
}

/// The first letter of the scripts that have letters like Latin ones.
const FIRST_LIKE_LATIN: u32 = 0x370;

/// Whether a byte begins a letter of these scripts; all of them have two bytes.
fn is_like_latin_lead(byte: &u8) -> bool {
    matches!(byte, 0xcd..=0xd4)
}

/// Where a row of such letters ends.
fn word_end(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while bytes.get(end).is_some_and(is_like_latin_lead) {
        end += 2;
    }
    end
}

/// Whether what may be part of a word or key stands right before or behind, in ASCII, or what may become
/// that or nothing.
fn touches_ascii(bytes: &[u8], start: usize, end: usize) -> bool {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'@' | b'.' | 0x80..);
    start.checked_sub(1).and_then(|last| bytes.get(last)).is_some_and(is_part) || bytes.get(end).is_some_and(is_part)
}

/// Whether a character stays as it is, and is a letter of a script that has none like a Latin one.
pub(crate) fn is_far_script(c: char) -> bool {
    // Between them stand units in one sign, such as the one for pascal: letters under NFKC.
    matches!(c, '\u{3041}'..='\u{31ff}' | '\u{3400}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}')
}

fn plain(c: char) -> Plain {
    match c {
        // Nearly all of what East Asian texts are made of.
        c if is_far_script(c) => Plain::Kept,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => Plain::Dropped,
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => Plain::Dropped,
        '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}' => Plain::Dropped,
        '\u{2028}' | '\u{2029}' | '\u{85}' => Plain::As(b'\n'),
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Plain::As(b' '),
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{207b}' | '\u{2212}' | '\u{2e3a}' | '\u{2e3b}' => Plain::As(b'-'),
        '\u{fe58}' | '\u{fe63}' => Plain::As(b'-'),
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2219}' | '\u{22c5}' | '\u{fe52}' => Plain::As(b'.'),
        '\u{fe6b}' => Plain::As(b'@'),
        '\u{ff01}'..='\u{ff5e}' => As(u32::from(c) - 0xff01 + 0x21).plain(),
        '\u{1d400}'..='\u{1d6a3}' => styled_letter(u32::from(c) - 0x1d400),
        _ => digit(c).or_else(|| look_alike(c)).map_or(Plain::Kept, Plain::As),
    }
}

/// The number of an ASCII character.
struct As(u32);

impl As {
    fn plain(self) -> Plain {
        u8::try_from(self.0).map_or(Plain::Kept, Plain::As)
    }
}

/// The styled letters of mathematics: alphabets of 26 capitals and 26 small letters, one after another.
fn styled_letter(index: u32) -> Plain {
    match index % 52 {
        capital @ 0..=25 => As(u32::from(b'A') + capital).plain(),
        small => As(u32::from(b'a') + small - 26).plain(),
    }
}

/// The digit that a character stands for.
fn digit(c: char) -> Option<u8> {
    let code = u32::from(c);
    let value = match code {
        0xb2 | 0xb3 => code - 0xb0,
        0xb9 => 1,
        0x2070 | 0x2074..=0x2079 => code - 0x2070,
        0x2080..=0x2089 => code - 0x2080,
        0x2460..=0x2468 => code - 0x2460 + 1,
        0x24ea | 0x24ff => 0,
        0x24f5..=0x24fd => code - 0x24f5 + 1,
        0x2776..=0x277e => code - 0x2776 + 1,
        0x2780..=0x2788 => code - 0x2780 + 1,
        0x278a..=0x2792 => code - 0x278a + 1,
        _ => {
            let index = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
            code - ZEROS.get(index)?
        }
    };
    u8::try_from(value).ok().filter(|value| *value <= 9).map(|value| b'0' + value)
}

/// The zeros of the decimal digits outside ASCII; the nine other digits follow each of them.
static ZEROS: [u32; 76] = [
    0x660,
    0x6f0,
    0x7c0,
    0x966,
    0x9e6,
    0xa66,
    0xae6,
    0xb66,
    0xbe6,
    0xc66,
    0xce6,
    0xd66,
    0xde6,
    0xe50,
    0xed0,
    0xf20,
    0x1040,
    0x1090,
    0x17e0,
    0x1810,
    0x1946,
    0x19d0,
    0x1a80,
    0x1a90,
    0x1b50,
    0x1bb0,
    0x1c40,
    0x1c50,
    0xa620,
    0xa8d0,
    0xa900,
    0xa9d0,
    0xa9f0,
    0xaa50,
    0xabf0,
    0xff10,
    0x104a0,
    0x10d30,
    0x10d40,
    0x11066,
    0x110f0,
    0x11136,
    0x111d0,
    0x112f0,
    0x11450,
    0x114d0,
    0x11650,
    0x116c0,
    0x116d0,
    0x116da,
    0x11730,
    0x118e0,
    0x11950,
    0x11bf0,
    0x11c50,
    0x11d50,
    0x11da0,
    0x11f50,
    0x16130,
    0x16a60,
    0x16ac0,
    0x16b50,
    0x16d70,
    0x1ccf0,
    0x1d7ce,
    0x1d7d8,
    0x1d7e2,
    0x1d7ec,
    0x1d7f6,
    0x1e140,
    0x1e2f0,
    0x1e4f0,
    0x1e5f1,
    0x1e950,
    0x1fbf0,
    0xffff_ffff,
];

/// The Latin letter that a Greek or Cyrillic one looks like.
fn look_alike(c: char) -> Option<u8> {
    let place = u32::from(c).checked_sub(FIRST_LIKE_LATIN)?;
    let latin = LIKE_LATIN.get(usize::try_from(place).ok()?).copied()?;
    (latin > 0).then_some(latin)
}

/// From the first letter of these scripts on: the Latin letter that each looks like, or zero.
static LIKE_LATIN: [u8; 430] = like_latin();

#[expect(clippy::indexing_slicing, reason = "computed when the guard is compiled")]
const fn like_latin() -> [u8; 430] {
    let (letters, latin) = (LOOK_ALIKES.as_bytes(), LATIN.as_bytes());
    let mut table = [0; 430];
    let mut index = 0;
    while index < latin.len() {
        // All of them have two bytes.
        let code = (letters[2 * index] as u32 & 0x1f) << 6 | letters[2 * index + 1] as u32 & 0x3f;
        table[(code - FIRST_LIKE_LATIN) as usize] = latin[index];
        index += 1;
    }
    table
}

/// Letters, and below each the one it looks like.
const LOOK_ALIKES: &str = "аαсϲԁеһіιјϳκкӏοорρԛгѕтυѵνԝωхχуγАΑВΒСϹЕΕНΗІΙӀЈͿКΚМΜΝОΟРΡЅТΤХΧҮΥΖ";
const LATIN: &str = "aaccdehiijjkklooppqrstuvvwwxxyyAABBCCEEHHIIIJJKKMMNOOPPSTTXXYYZ";

/// Marks that are drawn over or around the character before them.
fn is_drawn_over(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}')
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;
    use proptest::prelude::*;

    fn text(text: &str) -> String {
        folded(text).map_or_else(|| text.to_owned(), |altered| altered.text)
    }

    #[test]
    fn odd_forms_become_plain_ones() {
        for (odd, plain) in [
            ("４１１１－１１１１", "4111-1111"),
            ("١٢٣-٤٥-٦٧٨٩", "123-45-6789"),
            ("1\u{200b}2\u{ad}3\u{2060}4\u{feff}5", "12345"),
            ("①②③ ⁴₅ 𝟭𝟮", "123 45 12"),
            ("1\u{20e3}2\u{332}3\u{fe0f}\u{20e3}", "123"),
            ("123–45—6789\u{a0}x\u{2003}y", "123-45-6789 x y"),
            ("ＡＫＩＡ 𝐀𝐤𝗓 ѕk-АΚІА", "AKIA Akz sk-AKIA"),
            ("4111·1111•1111", "4111.1111.1111"),
            ("номер ѕk-1", "номер sk-1"),
            ("АКІА\u{200b}X ѕк－1 ѕ\u{200b}к-", "AKIAX sk-1 sk-"),
        ] {
            assert_eq!(text(odd), plain, "{odd}");
        }
    }

    #[test]
    fn ordinary_letters_stay() {
        for plain in [
            "",
            "abc 123",
            "Müller, Ærø, naïve",
            "漢字かなカナ",
            "Москва хорошо Ελλάδα",
            "한국어",
            "“quotes” …",
            "e\u{301}",
        ] {
            assert!(folded(plain).is_none(), "{plain}");
        }
    }

    #[test]
    fn all_decimal_digits_of_unicode_are_known() {
        let digits = regex_syntax::parse(r"\p{Nd}").unwrap();
        let regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) = digits.into_kind() else {
            panic!("the digits are a class");
        };
        let all: Vec<char> =
            class.iter().flat_map(|range| range.start()..=range.end()).filter(|c| !c.is_ascii()).collect();
        let zeros: Vec<char> = all.iter().copied().filter(|c| digit(*c) == Some(b'0')).collect();
        assert_eq!(zeros.len() * 10, all.len());
        assert_eq!(ZEROS.len() - 1, zeros.len());
        for zero in zeros {
            for value in 0..10_u8 {
                let c = char::from_u32(u32::from(zero) + u32::from(value)).unwrap();
                assert!(all.contains(&c) && plain(c) == Plain::As(b'0' + value), "{c:?}");
            }
        }
        assert!(ZEROS.is_sorted());
    }

    proptest! {
        #[test]
        fn places_lead_back_to_whole_characters(text in "[aé１\u{200b}\u{332}字 4-]{0,12}", from in 0..20_usize, to in 0..20_usize) {
            if let Some(altered) = folded(&text) {
                let (from, to) = (from.min(altered.text.len()), to.min(altered.text.len()));
                if from < to && altered.text.is_char_boundary(from) && altered.text.is_char_boundary(to) {
                    let pattern = crate::pattern::Pattern::Custom(0);
                    let old = altered.old(crate::span::Span { start: from, end: to, pattern });
                    let piece = text.get(old.start..old.end).unwrap();
                    let plain = folded(piece).map_or_else(|| piece.to_owned(), |altered| altered.text);
                    let is_there = plain.contains(altered.text.get(from..to).unwrap()) || piece.contains('\u{332}');
                    prop_assert!(is_there, "{text:?} {piece:?}");
                }
            }
        }
    }
}
