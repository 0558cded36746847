//! `farthing customers`: who there is, what they have, what happened to them.

use serde_json::{Value, json};

use crate::args::{Customers, Global};
use crate::client::Client;
use crate::exit::{Exit, Outcome};
use crate::output::{Out, Tone, plain};
use crate::target;

/// Asks the server and shows the answer.
pub fn run(global: &Global, command: Customers, out: &Out) -> Outcome {
    let server = target::server(global, out)?;
    match command {
        Customers::List { search, limit } => list(&server, search, limit, out),
        Customers::Show { customer } => show(&server, &customer, out),
        Customers::Timeline { customer, limit } => timeline(&server, &customer, limit, out),
        Customers::Link { customer, return_path, read_only } => {
            let body = json!({ "return_path": return_path, "read_only": read_only });
            link(&server, &customer, &body, out)
        }
    }
}

/// A value for people: text without its quotes, nothing for null.
pub fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

fn list(server: &Client, search: Option<String>, limit: u32, out: &Out) -> Outcome {
    let mut query = vec![("limit", limit.to_string())];
    query.extend(search.map(|search| ("search", search)));
    let page = server.get(&["v1", "customers"], &query)?;
    if out.json {
        out.value(&page);
        return Ok(Exit::Done);
    }
    let columns = ["id", "email", "name", "plan", "standing", "created_at"];
    let rows: Vec<Vec<String>> = page["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| columns.iter().map(|column| cell(&row[*column])).collect())
        .collect();
    out.table(&columns, &rows);
    if page["has_more"] == Value::Bool(true) {
        out.note("there are more: narrow them with --search, or raise --limit");
    }
    Ok(Exit::Done)
}

fn show(server: &Client, customer: &str, out: &Out) -> Outcome {
    let state = server.get(&["v1", "customers", customer, "state"], &[])?;
    if out.json {
        out.value(&state);
        return Ok(Exit::Done);
    }
    let row = |name: &str, value: String| {
        if !value.is_empty() {
            out.line(format!("{}  {value}", out.tone(&format!("{name:<12}"), Tone::Dim)));
        }
    };
    row("customer", cell(&state["customer"]));
    row("plan", cell(&state["plan"]));
    row("interval", cell(&state["interval"]));
    row("standing", cell(&state["standing"]));
    row("revision", cell(&state["revision"]));
    let subscription = &state["subscription"];
    row("subscription", cell(&subscription["id"]));
    row("status", cell(&subscription["status"]));
    row("period ends", cell(&subscription["period"]["end"]));
    row("cancels at", cell(&subscription["cancel_at"]));
    out.line("");
    let columns = ["feature", "type", "limit", "used", "remaining", "resets_at"];
    let features = state["features"].as_object().into_iter().flatten();
    let rows: Vec<Vec<String>> = features
        .map(|(feature, state)| {
            let limit = limit(state);
            let cells = ["used", "remaining", "resets_at"].map(|name| cell(&state[name]));
            let [used, remaining, resets_at] = cells;
            vec![plain(feature), cell(&state["type"]), limit, used, remaining, resets_at]
        })
        .collect();
    out.table(&columns, &rows);
    for (credit, state) in state["credits"].as_object().into_iter().flatten() {
        out.line("");
        out.line(format!("{} credits: {}", plain(credit), cell(&state["balance"])));
        for grant in state["grants"].as_array().into_iter().flatten() {
            let expires = match grant["expires_at"].as_str() {
                Some(at) => format!(", until {}", plain(at)),
                None => String::new(),
            };
            out.line(format!(
                "  {} from {}{expires}",
                cell(&grant["remaining"]),
                cell(&grant["source"])
            ));
        }
    }
    Ok(Exit::Done)
}

/// What is allowed of a feature, in a word.
fn limit(state: &Value) -> String {
    if state["included"] == Value::Bool(false) {
        return "not in plan".to_owned();
    }
    match (state["type"].as_str(), state["limit"].as_i64()) {
        (Some("boolean"), _) => "yes".to_owned(),
        (_, Some(limit)) => limit.to_string(),
        (_, None) => "unlimited".to_owned(),
    }
}

fn timeline(server: &Client, customer: &str, limit: u32, out: &Out) -> Outcome {
    let query = [("limit", limit.to_string())];
    let page = server.get(&["v1", "customers", customer, "timeline"], &query)?;
    if out.json {
        out.value(&page);
        return Ok(Exit::Done);
    }
    let columns = ["at", "action", "actor", "cause", "to"];
    let rows: Vec<Vec<String>> = page["data"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|row| columns.iter().map(|column| cell(&row[*column])).collect())
        .collect();
    out.table(&columns, &rows);
    Ok(Exit::Done)
}

fn link(server: &Client, customer: &str, body: &Value, out: &Out) -> Outcome {
    let link = server.post(&["v1", "customers", customer, "sessions"], body)?;
    if out.json {
        out.value(&link);
        return Ok(Exit::Done);
    }
    out.line(cell(&link["url"]));
    out.note(format!("it opens once, until {}", cell(&link["expires_at"])));
    Ok(Exit::Done)
}
