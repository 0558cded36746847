//! What a command works on: a server over HTTP, or a database directly.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use farthing_core::time::Timestamp;
use farthing_engine::clock::RandomIds;
use farthing_engine::{Clock, Config, Engine, Ids};
use farthing_providers::{BreakerRules, GuardedTransport, HttpTransport, Moment, Stripe};
use farthing_store::meta::{self, Mode};
use farthing_store::{Options, Store};

use crate::args::Global;
use crate::client::{self, Client};
use crate::clock::{SandboxClock, SystemClock};
use crate::config;
use crate::dev;
use crate::dev::dir::{Dir, Running};
use crate::exit::Failure;
use crate::output::Out;

/// The server to talk to: the one that was named, else the development server. Its name is shown.
pub fn server(global: &Global, out: &Out) -> Result<Client, Failure> {
    find_server(global, out)?.ok_or_else(|| {
        let dir = global.data.display();
        Failure::new(format!("no development server is running in {dir}; nothing was changed"))
            .fix("start one with `farthing dev`, or name a server with --api and --key")
    })
}

/// As [`server`]; `None` if none was named and no development server answers.
pub fn find_server(global: &Global, out: &Out) -> Result<Option<Client>, Failure> {
    if let Some(api) = &global.api {
        let key = global.key.as_deref().ok_or_else(|| {
            Failure::usage("--api needs a key; nothing was changed")
                .fix("pass --key, or set FARTHING_KEY")
        })?;
        let client = Client::new(api, key)?;
        out.target(api.trim_end_matches('/'));
        return Ok(Some(client));
    }
    let Some(running) = running(global) else { return Ok(None) };
    out.target(&format!("{} (sandbox)", running.api));
    let key = global.key.clone().unwrap_or(running.key);
    Client::new(&running.api, &key).map(Some)
}

/// The development server, if it answers.
pub fn running(global: &Global) -> Option<Running> {
    Dir::at(&global.data).running().filter(|running| client::answers(&running.api))
}

/// The server to talk to, unless a database was named: that one is meant then.
pub fn server_unless_database(global: &Global, out: &Out) -> Result<Option<Client>, Failure> {
    if global.api.is_none() && named_database(global)?.is_some() {
        return Ok(None);
    }
    find_server(global, out)
}

fn named_database(global: &Global) -> Result<Option<String>, Failure> {
    match &global.database {
        Some(url) => Ok(Some(url.clone())),
        None => config::database_url(&config::process_env),
    }
}

/// Where the database is, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// `sqlite:PATH` or `postgres://…`.
    pub url: String,
    /// Whether it is the development server's.
    pub dev: bool,
}

/// The database: the one that was named, the environment's, or the development server's.
pub fn locate(global: &Global) -> Result<Located, Failure> {
    if let Some(url) = named_database(global)? {
        return Ok(Located { url, dev: false });
    }
    let dir = Dir::at(&global.data);
    if let Some(running) = dir.running() {
        return Ok(Located { url: running.database, dev: true });
    }
    Ok(Located { url: dir.database_url(), dev: true })
}

/// Opens a database that is there already, and shows its name. `sqlite:` would make a new one
/// where none was meant.
pub fn open(global: &Global, out: &Out) -> Result<(Store, Located), Failure> {
    let located = locate(global)?;
    let file = located.url.strip_prefix("sqlite:").filter(|path| *path != ":memory:");
    if let Some(path) = file.filter(|path| !Path::new(path).exists()) {
        let failure = Failure::new(format!("there is no database at {path}; nothing was changed"));
        return Err(failure.fix(
            "start `farthing dev` once, or name the database with --database or FARTHING_DATABASE_URL",
        ));
    }
    out.target(&shown(&located.url));
    let store = Store::open(&located.url, Options { connections: 2, ..Options::default() })?;
    Ok((store, located))
}

/// What a database is for; `None` before it was stamped. Errors: it is not migrated.
pub fn mode_of(store: &Store) -> Result<Option<Mode>, Failure> {
    let pending = store.pending_migrations()?;
    if !pending.is_empty() {
        let message = format!("the database lacks {}; nothing was changed", pending.join(", "));
        return Err(Failure::new(message).fix("run `farthing db migrate`"));
    }
    Ok(store.read(meta::mode)?)
}

/// Opens a database that is there already, with an engine around it; the provider is called only where the
/// environment has a key for it.
pub fn local(global: &Global, out: &Out) -> Result<Engine, Failure> {
    let (store, _) = open(global, out)?;
    let mode = mode_of(&store)?.ok_or_else(|| {
        Failure::new("the database was never used; nothing was changed")
            .fix("run `farthing db migrate` with FARTHING_MODE set, or start the server on it once")
    })?;
    let clock = clock_for(mode, &global.data)?;
    let stripe = match mode {
        Mode::Sandbox => running(global).map(|running| dev::stripe(&running.api)),
        mode => config::stripe(&config::process_env, mode)?,
    };
    let stripe = stripe.map(|stripe| connect(stripe, Arc::clone(&clock))).transpose()?;
    let config = Config { mode, return_base: String::new(), public_url: None };
    Ok(Engine::new(store, clock, Arc::new(RandomIds), stripe, config))
}

/// Stripe over the network, left alone while it does not answer, by `clock`. Not on an async task.
pub fn connect(config: config::StripeConfig, clock: Arc<dyn Clock>) -> Result<Stripe, Failure> {
    let transport = HttpTransport::new(&config.url, &config.api_key, config.livemode);
    let transport = transport.map_err(|error| Failure::new(error.to_string()))?;
    let transport = GuardedTransport::new(transport, ByClock(clock), BreakerRules::default());
    Ok(Stripe::new(Arc::new(transport), config.livemode, config.webhook))
}

/// Time as the engine has it, so that pauses pass while the sandbox's clock is moved.
struct ByClock(Arc<dyn Clock>);

impl Moment for ByClock {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn chance(&self) -> u64 {
        RandomIds.secret().iter().fold(0, |chance, byte| (chance << 8) | u64::from(*byte))
    }
}

/// The clock that a database of `mode` lives by.
pub fn clock_for(mode: Mode, data: &Path) -> Result<Arc<dyn Clock>, Failure> {
    Ok(match mode {
        Mode::Sandbox => Arc::new(SandboxClock::open(&Dir::at(data).clock())?),
        Mode::Test | Mode::Live => Arc::new(SystemClock),
    })
}

/// A database's address without its password.
pub fn shown(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(mut parsed) if parsed.password().is_some() => {
            // It has a password, so it can have another one.
            let _always = parsed.set_password(Some("***"));
            parsed.to_string()
        }
        _ => url.to_owned(),
    }
}

/// Gives a migrated database its mode. Errors: it has another one.
pub fn stamp(store: &Store, mode: Mode, clock: &dyn Clock) -> Result<(), Failure> {
    let now = clock.now();
    let found = store.write(move |tx| meta::stamp(tx, mode, now)).wait()?;
    if found == mode {
        return Ok(());
    }
    Err(other_mode(found, mode))
}

/// Ties the database to the provider's account. Errors: it belongs to another one.
pub fn tie_account(store: &Store, account: &str) -> Result<(), Failure> {
    let wanted = account.to_owned();
    let tied = store.write(move |tx| meta::tie_account(tx, farthing_engine::STRIPE, &wanted));
    let tied = tied.wait()?;
    if tied == account {
        return Ok(());
    }
    let message = format!("the database belongs to the provider account {tied}, not to {account}");
    Err(Failure::new(format!("{message}; nothing was changed")))
}

/// The database is for something else.
pub fn other_mode(found: Mode, wanted: Mode) -> Failure {
    let (found, wanted) = (found.as_str(), wanted.as_str());
    Failure::new(format!("this is a {found} database, not a {wanted} one; nothing was changed"))
        .fix("use another database: one database serves one mode for good")
}

/// The catalog file: the one that was named, the development server's, or the one here.
pub fn catalog_file(global: &Global, named: Option<PathBuf>) -> PathBuf {
    named.unwrap_or_else(|| Dir::at(&global.data).catalog())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(shown("postgres://a:b@h/d"), "postgres://a:***@h/d");
        assert_eq!(shown("sqlite:.farthing/farthing.db"), "sqlite:.farthing/farthing.db");
    }
}
