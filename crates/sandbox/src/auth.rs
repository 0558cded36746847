//! Who may call: a test-mode secret key, and an API version the sandbox can speak.

use crate::API_VERSION;
use crate::error::ApiError;
use crate::request::Request;

/// The oldest version whose shapes the sandbox renders: from here on periods are on the items.
const OLDEST_VERSION: &str = "2025-03-31.basil";

/// Refuses a request without a usable key, or with a version of other shapes.
pub(crate) fn check(request: &Request) -> Result<(), ApiError> {
    let key = key(request).ok_or_else(|| {
        ApiError::unauthorized(
            "You did not provide an API key. You need to provide your API key in the \
             Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
        )
    })?;
    if key.starts_with("sk_live_") || key.starts_with("rk_live_") {
        return Err(ApiError::unauthorized(
            "Expired or wrong-mode API Key provided: a live mode key was used, but this is a \
             sandbox and moves no money. Use a key that starts with sk_test_. Nothing was changed.",
        ));
    }
    let secret = key.strip_prefix("sk_test_").or_else(|| key.strip_prefix("rk_test_"));
    if secret.is_none_or(str::is_empty) {
        let shown: String = key.chars().take(8).collect();
        let message = format!("Invalid API Key provided: {shown}****. It starts with sk_test_.");
        return Err(ApiError::unauthorized(message));
    }
    version(request)
}

fn version(request: &Request) -> Result<(), ApiError> {
    let Some(version) = request.header("stripe-version") else { return Ok(()) };
    // Versions are dates first, so they sort as text.
    let known = version.len() > 10 && version.as_bytes()[0].is_ascii_digit();
    if known && (OLDEST_VERSION..=API_VERSION).contains(&version) {
        return Ok(());
    }
    Err(ApiError::refused(format!(
        "Invalid Stripe API version: {version}. The sandbox renders the shapes of {API_VERSION} and \
         takes versions from {OLDEST_VERSION} to that. Nothing was changed."
    )))
}

fn key(request: &Request) -> Option<String> {
    let header = request.header("authorization")?;
    let (scheme, rest) = header.split_once(' ')?;
    let key = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => rest.trim().to_owned(),
        "basic" => {
            let text = String::from_utf8(base64(rest.trim())?).ok()?;
            text.split(':').next()?.to_owned()
        }
        _ => return None,
    };
    (!key.is_empty()).then_some(key)
}

/// Decodes standard base64, with or without padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).expect("masked to a byte"));
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(headers: &[(&str, &str)]) -> Result<(), u16> {
        let headers =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        check(&Request { headers, ..Request::default() }).map_err(|error| error.status())
    }

    #[test]
    fn only_test_keys_open_the_sandbox() {
        assert_eq!(with(&[("Authorization", "Bearer sk_test_1")]), Ok(()));
        assert_eq!(with(&[("authorization", "Basic c2tfdGVzdF8xOg==")]), Ok(()));
        for header in ["Bearer sk_live_1", "Bearer sk_test_", "Bearer x", "Basic !!", "nonsense"] {
            assert_eq!(with(&[("authorization", header)]), Err(401), "{header}");
        }
        assert_eq!(with(&[]), Err(401));
    }

    #[test]
    fn versions_of_other_shapes_are_refused() {
        let key = ("authorization", "Bearer sk_test_1");
        for (version, expected) in [
            (API_VERSION, Ok(())),
            ("2025-03-31.basil", Ok(())),
            ("2025-09-30.clover", Ok(())),
            ("2024-06-20", Err(400)),
            ("2025-02-24.acacia", Err(400)),
            ("2026-12-31.later", Err(400)),
            ("latest", Err(400)),
        ] {
            assert_eq!(with(&[key, ("stripe-version", version)]), expected, "{version}");
        }
    }
}
