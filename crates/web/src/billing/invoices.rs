//! Invoices, with the provider's page on which each can be paid, read and downloaded.

use axum::extract::State;
use farthing_engine::subscriptions::InvoiceView;
use maud::{Markup, html};

use super::layout::{self, Place, Shown};
use super::problem::Problem;
use super::site::Pages;
use super::visitor::{Params, Visitor};
use super::words;
use crate::show;

/// Invoices on one page.
const SHOWN: i64 = 24;

/// `GET /b/invoices`.
pub(super) async fn list(
    State(pages): State<Pages>,
    visitor: Visitor,
    params: Params,
) -> Result<Shown, Problem> {
    let (id, before) = (visitor.customer(), params.get("before").to_owned());
    let known = before.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let before = if known && before.len() <= 64 { before } else { String::new() };
    let mut found = pages.ask(move |engine| engine.invoices(Some(&id), &before, SHOWN + 1)).await?;
    let more = usize::try_from(SHOWN).is_ok_and(|shown| shown < found.len());
    found.truncate(usize::try_from(SHOWN).unwrap_or_default());
    let body = html! {
        @if found.is_empty() { p.empty { (words::NO_INVOICES) } }
        @else { (table(&found)) }
        @if let (true, Some(last)) = (more, found.last()) {
            p { a.quiet.button href=(format!("/b/invoices?before={}", last.id)) { (words::OLDER) } }
        }
    };
    Ok(layout::page(&pages, &visitor, (Place::Invoices, words::INVOICES), &body))
}

fn table(invoices: &[InvoiceView]) -> Markup {
    html! {
        table.stack {
            thead {
                tr {
                    th scope="col" { (words::DATE) }
                    th scope="col" { (words::NUMBER) }
                    th.number scope="col" { (words::AMOUNT) }
                    th scope="col" { (words::STATUS) }
                    th scope="col" { (words::DOCUMENT) }
                }
            }
            tbody { @for invoice in invoices { (row(invoice)) } }
        }
    }
}

fn row(invoice: &InvoiceView) -> Markup {
    let number = invoice.number.as_deref().unwrap_or(&invoice.id);
    let why = invoice.payments.iter().rev().find_map(|payment| payment.failure_code.as_deref());
    html! {
        tr {
            td data-label=(words::DATE) { (show::day(invoice.created_at)) }
            td data-label=(words::NUMBER) { (number) }
            td.number data-label=(words::AMOUNT) { (show::money(invoice.total)) }
            td data-label=(words::STATUS) {
                (words::invoice_status(&invoice.status))
                @if invoice.status == "open" && why.is_some() { " " span.muted { (words::decline(why)) } }
            }
            td data-label=(words::DOCUMENT) {
                @match layout::outside(invoice.hosted_url.as_deref()) {
                    Some(url) => {
                        a href=(url) {
                            @if invoice.status == "open" { (words::PAY_NOW) } @else { (words::VIEW) }
                            span.hidden { " " (number) }
                        }
                    }
                    None => { span.muted { (words::NO_DOCUMENT) } }
                }
            }
        }
    }
}
