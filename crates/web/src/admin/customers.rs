//! The list of customers: searched and filtered by its address, so that a view can be sent around.

use axum::extract::Query;
use farthing_engine::customers::{Customer, Filter};
use maud::{Markup, html};
use serde::Deserialize;

use super::desk::{Answer, Desk};
use super::paths;
use super::words::customers as words;
use crate::layout::empty;
use crate::show;

/// How many are on one page.
const PAGE: usize = 50;

/// What is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    plan: String,
    #[serde(default)]
    standing: String,
    #[serde(default)]
    trial: String,
    #[serde(default)]
    after: String,
}

impl Asked {
    fn is_narrowed(&self) -> bool {
        [&self.q, &self.plan, &self.standing, &self.trial].iter().any(|text| !text.is_empty())
    }

    /// The address of the page after the customer `last`.
    fn next(&self, last: &Customer) -> String {
        let pairs = [
            ("q", &self.q),
            ("plan", &self.plan),
            ("standing", &self.standing),
            ("trial", &self.trial),
        ];
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs).append_pair("after", last.id.as_str());
        format!("/admin/customers?{}", query.finish())
    }
}

pub(crate) async fn list(desk: Desk, Query(asked): Query<Asked>) -> Answer {
    let filter = Filter {
        search: asked.q.trim().chars().filter(|c| !c.is_control()).collect(),
        plan: (!asked.plan.is_empty()).then(|| asked.plan.clone()),
        standing: (!asked.standing.is_empty()).then(|| asked.standing.clone()),
        on_trial: (asked.trial == "yes").then_some(true),
    };
    let after = asked.after.clone();
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let (found, plans) = desk
        .ask(move |engine| {
            Ok((engine.find_customers(&filter, &after, limit)?, engine.plans(None)?))
        })
        .await?;
    let plans: Vec<(String, String)> = plans.into_iter().map(|it| (it.plan, it.name)).collect();
    let body = html! {
        h1 { (words::TITLE) }
        (filters(&asked, &plans))
        @if found.is_empty() { (nobody(&asked)) } @else { (table(&found)) }
        @if PAGE < found.len() { p { a.button.quiet href=(asked.next(&found[PAGE - 1])) rel="next" { (words::MORE) } } }
    };
    desk.page(words::TITLE, &body)
}

fn nobody(asked: &Asked) -> Markup {
    if asked.is_narrowed() || !asked.after.is_empty() {
        return html! { div.card.empty { p { (words::NOBODY_SUCH) } p { a href="/admin/customers" { (words::ALL) } } } };
    }
    empty(
        words::NOBODY,
        words::NOBODY_YET,
        Some("curl -X PUT …/v1/customers/u_1 -d '{\"email\":\"ana@example.com\"}'"),
    )
}

fn filters(asked: &Asked, plans: &[(String, String)]) -> Markup {
    let standings =
        [("good", words::GOOD), ("past_due", words::PAST_DUE), ("read_only", words::READ_ONLY)];
    html! {
        form.row role="search" method="get" action="/admin/customers" {
            div.grow {
                label for="search" { (words::SEARCH) }
                input id="search" type="search" name="q" value=(asked.q) maxlength="200";
            }
            div {
                label for="plan" { (words::PLAN) }
                select id="plan" name="plan" {
                    option value="" { (words::ANY) }
                    @for (key, name) in plans { option value=(key) selected[asked.plan == *key] { (name) } }
                }
            }
            div {
                label for="standing" { (words::STANDING) }
                select id="standing" name="standing" {
                    option value="" { (words::ANY) }
                    @for (key, name) in standings { option value=(key) selected[asked.standing == key] { (name) } }
                }
            }
            div {
                label for="trial" { (words::TRIAL) }
                select id="trial" name="trial" {
                    option value="" { (words::ANY) }
                    option value="yes" selected[asked.trial == "yes"] { (words::ON_TRIAL) }
                }
            }
            button type="submit" { (words::FIND) }
        }
    }
}

fn table(found: &[Customer]) -> Markup {
    html! {
        table.stack {
            thead { tr {
                th scope="col" { (words::WHO) } th scope="col" { (words::PLAN) }
                th scope="col" { (words::STANDING) } th scope="col" { (words::SINCE) }
            } }
            tbody {
                @for customer in found.iter().take(PAGE) {
                    tr data-row {
                        td {
                            a data-first href=(paths::customer(customer.id.as_str())) { (name(customer)) }
                            br; span.muted { (customer.id) " · " (customer.email) }
                        }
                        td data-label=(words::PLAN) {
                            (customer.plan) @if customer.on_trial { " " span.tag { (words::ON_TRIAL) } }
                        }
                        td data-label=(words::STANDING) { (standing(customer.standing.as_str())) }
                        td data-label=(words::SINCE) { (show::day(customer.created_at)) }
                    }
                }
            }
        }
    }
}

/// What to call a customer.
pub(crate) fn name(customer: &Customer) -> &str {
    customer.name.as_deref().unwrap_or(&customer.email)
}

/// A standing as a word that is not only a colour.
pub(crate) fn standing(word: &str) -> Markup {
    let (class, text) = match word {
        "good" => ("tag good", words::GOOD),
        "past_due" => ("tag warn", words::PAST_DUE),
        "read_only" => ("tag bad", words::READ_ONLY),
        other => ("tag", other),
    };
    html! { span class=(class) { (text) } }
}
