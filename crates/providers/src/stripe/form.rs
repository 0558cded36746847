//! Writing requests: paths, queries and form fields.

/// A path of segments and a query, percent-encoded. Segments may come from outside.
pub fn path(segments: &[&str], query: &[(String, String)]) -> String {
    let mut path = String::from("/v1");
    for segment in segments {
        path.push('/');
        // A path of dots would climb; no id of Stripe's has one.
        path.push_str(&escape(segment).replace('.', "%2E"));
    }
    for (i, (key, value)) in query.iter().enumerate() {
        path.push(if i == 0 { '?' } else { '&' });
        path.push_str(&escape(key));
        path.push('=');
        path.push_str(&escape(value));
    }
    path
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => escaped.push_str(&format!("%{byte:02X}")),
        }
    }
    escaped
}

/// One field of a form or query.
pub fn field(key: impl Into<String>, value: impl Into<String>) -> (String, String) {
    (key.into(), value.into())
}

/// The fields that ask Stripe to include whole objects in the place of their ids. At most four
/// levels each. Source: <https://docs.stripe.com/api/expanding_objects>.
pub fn expand(what: &[&str]) -> Vec<(String, String)> {
    what.iter().enumerate().map(|(i, path)| field(format!("expand[{i}]"), *path)).collect()
}
