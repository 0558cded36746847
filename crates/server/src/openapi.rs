//! The OpenAPI document: what the handlers say of themselves, and what is true of all of them.

use std::collections::{BTreeMap, HashSet};

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use utoipa::OpenApi;

use crate::codes::{Code, Kind};
use crate::error::PROBLEM_JSON;
use crate::state::App;

/// What is not said at a handler.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Farthing",
        description = "What an app's customers bought, what they may use now, and every credit \
                       they hold."
    ),
    components(schemas(crate::schema::Problem)),
    tags(
        (name = "access", description = "May it, and taking it"),
        (name = "customers", description = "The app's customers, under the app's own ids"),
        (name = "buying", description = "The pricing table and checkouts"),
        (name = "billing", description = "Subscriptions, invoices and mails"),
        (name = "catalog", description = "Plans, features and packs"),
        (name = "events", description = "What the provider has told us"),
        (name = "sandbox", description = "Only where there is a sandbox"),
        (name = "provider", description = "Called by payment providers"),
        (name = "operations", description = "For those who keep the server running")
    )
)]
pub struct Document;

/// This document.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "openapi", tag = "operations",
    responses((status = 200, description = "OpenAPI 3.1", body = Object))
)]
pub async fn openapi(State(app): State<App>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.pages.openapi.clone())
}

/// The document with what holds for every operation: the key, the headers and the errors.
pub fn complete(document: utoipa::openapi::OpenApi) -> Value {
    let mut document = serde_json::to_value(document).expect("a document can always be written");
    document["info"]["license"] = json!({ "name": "Apache-2.0", "identifier": "Apache-2.0" });
    document["components"]["securitySchemes"] = json!({
        "api_key": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key `sk_test_...` or `sk_live_...`. Keys have a scope: `full`, \
                            `read` or `usage`; a key with the scope `full` reaches everything."
        }
    });
    document["components"]["responses"] = responses();
    document["components"]["parameters"] = json!({
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Makes it safe to send a request again: the answer is kept for 30 days \
                            and comes back with `Idempotent-Replayed: true`.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255 }
        }
    });
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            describe(path, method, operation);
        }
    }
    document
}

/// Adds what follows from an operation's path, method, key and body.
fn describe(path: &str, method: &str, operation: &mut Value) {
    let has_body = operation.get("requestBody").is_some();
    let mut statuses: Vec<u16> = vec![422, 500];
    if path.starts_with("/v1/") {
        statuses.extend([400, 401, 403, 429, 503]);
        if method == "post" {
            let parameter = json!({ "$ref": "#/components/parameters/IdempotencyKey" });
            match operation["parameters"].as_array_mut() {
                Some(parameters) => parameters.push(parameter),
                None => operation["parameters"] = json!([parameter]),
            }
        }
        if method != "get" {
            statuses.push(409);
        }
        if has_body || path.contains('{') {
            statuses.push(404);
        }
    }
    if has_body || method == "post" {
        statuses.extend([400, 408, 413, 415]);
    }
    match path {
        "/readyz" => statuses.push(503),
        "/metrics" => statuses.extend([429, 503]),
        "/docs" | "/openapi.json" => statuses.push(429),
        "/webhooks/stripe" => statuses.extend([404, 429, 503]),
        "/v1/plans" => statuses.push(404),
        "/v1/checkouts" | "/v1/catalog/apply" => statuses.extend([402, 502]),
        _ => {}
    }
    let mut responses: BTreeMap<String, Value> = BTreeMap::new();
    for status in statuses {
        let reference = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        responses.insert(status.to_string(), reference);
    }
    let said = operation["responses"].as_object().into_iter().flatten();
    responses.extend(said.map(|(status, response)| (status.clone(), response.clone())));
    operation["responses"] = json!(responses);
}

/// One response per status, with the codes that come with it.
fn responses() -> Value {
    let mut responses = Map::new();
    let mut statuses: Vec<u16> = Code::ALL.iter().map(|code| code.status().as_u16()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let codes = Code::ALL
            .iter()
            .filter(|code| code.status().as_u16() == status && code.kind() != Kind::Field);
        let codes: Vec<&str> = codes.map(|code| code.code()).collect();
        let schema = json!({
            "allOf": [
                { "$ref": "#/components/schemas/Problem" },
                { "type": "object", "properties": { "code": { "enum": codes } } }
            ]
        });
        let response = json!({
            "description": format!("One of: {}", codes.join(", ")),
            "content": { PROBLEM_JSON: { "schema": schema } }
        });
        responses.insert(format!("Problem{status}"), response);
    }
    Value::Object(responses)
}

/// Method and path of the operations that have no query parameters.
pub(crate) fn without_query(document: &Value) -> HashSet<(String, String)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (method, path, operation))
    });
    let has_query = |operation: &Value| {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        parameters.into_iter().any(|parameter| parameter["in"] == "query")
    };
    operations
        .filter(|(_, _, operation)| !has_query(operation))
        .map(|(method, path, _)| (method.to_uppercase(), path.clone()))
        .collect()
}
