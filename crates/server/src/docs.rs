//! The page at `/docs`: the OpenAPI document for people, made once, without a script and without
//! anything from elsewhere.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::codes::{Code, Kind};
use crate::state::App;

const STYLE: &str = include_str!("docs.css");

/// The page and what it may load: its own style and nothing else.
pub(crate) struct Page {
    html: String,
    policy: String,
}

/// This API for people.
#[utoipa::path(
    get, path = "/docs", operation_id = "docs", tag = "operations",
    responses((status = 200, description = "A page", body = String, content_type = "text/html"))
)]
pub async fn docs(State(app): State<App>) -> Response {
    let page = &app.pages.docs;
    let mut response =
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.html.clone()).into_response();
    if let Ok(policy) = HeaderValue::from_str(&page.policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let referrer = HeaderValue::from_static("no-referrer");
    response.headers_mut().insert(header::REFERRER_POLICY, referrer);
    response
}

/// Renders the document.
pub(crate) fn page(document: &Value) -> Page {
    let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    let tags = document["tags"].as_array().map(Vec::as_slice).unwrap_or_default();
    let html = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Farthing API" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (navigation(document, tags))
                main {
                    h1 { "Farthing API" }
                    p { (prose(&document["info"]["description"])) }
                    p {
                        "Send " code { "Authorization: Bearer sk_…" } " with every request under "
                        code { "/v1" } ". The same for machines: "
                        a href="/openapi.json" { "/openapi.json" } "."
                    }
                    @for tag in tags { (section(document, tag)) }
                    (schemas(document))
                    (errors())
                }
            }
        }
    };
    Page { html: html.into_string(), policy }
}

fn navigation(document: &Value, tags: &[Value]) -> Markup {
    html! {
        nav {
            @for tag in tags {
                h2 { a href={ "#tag-" (text(&tag["name"])) } { (text(&tag["name"])) } }
                ul {
                    @for (method, path, operation) in operations(document, text(&tag["name"])) {
                        li {
                            a href={ "#" (text(&operation["operationId"])) } {
                                span class={ "method " (method) } { (method) } " " (path)
                            }
                        }
                    }
                }
            }
            h2 { a href="#schemas" { "schemas" } }
            h2 { a href="#errors" { "errors" } }
        }
    }
}

fn section(document: &Value, tag: &Value) -> Markup {
    let name = text(&tag["name"]);
    html! {
        section id={ "tag-" (name) } {
            h2 { (name) }
            p { (prose(&tag["description"])) }
            @for (method, path, operation) in operations(document, name) {
                (operation_article(document, method, path, operation))
            }
        }
    }
}

/// The operations with this tag, in the order of their paths.
fn operations<'a>(
    document: &'a Value,
    tag: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str, &'a Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| {
        let methods = item.as_object().into_iter().flatten();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    });
    all.filter(move |(_, _, operation)| operation["tags"][0] == tag)
}

fn operation_article(document: &Value, method: &str, path: &str, operation: &Value) -> Markup {
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
    let responses = operation["responses"].as_object().into_iter().flatten();
    html! {
        article id=(text(&operation["operationId"])) {
            h3 { span class={ "method " (method) } { (method) } " " code { (path) } }
            p { (prose(&operation["summary"])) }
            @if operation.get("description").is_some() { p { (prose(&operation["description"])) } }
            p class="scopes" { (scopes(operation)) }
            @if !parameters.is_empty() {
                table {
                    tr { th { "Parameter" } th { "In" } th { "What" } }
                    @for parameter in parameters.iter().map(|it| resolve(document, it)) {
                        tr {
                            td { code { (text(&parameter["name"])) } }
                            td { (text(&parameter["in"])) }
                            td { (prose(&parameter["description"])) }
                        }
                    }
                }
            }
            @for (media, body) in bodies {
                p { "Body: " code { (media) } " " (type_of(&body["schema"])) }
                @if let Some(example) = example(document, &body["schema"]) { pre { (example) } }
            }
            table {
                tr { th { "Answer" } th { "What" } th { "Body" } }
                @for (status, response) in responses {
                    @let response = resolve(document, response);
                    tr {
                        td { (status) }
                        td { (prose(&response["description"])) }
                        td {
                            @for (_, content) in response["content"].as_object().into_iter().flatten() {
                                @if status.starts_with('2') { (type_of(&content["schema"])) }
                                @else { a href="#schema-Problem" { "Problem" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Which keys reach an operation.
fn scopes(operation: &Value) -> String {
    let alternatives = operation["security"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<&str> = alternatives.iter().filter_map(|it| it["api_key"][0].as_str()).collect();
    match names.as_slice() {
        [] => "No API key is needed.".to_owned(),
        ["full"] => "Needs a key with the scope full.".to_owned(),
        names => format!("Needs a key with the scope {} or full.", names.join(", ")),
    }
}

fn schemas(document: &Value) -> Markup {
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    html! {
        section id="schemas" {
            h2 { "schemas" }
            @for (name, schema) in schemas {
                article id={ "schema-" (name) } {
                    h3 { code { (name) } }
                    p { (prose(&schema["description"])) }
                    (fields(schema))
                    @if let Some(example) = schema.get("example") { pre { (pretty(example)) } }
                }
            }
        }
    }
}

fn fields(schema: &Value) -> Markup {
    let properties = schema["properties"].as_object().into_iter().flatten();
    let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
    let variants: Vec<&str> =
        schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    html! {
        @if schema.get("properties").is_some() {
            table {
                tr { th { "Field" } th { "Type" } th { "What" } }
                @for (name, field) in properties {
                    tr {
                        td {
                            code { (name) }
                            @if required.iter().any(|it| it == name) { " " b title="required" { "*" } }
                        }
                        td { (type_of(field)) }
                        td { (prose(&field["description"])) }
                    }
                }
            }
        } @else if !variants.is_empty() {
            p { "One of: " code { (variants.join(", ")) } }
        } @else {
            p { (type_of(schema)) }
        }
    }
}

/// A schema in a few words, with a link where it has a name.
fn type_of(schema: &Value) -> Markup {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#schema-" (name) } { (name) } };
    }
    for (word, separator) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[word].as_array() {
            return html! {
                @for (place, part) in parts.iter().enumerate() {
                    @if 0 < place { (separator) }
                    (type_of(part))
                }
            };
        }
    }
    let names = match &schema["type"] {
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        name => name.as_str().into_iter().collect::<Vec<_>>(),
    };
    html! {
        @if names.is_empty() { "any" } @else { (names.join(" or ")) }
        @if let Some(items) = schema.get("items") { " of " (type_of(items)) }
        @if let Some(values) = schema.get("additionalProperties").filter(|it| it.is_object()) {
            " of " (type_of(values))
        }
        @if let Some(format) = schema["format"].as_str() { " (" (format) ")" }
    }
}

fn errors() -> Markup {
    let named = Code::ALL.iter().map(|code| (code, code.advice()));
    html! {
        section id="errors" {
            h2 { "errors" }
            table {
                tr { th { "Code" } th { "Status" } th { "What happened" } th { "What to do" } }
                @for (code, (meaning, todo)) in named {
                    tr id=(code.code()) {
                        td { code { (code.code()) } }
                        td {
                            @if code.kind() == Kind::Field { "in errors[]" }
                            @else { (code.status().as_u16()) }
                        }
                        td { (code_in(meaning)) }
                        td { (code_in(todo)) }
                    }
                }
            }
        }
    }
}

fn example(document: &Value, schema: &Value) -> Option<String> {
    resolve(document, schema).get("example").map(pretty)
}

/// What a reference inside of the document points to; anything else is itself.
fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A description in the document.
fn prose(value: &Value) -> Markup {
    code_in(text(value))
}

/// A text, with what is between backquotes as code.
fn code_in(text: &str) -> Markup {
    html! {
        @for (place, part) in text.split('`').enumerate() {
            @if place % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
