//! Every screen, with what it takes to see or do it. Nothing else lets anybody in.

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use farthing_engine::operators::roles::needs_step_up;
use farthing_engine::operators::{Action, may};

use super::{
    audit, catalog, checks, customer, customers, disputes, drift, events, help, home, keys, lab,
    outbox, refunds, team, you,
};
use crate::guard::Visitor;
use crate::refusal::Refusal;
use crate::site::Site;

/// One screen, or one thing that a form does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen {
    /// `GET` or `POST`.
    pub method: Method,
    /// With `{names}` where something is named.
    pub path: &'static str,
    /// What it takes.
    pub action: Action,
}

/// All screens.
pub fn screens() -> Vec<Screen> {
    all().list
}

pub(crate) fn router() -> Router<Site> {
    all().router
}

#[rustfmt::skip]
fn all() -> Screens {
    use Action::{ApplyCatalog, AskRefund, Refund, Audit, ChangePlan, Favour, Keys, Lab, Look, Note, Repair, Team};
    Screens::default()
        .get("/admin", Look, home::show)
        .get("/admin/help", Look, help::show)
        .get("/admin/you", Look, you::show)
        .post("/admin/you/sessions/{id}/end", Look, you::end_session)
        .post("/admin/you/theme", Look, you::theme)
        .get("/admin/customers", Look, customers::list)
        .get("/admin/customers/{id}", Look, customer::show)
        .post("/admin/customers/{id}/notes", Note, customer::note)
        .get("/admin/customers/{id}/change", ChangePlan, customer::change::preview)
        .post("/admin/customers/{id}/change", ChangePlan, customer::change::make)
        .get("/admin/customers/{id}/overrides", Favour, customer::favour::form)
        .post("/admin/customers/{id}/overrides", Favour, customer::favour::put)
        .post("/admin/customers/{id}/overrides/{feature}/end", Favour, customer::favour::end)
        .get("/admin/customers/{id}/refund", AskRefund, refunds::form)
        .post("/admin/customers/{id}/refund", AskRefund, refunds::ask)
        .get("/admin/refunds", Look, refunds::list)
        .get("/admin/refunds/{id}", Look, refunds::show)
        .post("/admin/refunds/{id}/approve", Refund, refunds::approve)
        .post("/admin/refunds/{id}/reject", Refund, refunds::reject)
        .get("/admin/disputes", Look, disputes::list)
        .get("/admin/catalog", Look, catalog::show)
        .get("/admin/catalog/versions/{version}", Look, catalog::version)
        .post("/admin/catalog/plan", ApplyCatalog, catalog::plan)
        .post("/admin/catalog/apply", ApplyCatalog, catalog::apply)
        .get("/admin/events", Look, events::list)
        .get("/admin/events/{id}", Look, events::show)
        .get("/admin/events/{id}/replay", Repair, events::preview)
        .post("/admin/events/{id}/replay", Repair, events::replay)
        .get("/admin/outbox", Look, outbox::list)
        .get("/admin/checks", Look, checks::show)
        .post("/admin/customers/{id}/reconcile", Repair, drift::reconcile)
        .get("/admin/drift", Look, drift::list)
        .post("/admin/drift/{id}/ignore", Repair, drift::ignore)
        .get("/admin/lab", Lab, lab::show)
        .post("/admin/lab/advance", Lab, lab::advance)
        .get("/admin/keys", Keys, keys::show)
        .post("/admin/keys", Keys, keys::create)
        .get("/admin/keys/{id}/revoke", Keys, keys::ask_revoke)
        .post("/admin/keys/{id}/revoke", Keys, keys::revoke)
        .get("/admin/team", Team, team::show)
        .post("/admin/team", Team, team::invite)
        .post("/admin/team/{id}/role", Team, team::change_role)
        .get("/admin/team/{id}/reset", Team, team::ask_reset)
        .post("/admin/team/{id}/reset", Team, team::reset)
        .get("/admin/team/{id}/remove", Team, team::ask_remove)
        .post("/admin/team/{id}/remove", Team, team::remove)
        .get("/admin/audit", Audit, audit::show)
}

#[derive(Default)]
struct Screens {
    router: Router<Site>,
    list: Vec<Screen>,
}

impl Screens {
    fn get<H, T>(self, path: &'static str, action: Action, handler: H) -> Self
    where
        H: Handler<T, Site>,
        T: 'static,
    {
        self.add(Method::GET, path, action, get(handler))
    }

    fn post<H, T>(self, path: &'static str, action: Action, handler: H) -> Self
    where
        H: Handler<T, Site>,
        T: 'static,
    {
        self.add(Method::POST, path, action, post(handler))
    }

    fn add(
        mut self,
        method: Method,
        path: &'static str,
        action: Action,
        route: MethodRouter<Site>,
    ) -> Self {
        let guarded = route.route_layer(from_fn(move |request: Request, next: Next| {
            permit(action, request, next)
        }));
        self.router = self.router.route(path, guarded);
        self.list.push(Screen { method, path, action });
        self
    }
}

/// Lets through whoever may do `action`.
async fn permit(action: Action, request: Request, next: Next) -> Response {
    let Some(visitor) = request.extensions().get::<Visitor>() else {
        return Refusal::Internal.into_response();
    };
    let Some(signed) = visitor.signed.as_ref().filter(|signed| super::is_whole(signed)) else {
        return Refusal::SignIn(visitor.here.clone()).into_response();
    };
    if !may(signed.person.role, action) {
        return Refusal::Forbidden(action).into_response();
    }
    let changes = request.method() != Method::GET;
    if changes && needs_step_up(action) && !visitor.confirmed {
        return Refusal::StepUp(visitor.here.clone()).into_response();
    }
    next.run(request).await
}
