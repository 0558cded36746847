//! The way in and out: what can be reached without being signed in to the end.

use axum::Router;
use axum::http::header;
use axum::response::Response;
use axum::routing::{get, post};
use farthing_engine::operators::sessions::{NewSession, Stage};

use super::desk::Hall;
use super::{confirm, link, paths, second_factor, sign_in};
use crate::cookies::{self, Cookie};
use crate::refusal;
use crate::site::Site;

pub(crate) fn router() -> Router<Site> {
    Router::new()
        .route("/admin/sign-in", get(sign_in::show).post(sign_in::check))
        .route("/admin/sign-out", post(sign_in::sign_out))
        .route("/admin/link/{token}", get(link::show).post(link::accept))
        .route("/admin/link/{token}/enter", post(link::enter))
        .route("/admin/second-factor", get(second_factor::show).post(second_factor::check))
        .route("/admin/second-factor/set-up", post(second_factor::set_up))
        .route("/admin/second-factor/skip", post(second_factor::skip))
        .route("/admin/confirm", get(confirm::show).post(confirm::check))
}

/// Sends somebody on with a new session: to what is left of signing in, or to `next`.
pub(crate) fn let_in(hall: &Hall, session: &NewSession, next: &str) -> Response {
    let next = paths::onward(next);
    let mut answer = match session.stage {
        Stage::Full => refusal::to(next),
        Stage::Password | Stage::Enrolling => {
            refusal::to(&format!("/admin/second-factor?next={}", paths::encode(next)))
        }
    };
    write_cookies(hall, session, &mut answer);
    answer
}

/// Gives the browser the session's cookie.
pub(crate) fn write_cookies(hall: &Hall, session: &NewSession, answer: &mut Response) {
    let secure = hall.site.base.is_secure();
    let headers = answer.headers_mut();
    headers.append(header::SET_COOKIE, cookies::set(Cookie::Session, &session.token, secure));
    if session.stage == Stage::Full {
        headers.append(header::SET_COOKIE, cookies::set(Cookie::Known, &session.token, secure));
    }
}
