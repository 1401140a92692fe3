//! Finds the next byte of a class. Most of what a large text costs a guard is spent here, so eight bytes
//! are looked at together, and nothing is decided about them but whether one is in the class.

/// The place of the first byte whose class has one of the bits of the mask.
pub(crate) fn seek(bytes: &[u8], class: impl Fn(u8) -> u8 + Copy, mask: u8) -> Option<usize> {
    let (groups, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for [a, b, c, d, e, f, g, h] in groups {
        let first = class(*a) | class(*b) | class(*c) | class(*d);
        let second = class(*e) | class(*f) | class(*g) | class(*h);
        if (first | second) & mask == 0 {
            at += 8;
            continue;
        }
        let is_met = |byte: &u8| class(*byte) & mask != 0;
        let place = if first & mask != 0 {
            if is_met(a) {
                0
            } else if is_met(b) {
                1
            } else {
                3 - usize::from(is_met(c))
            }
        } else if is_met(e) {
            4
        } else if is_met(f) {
            5
        } else {
            7 - usize::from(is_met(g))
        };
        return Some(at + place);
    }
    rest.iter().position(|byte| class(*byte) & mask != 0).map(|place| at + place)
}

/// All bits of the classes of all bytes.
pub(crate) fn seen(bytes: &[u8], class: impl Fn(u8) -> u8 + Copy) -> u8 {
    let (groups, rest) = bytes.as_chunks::<8>();
    let mut seen = 0;
    for [a, b, c, d, e, f, g, h] in groups {
        seen |= class(*a) | class(*b) | class(*c) | class(*d);
        seen |= class(*e) | class(*f) | class(*g) | class(*h);
    }
    rest.iter().fold(seen, |seen, byte| seen | class(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_looked_at() {
        let class = |byte| if byte == b'x' { 6 } else { 1 };
        for length in 0..40 {
            let mut text = vec![b'a'; length];
            assert_eq!(seek(&text, class, 2), None);
            assert_eq!(seen(&text, class), u8::from(length > 0));
            for place in (0..length).rev() {
                if let Some(byte) = text.get_mut(place) {
                    *byte = b'x';
                }
                assert_eq!(seek(&text, class, 2), Some(place));
                assert_eq!(seen(&text, class) & 4, 4);
            }
        }
    }
}
