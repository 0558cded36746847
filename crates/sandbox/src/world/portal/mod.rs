//! The billing portal: a page on which a customer changes their card and their subscriptions.
//!
//! There is one configuration, which allows everything. [`hosted`] is the page.
//! Source: <https://docs.stripe.com/api/customer_portal/sessions>

mod hosted;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::World;
use super::route::Form;
use super::table::Row;
use crate::calendar::HOUR;
use crate::error::{Answer, ApiError};
use crate::ids;
use crate::params::{Field, Kind, Params, may, need};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PortalSession {
    id: String,
    created: i64,
    customer: String,
    return_url: Option<String>,
    flow: Option<Flow>,
}

/// One thing that the session is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Flow {
    kind: String,
    subscription: Option<String>,
    /// Item, price and quantity to be confirmed.
    items: Vec<(Option<String>, Option<String>, Option<i64>)>,
    /// Where to go when it is done.
    redirect: Option<String>,
}

/// A link works for so long.
const LIVES: i64 = HOUR;

impl Row for PortalSession {
    const KIND: &'static str = "portal_session";
    fn id(&self) -> &str {
        &self.id
    }
}

const SUBSCRIPTION: &[Field] = &[need("subscription", Kind::Text)];
const ITEM: &[Field] =
    &[need("id", Kind::Text), may("price", Kind::Text), may("quantity", Kind::Int(0, 999_999))];
const CONFIRM: &[Field] =
    &[need("subscription", Kind::Text), need("items", Kind::List(&Kind::Object(ITEM)))];
const REDIRECT: &[Field] = &[need("return_url", Kind::Text)];
const AFTER: &[Field] = &[
    need("type", Kind::OneOf(&["portal_homepage", "redirect"])),
    may("redirect", Kind::Object(REDIRECT)),
];
const FLOW: &[Field] = &[
    need(
        "type",
        Kind::OneOf(&[
            "payment_method_update",
            "subscription_cancel",
            "subscription_update",
            "subscription_update_confirm",
        ]),
    ),
    may("subscription_cancel", Kind::Object(SUBSCRIPTION)),
    may("subscription_update", Kind::Object(SUBSCRIPTION)),
    may("subscription_update_confirm", Kind::Object(CONFIRM)),
    may("after_completion", Kind::Object(AFTER)),
];
const CREATE: &[Field] = &[
    need("customer", Kind::Text),
    may("configuration", Kind::Text),
    may("flow_data", Kind::Object(FLOW)),
    may("locale", Kind::Text),
    may("return_url", Kind::Text),
];

impl World {
    pub(super) fn create_portal_session(&mut self, form: &Form) -> Answer {
        let params = form.check(&[CREATE])?;
        let customer = params.text("customer").unwrap_or_default();
        self.customer_param(customer)?;
        if let Some(id) = params.text("configuration")
            && id != self.portal_configuration()
        {
            return Err(ApiError::unknown_reference("configuration", id, "configuration"));
        }
        let flow = match params.is_object("flow_data") {
            true => Some(self.read_flow(customer, &params.object("flow_data"))?),
            false => None,
        };
        let session = PortalSession {
            id: self.new_id("bps_"),
            created: self.now(),
            customer: customer.to_owned(),
            return_url: params.string("return_url"),
            flow,
        };
        let rendered = self.render_portal_session(&session);
        self.portal_sessions.put(session);
        self.emit("billing_portal.session.created", rendered.clone());
        Ok(rendered)
    }

    fn read_flow(&self, customer: &str, given: &Params) -> Result<Flow, ApiError> {
        let kind = given.text("type").unwrap_or_default();
        let inner = given.object(kind);
        let at = format!("flow_data[{kind}][subscription]");
        let subscription = inner.string("subscription");
        match &subscription {
            Some(id) => {
                let found = self.subscriptions.get(id);
                found
                    .filter(|found| found.customer == customer)
                    .ok_or_else(|| ApiError::unknown_reference("subscription", id, &at))?;
            }
            None if kind != "payment_method_update" => {
                let message = format!("Missing required param: {at}.");
                return Err(ApiError::invalid("parameter_missing", &at, message));
            }
            None => {}
        }
        let items = inner.objects("items");
        Ok(Flow {
            kind: kind.to_owned(),
            subscription,
            items: items
                .iter()
                .map(|item| (item.string("id"), item.string("price"), item.int("quantity")))
                .collect(),
            redirect: given.object("after_completion").object("redirect").string("return_url"),
        })
    }

    fn portal_configuration(&self) -> String {
        format!("bpc_{}", ids::text(self.meta.seed, "portal configuration", 24))
    }

    fn portal_url(&self, session: &PortalSession) -> String {
        format!("{}/portal/{}", self.meta.base_url, self.portal_token(&session.id))
    }

    /// The secret part of the link: knowing the session's id is not enough.
    fn portal_token(&self, id: &str) -> String {
        format!("test_{}", ids::text(self.meta.seed, &format!("portal {id}"), 40))
    }

    fn portal_session_by_token(&self, token: &str) -> Option<&PortalSession> {
        let mut sessions = self.portal_sessions.newest_first();
        sessions.find(|session| self.portal_token(&session.id) == token)
    }

    fn render_portal_session(&self, session: &PortalSession) -> Value {
        json!({
            "id": session.id,
            "object": "billing_portal.session",
            "configuration": self.portal_configuration(),
            "created": session.created,
            "customer": session.customer,
            "customer_account": null,
            "flow": session.flow.as_ref().map(render_flow),
            "livemode": false,
            "locale": null,
            "on_behalf_of": null,
            "return_url": session.return_url,
            "url": self.portal_url(session),
        })
    }
}

fn render_flow(flow: &Flow) -> Value {
    let subscription = flow.subscription.as_deref();
    let of = |kind: &str| subscription.filter(|_| flow.kind == kind);
    let items = flow.items.iter().map(|(id, price, quantity)| {
        let mut item = json!({"id": id, "price": price});
        if let Some(quantity) = quantity {
            item["quantity"] = json!(quantity);
        }
        item
    });
    json!({
        "after_completion": {
            "hosted_confirmation": null,
            "redirect": flow.redirect.as_ref().map(|url| json!({"return_url": url})),
            "type": if flow.redirect.is_some() { "redirect" } else { "portal_homepage" },
        },
        "customer_update": null,
        "subscription_cancel": of("subscription_cancel")
            .map(|id| json!({"retention": null, "subscription": id})),
        "subscription_pause": null,
        "subscription_update": of("subscription_update").map(|id| json!({"subscription": id})),
        "subscription_update_confirm": of("subscription_update_confirm").map(|id| json!({
            "discounts": null, "items": items.collect::<Vec<_>>(), "subscription": id,
        })),
        "type": flow.kind,
    })
}
