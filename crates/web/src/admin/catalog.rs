//! The catalog: the pricing table, the file, its versions, and applying another one.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use farthing_core::catalog::Change;
use farthing_engine::catalogs::CatalogProblem;
use farthing_engine::operators::Action;
use farthing_engine::plans::PlanOffer;
use maud::{Markup, html};

use super::desk::{Answer, Desk};
use super::timeline;
use super::words::{catalog as words, customer::limit as limit_text};
use crate::forms::Form;
use crate::layout::{empty, notice};
use crate::refusal::{self, Refusal};
use crate::show;

pub(crate) async fn show(desk: Desk) -> Answer {
    let (current, plans, versions, team) = desk
        .ask(|engine| {
            let current = engine.current_catalog()?;
            Ok((current, engine.plans(None)?, engine.catalog_versions(20)?, engine.team()?))
        })
        .await?;
    let body = html! {
        h1 { (words::TITLE) }
        p.muted { (words::VERSION) " " (current.version) ", " (show::instant(current.applied_at)) ", " (timeline::actor(&current.actor, &team)) }
        (offers(&plans))
        section.card aria-labelledby="source" {
            h2 id="source" { (words::SOURCE) }
            @if desk.may(Action::ApplyCatalog) { (editor(&desk, &current.source)) }
            @else { pre tabindex="0" { (current.source) } }
        }
        section.card {
            table.stack {
                caption { (words::VERSIONS) }
                thead { tr { th scope="col" { (words::VERSION) } th scope="col" { (words::APPLIED) } th scope="col" { (words::BY) } } }
                tbody { @for version in &versions { tr {
                    td { a href={ "/admin/catalog/versions/" (version.version) } { (words::VERSION) " " (version.version) } }
                    td { (show::instant(version.applied_at)) }
                    td { (timeline::actor(&version.actor, &team)) }
                } } }
            }
        }
    };
    desk.page(words::TITLE, &body)
}

/// The plans as a pricing table.
fn offers(plans: &[PlanOffer]) -> Markup {
    html! {
        div.cards {
            @for offer in plans {
                section.card {
                    h2 { (offer.name) } p.muted { code { (offer.plan) } }
                    @if offer.prices.is_empty() { p { strong { (words::FREE) } } }
                    @for (interval, prices) in &offer.prices {
                        p { @for price in prices.values() { strong { (show::money(*price)) } " " } (words::each(interval)) }
                    }
                    @if let Some(days) = offer.trial_days { p { span.tag { (words::trial(days)) } } }
                    ul {
                        @for (feature, limit) in &offer.limits { li { (show::words(feature)) ": " (limit.as_ref().map_or_else(|| words::UNLIMITED.to_owned(), limit_text)) } }
                        @for (credit, grant) in &offer.credits { li { (grant.amount) " " (show::words(credit)) ", " (words::each(grant.every.as_str())) } }
                    }
                }
            }
        }
        br;
    }
}

fn editor(desk: &Desk, source: &str) -> Markup {
    html! {
        form method="post" action="/admin/catalog/plan" {
            (desk.field())
            label for="file" { (words::EDIT) }
            textarea.source id="file" name="source" spellcheck="false" { "\n" (source) }
            button type="submit" { (words::COMPARE) }
        }
    }
}

pub(crate) async fn version(desk: Desk, Path(version): Path<String>) -> Answer {
    let number = version.parse().map_err(|_| Refusal::NoPage)?;
    let (stored, source) = desk.ask(move |engine| engine.catalog_version(number)).await?;
    let title = format!("{} {}", words::VERSION, stored.version);
    let body = html! {
        h1 { (title) }
        p.muted { (show::instant(stored.applied_at)) " · " code { (stored.sha256) } }
        pre tabindex="0" { (source) }
        p { a href="/admin/catalog" { (words::BACK) } }
    };
    desk.page(&title, &body)
}

/// Browsers send line ends as CR LF.
fn source_of(form: &Form) -> String {
    form.raw("source").replace("\r\n", "\n")
}

pub(crate) async fn plan(desk: Desk, form: Form) -> Answer {
    let source = source_of(&form);
    let asked = source.clone();
    let found = desk.site.run(move |engine| engine.plan_catalog(&asked)).await?;
    let plan = match found {
        Ok(plan) => plan,
        Err(problem) => return refused(&desk, &source, problem),
    };
    let body = html! {
        h1 { (words::DIFF) }
        @if plan.changes.is_empty() { (empty(words::SAME, words::SAME_MORE, Some("farthing catalog plan"))) }
        (changes(&plan.changes))
        @if plan.blocked { (notice("bad", words::BLOCKED)) }
        @else if !plan.changes.is_empty() {
            form method="post" action="/admin/catalog/apply" {
                (desk.field())
                input type="hidden" name="source" value=(source);
                button type="submit" { (words::apply(plan.changes.len())) }
            }
        }
        section.card { h2 { (words::SOURCE) } (editor(&desk, &source)) }
        p { a href="/admin/catalog" { (words::BACK) } }
    };
    desk.page(words::DIFF, &body)
}

fn changes(changes: &[Change]) -> Markup {
    html! {
        @for change in changes {
            div class=(if change.blocking.is_some() { "diff blocked" } else { "diff" }) {
                p {
                    code { (change.path) } br;
                    @if let Some(from) = &change.from { del { (from) } " " }
                    @if let Some(to) = &change.to { ins { (to) } }
                    br; (change.effect)
                    @if let Some(blocking) = &change.blocking { br; strong { (words::NOT_POSSIBLE) } " " (blocking) }
                }
            }
        }
    }
}

pub(crate) async fn apply(desk: Desk, form: Form) -> Answer {
    let source = source_of(&form);
    let (call, asked) = (desk.call(), source.clone());
    let applied = desk.site.run(move |engine| engine.apply_catalog(&call, &asked)).await?;
    match applied {
        Ok(_) => Ok(refusal::to("/admin/catalog")),
        Err(problem) => refused(&desk, &source, problem),
    }
}

/// The page with what is wrong with a catalog; nothing was changed.
fn refused(desk: &Desk, source: &str, problem: CatalogProblem) -> Answer {
    let found = match problem {
        CatalogProblem::Engine(error) => return Err(error.into()),
        CatalogProblem::Blocked(changes) => self::changes(&changes),
        CatalogProblem::Mistakes(mistakes) => html! {
            ul {
                @for mistake in &mistakes {
                    li { (words::LINE) " " (mistake.line) ": " strong { (mistake.message) } " " (mistake.fix) " " code { (mistake.code) } }
                }
            }
        },
    };
    let body = html! {
        h1 { (words::DIFF) }
        (notice("bad", words::MISTAKES))
        (found)
        section.card { h2 { (words::SOURCE) } (editor(desk, source)) }
    };
    let page = desk.page(words::DIFF, &body)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}
