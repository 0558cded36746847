//! What a browser may do with a page, and who may post to it.

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};

/// What a page may load: its own style, script and images, and nothing else from anywhere.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where the pages are. It comes from configuration, never from a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    origin: String,
    secure: bool,
}

/// Why pages cannot be served at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadBase(pub &'static str);

impl Base {
    /// `https://billing.example.com`, or on this machine `http://127.0.0.1:8787`.
    ///
    /// Errors: it has a path, or is plain `http` at an address that is not this machine's: cookies
    /// would cross the network readable.
    pub fn parse(text: &str) -> Result<Self, BadBase> {
        let origin = text.trim_end_matches('/').to_ascii_lowercase();
        let (scheme, host) = origin.split_once("://").ok_or(BadBase("it has no https://"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
        if host.is_empty() || !host.chars().all(plain) {
            return Err(BadBase("it is more than a scheme, a name and a port"));
        }
        match scheme {
            "https" => Ok(Self { origin, secure: true }),
            "http" if is_loopback(host) => Ok(Self { origin, secure: false }),
            "http" => Err(BadBase("passwords and cookies would cross the network readable")),
            _ => Err(BadBase("it has no https://")),
        }
    }

    /// Without a slash at its end.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it is reached over TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Whether a form comes from one of our own pages. Browsers say so with every form; whoever
    /// does not say it is not one.
    pub(crate) fn is_own(&self, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let site = text(HeaderName::from_static("sec-fetch-site"));
        if site.is_some_and(|site| site != "same-origin") {
            return false;
        }
        let Some(origin) = text(header::ORIGIN) else { return site.is_some() };
        origin == self.origin || (!self.secure && self.is_same_machine(origin))
    }

    /// `localhost` and `127.0.0.1` are the same machine under two names.
    fn is_same_machine(&self, origin: &str) -> bool {
        let port = |text: &str| text.rsplit_once(':').map(|(_, port)| port.to_owned());
        let host = origin.strip_prefix("http://").unwrap_or_default();
        is_loopback(host) && port(origin) == port(&self.origin)
    }
}

fn is_loopback(host: &str) -> bool {
    let name = if host.starts_with('[') {
        host.split_once(']').map_or(host, |(name, _)| name)
    } else {
        host.split_once(':').map_or(host, |(name, _)| name)
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1")
}

/// The headers of every page.
pub(crate) fn write_headers(headers: &mut HeaderMap, secure: bool) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: browsers would then post forms without saying from where.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), microphone=(), geolocation=(), payment=()",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if secure {
        let hsts = HeaderValue::from_static("max-age=31536000");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, hsts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn passwords_never_cross_a_network_readable() {
        assert!(Base::parse("https://billing.example.com/").unwrap().is_secure());
        assert!(!Base::parse("http://127.0.0.1:8787").unwrap().is_secure());
        assert!(!Base::parse("http://[::1]:8787").unwrap().is_secure());
        for bad in ["http://billing.example.com", "http://127.0.0.1.example.com", "ftp://a", "a.b"]
        {
            assert!(Base::parse(bad).is_err(), "{bad} was taken");
        }
        assert!(Base::parse("https://a.example/path").is_err());
    }

    #[test]
    fn only_our_own_pages_may_post() {
        let base = Base::parse("https://b.example").unwrap();
        assert!(base.is_own(&headers(&[("origin", "https://b.example")])));
        assert!(base.is_own(&headers(&[("sec-fetch-site", "same-origin")])));
        for foreign in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://b.example")],
            &[("origin", "https://b.example.evil.example")],
            &[("origin", "https://b.example"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "none")],
        ] {
            assert!(!base.is_own(&headers(foreign)), "{foreign:?} may post");
        }
    }

    #[test]
    fn this_machine_has_two_names_and_one_port() {
        let base = Base::parse("http://127.0.0.1:8787").unwrap();
        assert!(base.is_own(&headers(&[("origin", "http://localhost:8787")])));
        assert!(!base.is_own(&headers(&[("origin", "http://localhost:9999")])));
        assert!(!base.is_own(&headers(&[("origin", "http://evil.example:8787")])));
    }
}
