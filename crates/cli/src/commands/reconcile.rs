//! `farthing reconcile`: ours against the provider's, field by field.

use farthing_core::ids::CustomerId;
use farthing_engine::Call;
use farthing_engine::reconcile::{Drift, DriftReport, Walked};
use serde_json::json;

use crate::args::{Global, Reconcile};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Out, Tone, plain};
use crate::target;

/// After so many customers it is told how far it has come.
const PROGRESS_EVERY: u64 = 100;

/// Compares, repairs on request; ends with findings if something is left that differs.
pub fn run(global: &Global, reconcile: &Reconcile, out: &Out) -> Outcome {
    let only = reconcile.customer.as_deref().map(customer).transpose()?;
    let engine = target::local(global, out)?;
    let call = Call::new("cli", "farthing reconcile");
    let mut open = 0;
    match only {
        Some(id) => {
            let report = engine.reconcile_customer(&call, &id, reconcile.fix).map_err(hint)?;
            open += report.open();
            show(out, &report);
        }
        None => {
            let mut customers = 0;
            let mut tell = |report: &DriftReport| {
                open += report.open();
                show(out, report);
                customers += u64::from(report.customer.is_some());
                if out.terminal && !out.json && customers % PROGRESS_EVERY == 0 && 0 < customers {
                    out.note(format!("{customers} customers compared…"));
                }
            };
            let walked = engine.reconcile_all(&call, reconcile.fix, &mut tell).map_err(hint)?;
            end(out, reconcile.fix, &walked);
        }
    }
    Ok(if open == 0 { Exit::Done } else { Exit::Findings })
}

fn customer(id: &str) -> Result<CustomerId, Failure> {
    id.parse().map_err(|error: farthing_core::ids::InvalidCustomerId| {
        Failure::usage(format!("{id:?} is no customer's id: {error}"))
    })
}

fn hint(error: farthing_engine::EngineError) -> Failure {
    let no_provider = matches!(error, farthing_engine::EngineError::NoProvider);
    let failure = Failure::from(error);
    match no_provider {
        true => failure.fix(
            "start `farthing dev` on the directory, or set STRIPE_API_KEY for a production database",
        ),
        false => failure,
    }
}

/// In JSON one document for each customer of whom there is something to tell.
fn show(out: &Out, report: &DriftReport) {
    if report.findings.is_empty() && report.skipped.is_none() {
        return;
    }
    if out.json {
        return out.value(report);
    }
    let whose = report.customer.as_ref().map_or("nobody we know", |id| id.as_str());
    out.line(out.tone(whose, Tone::Bold));
    if let Some(why) = report.skipped {
        out.line(format!("  {why}"));
    }
    for Drift { object, field, ours, theirs, repair, repaired, ignored, .. } in &report.findings {
        let word = match (repaired, ignored) {
            (true, _) => out.tone("repaired", Tone::Good),
            (_, true) => out.tone("ignored", Tone::Dim),
            _ => out.tone(&format!("open ({})", repair.as_str()), Tone::Bad),
        };
        let line = format!("{object} {field}: ours {ours}, theirs {theirs}");
        out.line(format!("  {}  {word}", plain(&line)));
    }
}

fn end(out: &Out, fix: bool, walked: &Walked) {
    if out.json {
        return out.value(&json!({ "walked": walked }));
    }
    let Walked { customers, findings, repaired, open, .. } = walked;
    let compared = if *customers == 1 { "1 customer" } else { &format!("{customers} customers") };
    out.line(match (findings, fix) {
        (0, _) => format!("{compared} compared, nothing differs"),
        (n, true) => {
            format!("{compared} compared, {n} differences, {repaired} repaired, {open} open")
        }
        (n, false) => {
            format!("{compared} compared, {n} differences, {open} open; --fix repairs what can be")
        }
    });
}
