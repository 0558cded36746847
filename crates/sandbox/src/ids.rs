//! Identifiers that look like Stripe's, derived from the world's seed and a counter.
//!
//! Same seed and same calls give the same ids; no two calls give the same one.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The id number `counter` of the world with this `seed`: `prefix` and as many characters as
/// Stripe uses after it.
pub(crate) fn id(seed: u64, counter: u64, prefix: &str) -> String {
    format!("{prefix}{}", text(seed, &format!("{prefix}{counter}"), length_after(prefix)))
}

/// `length` letters and digits that depend on `seed` and `label` only.
pub(crate) fn text(seed: u64, label: &str, length: usize) -> String {
    let mut out = String::with_capacity(length);
    let mut block = 0_u32;
    while out.len() < length {
        let mut mac = Hmac::<Sha256>::new_from_slice(&seed.to_be_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(label.as_bytes());
        mac.update(&block.to_be_bytes());
        for byte in mac.finalize().into_bytes() {
            // 248 is four times 62: bytes above it would favour the first letters.
            if byte < 248 && out.len() < length {
                out.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
        block += 1;
    }
    out
}

fn length_after(prefix: &str) -> usize {
    match prefix {
        "cus_" | "prod_" | "si_" | "req_" => 14,
        "acct_" => 16,
        "whsec_" => 32,
        "cs_test_" => 58,
        _ => 24,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_depend_on_seed_prefix_and_counter_and_nothing_else() {
        assert_eq!(id(7, 1, "sub_"), id(7, 1, "sub_"));
        assert_ne!(id(7, 1, "sub_"), id(8, 1, "sub_"));
        assert_ne!(id(7, 1, "sub_"), id(7, 2, "sub_"));
        assert_ne!(id(7, 1, "sub_")[4..], id(7, 1, "in_")[3..]);
        assert_eq!(id(7, 1, "cus_").len(), "cus_QXg1o8vcGmoR32".len());
        assert_eq!(id(7, 1, "cs_test_").len(), 66);
    }
}
