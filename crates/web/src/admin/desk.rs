//! What a handler takes: somebody who is signed in, and everything that a page is made with.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_engine::operators::sessions::Signed;
use farthing_engine::operators::{Action, may};
use farthing_engine::{Call, Engine, EngineError};
use maud::{Markup, html};

use crate::forms;
use crate::guard::Visitor;
use crate::layout::{self, Frame};
use crate::refusal::Refusal;
use crate::site::Site;

/// What a handler answers.
pub(crate) type Answer = Result<Response, Refusal>;

/// Somebody who is signed in to the end, and what their page needs.
pub(crate) struct Desk {
    pub(crate) site: Site,
    pub(crate) signed: Signed,
    pub(crate) visitor: Visitor,
}

impl FromRequestParts<Site> for Desk {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refusal> {
        let visitor = Hall::from_request_parts(parts, site).await?.visitor;
        let signed = visitor.signed.clone().filter(super::is_whole);
        let signed = signed.ok_or_else(|| Refusal::SignIn(visitor.here.clone()))?;
        Ok(Self { site: site.clone(), signed, visitor })
    }
}

impl Desk {
    /// Asks the engine, on a thread that may block.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Engine) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.site.ask(work).await
    }

    /// Who asks, for the audit log.
    pub(crate) fn call(&self) -> Call {
        self.signed.call(&self.visitor.request_id)
    }

    /// The engine's instant, which in a sandbox is the sandbox's.
    pub(crate) fn now(&self) -> Timestamp {
        self.site.engine.now()
    }

    /// Whether the person may do it.
    pub(crate) fn may(&self, action: Action) -> bool {
        may(self.signed.person.role, action)
    }

    /// The field that every form carries.
    pub(crate) fn field(&self) -> Markup {
        forms::field(&self.visitor.token)
    }

    /// A whole page.
    pub(crate) fn page(&self, title: &str, body: &Markup) -> Answer {
        let frame = Frame {
            title,
            person: Some(&self.signed.person),
            path: &self.visitor.path,
            theme: self.visitor.theme.as_deref(),
            token: &self.visitor.token,
            mode: self.site.engine.mode(),
        };
        Ok(html_response(&layout::page(&frame, body)))
    }

    /// A button that posts to `path`, alone in its form.
    pub(crate) fn button(&self, path: &str, text: &str, class: &str) -> Markup {
        html! {
            form.inline method="post" action=(path) {
                (self.field())
                button class=(class) type="submit" { (text) }
            }
        }
    }
}

/// Whoever stands in front of the door: signed in, half-way, or not at all.
pub(crate) struct Hall {
    pub(crate) site: Site,
    pub(crate) visitor: Visitor,
}

impl FromRequestParts<Site> for Hall {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Refusal> {
        let visitor = parts.extensions.get::<Visitor>().cloned().ok_or(Refusal::Internal)?;
        Ok(Self { site: site.clone(), visitor })
    }
}

impl Hall {
    /// A page for whoever is not in yet.
    pub(crate) fn page(&self, title: &str, body: &Markup) -> Response {
        let frame = Frame {
            title,
            person: None,
            path: &self.visitor.path,
            theme: self.visitor.theme.as_deref(),
            token: &self.visitor.token,
            mode: self.site.engine.mode(),
        };
        html_response(&layout::page(&frame, body))
    }

    /// The field that every form carries.
    pub(crate) fn field(&self) -> Markup {
        forms::field(&self.visitor.token)
    }
}

/// A page as an answer.
pub(crate) fn html_response(page: &Markup) -> Response {
    let html = header::HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, html)], page.clone().into_string()).into_response()
}

/// A customer's id out of a path. Errors: there is nobody of such an id.
pub(crate) fn customer_id(text: &str) -> Result<CustomerId, Refusal> {
    let missing = || EngineError::NotFound { what: "customer", id: text.to_owned() };
    text.parse().map_err(|_| Refusal::Engine(missing()))
}
