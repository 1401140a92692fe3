//! Digests, plain and keyed, and the link of the audit chain. It never shows a key.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, shown as 64 hexadecimal digits.
///
/// ```
/// # use agenthalt_core::digest::Digest;
/// let digest = Digest::of(b"abc");
/// assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
/// assert_eq!(digest.to_string().parse(), Ok(digest));
/// assert_eq!(Digest::from_bytes(*digest.as_bytes()), digest);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// What the first record of an audit chain is linked to.
    pub const ZERO: Digest = Digest([0; 32]);

    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Digest(Sha256::digest(bytes).into())
    }

    /// A digest from its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Digest(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The hash of an audit record: it covers the record before it, its place in the tenant's chain
    /// and its text.
    ///
    /// ```
    /// # use agenthalt_core::digest::Digest;
    /// let first = Digest::link(&Digest::ZERO, "default", 1, "{}");
    /// assert_ne!(Digest::link(&first, "default", 2, "{}"), Digest::link(&Digest::ZERO, "default", 2, "{}"));
    /// ```
    pub fn link(previous: &Digest, tenant: &str, sequence: u64, body: &str) -> Digest {
        let mut hasher = Sha256::new();
        hasher.update(b"agenthalt audit 1\n");
        hasher.update(previous.0);
        hasher.update(sequence.to_be_bytes());
        hasher.update((tenant.len() as u64).to_be_bytes());
        hasher.update(tenant.as_bytes());
        hasher.update(body.as_bytes());
        Digest(hasher.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A record of one evaluation shows a dozen digests: one piece of text each, not 32.
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *digit = if value < 10 { b'0' + value } else { b'a' - 10 + value };
            }
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a sha256 digest has 64 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotADigest);
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(index * 2..index * 2 + 2).ok_or(NotADigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| NotADigest)?;
        }
        Ok(Digest(bytes))
    }
}

/// A secret of 32 bytes under which digests are made that cannot be guessed from outside.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key from its bytes, which should come from the system's random source.
    pub fn new(bytes: [u8; 32]) -> Self {
        Key(bytes)
    }

    /// The keyed digest (HMAC-SHA-256) of the parts, each with its length before it, so that no two
    /// lists of parts look alike.
    pub fn digest(&self, parts: &[&[u8]]) -> Digest {
        Digest(self.mac(parts).finalize().into_bytes().into())
    }

    /// Whether `digest` is the keyed digest of the parts, compared in constant time.
    pub fn is_digest(&self, parts: &[&[u8]], digest: &[u8]) -> bool {
        self.mac(parts).verify_slice(digest).is_ok()
    }

    fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        // A key of a block's length is used as it stands, so this cannot fail.
        let mut block = [0; 64];
        for (to, from) in block.iter_mut().zip(self.0) {
            *to = from;
        }
        let mut mac: Hmac<Sha256> = Hmac::new(&block.into());
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests fail by panicking")]
    use super::*;

    #[test]
    fn digests_read_back_from_their_text() {
        let digest = Digest::of(b"abc");
        assert_eq!(digest.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert_eq!("zz".parse::<Digest>(), Err(NotADigest));
        assert_eq!("é".repeat(32).parse::<Digest>(), Err(NotADigest));
    }

    #[test]
    fn keyed_digests_depend_on_key_and_on_every_border() {
        let key = Key::new([7; 32]);
        let digest = key.digest(&[b"ab", b"c"]);
        assert!(key.is_digest(&[b"ab", b"c"], digest.as_bytes()));
        assert_ne!(digest, key.digest(&[b"a", b"bc"]));
        assert_ne!(digest, Key::new([8; 32]).digest(&[b"ab", b"c"]));
        assert!(!key.is_digest(&[b"ab", b"c"], b"short"));
        assert_eq!(format!("{key:?}"), "Key(..)");
    }

    #[test]
    fn a_link_covers_everything_it_is_made_of() {
        let link = Digest::link(&Digest::ZERO, "t", 1, "{}");
        assert_ne!(link, Digest::link(&Digest::of(b"x"), "t", 1, "{}"));
        assert_ne!(link, Digest::link(&Digest::ZERO, "u", 1, "{}"));
        assert_ne!(link, Digest::link(&Digest::ZERO, "t", 2, "{}"));
        assert_ne!(link, Digest::link(&Digest::ZERO, "t", 1, "{ }"));
    }
}
