//! Private keys in PEM form, from the line that begins them to the one that ends them; one without an
//! end reaches to the end of the text. Public keys and certificates are none.

use super::Look;
use super::bytes::Bytes;
use crate::pattern::BuiltIn;

/// The longest name of a key before the words `PRIVATE KEY`.
const LONGEST_NAME: usize = 48;

/// Looks around the `V` of `PRIVATE KEY`.
pub(super) fn look(bytes: Bytes<'_>, at: usize) -> Look {
    read(bytes, at).unwrap_or(Look::Past(at + 1))
}

fn read(bytes: Bytes<'_>, at: usize) -> Option<Look> {
    let words = at.checked_sub(3)?;
    if !bytes.reads(words, "PRIVATE KEY") {
        return None;
    }
    let name = bytes.run_back(words, LONGEST_NAME, |byte| byte.is_ascii_alphanumeric() || byte == b' ');
    let begin = (name..words).find(|at| bytes.reads(*at, "BEGIN"))?;
    let dashes = bytes.run_back(begin, 8, |byte| matches!(byte, b'-' | b' '));
    let start = bytes.run(dashes, |byte| byte == b' ');
    (start < begin).then(|| Look::Found(BuiltIn::PrivateKey, start, end(bytes, words)))
}

/// Behind the line that ends the key, or at the end of the text.
fn end(bytes: Bytes<'_>, words: usize) -> usize {
    let mut at = words;
    while at < bytes.len() {
        if bytes.at(at) != b'-' {
            at = bytes.run(at, |byte| byte != b'-');
            continue;
        }
        // Dashes in a row are one look, so that a text of dashes is not read again and again.
        at = bytes.run(at, |byte| matches!(byte, b'-' | b' '));
        if bytes.reads(at, "END") {
            let name = bytes.run(at, |byte| byte.is_ascii_alphanumeric() || byte == b' ');
            if (at..name).any(|at| bytes.reads(at, "PRIVATE KEY")) {
                return bytes.run(name, |byte| byte == b'-');
            }
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use crate::built_in::tests::found;

    #[test]
    fn private_keys_are_found_whole() {
        for kind in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "] {
            let key = format!("-----BEGIN {kind}PRIVATE KEY-----\nMIIE+/=\nabc\n-----END {kind}PRIVATE KEY-----");
            assert_eq!(found(&format!("key: {key}\nrest")), [("private_key", key.as_str())]);
        }
        let pgp = "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion\n\nlQ\n-----END PGP PRIVATE KEY BLOCK-----";
        assert_eq!(found(&[pgp, " x"].concat()), [("private_key", pgp)]);
        let two = "-----BEGIN PRIVATE KEY-----a-----END PRIVATE KEY----- -----BEGIN PRIVATE KEY-----b-----END PRIVATE KEY-----";
        assert_eq!(found(two).len(), 2);
    }

    #[test]
    fn a_key_without_an_end_reaches_to_the_end() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\nMIIE and more";
        assert_eq!(found(&["x ", text].concat()), [("private_key", text)]);
        let lower = "----begin ssh2 encrypted private key ----\\nabc";
        assert_eq!(found(lower), [("private_key", lower)]);
    }

    #[test]
    fn words_within_a_key_do_not_end_it() {
        for word in ["back-end", "-end-to-end", "- END user -"] {
            let text = ["-----BEGIN PRIVATE KEY-----\nComment: ", word, "\nMIIE\n-----END PRIVATE KEY-----"].concat();
            assert_eq!(found(&[&text, " x"].concat()), [("private_key", text.as_str())]);
        }
    }

    #[test]
    fn public_keys_and_words_pass() {
        for text in [
            "-----BEGIN PUBLIC KEY-----",
            "-----BEGIN CERTIFICATE-----",
            "a private key",
            "BEGIN PRIVATE KEY",
            "private keyboard",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
