//! `farthing catalog`: check, plan, apply and show the catalog file.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use farthing_core::catalog::{self, CatalogError, Change};
use farthing_engine::catalogs::CatalogProblem;
use farthing_engine::{Call, Engine};
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity,
    SourceCode,
};
use serde_json::{Value, json};

use crate::args::{Catalog, Global};
use crate::client::Client;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Out, Tone, plain};
use crate::target;

/// Does what was asked.
pub fn run(global: &Global, command: Catalog, out: &Out) -> Outcome {
    match command {
        Catalog::Check { file } => check(&target::catalog_file(global, file), out),
        Catalog::Plan { file } => plan(global, &target::catalog_file(global, file), out),
        Catalog::Apply { file, yes } => {
            apply(global, &target::catalog_file(global, file), yes, out)
        }
        Catalog::Show => show(global, out),
    }
}

/// The text of a catalog file. Errors: it cannot be read, or is too large to be one.
pub fn read(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let bytes = std::fs::read(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Failure::new(format!("there is no file {shown}"))
            .fix("write one with `farthing init`, or name another file"),
        _ => Failure::new(format!("{shown} cannot be read: {error}")),
    })?;
    if catalog::MAX_SOURCE_BYTES < bytes.len() {
        let most = catalog::MAX_SOURCE_BYTES;
        return Err(Failure::new(format!(
            "{shown} is longer than {most} bytes: that is no catalog"
        )));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("{shown} is not UTF-8 text: that is no catalog")))
}

fn check(file: &Path, out: &Out) -> Outcome {
    out.target(&file.display().to_string());
    let source = read(file)?;
    match catalog::parse(&source) {
        Ok(catalog) => {
            let (plans, features) = (catalog.plans.len(), catalog.features.len());
            let packs = catalog.packs.len();
            if out.json {
                out.value(&json!({ "ok": true, "file": file, "errors": [] }));
            } else {
                let ok = out.tone("ok", Tone::Good);
                out.line(format!("{ok}: {plans} plans, {features} features, {packs} packs"));
            }
            Ok(Exit::Done)
        }
        Err(mistakes) => {
            if out.json {
                out.value(&json!({ "ok": false, "file": file, "errors": mistakes }));
            } else {
                out.line(drawn(out.color(), file, &source, &mistakes));
                let n = mistakes.len();
                out.line(if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") });
            }
            Ok(Exit::Findings)
        }
    }
}

/// Draws every mistake where it is, on standard error.
pub fn draw_mistakes(out: &Out, file: &Path, source: &str, mistakes: &[CatalogError]) {
    if out.json {
        return out.note(json!({ "file": file, "errors": mistakes }).to_string());
    }
    out.note(drawn(false, file, source, mistakes));
}

/// Every mistake under the line that it is in.
fn drawn(color: bool, file: &Path, source: &str, mistakes: &[CatalogError]) -> String {
    let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_context_lines(1);
    let named = NamedSource::new(file.display().to_string(), source.to_owned());
    let mut text = String::new();
    for mistake in mistakes {
        let drawn = Drawn { mistake, source: &named };
        let mut one = String::new();
        if handler.render_report(&mut one, &drawn).is_err() {
            one = format!("{}: {mistake}\n", file.display());
        }
        text.push_str(&one);
        text.push('\n');
    }
    text.trim_end().to_owned()
}

struct Drawn<'a> {
    mistake: &'a CatalogError,
    source: &'a NamedSource<String>,
}

impl std::fmt::Debug for Drawn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.mistake.fmt(f)
    }
}

impl std::fmt::Display for Drawn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.mistake.message)
    }
}

impl std::error::Error for Drawn<'_> {}

impl Diagnostic for Drawn<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(self.mistake.code))
    }

    fn severity(&self) -> Option<Severity> {
        Some(Severity::Error)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.mistake.fix))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.mistake.nearest.as_ref().map(|nearest| format!("did you mean {nearest}?"));
        let label = label.or_else(|| Some("here".to_owned()));
        let span = LabeledSpan::new(label, self.mistake.offset, self.mistake.len);
        Some(Box::new(std::iter::once(span)))
    }
}

/// Where a catalog is compared and applied.
enum Place {
    Server(Client),
    Local(Engine),
}

impl Place {
    fn find(global: &Global, out: &Out) -> Result<Self, Failure> {
        Ok(match target::server_unless_database(global, out)? {
            Some(client) => Self::Server(client),
            None => Self::Local(target::local(global, out)?),
        })
    }

    fn plan(&self, source: &str) -> Result<Value, Failure> {
        match self {
            Self::Server(client) => {
                client.post(&["v1", "catalog", "plan"], &json!({ "source": source }))
            }
            Self::Local(engine) => {
                let plan = engine.plan_catalog(source).map_err(failure)?;
                Ok(json!(plan))
            }
        }
    }

    fn apply(&self, source: &str) -> Result<Value, Failure> {
        match self {
            Self::Server(client) => {
                client.post(&["v1", "catalog", "apply"], &json!({ "source": source }))
            }
            Self::Local(engine) => {
                let call = Call::new("cli", "farthing catalog apply");
                let applied = engine.apply_catalog(&call, source).map_err(failure)?;
                Ok(json!(applied))
            }
        }
    }

    fn show(&self) -> Result<Value, Failure> {
        match self {
            Self::Server(client) => client.get(&["v1", "catalog"], &[]),
            Self::Local(engine) => Ok(json!(engine.current_catalog()?)),
        }
    }
}

/// Why a catalog was not applied, without its mistakes, which are drawn elsewhere.
pub fn failure(problem: CatalogProblem) -> Failure {
    match problem {
        CatalogProblem::Engine(error) => error.into(),
        problem @ (CatalogProblem::Mistakes(_) | CatalogProblem::Blocked(_)) => {
            Failure::new(problem.to_string())
        }
    }
}

/// The source of a file without mistakes; those are drawn.
fn checked(file: &Path, out: &Out) -> Result<String, Failure> {
    let source = read(file)?;
    let Err(mistakes) = catalog::parse(&source) else { return Ok(source) };
    draw_mistakes(out, file, &source, &mistakes);
    let n = mistakes.len();
    let things = if n == 1 { "1 mistake".to_owned() } else { format!("{n} mistakes") };
    Err(Failure::new(format!("{} has {things}; nothing was changed", file.display()))
        .fix("mend them, then try again")
        .ending(Exit::Findings))
}

fn plan(global: &Global, file: &Path, out: &Out) -> Outcome {
    let source = checked(file, out)?;
    let place = Place::find(global, out)?;
    let plan = place.plan(&source)?;
    tell_plan(file, &plan, out);
    Ok(if is_empty(&plan) { Exit::Done } else { Exit::ChangesPending })
}

fn is_empty(plan: &Value) -> bool {
    plan["changes"].as_array().is_none_or(Vec::is_empty)
}

fn tell_plan(file: &Path, plan: &Value, out: &Out) {
    if out.json {
        return out.value(plan);
    }
    if is_empty(plan) {
        return out.line(format!("{} is in force already", file.display()));
    }
    match plan["version"].as_i64() {
        Some(version) => out.line(format!("against version {version}:")),
        None => out.line("no catalog is in force yet:"),
    }
    out.line(text_of(&plan["changes"], |text, tone| out.tone(text, tone)));
}

/// Changes for people, several lines each.
pub fn changes_text(changes: &[Change]) -> String {
    text_of(&json!(changes), |text, _| text.to_owned())
}

fn text_of(changes: &Value, tone: impl Fn(&str, Tone) -> String) -> String {
    let word = |value: &Value| value.as_str().map(plain).unwrap_or_default();
    let mut text = String::new();
    for change in changes.as_array().into_iter().flatten() {
        let (sign, sign_tone) = match change["kind"].as_str() {
            Some("added") => ("+", Tone::Good),
            Some("removed") => ("-", Tone::Bad),
            _ => ("~", Tone::Bold),
        };
        let what = match (change["from"].as_str(), change["to"].as_str()) {
            (Some(from), Some(to)) => format!(": {} → {}", plain(from), plain(to)),
            (None, Some(one)) | (Some(one), None) if !one.is_empty() => format!(": {}", plain(one)),
            _ => String::new(),
        };
        text.push_str(&format!("  {} {}{what}\n", tone(sign, sign_tone), word(&change["path"])));
        text.push_str(&format!("      {}\n", tone(&word(&change["effect"]), Tone::Dim)));
        if change["blocking"].is_string() {
            let blocked = tone("blocked:", Tone::Bad);
            text.push_str(&format!("      {blocked} {}\n", word(&change["blocking"])));
        }
    }
    text.trim_end().to_owned()
}

fn apply(global: &Global, file: &Path, yes: bool, out: &Out) -> Outcome {
    let source = checked(file, out)?;
    let place = Place::find(global, out)?;
    let plan = place.plan(&source)?;
    if plan["blocked"] == json!(true) {
        tell_plan(file, &plan, out);
        return Err(Failure::new("it takes away what customers have; nothing was changed")
            .fix("do what the blocked lines say"));
    }
    if !is_empty(&plan) && !yes {
        tell_plan(file, &plan, out);
        let people = std::io::stdin().is_terminal() && out.terminal && !out.json;
        if !people || !agreed(out) {
            return Err(Failure::new("nothing was changed")
                .fix("apply it with `farthing catalog apply --yes`")
                .ending(Exit::ConfirmationNeeded));
        }
    }
    if yes && !out.json {
        tell_plan(file, &plan, out);
    }
    let applied = place.apply(&source)?;
    if out.json {
        out.value(&applied);
    } else if !is_empty(&plan) {
        let ok = out.tone("applied", Tone::Good);
        let prices = applied["prices_created"].as_u64().unwrap_or_default();
        out.line(format!("{ok}: version {}, {prices} prices made", applied["version"]));
    }
    Ok(Exit::Done)
}

fn agreed(out: &Out) -> bool {
    out.note("Apply these changes? [y/N]");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes")
}

fn show(global: &Global, out: &Out) -> Outcome {
    let catalog = Place::find(global, out)?.show()?;
    if out.json {
        out.value(&catalog);
    } else {
        let at = catalog["applied_at"].as_str().map(plain).unwrap_or_default();
        out.note(format!("version {}, applied {at}", catalog["version"]));
        out.line(catalog["source"].as_str().unwrap_or_default().trim_end());
    }
    Ok(Exit::Done)
}

/// Whether `file` says something else than the catalog in force; `None` if there is no file.
pub fn differs(engine: &Engine, file: &Path) -> Result<Option<usize>, Failure> {
    if !file.exists() {
        return Ok(None);
    }
    let plan = engine.plan_catalog(&read(file)?).map_err(failure)?;
    Ok(Some(plan.changes.len()))
}
