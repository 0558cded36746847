//! `farthing events`: what the payment provider has told us, and what became of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::customers::cell;
use crate::args::{Events, Global};
use crate::client::Client;
use crate::exit::{Exit, Outcome};
use crate::output::Out;
use crate::target;

/// How often `tail` looks.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const COLUMNS: [&str; 7] =
    ["received_at", "id", "type", "customer", "state", "attempts", "last_error"];

/// Asks the server and shows the answer.
pub fn run(global: &Global, command: Events, out: &Out) -> Outcome {
    let server = target::server(global, out)?;
    match command {
        Events::List { state, limit } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(state.map(|state| ("state", state)));
            let page = server.get(&["v1", "events"], &query)?;
            if out.json {
                out.value(&page);
            } else {
                let rows = page["data"].as_array().into_iter().flatten();
                out.table(&COLUMNS, &rows.map(row).collect::<Vec<_>>());
            }
            Ok(Exit::Done)
        }
        Events::Show { id } => {
            let event = server.get(&["v1", "events", &id], &[])?;
            tell(&event, out);
            Ok(Exit::Done)
        }
        Events::Replay { id } => {
            let event = server.post(&["v1", "events", &id, "replay"], &json!({}))?;
            tell(&event, out);
            Ok(Exit::Done)
        }
        Events::Tail => tail(&server, out),
    }
}

fn row(event: &Value) -> Vec<String> {
    COLUMNS.iter().map(|column| cell(&event[*column])).collect()
}

fn tell(event: &Value, out: &Out) {
    if out.json {
        return out.value(event);
    }
    for (name, value) in event.as_object().into_iter().flatten() {
        let value = cell(value);
        if !value.is_empty() {
            out.line(format!("{name:<13}  {value}"));
        }
    }
}

/// Prints events as they come. Only an error, or a signal, ends it.
fn tail(server: &Client, out: &Out) -> Outcome {
    let mut last: Option<String> = None;
    loop {
        let page = server.get(&["v1", "events"], &[("limit", "200".to_owned())])?;
        let events = page["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_new = |event: &&Value| last.is_none() || event["id"].as_str() != last.as_deref();
        // The newest come first: everything before the last one seen is new.
        let mut fresh: Vec<&Value> = events.iter().take_while(is_new).collect();
        if last.is_none() {
            fresh.truncate(10);
        }
        for event in fresh.iter().rev() {
            if out.json {
                out.value(event);
            } else {
                out.line(row(event).join("  ").trim_end());
            }
        }
        if let Some(newest) = events.first().and_then(|event| event["id"].as_str()) {
            last = Some(newest.to_owned());
        } else if last.is_none() {
            last = Some(String::new());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}
