//! Passwords: argon2id with 19 MiB, two passes and one lane, each with its own salt.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::EngineError;

/// The fewest characters a password has.
const CHARACTERS_MIN: usize = 12;
/// The most; longer ones cost time and add nothing.
const CHARACTERS_MAX: usize = 200;

/// The hash of a password, with its parameters and salt.
///
/// Errors: it is too short or too long, or one character over and over.
pub(super) fn hash(password: &str, salt: &[u8; 24]) -> Result<String, EngineError> {
    let length = password.chars().count();
    let first = password.chars().next();
    let monotonous = password.chars().all(|c| Some(c) == first);
    if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&length) || monotonous {
        return Err(EngineError::invalid(
            "/password",
            "invalid_length",
            "a password has 12 to 200 characters, not all the same",
            "take a sentence, or what a password manager makes",
        ));
    }
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), salt);
    let hashed = hashed.map_err(|error| EngineError::refused("password", error.to_string()))?;
    Ok(hashed.to_string())
}

/// Whether it is the password. `None` is nobody's: it takes as long and is wrong.
pub(super) fn is_right(password: &str, stored: Option<&str>) -> bool {
    // Made with the same parameters; no password has it, because it is checked against `None`.
    const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA$\
                           AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    if CHARACTERS_MAX < password.chars().count() {
        return false;
    }
    let Ok(parsed) = PasswordHash::new(stored.unwrap_or(NOBODYS)) else {
        return false;
    };
    let fits = Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok();
    fits && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_recognised_and_no_other_is() {
        let stored = hash("correct horse battery", &[7; 24]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(is_right("correct horse battery", Some(&stored)));
        assert!(!is_right("correct horse batterx", Some(&stored)));
        assert!(!is_right("correct horse battery", None));
        assert!(!is_right("correct horse battery", Some("not a hash")));
    }

    #[test]
    fn the_same_password_is_stored_differently_for_two_people() {
        let both = [[1; 24], [2; 24]].map(|salt| hash("correct horse battery", &salt).unwrap());
        assert_ne!(both[0], both[1]);
    }

    #[test]
    fn a_short_or_endless_password_is_refused() {
        for bad in ["", "short", "aaaaaaaaaaaaaaaa", &"ab".repeat(101)] {
            assert!(hash(bad, &[0; 24]).is_err(), "{bad:?} was taken");
        }
    }

    /// Otherwise an unknown address would be answered at once, and so be told apart.
    #[test]
    fn the_hash_of_nobody_can_be_read() {
        assert!(!is_right("x", None));
        let started = std::time::Instant::now();
        is_right("correct horse battery", None);
        let stored = hash("correct horse battery", &[7; 24]).unwrap();
        let nobody = started.elapsed();
        let started = std::time::Instant::now();
        is_right("correct horse battery", Some(&stored));
        assert!(started.elapsed() < nobody * 2, "nobody's password is compared as slowly");
    }
}
