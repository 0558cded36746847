//! The document says what is there, and nothing else is there.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;

use crate::harness::Server;

const METHODS: [&str; 5] = ["GET", "PUT", "POST", "DELETE", "PATCH"];

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    let all = paths.flat_map(|(path, item)| {
        let item = item.as_object().unwrap().iter();
        item.map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    });
    all.collect()
}

#[tokio::test]
async fn the_router_answers_what_the_document_lists_and_nothing_else() {
    let server = Server::new();
    let document = farthing_server::openapi_document();
    let listed: BTreeSet<(String, String)> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let paths: BTreeSet<&String> = listed.iter().map(|(_, path)| path).collect();
    for path in paths {
        for method in METHODS {
            let uri = path
                .replace("{id}", "a")
                .replace("{feature}", "b")
                .replace("{method}", "c")
                .replace("{name}", "d");
            let request = Request::builder().method(method).uri(uri).body(Body::empty()).unwrap();
            let answer = server.send(request).await;
            let there = answer.status != 405;
            let listed = listed.contains(&(method.to_owned(), path.clone()));
            assert_eq!(there, listed, "{method} {path}: {}", answer.status);
            if there {
                assert_ne!(answer.status, 404, "{method} {path}");
            }
        }
    }
    let source = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src")).unwrap();
    let files = source.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for other in [".route(", ".route_service(", ".nest(", ".nest_service("] {
            assert!(!text.contains(other), "{}: use .routes(routes!(…))", file.display());
        }
    }
}

/// A parameter that is ignored is one that somebody counts on, such as `?preview=true`.
#[tokio::test]
async fn every_operation_refuses_a_parameter_that_it_does_not_know() {
    let server = Server::new();
    let document = farthing_server::openapi_document();
    let mut asked = 0;
    for (method, path, _) in operations(&document) {
        let uri = path
            .replace("{id}", "a")
            .replace("{feature}", "b")
            .replace("{method}", "c")
            .replace("{name}", "d");
        let method = method.parse().unwrap();
        let answer = server.raw(method, &format!("{uri}?nonsense=1"), b"{}".to_vec()).await;
        assert_eq!(answer.status, 422, "{path}: {answer:?}");
        assert_eq!(answer.fields(), ["?nonsense unknown_field"], "{path}");
        asked += 1;
    }
    assert!(30 < asked, "only {asked} operations");
}

#[test]
fn the_list_of_operations_is_what_it_was() {
    let document = farthing_server::openapi_document();
    let lines = operations(&document).into_iter().map(|(method, path, operation)| {
        let scopes = operation["security"].as_array().into_iter().flatten();
        let scopes: Vec<&str> = scopes.map(|it| it["api_key"][0].as_str().unwrap()).collect();
        let statuses: Vec<&str> =
            operation["responses"].as_object().unwrap().keys().map(String::as_str).collect();
        let id = operation["operationId"].as_str().unwrap();
        format!("{method} {path} {id} [{}] {}", scopes.join(" "), statuses.join(" "))
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_operation_says_what_it_does_takes_and_answers() {
    let document = farthing_server::openapi_document();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let what = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{what}: id used twice");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{what}");
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
            let name = name.trim_end_matches('}');
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(parameters.iter().any(|it| it["name"] == name), "{what}: {name}");
        }
        let responses = operation["responses"].as_object().unwrap();
        let fine = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap();
        assert!(fine.0 == "204" || fine.1.get("content").is_some(), "{what}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
                    found.push(reference);
                }
                fields.values().for_each(|value| walk(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let document = farthing_server::openapi_document();
    let mut found = Vec::new();
    walk(&document, &mut found);
    assert!(50 < found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("it stays in the document");
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
    let all = document.to_string();
    for code in farthing_server::codes::Code::ALL {
        let named = all.contains(&format!("\"{}\"", code.code()));
        assert!(named || code.kind() == farthing_server::codes::Kind::Field, "{code:?}");
    }
}

#[tokio::test]
async fn the_document_and_the_page_are_served_without_a_key() {
    let server = Server::new();
    let get = |path: &str| server.send(Request::get(path).body(Body::empty()).unwrap());
    let answer = get("/openapi.json").await;
    assert_eq!(answer.json(), farthing_server::openapi_document());
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3.1"));
    let page = get("/docs").await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    let html = String::from_utf8(page.body).unwrap();
    for forbidden in ["<script", " style=", "<link", "<img", "http://", "https://"] {
        assert!(!html.contains(forbidden), "the page has {forbidden}");
    }
    assert!(!html.contains('`'), "what is code is shown as code");
    let document = farthing_server::openapi_document();
    for (_, path, operation) in operations(&document) {
        assert!(html.contains(&path) && html.contains(operation["operationId"].as_str().unwrap()));
    }
    for link in html.split("href=\"#").skip(1) {
        let target = link.split('"').next().unwrap();
        assert!(html.contains(&format!("id=\"{target}\"")), "#{target} leads nowhere");
    }
}
