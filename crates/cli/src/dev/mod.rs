//! `farthing dev`: everything on this machine, with no account and nothing else running.
//!
//! The production server, engine and Stripe adapter, with the sandbox in the place of Stripe: the
//! adapter talks to it over real HTTP on this machine, and its webhooks come back the same way.

mod demo;
pub mod dir;
mod lab;
mod mails;
mod pages;
mod start;
mod webhooks;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use farthing_engine::Engine;
use farthing_providers::Livemode;
use farthing_providers::stripe::WebhookConfig;
use farthing_sandbox::Sandbox;
use farthing_server::Lab;
use serde::Serialize;

use crate::args;
use crate::config::StripeConfig;
use crate::exit::{Exit, Outcome};
use crate::host::{self, Host};
use crate::output::{Out, Tone};
use crate::worker::{Gate, Workers};
use dir::{Dir, Running};

/// Opens the sandbox; it takes any test key.
const SANDBOX_KEY: &str = "sk_test_sandbox";
/// Where the sandbox is, below the server's address.
const SANDBOX_PATH: &str = "/sandbox/stripe";
/// Where Stripe's webhooks come in.
const WEBHOOK_PATH: &str = "/webhooks/stripe";
/// How often the sandbox looks at its clock.
const TICK: Duration = Duration::from_millis(50);
/// How many threads work off what is due.
const WORKERS: usize = 2;
/// How long work that has begun may take once it was asked to stop.
const WORK_DRAIN: Duration = Duration::from_secs(2);

/// What is told when everything is ready.
#[derive(Debug, Serialize)]
struct Ready {
    api: String,
    key: String,
    admin: String,
    billing: String,
    sandbox: String,
}

/// The sandbox of the development server at `api`, for those who send and take no events.
pub fn stripe(api: &str) -> StripeConfig {
    StripeConfig {
        url: format!("{api}{SANDBOX_PATH}"),
        api_key: SANDBOX_KEY.to_owned(),
        livemode: Livemode::Test,
        webhook: WebhookConfig::absent(),
    }
}

/// Starts everything, says where it is, and runs until somebody asks to stop.
pub fn run(global: &args::Global, dev: &args::Dev, out: &Out) -> Outcome {
    let runtime = host::runtime()?;
    let listener = host::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, dev.port)))?;
    let port = listener.local_addr().map_or(dev.port, |address| address.port());
    let api = format!("http://127.0.0.1:{port}");
    let dir = Dir::at(&global.data);
    let parts = start::prepare(&dir, global.database.as_deref(), &api, out)?;
    let gate = Gate::default();
    let router = start::router(&parts, &gate, (&dir, &api))?;
    let mut host = Host::start(runtime, listener, router)?;
    // Prices are made at the sandbox, so it has to be there by now.
    let catalog = start::catalog(&parts.engine, &dir, out)?;
    let key = start::key(&parts.engine, &dir)?;
    let admin = start::admin(&parts.engine, &api)?;
    let database = parts.database_url.clone();
    dir.announce(&Running { api: api.clone(), key: key.clone(), database })?;
    let workers = Workers::start(&parts.engine, &gate, WORKERS)
        .map_err(|error| crate::exit::Failure::new(format!("no threads: {error}")))?;
    host.runtime().spawn(keep_time(parts.sandbox.clone(), Arc::clone(&gate)));
    if dev.demo {
        let lab = start::lab(&parts, &gate);
        let advance = |to| {
            let moved = host.runtime().block_on(async { lab.advance(to).await });
            moved.map(drop).map_err(|error| crate::exit::Failure::new(error.message))
        };
        if out.terminal {
            out.note("a year passes…");
        }
        demo::fill(&parts.engine, &parts.sandbox, &advance)?;
    }
    tell(out, (&api, &key, &admin), &dir, &catalog);
    if dev.demo && !out.json {
        tell_demo(out, &api, &admin);
    }
    let ended = host.wait();
    if out.terminal {
        out.note("stopping…");
    }
    host.drain();
    workers.stop(WORK_DRAIN);
    dir.withdraw();
    host.shut_down();
    ended.map(|()| Exit::Done)
}

/// Lets the sandbox act when its clock says so, and deliver its webhooks.
async fn keep_time(sandbox: Sandbox, gate: Gate) {
    loop {
        let sent = {
            let _open = gate.read().await;
            sandbox.deliver_due().await
        };
        if sent == 0 {
            tokio::time::sleep(TICK).await;
        }
    }
}

fn tell(out: &Out, (api, key, admin): (&str, &str, &str), dir: &Dir, catalog: &str) {
    if out.json {
        return out.value(&Ready {
            api: api.to_owned(),
            key: key.to_owned(),
            admin: admin.to_owned(),
            billing: format!("{api}{}", pages::BILLING_PATH),
            sandbox: format!("{api}{SANDBOX_PATH}"),
        });
    }
    let row = |name: &str, value: &str| {
        out.line(format!("  {}  {value}", out.tone(&format!("{name:<8}"), Tone::Dim)));
    };
    out.line(format!("{} {api}", out.tone("Farthing is ready:", Tone::Good)));
    out.line("");
    row("API", &format!("{api}/v1   (browse it at {api}/docs)"));
    row("key", key);
    row("admin", &format!("{admin}   (opens once, within 30 minutes)"));
    let billing = format!("{api}{}", pages::BILLING_PATH);
    row("billing", &format!("{billing}   (what a customer sees; ?customer=ID for others)"));
    row("sandbox", &format!("{api}{SANDBOX_PATH}   (speaks Stripe; no real money)"));
    row("data", &dir.path().display().to_string());
    row("catalog", catalog);
    out.line("");
    out.line(out.tone("Try next, in another terminal:", Tone::Bold));
    let auth = format!("-H 'Authorization: Bearer {key}'");
    let json = "-H 'Content-Type: application/json'";
    out.line("");
    out.line(format!(
        "  curl -X PUT {api}/v1/customers/u_1 {auth} {json} -d '{{\"email\":\"ana@example.com\"}}'"
    ));
    out.line(format!(
        "  curl {api}/v1/checkouts {auth} {json} -d '{{\"customer\":\"u_1\",\"plan\":\"growth\"}}'"
    ));
    out.line(format!(
        "  curl {api}/v1/consume {auth} {json} -d '{{\"customer\":\"u_1\",\"feature\":\"chatbots\"}}'"
    ));
    out.line("");
    out.line("The second answers with the url of a checkout page: open it and pay with 4242 4242 4242 4242.");
    out.line("Stop with Ctrl-C.");
}

/// Where to click, in two sentences.
fn tell_demo(out: &Out, api: &str, admin: &str) {
    let page = format!("{api}{}", pages::BILLING_PATH);
    out.line("");
    out.line(format!(
        "As a customer: open {page} for a year of history, and ?customer=tom for a trial that ends tomorrow, eva for a failed payment, finn for somebody over the limit."
    ));
    out.line(format!(
        "As the team: open {admin} and look at what needs you, such as the dead letters under Events."
    ));
}

/// What `farthing dev` is made of.
struct Parts {
    engine: Engine,
    sandbox: Sandbox,
    clock: Arc<crate::clock::SandboxClock>,
    database_url: String,
    /// Keeps other servers out of the directory.
    _lock: dir::Lock,
}
