//! `farthing serve`: production. Everything that could mix modes or lose money is checked before
//! the first request is answered.

use std::sync::Arc;
use std::time::Duration;

use farthing_engine::clock::RandomIds;
use farthing_engine::{Call, Clock, Engine, STRIPE};
use farthing_providers::{CallError, Stripe};
use farthing_server::{AppState, Base};
use farthing_store::meta::{self, Mode};
use farthing_store::{Options, Store};
use serde_json::json;

use crate::args::Serve;
use crate::clock::{SystemClock, uptime};
use crate::config::{Config, process_env};
use crate::exit::{Exit, Failure, Outcome};
use crate::host::{self, Host};
use crate::output::Out;
use crate::worker::{Gate, Workers};
use crate::{target, theme};

/// How many threads work off what is due.
const WORKERS: usize = 4;
/// How long work that has begun may take once it was asked to stop.
const WORK_DRAIN: Duration = Duration::from_secs(2);

/// Serves until somebody asks to stop.
pub fn run(serve: &Serve, out: &Out) -> Outcome {
    let config = configuration(out)?;
    let runtime = host::runtime()?;
    let listener = host::bind(config.listen)?;
    let listening = listener.local_addr().unwrap_or(config.listen);
    let stripe = target::connect(config.stripe.clone(), Arc::new(SystemClock))?;
    let store = database(&config, serve.migrate)?;
    check_account(&store, &stripe)?;
    let takes_events = stripe.takes_events();
    let engine = Engine::new(
        store,
        Arc::new(SystemClock),
        Arc::new(RandomIds),
        Some(stripe),
        farthing_engine::Config {
            mode: config.mode,
            return_base: config.return_base.clone(),
            public_url: config.public_url.clone(),
        },
    );
    let engine = engine.with_mail(config.mail.post()?);
    if config.mail.url.is_none() {
        tracing::warn!("FARTHING_MAIL_URL is not set: mails are kept and not sent");
    }
    let mut state = AppState::new(engine.clone(), Arc::new(uptime()), Arc::new(SystemClock));
    state.pages_base = config.public_url.as_deref().and_then(|url| Base::parse(url).ok());
    state.theme = config.theme.as_deref().map(theme::read).transpose()?;
    let base = state.pages_base.clone();
    let router = farthing_server::router(state);
    let mut host = Host::start(runtime, listener, router)?;
    let workers = Workers::start(&engine, &Gate::default(), WORKERS)
        .map_err(|error| Failure::new(format!("no threads could be started: {error}")))?;
    if let Err(error) = engine.ready() {
        tracing::warn!(%error, "not ready to answer requests yet");
    }
    greet(&engine, base.as_ref(), out)?;
    if !takes_events {
        tracing::warn!("STRIPE_WEBHOOK_SECRETS is not set: no webhooks are taken in");
    }
    let mode = config.mode.as_str();
    tracing::info!(mode, listen = %listening, "serving");
    if out.json {
        out.value(&json!({ "api": format!("http://{listening}"), "mode": mode }));
    }
    let ended = host.wait();
    tracing::info!("stopping");
    host.drain();
    workers.stop(WORK_DRAIN);
    host.shut_down();
    ended.map(|()| Exit::Done)
}

/// Tells the first operator how to come in, while nobody can sign in.
fn greet(engine: &Engine, base: Option<&Base>, out: &Out) -> Result<(), Failure> {
    let Some(base) = base else {
        tracing::info!("FARTHING_PUBLIC_URL is not set: there is no admin panel");
        return Ok(());
    };
    let call = Call::new("cli", "farthing serve");
    if let Some(token) = engine.first_link(&call, SystemClock.now())? {
        let link = format!("{}/admin/link/{token}", base.origin());
        out.note(format!("nobody can sign in yet; this works once, within 30 minutes: {link}"));
    }
    Ok(())
}

fn configuration(out: &Out) -> Result<Config, Failure> {
    Config::read(&process_env).map_err(|mut mistakes| {
        let Some(last) = mistakes.pop() else {
            return Failure::new("the configuration cannot be used; nothing was started");
        };
        if mistakes.is_empty() {
            let message = format!("{}; nothing was started", last.message);
            return Failure::new(message).fix(last.fix);
        }
        mistakes.push(last);
        for mistake in &mistakes {
            out.failure(&Failure::new(mistake.message.clone()).fix(mistake.fix.clone()));
        }
        let n = mistakes.len();
        Failure::new(format!("{n} settings are wrong or missing; nothing was started"))
            .fix("set them in the environment, then start again")
    })
}

/// The database, migrated and of this mode.
fn database(config: &Config, migrate: bool) -> Result<Store, Failure> {
    let store = Store::open(&config.database_url, Options::default())?;
    let pending = store.pending_migrations()?;
    // The first migration makes the table that says what the database is for.
    if !pending.iter().any(|name| name.starts_with("0001"))
        && let Some(found) = store.read(meta::mode)?
        && found != config.mode
    {
        return Err(target::other_mode(found, config.mode));
    }
    if !pending.is_empty() {
        if !migrate {
            let names = pending.join(", ");
            return Err(Failure::new(format!(
                "the database lacks the migrations {names}; nothing was changed"
            ))
            .fix("take a backup, then run `farthing db migrate` or start with --migrate"));
        }
        store.migrate()?;
    }
    target::stamp(&store, config.mode, &SystemClock)?;
    Ok(store)
}

/// The key's account is the one that the database belongs to. While the provider cannot be asked,
/// a database that is tied already is believed.
fn check_account(store: &Store, stripe: &Stripe) -> Result<(), Failure> {
    let fix = "use the key of that account, or a new database for this one";
    match stripe.account() {
        Ok(account) => target::tie_account(store, &account.id).map_err(|failure| failure.fix(fix)),
        Err(CallError::Refused { message, .. }) => {
            Err(Failure::new(format!("Stripe refused the API key: {message}; nothing was started"))
                .fix("copy the key again; a restricted key needs to read the account"))
        }
        Err(
            CallError::Unknown(why) | CallError::Unavailable(why) | CallError::HeldBack { why, .. },
        ) => {
            if store.read(|tx| meta::account(tx, STRIPE))?.is_some() {
                tracing::warn!(why, "Stripe cannot be asked for its account right now");
                return Ok(());
            }
            Err(Failure::new(format!("Stripe cannot be reached: {why}; nothing was started"))
                .fix("check the network; the first start has to know the account"))
        }
    }
}

/// Whether `mode` is one that `serve` serves.
pub fn is_served(mode: Mode) -> bool {
    matches!(mode, Mode::Test | Mode::Live)
}
