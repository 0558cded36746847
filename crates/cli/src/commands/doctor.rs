//! `farthing doctor`: what is wrong with the setup, each finding with a fix.
//!
//! Changes nothing, unless it is asked to mend the webhook endpoint.

use std::net::TcpListener;
use std::sync::Arc;

use farthing_core::time::Timestamp;
use farthing_engine::clock::RandomIds;
use farthing_engine::{Clock, Engine, STRIPE};
use farthing_providers::stripe::account;
use farthing_providers::{CallError, HttpTransport, Transport};
use farthing_store::inbox::{self, EventState};
use farthing_store::meta::{self, Mode};
use farthing_store::{Store, alerts, drift};
use serde::Serialize;
use serde_json::json;

use super::{catalog, doctor_endpoint, doctor_mail, serve};
use crate::args::Global;
use crate::client;
use crate::clock::SystemClock;
use crate::config::{Config, process_env};
use crate::dev::dir::Dir;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Out, Tone, plain};
use crate::target;

/// How far the machine's clock may be from the provider's, in seconds. Webhooks are refused from
/// five minutes on.
const CLOCK_TOLERANCE: u64 = 30;
/// How many open alerts are shown.
const ALERTS_SHOWN: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Finding,
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Seen {
    check: &'static str,
    status: Status,
    message: String,
    fix: Option<String>,
}

pub(super) struct Doctor<'a> {
    global: &'a Global,
    out: &'a Out,
    /// The configuration of `farthing serve`, when that is what is looked at and it can be read.
    config: Option<Config>,
    production: bool,
    seen: Vec<Seen>,
}

/// Looks at everything; ends with findings if there are any.
///
/// With `fix` the webhook endpoint is made at Stripe, or made right.
pub fn run(global: &Global, fix: bool, out: &Out) -> Outcome {
    let production = ["FARTHING_DATABASE_URL", "FARTHING_DATABASE_URL_FILE", "FARTHING_MODE"]
        .iter()
        .any(|name| process_env(name).is_some());
    let mut doctor = Doctor { global, out, config: None, production, seen: Vec::new() };
    doctor.configuration();
    if let Some(store) = doctor.database() {
        if let Some(mode) = doctor.mode(&store) {
            doctor.catalog(&store, mode);
        }
        doctor.provider(&store);
        doctor.trouble(&store);
    }
    doctor.webhook_secret();
    if let Some(config) = doctor.config.clone() {
        doctor_endpoint::look(&mut doctor, &config, fix);
    }
    doctor.mail();
    doctor.port();
    doctor.tell()
}

impl Doctor<'_> {
    pub(super) fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.seen.push(Seen { check, status: Status::Ok, message: message.into(), fix: None });
    }

    pub(super) fn skip(&mut self, check: &'static str, message: impl Into<String>) {
        let message = message.into();
        self.seen.push(Seen { check, status: Status::Skipped, message, fix: None });
    }

    pub(super) fn find(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let (message, fix) = (message.into(), Some(fix.into()));
        self.seen.push(Seen { check, status: Status::Finding, message, fix });
    }

    pub(super) fn fail(&mut self, check: &'static str, failure: Failure) {
        let fix = failure.fix.unwrap_or_else(|| "see what the message says".to_owned());
        self.find(check, failure.message, fix);
    }

    fn configuration(&mut self) {
        const CHECK: &str = "configuration";
        if !self.production {
            let dir = self.global.data.display().to_string();
            match self.global.data.is_dir() {
                true => self.ok(CHECK, format!("a development server's, in {dir}")),
                false => self.find(
                    CHECK,
                    format!("there is no {dir}, and no FARTHING_ setting in the environment"),
                    "start `farthing dev`, or set what `farthing serve` needs",
                ),
            }
            return;
        }
        match Config::read(&process_env) {
            Ok(config) => {
                let (mode, back) = (config.mode.as_str(), &config.return_base);
                self.ok(CHECK, format!("mode {mode}, customers return to {back}"));
                self.config = Some(config);
            }
            Err(mistakes) => {
                for mistake in mistakes {
                    self.find(CHECK, mistake.message, mistake.fix);
                }
            }
        }
    }

    fn database(&mut self) -> Option<Store> {
        match target::open(self.global, self.out) {
            Ok((store, located)) => {
                self.ok("database", format!("{} answers", target::shown(&located.url)));
                Some(store)
            }
            Err(failure) => {
                self.fail("database", failure);
                None
            }
        }
    }

    fn mode(&mut self, store: &Store) -> Option<Mode> {
        let mode = match target::mode_of(store) {
            Ok(mode) => mode,
            Err(failure) => {
                self.fail("migrations", failure);
                return None;
            }
        };
        self.ok("migrations", "none is missing");
        let wanted = self.config.as_ref().map(|config| config.mode);
        match (mode, wanted) {
            (None, _) => {
                self.find("mode", "the database was never used", "start the server on it once");
            }
            (Some(found), Some(wanted)) if found != wanted => {
                self.fail("mode", target::other_mode(found, wanted));
            }
            (Some(found), None) if self.production && !serve::is_served(found) => self.find(
                "mode",
                "FARTHING_DATABASE_URL names a sandbox database",
                "name another one: `farthing serve` takes test and live",
            ),
            (Some(found), _) => self.ok("mode", found.as_str()),
        }
        mode
    }

    fn catalog(&mut self, store: &Store, mode: Mode) {
        const CHECK: &str = "catalog";
        let clock = match target::clock_for(mode, &self.global.data) {
            Ok(clock) => clock,
            Err(failure) => return self.fail("clock", failure),
        };
        let config = farthing_engine::Config { mode, return_base: String::new(), public_url: None };
        let engine = Engine::new(store.clone(), clock, Arc::new(RandomIds), None, config);
        let version = match engine.current_catalog() {
            Ok(current) => current.version,
            Err(error) => return self.fail(CHECK, error.into()),
        };
        let file = Dir::at(&self.global.data).catalog();
        match catalog::differs(&engine, &file) {
            Ok(None) => {
                self.ok(CHECK, format!("version {version} is in force; no file to compare"))
            }
            Ok(Some(0)) => {
                self.ok(CHECK, format!("version {version} is what {} says", file.display()));
            }
            Ok(Some(n)) => self.find(
                CHECK,
                format!("{} has {n} changes that are not in force", file.display()),
                "look at them with `farthing catalog plan`, then `farthing catalog apply`",
            ),
            Err(failure) => {
                let message = format!("{}: {}", file.display(), failure.message);
                self.find(CHECK, message, "see them with `farthing catalog check`");
            }
        }
    }

    /// The key, its account, and the clock: the provider's answer shows all three.
    fn provider(&mut self, store: &Store) {
        const CHECK: &str = "provider";
        let Some(config) = self.config.clone() else {
            return self.skip(CHECK, "the sandbox, on this machine, or not configured");
        };
        let stripe = config.stripe;
        let transport = HttpTransport::new(&stripe.url, &stripe.api_key, stripe.livemode);
        let answer = match transport {
            Err(error) => return self.find(CHECK, error.to_string(), "copy the key again"),
            Ok(transport) => transport.send(&account::encode_fetch_account()),
        };
        let response = match answer {
            Ok(response) => response,
            Err(error) => {
                let message = format!("Stripe cannot be reached: {error}");
                return self.find(CHECK, message, "check the network, proxies and DNS");
            }
        };
        match account::decode_account(response.status, &response.body, stripe.livemode) {
            Err(CallError::Refused { message, .. }) => {
                self.find(
                    CHECK,
                    format!("Stripe refused the key: {message}"),
                    "copy the key again",
                );
            }
            Err(error) => {
                let message = format!("Stripe's answer cannot be used: {error}");
                self.find(CHECK, message, "try again in a minute");
            }
            Ok(account) => self.account(store, &account.id),
        }
        self.clock(response.header("date"));
    }

    fn account(&mut self, store: &Store, account: &str) {
        match store.read(|tx| meta::account(tx, STRIPE)) {
            Ok(Some(tied)) if tied != account => self.find(
                "provider",
                format!("the key is of account {account}, the database belongs to {tied}"),
                "use the key of that account, or another database",
            ),
            Ok(_) => self.ok("provider", format!("the key is accepted, account {account}")),
            Err(error) => self.fail("provider", error.into()),
        }
    }

    fn clock(&mut self, date: Option<&str>) {
        const CHECK: &str = "clock";
        let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
        let theirs = theirs.and_then(|at| Timestamp::from_seconds(at.timestamp().as_second()).ok());
        let Some(theirs) = theirs else {
            return self.skip(CHECK, "the provider's answer has no date to compare with");
        };
        match SystemClock.now().seconds().abs_diff(theirs.seconds()) {
            near @ 0..=CLOCK_TOLERANCE => self.ok(CHECK, format!("{near} s from the provider's")),
            far => self.find(
                CHECK,
                format!("this machine's clock is {far} s away from the provider's"),
                "switch time synchronisation on: webhooks are refused from 300 s on",
            ),
        }
    }

    fn trouble(&mut self, store: &Store) {
        match store.read(|tx| alerts::list_open(tx, ALERTS_SHOWN)) {
            Ok(open) if open.is_empty() => self.ok("alerts", "none is open"),
            Ok(open) => {
                for alert in open {
                    let message = format!("{} {}: {}", alert.kind, alert.subject, alert.detail);
                    let fix = match alert.kind.as_str() {
                        "provider_event" => {
                            format!(
                                "mend the cause, then `farthing events replay {}`",
                                alert.subject
                            )
                        }
                        _ => "mend the cause; the log says more".to_owned(),
                    };
                    self.find("alerts", plain(&message), fix);
                }
            }
            Err(error) => self.fail("alerts", error.into()),
        }
        match store.read(drift::count_open) {
            Ok(0) => self.ok("drift", "nothing is known to differ from the provider"),
            Ok(n) => self.find(
                "drift",
                format!("{n} differences from the provider are open"),
                "see `farthing reconcile`, then `farthing reconcile --fix`",
            ),
            Err(error) => self.fail("drift", error.into()),
        }
        match store.read(inbox::counts) {
            Ok(counts) => {
                let stuck = counts.iter().filter(|(state, _)| {
                    matches!(state, EventState::Dead | EventState::Quarantined)
                });
                match stuck.map(|(_, n)| n).sum::<i64>() {
                    0 => self.ok("events", "none waits for a person"),
                    n => self.find(
                        "events",
                        format!("{n} provider events wait for a person"),
                        "see `farthing events list --state quarantined` and `--state dead`",
                    ),
                }
            }
            Err(error) => self.fail("events", error.into()),
        }
    }

    fn webhook_secret(&mut self) {
        const CHECK: &str = "webhooks";
        if !self.production {
            let dir = Dir::at(&self.global.data);
            match dir.read_secret(&dir.webhook_secret()) {
                Ok(Some(_)) => self.ok(CHECK, "the sandbox's secret is there"),
                Ok(None) => {
                    self.find(
                        CHECK,
                        "the sandbox's webhook secret is missing",
                        "restart `farthing dev`",
                    );
                }
                Err(failure) => self.fail(CHECK, failure),
            }
            return;
        }
        match self.config.as_ref().map(|config| config.stripe.webhook.is_configured()) {
            Some(true) => self.ok(CHECK, "a secret is configured"),
            Some(false) => self.find(
                CHECK,
                "STRIPE_WEBHOOK_SECRETS is not set: nothing that happens at Stripe arrives",
                "run `farthing doctor --fix` with FARTHING_PUBLIC_URL set to make one, and set its secret",
            ),
            None => self.skip(CHECK, "the configuration cannot be read"),
        }
    }

    fn mail(&mut self) {
        let Some(mail) = self.config.as_ref().map(|config| config.mail.clone()) else {
            return self.skip("mail", "kept on this machine, or not configured");
        };
        for looked in [doctor_mail::server(&mail), doctor_mail::operators(&mail)] {
            match looked {
                Ok(message) => self.ok("mail", message),
                Err((message, fix)) => self.find("mail", message, fix),
            }
        }
    }

    fn port(&mut self) {
        const CHECK: &str = "port";
        if !self.production {
            match target::running(self.global) {
                Some(running) => {
                    self.ok(CHECK, format!("the server answers at {}", running.api));
                    self.breaker(&running.api);
                }
                None => self.skip(CHECK, "the development server is not running"),
            }
            return;
        }
        let Some(listen) = self.config.as_ref().map(|config| config.listen) else {
            return self.skip(CHECK, "the configuration cannot be read");
        };
        let api = format!("http://{listen}");
        if client::answers(&api) {
            self.ok(CHECK, format!("the server answers at {listen}"));
            return self.breaker(&api);
        }
        match TcpListener::bind(listen) {
            Ok(_) => self.ok(CHECK, format!("{listen} is free; the server is not running")),
            Err(error) => self.find(
                CHECK,
                format!("{listen} cannot be listened on: {error}"),
                "stop what uses it, or set FARTHING_LISTEN to another address",
            ),
        }
    }

    /// Whether the running server leaves the provider alone because it does not answer.
    fn breaker(&mut self, api: &str) {
        const CHECK: &str = "breaker";
        let ready = client::readiness(api);
        match ready.as_deref().and_then(|text| text.lines().nth(1)) {
            Some(line) if line.ends_with(": closed") => self.ok(CHECK, plain(line)),
            Some(line) => self.find(
                CHECK,
                format!("calls to the provider are held back: {}", plain(line)),
                "see the provider's status page and the server's log; it closes by itself once the \
                 provider answers",
            ),
            None => self.skip(CHECK, "the server is not ready, or has no provider"),
        }
    }

    fn tell(self) -> Outcome {
        let findings = self.seen.iter().filter(|seen| seen.status == Status::Finding).count();
        let exit = if findings == 0 { Exit::Done } else { Exit::Findings };
        if self.out.json {
            self.out.value(&json!({ "ok": findings == 0, "checks": self.seen }));
            return Ok(exit);
        }
        for Seen { check, status, message, fix } in &self.seen {
            let (word, tone) = match status {
                Status::Ok => ("ok", Tone::Good),
                Status::Finding => ("finding", Tone::Bad),
                Status::Skipped => ("skipped", Tone::Dim),
            };
            self.out.line(format!("{check:<13}  {}  {message}", self.out.tone(word, tone)));
            if let Some(fix) = fix {
                self.out.line(format!("{:<13}  fix: {fix}", ""));
            }
        }
        self.out.line(match findings {
            0 => "nothing found".to_owned(),
            1 => "1 finding".to_owned(),
            n => format!("{n} findings"),
        });
        Ok(exit)
    }
}
