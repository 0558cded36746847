//! From a request to its endpoint: authentication, version, idempotency, dispatch, expansion.

use serde_json::Value;

use super::World;
use super::events::Origin;
use super::faults::CallFault;
use super::idempotency::digest;
use crate::API_VERSION;
use crate::auth;
use crate::error::{Answer, ApiError};
use crate::ids;
use crate::params::{self, Field, Params};
use crate::request::{Node, Request, Response, decode};

/// The decoded parameters of a request, before its endpoint has checked them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Form {
    tree: Vec<(String, Node)>,
    expand: Vec<String>,
}

impl Form {
    fn read(pairs: &[(String, String)]) -> Result<Form, ApiError> {
        let mut form = Form { tree: decode(pairs)?, expand: Vec::new() };
        if let Some(at) = form.tree.iter().position(|(name, _)| name == "expand") {
            let (_, node) = form.tree.remove(at);
            let Node::Map(children) = node else {
                return Err(ApiError::bad_param("expand", "Invalid array: expand[]=customer"));
            };
            for (_, child) in children {
                let Node::Text(path) = child else {
                    return Err(ApiError::bad_param("expand", "Invalid array: expand[]=customer"));
                };
                form.expand.push(path);
            }
        }
        Ok(form)
    }

    /// The parameters, if they are what `specs` say together.
    pub(crate) fn check(&self, specs: &[&[Field]]) -> Result<Params, ApiError> {
        params::check(self.tree.clone(), specs)
    }
}

impl World {
    /// Answers an API request or a hosted page, at world time.
    pub fn handle(&mut self, request: &Request) -> Response {
        let (path, _) = request.split_path();
        if let Some(session) = path.strip_prefix("/checkout/") {
            return self.checkout_page(session, request);
        }
        if let Some(invoice) = path.strip_prefix("/invoice/") {
            return self.invoice_page(invoice, request);
        }
        if let Some(intent) = path.strip_prefix("/3ds/") {
            return self.challenge_page(intent, request);
        }
        if let Some(token) = path.strip_prefix("/portal/") {
            return self.portal_page(token, request);
        }
        if let Some(name) = path.strip_prefix("/_scenario") {
            return self.scenario_call(name.trim_matches('/'), request);
        }
        self.meta.requests += 1;
        let label = format!("req_{}", self.meta.requests);
        let id = format!("req_{}", ids::text(self.meta.seed, &label, 14));
        let fault = self.meta.faults.take_call(&request.method, path);
        if fault == Some(CallFault::LostBefore) {
            return Response::lost();
        }
        let mut response = self
            .answer_with(fault, request, &id)
            .unwrap_or_else(|error| json_response(error.status(), &error.body()));
        self.origin = Origin::default();
        if fault == Some(CallFault::LostAfter) {
            return Response::lost();
        }
        let mut header = |name: &str, value: &str| {
            response.headers.push((name.to_owned(), value.to_owned()));
        };
        header("content-type", "application/json");
        header("request-id", &id);
        header("stripe-version", API_VERSION);
        if let Some(key) = idempotency_key(request) {
            header("idempotency-key", &key.replace(['\r', '\n'], " "));
        }
        response
    }

    /// The answer to a request that arrived, as `fault` has it.
    fn answer_with(
        &mut self,
        fault: Option<CallFault>,
        request: &Request,
        id: &str,
    ) -> Result<Response, ApiError> {
        match fault {
            Some(CallFault::RateLimited { retry_after }) => {
                let error = ApiError::rate_limited();
                let mut response = json_response(error.status(), &error.body());
                response.headers.push(("retry-after".into(), retry_after.to_string()));
                Ok(response)
            }
            Some(CallFault::Fails { acted }) => {
                let (path, _) = request.split_path();
                let asked = digest(path, &request.pairs()?);
                if acted {
                    self.answer(request, id)?;
                }
                let error = ApiError::internal(
                    "An unknown error occurred. It is not said whether the request had its effect.",
                );
                let response = json_response(error.status(), &error.body());
                if let Some(key) = idempotency_key(request) {
                    self.keep(key, asked, &response, id);
                }
                Ok(response)
            }
            Some(CallFault::LostAfter | CallFault::LostBefore) | None => self.answer(request, id),
        }
    }

    fn answer(&mut self, request: &Request, id: &str) -> Result<Response, ApiError> {
        auth::check(request)?;
        let (path, _) = request.split_path();
        let pairs = request.pairs()?;
        let key = idempotency_key(request);
        let asked = digest(path, &pairs);
        if let Some(key) = key
            && let Some(kept) = self.replay(key, &asked)?
        {
            return Ok(kept);
        }
        self.origin =
            Origin { request: Some(id.to_owned()), idempotency_key: key.map(str::to_owned) };
        let form = Form::read(&pairs)?;
        // Expansions are checked before anything happens, so that a typing error changes nothing.
        self.check_expand(&form.expand)?;
        let response = match self.dispatch(&request.method, path, &form) {
            Ok(mut value) => {
                let expanded = self.expand(&mut value, &form.expand);
                // A request that had its effect is not turned into an error afterwards.
                if request.method == "GET" {
                    expanded?;
                }
                json_response(200, &value)
            }
            Err(error) => json_response(error.status(), &error.body()),
        };
        if let Some(key) = key {
            self.keep(key, asked, &response, id);
        }
        Ok(response)
    }

    fn dispatch(&mut self, method: &str, path: &str, form: &Form) -> Answer {
        let unknown = || ApiError::no_such_url(method, path);
        let trimmed = path.strip_prefix("/v1/").ok_or_else(unknown)?;
        let segments: Vec<&str> = trimmed.trim_end_matches('/').split('/').collect();
        let answer = match method {
            "GET" => self.get(&segments, form).map(|answer| answer.map(|list| self.lagging(list))),
            "POST" => self.post(&segments, form),
            "DELETE" => self.delete(&segments, form),
            _ => None,
        };
        answer.unwrap_or_else(|| Err(unknown()))
    }

    /// A list without what is too young for a replica that lags.
    fn lagging(&self, mut list: Value) -> Value {
        let lag = self.meta.faults.stale_seconds();
        let newest = self.now() - lag;
        if lag > 0
            && list["object"] == "list"
            && let Some(data) = list["data"].as_array_mut()
        {
            data.retain(|row| row["created"].as_i64().is_none_or(|created| created <= newest));
        }
        list
    }

    /// `None` if there is no such endpoint; the same below.
    fn get(&self, segments: &[&str], form: &Form) -> Option<Answer> {
        Some(match segments {
            ["customers"] => self.list_customers(form),
            ["customers", id, "payment_methods"] => self.list_customer_payment_methods(id, form),
            ["products"] => self.list_products(form),
            ["prices"] => self.list_prices(form),
            ["checkout", "sessions"] => self.list_sessions(form),
            ["checkout", "sessions", id, "line_items"] => self.list_session_items(id, form),
            ["payment_methods"] => self.list_payment_methods(form),
            ["subscriptions"] => self.list_subscriptions(form),
            ["subscription_items"] => self.list_subscription_items(form),
            ["subscription_schedules"] => self.list_schedules(form),
            ["invoices"] => self.list_invoices(form),
            ["invoices", id, "lines"] => self.list_invoice_lines(id, form),
            ["invoice_payments"] => self.list_invoice_payments(form),
            ["payment_intents"] => self.list_payment_intents(form),
            ["setup_intents"] => self.list_setup_intents(form),
            ["charges"] => self.list_charges(form),
            ["disputes"] => self.list_disputes(form),
            ["refunds"] => self.list_refunds(form),
            ["events"] => self.list_events(form),
            ["webhook_endpoints"] => self.list_endpoints(form),
            ["account"] => form.check(&[]).map(|_| self.render_account()),
            _ => self.retrieve(segments, form)?,
        })
    }

    fn retrieve(&self, segments: &[&str], form: &Form) -> Option<Answer> {
        let find: fn(&World, &str) -> Answer = match segments {
            ["customers", _] => World::retrieve_customer,
            ["products", _] => World::retrieve_product,
            ["prices", _] => World::retrieve_price,
            ["checkout", "sessions", _] => World::retrieve_session,
            ["payment_methods", _] => World::retrieve_payment_method,
            ["subscriptions", _] => World::retrieve_subscription,
            ["subscription_items", _] => World::retrieve_subscription_item,
            ["subscription_schedules", _] => World::retrieve_schedule,
            ["invoices", _] => World::retrieve_invoice,
            ["invoice_payments", _] => World::retrieve_invoice_payment,
            ["payment_intents", _] => World::retrieve_payment_intent,
            ["setup_intents", _] => World::retrieve_setup_intent,
            ["charges", _] => World::retrieve_charge,
            ["disputes", _] => World::retrieve_dispute,
            ["refunds", _] => World::retrieve_refund,
            ["events", _] => World::retrieve_event,
            ["webhook_endpoints", _] => World::retrieve_endpoint,
            _ => return None,
        };
        let id = segments.last().copied().unwrap_or_default();
        Some(form.check(&[]).and_then(|_| find(self, id)))
    }

    fn post(&mut self, segments: &[&str], form: &Form) -> Option<Answer> {
        Some(match segments {
            ["customers"] => self.create_customer(form),
            ["customers", id] => self.update_customer(id, form),
            ["products"] => self.create_product(form),
            ["products", id] => self.update_product(id, form),
            ["prices"] => self.create_price(form),
            ["prices", id] => self.update_price(id, form),
            ["checkout", "sessions"] => self.create_session(form),
            ["checkout", "sessions", id, "expire"] => self.expire_session_now(id, form),
            ["payment_methods"] => self.create_payment_method(form),
            ["payment_methods", id, "attach"] => self.attach_payment_method(id, form),
            ["payment_methods", id, "detach"] => self.detach_payment_method(id, form),
            ["subscriptions"] => self.create_subscription(form),
            ["subscriptions", id] => self.update_subscription(id, form),
            ["subscription_schedules"] => self.create_schedule(form),
            ["subscription_schedules", id] => self.update_schedule(id, form),
            ["subscription_schedules", id, "release"] => self.release_schedule(id, form),
            ["subscription_schedules", id, "cancel"] => self.cancel_schedule(id, form),
            ["invoices", "create_preview"] => self.create_preview(form),
            ["invoices", id] => self.edit_invoice(id, form),
            ["invoices", id, "finalize"] => self.finalize_invoice_now(id, form),
            ["invoices", id, "pay"] => self.pay_invoice(id, form),
            ["invoices", id, "mark_uncollectible"] => self.mark_uncollectible(id, form),
            ["invoices", id, "void"] => self.void_invoice(id, form),
            ["disputes", id] => self.update_dispute(id, form),
            ["disputes", id, "close"] => self.close_dispute(id, form),
            ["billing_portal", "sessions"] => self.create_portal_session(form),
            ["refunds"] => self.create_refund(form),
            ["refunds", id] => self.update_refund(id, form),
            ["webhook_endpoints"] => self.create_endpoint(form),
            ["webhook_endpoints", id] => self.update_endpoint(id, form),
            _ => return None,
        })
    }

    fn delete(&mut self, segments: &[&str], form: &Form) -> Option<Answer> {
        Some(match segments {
            ["customers", id] => self.delete_customer(id, form),
            ["products", id] => self.delete_product(id, form),
            ["subscriptions", id] => self.cancel_subscription(id, form),
            ["webhook_endpoints", id] => form.check(&[]).and_then(|_| self.delete_endpoint(id)),
            _ => return None,
        })
    }
}

fn idempotency_key(request: &Request) -> Option<&str> {
    request.header("idempotency-key").filter(|_| request.method == "POST")
}

fn json_response(status: u16, body: &Value) -> Response {
    let body = serde_json::to_vec_pretty(body).expect("rendered objects are valid JSON");
    Response { status, headers: Vec::new(), body }
}
