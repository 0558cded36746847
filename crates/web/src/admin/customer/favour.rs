//! Exceptions for one customer, with a reason and an end.

use axum::extract::Path;
use farthing_core::catalog::Limit;
use farthing_core::time::Timestamp;
use farthing_engine::EngineError;
use farthing_engine::overrides::NewOverride;
use maud::html;

use super::back;
use crate::admin::customers;
use crate::admin::desk::{Answer, Desk, customer_id};
use crate::admin::paths;
use crate::admin::words::favour as words;
use crate::forms::Form;
use crate::show;

pub(crate) async fn form(desk: Desk, Path(id): Path<String>) -> Answer {
    let id = customer_id(&id)?;
    let whose = id.clone();
    let (customer, state) =
        desk.ask(move |engine| Ok((engine.customer(&whose)?, engine.state(&whose)?))).await?;
    let here = paths::customer(id.as_str());
    let body = html! {
        h1 { (words::TITLE) " " (customers::name(&customer)) }
        p { (words::ABOUT) }
        form.card method="post" action={ (here) "/overrides" } {
            (desk.field())
            label for="feature" { (words::FEATURE) }
            select id="feature" name="feature" {
                @for (key, feature) in &state.features {
                    option value=(key) { (show::words(key)) " (" (words::now(feature.limit)) ")" }
                }
            }
            label for="limit" { (words::LIMIT) }
            input id="limit" name="limit" required maxlength="20" aria-describedby="limit-hint";
            span.hint id="limit-hint" { (words::LIMIT_HINT) }
            label for="reason" { (words::REASON) }
            input id="reason" name="reason" required maxlength="500";
            label for="until" { (words::UNTIL) }
            input id="until" name="until" type="date" aria-describedby="until-hint";
            span.hint id="until-hint" { (words::UNTIL_HINT) }
            button type="submit" { (words::SUBMIT) }
        }
        p { a href=(here) { (words::BACK) } }
    };
    desk.page(words::TITLE, &body)
}

pub(crate) async fn put(desk: Desk, Path(id): Path<String>, form: Form) -> Answer {
    let id = customer_id(&id)?;
    let new = NewOverride {
        limit: limit(form.get("limit"))?,
        reason: form.get("reason").to_owned(),
        expires_at: until(form.get("until"))?,
    };
    let (call, whose, feature) = (desk.call(), id.clone(), form.get("feature").to_owned());
    desk.ask(move |engine| engine.put_override(&call, &whose, &feature, &new)).await?;
    Ok(back(&id, "override"))
}

pub(crate) async fn end(
    desk: Desk,
    Path((id, feature)): Path<(String, String)>,
    _form: Form,
) -> Answer {
    let id = customer_id(&id)?;
    let (call, whose) = (desk.call(), id.clone());
    desk.ask(move |engine| engine.delete_override(&call, &whose, &feature)).await?;
    Ok(back(&id, "override_ended"))
}

/// What was typed as a limit; whether it fits the feature is for the engine to say.
fn limit(typed: &str) -> Result<Limit, EngineError> {
    match typed.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Ok(Limit::Switch(true)),
        "off" | "false" | "no" => Ok(Limit::Switch(false)),
        "unlimited" => Ok(Limit::Unlimited),
        number => number.parse().map(Limit::Amount).map_err(|_| {
            EngineError::invalid("/limit", "invalid_limit", words::BAD_LIMIT, words::LIMIT_HINT)
        }),
    }
}

/// The start of a day in UTC.
fn until(typed: &str) -> Result<Option<Timestamp>, EngineError> {
    if typed.is_empty() {
        return Ok(None);
    }
    let at = format!("{typed}T00:00:00Z").parse();
    at.map(Some).map_err(|_| {
        EngineError::invalid("/until", "invalid_timestamp", words::BAD_DAY, words::UNTIL_HINT)
    })
}
