//! Email addresses of plain letters, digits and the usual signs, with a domain of two parts or more.

use super::Look;
use super::bytes::Bytes;
use crate::pattern::BuiltIn;

/// Looks around an `@`.
pub(super) fn look(bytes: Bytes<'_>, at: usize) -> Look {
    let start = bytes.run_back(at, at, is_local_byte);
    if start == at {
        return Look::Past(at + 1);
    }
    let domain = at + 1;
    let behind = bytes.run(domain, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    // The address ends with the last part of its domain that begins with two letters.
    let mut end = None;
    let mut from = domain;
    while from < behind {
        let letters = bytes.run(from, |byte| byte.is_ascii_alphabetic());
        if from > domain + 1 && letters >= from + 2 {
            end = Some(letters);
        }
        let part = bytes.between(from, behind).iter().position(|byte| *byte == b'.');
        from = part.map_or(behind, |length| from + length + 1);
    }
    match end {
        Some(end) => Look::Found(BuiltIn::Email, start, end),
        None => Look::Past(domain),
    }
}

fn is_local_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found;

    #[test]
    fn addresses_are_found_whole() {
        for (text, address) in [
            ("mail a.b+c@ex-ample.co.uk now", "a.b+c@ex-ample.co.uk"),
            ("<a@b.de>", "a@b.de"),
            ("a@b.com.", "a@b.com"),
            ("a@b.com.1", "a@b.com"),
            ("mailto:x_y%z@sub.example.org?x", "x_y%z@sub.example.org"),
            ("a@b@c.com", "b@c.com"),
        ] {
            assert_eq!(found(text), [("email", address)], "{text}");
        }
    }

    #[test]
    fn what_is_no_address_passes() {
        for text in ["a@b", "@b.com", "a@.com", "a@b.c", "a@b.1c", "üser@exämple.com", "user@", "@", "a @b.com", "@@@"]
        {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
