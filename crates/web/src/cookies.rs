//! Cookies: read from a request, written so that no script and no other site gets at them.

use axum::http::{HeaderMap, HeaderValue, header};

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Who is signed in.
    Session,
    /// Ties a form to the browser that it was shown to, before anybody is signed in.
    Visit,
    /// A browser that somebody signed in with before.
    Known,
    /// Light or dark.
    Theme,
}

impl Cookie {
    /// Over TLS the name itself keeps other hosts from setting it.
    pub(crate) fn name(self, secure: bool) -> &'static str {
        match (self, secure) {
            (Self::Session, true) => "__Host-farthing",
            (Self::Session, false) => "farthing",
            (Self::Visit, true) => "__Host-farthing-visit",
            (Self::Visit, false) => "farthing-visit",
            (Self::Known, true) => "__Host-farthing-known",
            (Self::Known, false) => "farthing-known",
            (Self::Theme, true) => "__Host-farthing-theme",
            (Self::Theme, false) => "farthing-theme",
        }
    }

    /// How long a browser keeps it, in seconds; `None`: until it is closed.
    fn kept(self) -> Option<u32> {
        match self {
            Self::Session | Self::Visit => None,
            Self::Known | Self::Theme => Some(180 * 86_400),
        }
    }
}

/// The value of a cookie that a request came with, if it is one of ours.
pub(crate) fn read(headers: &HeaderMap, cookie: Cookie, secure: bool) -> Option<String> {
    let name = cookie.name(secure);
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let (value, None) = (found.next()?, found.next()) else { return None };
    let fine = |b: u8| b.is_ascii_alphanumeric();
    (!value.is_empty() && value.len() <= 64 && value.bytes().all(fine)).then(|| value.to_owned())
}

/// The header that sets a cookie; an empty value removes it.
pub(crate) fn set(cookie: Cookie, value: &str, secure: bool) -> HeaderValue {
    let name = cookie.name(secure);
    let mut text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax");
    if secure {
        text += "; Secure";
    }
    match cookie.kept() {
        _ if value.is_empty() => text += "; Max-Age=0",
        Some(seconds) => text += &format!("; Max-Age={seconds}"),
        None => {}
    }
    HeaderValue::from_str(&text).expect("names and values are letters and digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_out_of_reach_for_scripts_and_other_sites() {
        let cookie = set(Cookie::Session, "abc", true);
        assert_eq!(cookie, "__Host-farthing=abc; Path=/; HttpOnly; SameSite=Lax; Secure");
        let cookie = set(Cookie::Session, "", false);
        assert_eq!(cookie, "farthing=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    }

    #[test]
    fn a_cookie_that_comes_twice_is_nobodys() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; farthing=abc"));
        assert_eq!(read(&headers, Cookie::Session, false).as_deref(), Some("abc"));
        assert_eq!(read(&headers, Cookie::Session, true), None);
        headers.append(header::COOKIE, HeaderValue::from_static("farthing=def"));
        assert_eq!(read(&headers, Cookie::Session, false), None);
    }
}
