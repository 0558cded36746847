//! The `Stripe-Signature` header: HMAC-SHA256 over `"{t}.{body}"`, keyed by the whole `whsec_…`.
//!
//! Source: <https://docs.stripe.com/webhooks/signature>

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header value for `body` signed at `at` (unix seconds).
pub(crate) fn header(secret: &str, at: i64, body: &[u8]) -> String {
    format!(
        "t={at},v1={}",
        hex::encode(mac(secret.as_bytes(), &[at.to_string().as_bytes(), b".", body]))
    )
}

/// HMAC-SHA256 of the parts, one after the other.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231.
    #[test]
    fn the_mac_agrees_with_rfc_4231() {
        assert_eq!(
            hex::encode(mac(b"Jefe", &[b"what do ya want ", b"for nothing?"])),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    /// The expected value was computed with openssl:
    /// `printf '1700000000.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
    #[test]
    fn the_header_signs_timestamp_dot_body() {
        assert_eq!(header("whsec_test", 1_700_000_000, br#"{"id":"evt_1"}"#), EXPECTED);
    }

    const EXPECTED: &str =
        "t=1700000000,v1=c89214b5b5da833daed6f0b8c5bb6bd58cea9022bd80ccc78230f3942d632925";
}
