//! The one style and the one script, as files of their own: nothing comes from elsewhere.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("pages.js");

/// Where the style is.
pub(crate) const STYLE_PATH: &str = "/admin/assets/style.css";
/// Where the script is.
pub(crate) const SCRIPT_PATH: &str = "/admin/assets/pages.js";

/// Browsers may keep them for an hour, so that a new version is not far away.
const KEPT: &str = "public, max-age=3600";

/// The style of all pages.
pub(crate) async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, KEPT)];
    (headers, STYLE).into_response()
}

/// Shortcuts; no page needs it.
pub(crate) async fn script() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, KEPT)];
    (headers, SCRIPT).into_response()
}
