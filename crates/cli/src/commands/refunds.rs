//! `farthing refunds`: who wants money back, and what becomes of it.

use farthing_core::money::Money;
use serde_json::{Value, json};

use super::customers::cell;
use crate::args::{Global, Refunds};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Out;
use crate::target;

const COLUMNS: [&str; 7] =
    ["requested_at", "id", "customer", "amount", "state", "approvals_missing", "reason"];

/// Asks the server and shows the answer.
pub fn run(global: &Global, command: Refunds, out: &Out) -> Outcome {
    let server = target::server(global, out)?;
    match command {
        Refunds::List { state, customer, limit } => {
            let mut query = vec![("limit", limit.to_string())];
            query.extend(state.map(|state| ("state", state)));
            query.extend(customer.map(|customer| ("customer", customer)));
            let page = server.get(&["v1", "refunds"], &query)?;
            if out.json {
                out.value(&page);
            } else {
                let rows = page["data"].as_array().into_iter().flatten();
                out.table(&COLUMNS, &rows.map(row).collect::<Vec<_>>());
            }
            Ok(Exit::Done)
        }
        Refunds::Approve { id, yes: false } => {
            let refund = server.get(&["v1", "refunds", &id], &[])?;
            tell(&refund, out);
            if refund["state"] != "needs_review" {
                return Ok(Exit::Done);
            }
            Err(Failure::new("nothing was refunded")
                .fix(format!("do it with `farthing refunds approve {id} --yes`"))
                .ending(Exit::ConfirmationNeeded))
        }
        Refunds::Approve { id, yes: true } => {
            tell(&server.post(&["v1", "refunds", &id, "approve"], &json!({}))?, out);
            Ok(Exit::Done)
        }
        Refunds::Reject { id, reason } => {
            let body = json!({ "reason": reason });
            tell(&server.post(&["v1", "refunds", &id, "reject"], &body)?, out);
            Ok(Exit::Done)
        }
    }
}

fn row(refund: &Value) -> Vec<String> {
    COLUMNS.iter().map(|column| shown(refund, column)).collect()
}

/// An amount as people write it, and everything else as it is.
fn shown(refund: &Value, column: &str) -> String {
    match column {
        "amount" => {
            let amount = serde_json::from_value::<Money>(refund["amount"].clone());
            amount.map_or_else(|_| cell(&refund["amount"]), |amount| amount.to_string())
        }
        column => cell(&refund[column]),
    }
}

fn tell(refund: &Value, out: &Out) {
    if out.json {
        return out.value(refund);
    }
    for name in refund.as_object().into_iter().flat_map(serde_json::Map::keys) {
        let value = shown(refund, name);
        if !value.is_empty() {
            out.line(format!("{name:<18}  {value}"));
        }
    }
}
