//! Bringing a development server up: everything is looked at before anything is changed.

use std::sync::Arc;

use axum::Router;
use farthing_core::catalog;
use farthing_core::time::Timestamp;
use farthing_engine::catalogs::CatalogProblem;
use farthing_engine::clock::RandomIds;
use farthing_engine::keys::Authenticated;
use farthing_engine::mails::Post;
use farthing_engine::{Call, Clock, Config, Engine, Ids};
use farthing_mail::{Brand, Letterhead, Outbox};
use farthing_providers::Stripe;
use farthing_providers::stripe::{DEFAULT_TOLERANCE_SECONDS, WebhookConfig};
use farthing_sandbox::Sandbox;
use farthing_server::{AppState, Base};
use farthing_store::api_keys::Scope;
use farthing_store::meta::{self, Mode};
use farthing_store::{Options, Store};

use super::dir::Dir;
use super::lab::SandboxLab;
use super::mails;
use super::pages::{self, Pages};
use super::{Parts, SANDBOX_PATH, WEBHOOK_PATH, webhooks};
use crate::clock::{SandboxClock, SystemClock, uptime};
use crate::commands::catalog as told;
use crate::config::StripeConfig;
use crate::exit::Failure;
use crate::output::Out;
use crate::worker::Gate;
use crate::{target, theme};

/// What the development server calls itself in the audit log.
fn call() -> Call {
    Call::new("cli", "farthing dev")
}

/// Database, sandbox and engine; nobody is served yet.
pub fn prepare(dir: &Dir, database: Option<&str>, api: &str, out: &Out) -> Result<Parts, Failure> {
    check_catalog(dir, out)?;
    let lock = dir.lock()?;
    let database_url = database.map_or_else(|| dir.database_url(), str::to_owned);
    let store = open(&database_url)?;
    let clock = Arc::new(SandboxClock::open(&dir.clock())?);
    let sandbox = sandbox(dir, &clock, api)?;
    store.migrate()?;
    target::stamp(&store, Mode::Sandbox, &*clock)?;
    let account = sandbox.with(|world| world.account_id());
    target::tie_account(&store, &account).map_err(|failure| {
        let sandbox = dir.sandbox().display().to_string();
        let (what, how) = match database_url.strip_prefix("sqlite:") {
            Some(path) => (path.to_owned(), "remove"),
            None => (target::shown(&database_url), "name a new database and remove"),
        };
        let all = if how == "remove" { format!("{sandbox} and {what}") } else { sandbox.clone() };
        failure.fix(format!(
            "put the {sandbox} back that the database was used with, or {how} {all} to start afresh"
        ))
    })?;
    let stripe = stripe(dir, &sandbox, &clock, api)?;
    let public_url = Some(api.to_owned());
    let config = Config { mode: Mode::Sandbox, return_base: api.to_owned(), public_url };
    let engine = Engine::new(store, clock.clone(), Arc::new(RandomIds), Some(stripe), config);
    let engine = engine.with_mail(post());
    Ok(Parts { engine, sandbox, clock, database_url, _lock: lock })
}

/// Mails stay here: what is stored is the outbox.
fn post() -> Post {
    let operators = vec!["operators@example.com".to_owned()];
    Post { letterhead: letterhead(), operators, mailer: Some(Arc::new(Outbox)) }
}

/// In whose name a development server writes.
pub fn letterhead() -> Letterhead {
    let brand = Brand { app: "Your App".to_owned(), ..Brand::default() };
    let from = "Your App <billing@example.com>".to_owned();
    Letterhead { brand, from, reply_to: None }
}

/// A catalog that is there must be right before anything else is touched.
fn check_catalog(dir: &Dir, out: &Out) -> Result<(), Failure> {
    let file = dir.catalog();
    if !file.exists() {
        return Ok(());
    }
    let source = told::read(&file)?;
    match catalog::parse(&source) {
        Ok(_) => Ok(()),
        Err(mistakes) => {
            told::draw_mistakes(out, &file, &source, &mistakes);
            let n = mistakes.len();
            let file = file.display();
            let things = if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") };
            Err(Failure::new(format!("{file} has {things}; nothing was started or changed"))
                .fix("mend them, or remove the file to get the sample back"))
        }
    }
}

/// The database, if it may be used here. Not migrated yet.
fn open(url: &str) -> Result<Store, Failure> {
    let store = Store::open(url, Options::default())?;
    let pending = store.pending_migrations()?;
    // The first migration makes the table that says what the database is for.
    if pending.iter().any(|name| name.starts_with("0001")) {
        return Ok(store);
    }
    match store.read(meta::mode)? {
        Some(mode) if mode != Mode::Sandbox => Err(target::other_mode(mode, Mode::Sandbox)),
        _ => Ok(store),
    }
}

fn sandbox(dir: &Dir, clock: &Arc<SandboxClock>, api: &str) -> Result<Sandbox, Failure> {
    let base_url = format!("{api}{SANDBOX_PATH}");
    let time = Arc::clone(clock);
    let time = Arc::new(move || time.now().micros());
    let sandbox = Sandbox::open(Some(&dir.sandbox()), seed(), time, &base_url)
        .map_err(|error| Failure::new(format!("{error}; nothing was changed")))?;
    // A process that was killed while the clock was moved can leave a world ahead of its clock.
    let world = sandbox.with(|world| world.now());
    let world = Timestamp::from_seconds(world).map_err(|error| Failure::new(error.to_string()))?;
    clock.catch_up(world).map_err(|error| {
        Failure::new(format!("{} cannot be written: {error}", dir.clock().display()))
    })?;
    Ok(sandbox)
}

/// A new world is unlike all others, so that ids of one that was removed do not come again.
fn seed() -> u64 {
    let secret = RandomIds.secret();
    secret.iter().take(8).fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

fn stripe(
    dir: &Dir,
    sandbox: &Sandbox,
    clock: &Arc<SandboxClock>,
    api: &str,
) -> Result<Stripe, Failure> {
    let url = format!("{api}{WEBHOOK_PATH}");
    let secret = webhooks::secret(sandbox, dir, &url, clock.now())?;
    let bad = |error: farthing_providers::ConfigError| Failure::new(error.to_string());
    let webhook = WebhookConfig::new(vec![secret], DEFAULT_TOLERANCE_SECONDS).map_err(bad)?;
    let config = StripeConfig { webhook, ..super::stripe(api) };
    target::connect(config, Arc::<SandboxClock>::clone(clock))
}

/// The sandbox with everything that lives by its clock.
pub fn lab(parts: &Parts, gate: &Gate) -> SandboxLab {
    SandboxLab {
        engine: parts.engine.clone(),
        sandbox: parts.sandbox.clone(),
        clock: Arc::clone(&parts.clock),
        gate: Arc::clone(gate),
    }
}

/// API at `/`, the sandbox below [`SANDBOX_PATH`], and the pages of a development server.
///
/// Errors: the theme of the billing page is wrong.
pub fn router(parts: &Parts, gate: &Gate, (dir, api): (&Dir, &str)) -> Result<Router, Failure> {
    let lab = lab(parts, gate);
    let mut state = AppState::new(parts.engine.clone(), Arc::new(uptime()), Arc::new(SystemClock));
    state.sandbox_lab = Some(Arc::new(lab));
    state.pages_base = Base::parse(api).ok();
    let file = dir.theme();
    state.theme = file.exists().then(|| theme::read(&file)).transpose()?;
    let pages = Pages {
        engine: parts.engine.clone(),
        clock: Arc::clone(&parts.clock),
        api: api.to_owned(),
    };
    Ok(farthing_server::router(state)
        .merge(pages::routes(pages))
        .merge(mails::routes(parts.engine.clone()))
        .nest_service(SANDBOX_PATH, parts.sandbox.router()))
}

/// Applies the catalog file if it changed; writes the sample first if there is none. Answers the
/// file and its version, for people.
pub fn catalog(engine: &Engine, dir: &Dir, out: &Out) -> Result<String, Failure> {
    let file = dir.catalog();
    if !file.exists() {
        std::fs::write(&file, catalog::SAMPLE).map_err(|error| {
            Failure::new(format!("{} cannot be written: {error}", file.display()))
        })?;
    }
    let source = told::read(&file)?;
    let before = engine.plan_catalog(&source).ok().and_then(|plan| plan.version);
    match engine.apply_catalog(&call(), &source) {
        Ok(applied) => {
            if before.is_some() && !applied.changes.is_empty() {
                out.note(format!("{} changed; it was applied:", file.display()));
                out.note(told::changes_text(&applied.changes));
            }
            Ok(format!("{}   (version {})", file.display(), applied.version))
        }
        Err(CatalogProblem::Blocked(changes)) => {
            out.note(told::changes_text(&changes));
            Err(Failure::new(format!(
                "{} takes away what customers have; it was not applied and nothing was started",
                file.display()
            ))
            .fix("do what the blocked lines say, then start again"))
        }
        Err(problem) => Err(told::failure(problem)),
    }
}

/// The API key of this directory: the one that was made before, unless it was revoked.
pub fn key(engine: &Engine, dir: &Dir) -> Result<String, Failure> {
    if let Some(key) = dir.read_secret(&dir.key())?
        && matches!(engine.authenticate(&key)?, Authenticated::Key(_))
    {
        return Ok(key);
    }
    let new = engine.create_key(&call(), "farthing dev", Scope::Full)?;
    dir.write_secret(&dir.key(), &new.key)?;
    Ok(new.key)
}

/// An address that opens the admin panel once, within half an hour.
pub fn admin(engine: &Engine, api: &str) -> Result<String, Failure> {
    let token = engine.sandbox_link(&call(), SystemClock.now())?;
    Ok(format!("{api}/admin/link/{token}"))
}
