//! Where things are, and where somebody may be sent.

/// The sign-in page, which goes on to `next`.
pub(crate) fn sign_in(next: &str) -> String {
    format!("/admin/sign-in?next={}", encode(next))
}

/// The page that asks again who one is, which goes on to `next`.
pub(crate) fn confirm(next: &str) -> String {
    format!("/admin/confirm?next={}", encode(next))
}

/// A customer's page.
pub(crate) fn customer(id: &str) -> String {
    format!("/admin/customers/{}", encode(id))
}

/// Where to go on: a page of ours, whatever was asked for.
pub(crate) fn onward(next: &str) -> &str {
    let own = next == "/admin" || next.starts_with("/admin/") || next.starts_with("/admin?");
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    if own && plain && !next.contains("//") { next } else { "/admin" }
}

/// A text as part of an address.
pub(crate) fn encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(onward("/admin/customers?q=ana"), "/admin/customers?q=ana");
        for bad in [
            "",
            "https://evil.example",
            "//evil.example",
            "/admin//evil.example",
            "/adminevil",
            "/\\evil.example",
            "/admin/\\evil",
            "/v1/keys",
            "/admin/a\nb",
            "javascript:x",
        ] {
            assert_eq!(onward(bad), "/admin", "{bad:?}");
        }
    }
}
