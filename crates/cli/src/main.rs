//! The farthing binary: development server, production server and every command around them.
//!
//! In reading order: [`args`] (what can be said), [`target`] (what it works on), [`commands`],
//! [`dev`], [`host`] and [`worker`] (what keeps running), [`config`], [`clock`], [`output`],
//! [`exit`].

mod args;
mod client;
mod clock;
mod commands;
mod config;
mod dev;
mod exit;
mod host;
mod output;
mod target;
mod theme;
mod worker;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use args::{Cli, Command};
use exit::{Exit, Outcome};
use output::Out;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Out::new(cli.global.json);
    log(&cli.command);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a mistake in farthing itself; please report it with this place");
    }));
    let ended = std::panic::catch_unwind(|| run(cli, &out));
    let exit = match ended {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            out.failure(&failure);
            failure.exit
        }
        Err(_) => Exit::Failed,
    };
    ExitCode::from(exit as u8)
}

fn run(cli: Cli, out: &Out) -> Outcome {
    let Cli { global, command } = cli;
    match command {
        Command::Dev(dev) => dev::run(&global, &dev, out),
        Command::Init(init) => commands::init::run(&global, &init, out),
        Command::Serve(serve) => commands::serve::run(&serve, out),
        Command::Doctor { fix } => commands::doctor::run(&global, fix, out),
        Command::Check => commands::check::run(&global, out),
        Command::Simulate(simulate) => commands::simulate::run(&simulate, out),
        Command::Catalog(catalog) => commands::catalog::run(&global, catalog, out),
        Command::Customers(customers) => commands::customers::run(&global, customers, out),
        Command::Consume(amount) => commands::consume::run(&global, "consume", &amount, out),
        Command::Release(amount) => commands::consume::run(&global, "release", &amount, out),
        Command::Clock(clock) => commands::clock::run(&global, clock, out),
        Command::Events(events) => commands::events::run(&global, events, out),
        Command::Reconcile(reconcile) => commands::reconcile::run(&global, &reconcile, out),
        Command::Refunds(refunds) => commands::refunds::run(&global, refunds, out),
        Command::Keys(keys) => commands::keys::run(&global, keys, out),
        Command::Admin(admin) => commands::admin::run(&global, admin, out),
        Command::Db(db) => commands::db::run(&global, db, out),
        Command::Openapi => {
            out.value(&farthing_server::openapi_document());
            Ok(Exit::Done)
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "farthing", &mut script);
            out.line(String::from_utf8_lossy(&script).trim_end());
            Ok(Exit::Done)
        }
        Command::Version => {
            let version = env!("CARGO_PKG_VERSION");
            if out.json {
                out.value(&json!({ "version": version }));
            } else {
                out.line(format!("farthing {version}"));
            }
            Ok(Exit::Done)
        }
    }
}

/// Logs go to standard error: all of them in production, else only what needs attention.
/// `RUST_LOG` decides otherwise. Messages carry ids, never names, addresses or secrets.
fn log(command: &Command) {
    let usual = if matches!(command, Command::Serve(_)) { "info" } else { "warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || !std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(!plain)
        .init();
}
