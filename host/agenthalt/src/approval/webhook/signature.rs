//! Who holds the secret signs with it, and nobody else: HMAC-SHA256 over a time and a body.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header of the time, in Unix seconds.
pub(super) const TIMESTAMP: &str = "agenthalt-timestamp";
/// The header of the signature.
pub(super) const SIGNATURE: &str = "agenthalt-signature";
/// The version of the signature's form.
const VERSION: &str = "v1";
/// The fewest bytes of a secret.
const FEWEST_BYTES: usize = 16;
/// How many seconds a signature is good for, before and after its time.
const MOST_AGE: u64 = 300;

/// What both sides of a webhook sign with. It never shows itself.
///
/// ```
/// use agenthalt::WebhookSecret;
/// let secret = WebhookSecret::new(*b"thirty-two bytes that nobody has")?;
/// let now = 1_768_478_400;
/// let signature = secret.sign(now, b"{}");
/// assert!(secret.verify(now, &signature, b"{}", now + 60).is_ok());
/// assert!(secret.verify(now, &signature, b"{ }", now + 60).is_err());
/// assert!(secret.verify(now, &signature, b"{}", now + 600).is_err(), "it may be a replay");
/// # Ok::<(), agenthalt::BadSignature>(())
/// ```
#[derive(Clone)]
pub struct WebhookSecret(Arc<[u8]>);

/// Why a signature is not trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadSignature {
    /// The secret is too short.
    #[error("a secret has {FEWEST_BYTES} bytes or more")]
    ShortSecret,
    /// Another secret, another body or another time was signed.
    #[error("the signature is not that of this text")]
    Wrong,
    /// It was signed too long ago, or will be.
    #[error("the signature is not from now")]
    NotNow,
}

impl WebhookSecret {
    /// A secret of 16 bytes or more; 32 random ones are good.
    ///
    /// # Errors
    /// [`BadSignature::ShortSecret`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, BadSignature> {
        let bytes = bytes.as_ref();
        if bytes.len() < FEWEST_BYTES { Err(BadSignature::ShortSecret) } else { Ok(WebhookSecret(bytes.into())) }
    }

    /// The signature of a body at a time in Unix seconds.
    pub fn sign(&self, seconds: u64, body: &[u8]) -> String {
        let code = self.code(seconds, body).map(|code| code.finalize().into_bytes());
        let code = code.into_iter().flatten();
        code.fold(format!("{VERSION}="), |text, byte| format!("{text}{byte:02x}"))
    }

    /// Holds a signature against a body, its time and the time that it is, both in Unix seconds.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, seconds: u64, signature: &str, body: &[u8], now: u64) -> Result<(), BadSignature> {
        let given = signature.strip_prefix(VERSION).and_then(|text| text.strip_prefix('='));
        let given = given.and_then(bytes).ok_or(BadSignature::Wrong)?;
        let code = self.code(seconds, body).ok_or(BadSignature::Wrong)?;
        // Compares in the same time wherever the difference is.
        code.verify_slice(&given).map_err(|_| BadSignature::Wrong)?;
        if seconds.abs_diff(now) > MOST_AGE { Err(BadSignature::NotNow) } else { Ok(()) }
    }

    fn code(&self, seconds: u64, body: &[u8]) -> Option<Hmac<Sha256>> {
        let mut code = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).ok()?;
        code.update(format!("{VERSION}:{seconds}:").as_bytes());
        code.update(body);
        Some(code)
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret")
    }
}

/// Unix seconds by the machine's clock.
pub(super) fn now() -> Option<u64> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    if !hexadecimal.bytes().all(|byte| byte.is_ascii_hexdigit()) || !hexadecimal.len().is_multiple_of(2) {
        return None;
    }
    let pairs = (0..hexadecimal.len()).step_by(2).map(|start| hexadecimal.get(start..start + 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}
