//! What the page looks like: six variables, a name and a logo, from a file of the operator.
//!
//! ```toml
//! name = "Acme"
//! logo = "logo.svg"
//! accent = ["#06613f", "#5fd6a0"]     # light, dark; or one for both
//! ```

use axum::extract::State;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::site::Pages;

/// The style below the variables.
const STYLE: &str = include_str!("style.css");
/// Browsers may keep style and logo for an hour, so that a new version is not far away.
const KEPT: &str = "public, max-age=3600";
/// The variables: name in the file, light, dark.
const VARIABLES: [(&str, &str, &str); 6] = [
    ("accent", "#06613f", "#5fd6a0"),
    ("on_accent", "#ffffff", "#10221a"),
    ("ground", "#f7f7f5", "#16181b"),
    ("paper", "#ffffff", "#1f2226"),
    ("ink", "#1b1d20", "#eceef0"),
    ("radius", "8px", "8px"),
];

/// An image, as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `image/svg+xml` or `image/png`.
    pub media_type: &'static str,
}

/// What the page looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Whose page it is, above everything.
    pub name: String,
    /// Beside the name.
    pub logo: Option<Logo>,
    /// The file that the logo is in, as the operator wrote it.
    pub logo_file: Option<String>,
    css: String,
}

/// Why a file is no theme.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadTheme(pub String);

impl Default for Theme {
    fn default() -> Self {
        let values = VARIABLES.map(|(name, light, dark)| (name, light.to_owned(), dark.to_owned()));
        Self { name: "Billing".to_owned(), logo: None, logo_file: None, css: css(&values) }
    }
}

impl Theme {
    /// Reads a theme file. The logo's bytes are the caller's to add.
    ///
    /// Errors: a line that is none, a name that is not known, a value that is no colour such as
    /// `#06613f` or no length such as `8px`.
    pub fn parse(source: &str) -> Result<Self, BadTheme> {
        let mut theme = Self::default();
        let mut values =
            VARIABLES.map(|(name, light, dark)| (name, light.to_owned(), dark.to_owned()));
        for line in source.lines().map(str::trim) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, given) = setting(line)?;
            match (key, given.as_slice()) {
                ("name", [name]) if !name.trim().is_empty() => theme.name.clone_from(name),
                ("logo", [file]) => theme.logo_file = Some(file.clone()),
                (key, [light, rest @ ..]) => {
                    let known = values.iter_mut().find(|(name, _, _)| *name == key);
                    let known =
                        known.ok_or_else(|| BadTheme(format!("there is no setting {key}")))?;
                    let dark = rest.first().unwrap_or(light);
                    check(key, light)?;
                    check(key, dark)?;
                    (known.1, known.2) = (light.clone(), dark.clone());
                }
                _ => return Err(BadTheme(format!("{key} has no value"))),
            }
        }
        theme.css = css(&values);
        Ok(theme)
    }
}

/// `key = "a"` or `key = ["a", "b"]`, with an end of the line that may be a comment.
fn setting(line: &str) -> Result<(&str, Vec<String>), BadTheme> {
    let wrong = || BadTheme(format!("{line:?} is not a setting such as accent = \"#06613f\""));
    let (key, value) = line.split_once('=').ok_or_else(wrong)?;
    let parts: Vec<&str> = value.split('"').collect();
    if parts.len() < 3 || parts.len().is_multiple_of(2) {
        return Err(wrong());
    }
    Ok((key.trim(), parts.iter().skip(1).step_by(2).map(|part| (*part).to_owned()).collect()))
}

/// Only what can be nothing else than a colour or a length gets into the style.
fn check(key: &str, value: &str) -> Result<(), BadTheme> {
    let right = match key {
        "radius" => value
            .strip_suffix("px")
            .is_some_and(|n| (1..=2).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit())),
        _ => value.strip_prefix('#').is_some_and(|digits| {
            matches!(digits.len(), 3 | 6) && digits.bytes().all(|b| b.is_ascii_hexdigit())
        }),
    };
    let wants =
        if key == "radius" { "a length such as \"8px\"" } else { "a colour such as \"#06613f\"" };
    if right { Ok(()) } else { Err(BadTheme(format!("{key} is {value:?}, which is not {wants}"))) }
}

fn css(values: &[(&str, String, String)]) -> String {
    let variable = |(name, light, dark): &(&str, String, String)| match *name {
        "radius" => format!("--radius: {light}; "),
        name => format!("--{}: light-dark({light}, {dark}); ", name.replace('_', "-")),
    };
    let variables: String = values.iter().map(variable).collect();
    format!(":root {{ {variables}}}\n{STYLE}")
}

/// `GET /b/assets/style.css`.
pub(super) async fn style(State(pages): State<Pages>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEPT)];
    (headers, pages.theme.css.clone()).into_response()
}

/// `GET /b/assets/logo`: an image, and never a page, whatever is in it.
pub(super) async fn logo(State(pages): State<Pages>) -> Response {
    let Some(logo) = &pages.theme.logo else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, logo.media_type), (header::CACHE_CONTROL, KEPT)];
    (headers, logo.bytes.clone()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_variables_a_name_and_a_logo_are_read() {
        let source = "# ours\nname = \"Acme\"\nlogo = \"logo.svg\"\n\
                      accent = [\"#102030\", \"#abc\"]  # light, dark\nradius = \"2px\"\n";
        let theme = Theme::parse(source).unwrap();
        assert_eq!((theme.name.as_str(), theme.logo_file.as_deref()), ("Acme", Some("logo.svg")));
        assert!(theme.css.starts_with(":root { --accent: light-dark(#102030, #abc); "));
        assert!(theme.css.contains("--radius: 2px; "));
        assert_eq!(Theme::parse("").unwrap(), Theme::default());
    }

    #[test]
    fn nothing_else_gets_into_the_style() {
        for bad in [
            "accent = \"red; } body { display: none\"",
            "accent = \"url(https://evil.example)\"",
            "radius = \"8em\"",
            "colour = \"#fff\"",
            "accent #fff",
            "accent = ",
        ] {
            assert!(Theme::parse(bad).is_err(), "{bad} was taken");
        }
    }
}
