//! `farthing db`: looking after the database.

use farthing_store::{Options, Store};
use serde_json::json;

use crate::args::{Db, Global};
use crate::clock::SystemClock;
use crate::config;
use crate::exit::{Exit, Outcome};
use crate::output::Out;
use crate::target;

/// Does what was asked.
pub fn run(global: &Global, command: Db, out: &Out) -> Outcome {
    let Db::Migrate = command;
    let located = target::locate(global)?;
    // The development server makes and migrates its own; another one may be made here.
    let store = if located.dev {
        target::open(global, out)?.0
    } else {
        out.target(&target::shown(&located.url));
        Store::open(&located.url, Options { connections: 2, ..Options::default() })?
    };
    let done = store.migrate()?;
    if let (false, Some(mode)) = (located.dev, config::mode(&config::process_env)?) {
        target::stamp(&store, mode, &SystemClock)?;
    }
    if out.json {
        out.value(&json!({ "applied": done }));
    } else if done.is_empty() {
        out.line("nothing to do: the database is up to date");
    } else {
        out.line(format!("applied {}", done.join(", ")));
    }
    Ok(Exit::Done)
}
