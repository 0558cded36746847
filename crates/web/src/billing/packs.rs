//! Credits that are bought once: what there is, what is spent first, what can be added.

use axum::extract::State;
use maud::html;

use super::layout::{self, Place, Shown};
use super::problem::Problem;
use super::site::Pages;
use super::visitor::Visitor;
use super::{overview, words};
use crate::show;

/// `GET /b/packs`.
pub(super) async fn list(State(pages): State<Pages>, visitor: Visitor) -> Result<Shown, Problem> {
    let id = visitor.customer();
    let shown = pages.ask(move |engine| engine.packs_page(&id)).await?;
    let now = pages.engine.now();
    let body = html! {
        @for (name, state, spend) in &shown.credits {
            section.card {
                h2 { (words::credits_of(name)) }
                (overview::balance(state, now))
                p.muted { (words::spent_first(spend)) }
            }
        }
        @if shown.packs.is_empty() { p.empty { (words::NO_PACKS) } }
        ul.plans {
            @for pack in &shown.packs {
                li.card {
                    h2 { (pack.name) }
                    p.price { strong { (show::money(pack.price)) } " " (words::ONCE) }
                    ul.features {
                        @for (name, credits) in &pack.credits {
                            li { (words::pack_credits(&words::amount(*credits, false), name)) }
                        }
                        li {
                            @match pack.expires_at {
                                Some(at) => { (words::USABLE_UNTIL) " " (show::day(at)) }
                                None => { (words::USABLE_FOR_GOOD) }
                            }
                        }
                    }
                    @match &pack.refused {
                        Some(why) => { p.muted { (words::sentence(why)) } }
                        None => {
                            (layout::button(&visitor, ("/b/buy", &words::buy(&pack.name), ""), &[("pack", &pack.pack)]))
                        }
                    }
                }
            }
        }
    };
    Ok(layout::page(&pages, &visitor, (Place::Packs, words::PACKS), &body))
}
