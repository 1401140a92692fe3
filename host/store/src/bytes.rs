//! Numbers and digests as bytes, packed: numbers in groups of seven bits. It knows nothing of what they mean.

use agenthalt_core::digest::Digest;

/// Bytes that are being written.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(crate) fn digest(&mut self, digest: &Digest) {
        self.0.extend_from_slice(digest.as_bytes());
    }

    pub(crate) fn length(&mut self, length: usize) {
        self.unsigned(length as u64);
    }

    pub(crate) fn signed(&mut self, number: i64) {
        // Small numbers of either sign are short.
        self.unsigned(((number << 1) ^ (number >> 63)) as u64);
    }

    pub(crate) fn unsigned(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }
}

/// What is left to be read. Everything gives none where the bytes end too early.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads something that takes all of the bytes.
    pub(crate) fn whole<T>(bytes: &'a [u8], read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut reader = Reader(bytes);
        let read = read(&mut reader)?;
        reader.0.is_empty().then_some(read)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    pub(crate) fn digest(&mut self) -> Option<Digest> {
        self.take::<32>().map(Digest::from_bytes)
    }

    pub(crate) fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for group in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(group * 7)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    pub(crate) fn signed(&mut self) -> Option<i64> {
        let number = self.unsigned()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A list of unknown length: what it claims is no reason to take memory for it.
    pub(crate) fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let length = self.unsigned()?;
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(item(self)?);
        }
        Some(items)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_whatever_their_size() {
        for number in [0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN] {
            let mut bytes = Writer::default();
            bytes.signed(number);
            bytes.unsigned(number as u64);
            let read = Reader::whole(&bytes.into_bytes(), |from| Some((from.signed()?, from.unsigned()?)));
            assert_eq!(read, Some((number, number as u64)));
        }
    }

    #[test]
    fn what_claims_to_be_longer_than_it_is_is_nothing() {
        assert_eq!(Reader::whole(&[0x80], Reader::unsigned), None);
        assert_eq!(Reader::whole(&[0xff; 11], Reader::unsigned), None);
        assert_eq!(Reader::whole(&[1, 2], Reader::unsigned), None);
        assert_eq!(Reader::whole(&[0xff, 0xff, 0xff, 0xff, 0x0f, 1], |from| from.list(Reader::byte)), None);
    }
}
