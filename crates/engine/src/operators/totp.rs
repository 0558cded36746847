//! The second factor: RFC 6238 with SHA-1, six digits and 30 seconds, as every app understands it.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;

use farthing_core::time::Timestamp;

/// For how many seconds one code is shown.
const STEP: i64 = 30;
/// How many steps a clock may be off, in each direction.
const DRIFT: i64 = 1;
/// How many bytes a secret has: as many as the RFC recommends.
pub(super) const SECRET: usize = 20;

/// What an authenticator app needs to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The secret for typing, in groups of four.
    pub secret: String,
    /// The same as an address, for a QR code.
    pub uri: String,
}

/// What an app is told of `secret` for the person with this address.
pub(super) fn offer(secret: &[u8], email: &str) -> Offer {
    let text = BASE32_NOPAD.encode(secret);
    let groups: Vec<&str> = (0..text.len()).step_by(4).map(|at| group(&text, at)).collect();
    let label: String = email
        .bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect();
    let uri = format!("otpauth://totp/Farthing:{label}?secret={text}&issuer=Farthing");
    Offer { secret: groups.join(" "), uri }
}

fn group(text: &str, at: usize) -> &str {
    &text[at..text.len().min(at + 4)]
}

/// The step whose code this is, around `at`; `None` when it is none of them. Whether that step was
/// used before is for the caller to ask.
pub(super) fn step_of(secret: &[u8], typed: &str, at: Timestamp) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let now = at.seconds() / STEP;
    let mut found = None;
    for step in now - DRIFT..=now + DRIFT {
        let right = code(secret, step).as_bytes().ct_eq(typed.as_bytes());
        if bool::from(right) {
            found = Some(step);
        }
    }
    found
}

/// The code that an app shows at `at`, for tests and for whoever wants to compare.
pub fn code_at(secret: &[u8], at: Timestamp) -> String {
    code(secret, at.seconds() / STEP)
}

fn code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("a key of any length is taken");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 0xf);
    let bits = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    format!("{:06}", bits % 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC: &[u8] = b"12345678901234567890";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds).unwrap()
    }

    /// Appendix B of RFC 6238, whose last six digits these are.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        for (seconds, expected) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(code_at(RFC, at(seconds)), expected);
        }
    }

    #[test]
    fn a_clock_may_be_half_a_minute_off_and_no_more() {
        let typed = code_at(RFC, at(1_000_000_000));
        for (seconds, taken) in [(-61, false), (-30, true), (0, true), (30, true), (61, false)] {
            assert_eq!(step_of(RFC, &typed, at(1_000_000_000 + seconds)).is_some(), taken);
        }
        assert_eq!(step_of(RFC, "", at(0)), None);
        assert!(
            step_of(RFC, &format!("{} {}", &typed[..3], &typed[3..]), at(1_000_000_000)).is_some()
        );
    }

    #[test]
    fn an_app_is_told_the_secret_and_whose_it_is() {
        let offer = offer(RFC, "ana+admin@example.com");
        assert_eq!(offer.secret, "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(
            offer.uri,
            "otpauth://totp/Farthing:ana%2Badmin%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Farthing"
        );
    }
}
