//! How far a text goes on without a character that a JSON string escapes. It looks at eight bytes at
//! once, as this is most of what a large call costs a guard, and never past the end.

/// A byte in each of eight places.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// How many bytes there are before the first `"`, `\` or control character.
pub(crate) fn plain_run(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks();
    let mut run = 0;
    for word in words {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return run + (special.trailing_zeros() / 8) as usize;
        }
        run += 8;
    }
    run + rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len())
}

/// Sets the upper bit of every special byte. A borrow may set that of a plain byte too, but only above a
/// special one: the lowest bit that is set is right.
fn specials(word: u64) -> u64 {
    let control = word.wrapping_sub(each(0x20));
    let quote = (word ^ each(b'"')).wrapping_sub(each(1));
    let backslash = (word ^ each(b'\\')).wrapping_sub(each(1));
    (control | quote | backslash) & !word & each(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_plain_or_special_in_every_place() {
        for byte in 0..=u8::MAX {
            let is_special = matches!(byte, b'"' | b'\\' | 0..=0x1f);
            for place in 0..20 {
                let mut bytes = [b'x'; 20];
                bytes[place] = byte;
                assert_eq!(plain_run(&bytes), if is_special { place } else { 20 }, "{byte} at {place}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn eight_at_once_see_what_one_by_one_sees(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..40)) {
            let slow = bytes.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(bytes.len());
            proptest::prop_assert_eq!(plain_run(&bytes), slow);
        }
    }
}
