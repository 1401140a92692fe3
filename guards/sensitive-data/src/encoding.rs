//! What stands behind an encoding: percent-encoding and base64. Nothing here decodes twice; the detector
//! asks again for what came out.

pub(crate) mod base64;
pub(crate) mod percent;

/// How many bytes a character that begins with this byte has behind it, where it may begin one.
fn following_bytes(lead: u8) -> Option<u8> {
    match lead {
        0..=0x7f => Some(0),
        0xc2..=0xdf => Some(1),
        0xe0..=0xef => Some(2),
        0xf0..=0xf4 => Some(3),
        _ => None,
    }
}

/// Reads bytes one by one and says as soon as they cannot be UTF-8.
#[derive(Default)]
struct Utf8 {
    missing: u8,
}

impl Utf8 {
    fn goes_on_with(&mut self, byte: u8) -> bool {
        if self.missing > 0 {
            self.missing -= 1;
            return byte & 0xc0 == 0x80;
        }
        match following_bytes(byte) {
            Some(missing) => {
                self.missing = missing;
                true
            }
            None => false,
        }
    }
}
