//! `farthing keys`: API keys, directly in the database. A secret is shown once.

use farthing_engine::Call;
use farthing_store::api_keys::{ApiKey, Scope};
use serde_json::{Value, json};

use crate::args::{Global, KeyScope, Keys};
use crate::exit::{Exit, Outcome};
use crate::output::{Out, plain};
use crate::target;

/// Does what was asked.
pub fn run(global: &Global, command: Keys, out: &Out) -> Outcome {
    let engine = target::local(global, out)?;
    let call = Call::new("cli", "farthing keys");
    match command {
        Keys::Create { name, scope } => {
            let scope = match scope {
                KeyScope::Full => Scope::Full,
                KeyScope::Read => Scope::Read,
                KeyScope::Usage => Scope::Usage,
            };
            let new = engine.create_key(&call, &name, scope)?;
            if out.json {
                let mut value = view(&new.stored);
                value["key"] = json!(new.key);
                out.value(&value);
            } else {
                out.line(&new.key);
                out.note(format!("{}: keep it, it is not shown again", new.stored.id));
            }
        }
        Keys::List => {
            let keys = engine.keys()?;
            if out.json {
                out.value(&json!({ "data": keys.iter().map(view).collect::<Vec<_>>() }));
            } else {
                let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
                out.table(&["id", "name", "scope", "ends in", "created", "revoked"], &rows);
            }
        }
        Keys::Revoke { id } => {
            engine.revoke_key(&call, &id)?;
            if out.json {
                out.value(&json!({ "id": id, "revoked": true }));
            } else {
                out.line(format!("{id} is revoked"));
            }
        }
    }
    Ok(Exit::Done)
}

fn view(key: &ApiKey) -> Value {
    json!({
        "id": key.id, "name": key.name, "scope": key.scope.as_str(), "hint": key.hint,
        "created_at": key.created_at, "revoked_at": key.revoked_at,
    })
}

fn row(key: &ApiKey) -> Vec<String> {
    let revoked = key.revoked_at.map(|at| at.to_string()).unwrap_or_default();
    let scope = key.scope.as_str().to_owned();
    let created = key.created_at.to_string();
    vec![key.id.clone(), plain(&key.name), scope, key.hint.clone(), created, revoked]
}
