//! What a customer has: plan, money, limits, credits.

use farthing_engine::operators::Action;
use farthing_engine::state::{CreditState, FeatureState, SubscriptionState};
use maud::{Markup, html};

use super::Found;
use crate::admin::desk::Desk;
use crate::admin::paths;
use crate::admin::words::customer as words;
use crate::show;

/// The left column.
pub(super) fn column(desk: &Desk, found: &Found) -> Markup {
    html! {
        (plan(desk, found))
        (limits(desk, found))
        (credits(found))
        (invoices(found))
    }
}

fn plan(desk: &Desk, found: &Found) -> Markup {
    let state = &found.state;
    let name = found.plans.iter().find(|offer| offer.plan == state.plan);
    let name = name.map_or(state.plan.as_str(), |offer| &offer.name);
    let interval = state.interval.map(|interval| interval.as_str());
    html! {
        section.card aria-labelledby="plan" {
            h2 id="plan" { (words::PLAN) ": " (name) }
            dl {
                @if let Some(interval) = interval { dt { (words::PAID) } dd { (words::each(interval)) } }
                @if let Some(currency) = state.currency { dt { (words::CURRENCY) } dd { (currency) } }
                @if let Some(subscription) = &state.subscription { (self::subscription(subscription)) }
                dt { (words::REVISION) } dd { (state.revision) }
            }
            @if desk.may(Action::ChangePlan) { (changes(found)) }
            @if desk.may(Action::AskRefund) {
                a.button.quiet href={ (paths::customer(found.customer.id.as_str())) "/refund" } { (words::REFUND) }
            }
            @if desk.may(Action::Repair) {
                (desk.button(&format!("{}/reconcile", paths::customer(found.customer.id.as_str())), words::COMPARE, "quiet"))
            }
        }
    }
}

fn subscription(subscription: &SubscriptionState) -> Markup {
    html! {
        dt { (words::STATUS) } dd { (subscription.status) " " code { (subscription.id) } }
        dt { (words::PERIOD) } dd { (show::day(subscription.period.start)) " – " (show::day(subscription.period.end)) }
        @if let Some(at) = subscription.trial_ends_at { dt { (words::TRIAL_ENDS) } dd { (show::instant(at)) } }
        @if let Some(at) = subscription.cancel_at { dt { (words::ENDS) } dd { (show::instant(at)) } }
        @if let Some(pending) = &subscription.pending_change {
            dt { (words::WILL_BE) } dd { (pending.plan) ", " (show::instant(pending.effective_at)) }
        }
    }
}

/// What the subscription can become; each leads to a page that shows it first.
fn changes(found: &Found) -> Markup {
    let Some(subscription) = &found.state.subscription else {
        return html! { p.muted { (words::NO_SUBSCRIPTION) } };
    };
    if subscription.status == "canceled" {
        return html! { p.muted { (words::NO_SUBSCRIPTION) } };
    }
    let action = format!("{}/change", paths::customer(found.customer.id.as_str()));
    let scheduled = subscription.cancel_at.is_some() || subscription.pending_change.is_some();
    let sold = found.plans.iter().filter(|offer| !offer.prices.is_empty());
    html! {
        details {
            summary { (words::CHANGE) }
            form method="get" action=(action) {
                input type="hidden" name="what" value="change";
                label for="to-plan" { (words::TO_PLAN) }
                select id="to-plan" name="plan" {
                    @for offer in sold { option value=(offer.plan) selected[offer.plan == found.state.plan] { (offer.name) } }
                }
                label for="to-interval" { (words::PAID) }
                select id="to-interval" name="interval" {
                    option value="month" { (words::each("month")) }
                    option value="year" { (words::each("year")) }
                }
                button type="submit" { (words::LOOK_FIRST) }
            }
            @if scheduled { a.button.quiet href={ (action) "?what=resume" } { (words::RESUME) } }
            @else { a.button.quiet href={ (action) "?what=cancel" } { (words::CANCEL) } }
            a.button.quiet href={ (action) "?what=cancel_now" } { (words::CANCEL_NOW) }
        }
    }
}

fn limits(desk: &Desk, found: &Found) -> Markup {
    let here = paths::customer(found.customer.id.as_str());
    html! {
        section.card aria-labelledby="limits" {
            h2 id="limits" { (words::LIMITS) }
            @for (key, feature) in &found.state.features { (limit(key, feature)) }
            @if !found.overrides.is_empty() {
                h3 { (words::OVERRIDES) }
                @for (key, exception) in &found.overrides {
                    p {
                        (show::words(key)) ": " (words::limit(&exception.limit))
                        @if let Some(end) = exception.expires_at { ", " (words::UNTIL) " " (show::instant(end)) }
                        @if desk.may(Action::Favour) {
                            " " (desk.button(&format!("{here}/overrides/{}/end", paths::encode(key)), words::END_IT, "quiet"))
                        }
                    }
                }
            }
            @if desk.may(Action::Favour) { p { a.button.quiet href={ (here) "/overrides" } { (words::NEW_OVERRIDE) } } }
        }
    }
}

fn limit(key: &str, feature: &FeatureState) -> Markup {
    let name = show::words(key);
    let counted = matches!(feature.kind, "count" | "usage");
    html! {
        p {
            strong { (name) } " "
            @if !feature.included { span.muted { (words::NOT_INCLUDED) } }
            @else if !counted { (feature.limit.map_or_else(|| words::UNLIMITED.to_owned(), |limit| if feature.kind == "boolean" { words::INCLUDED.to_owned() } else { limit.to_string() })) }
            @else {
                (words::used(feature.used, feature.limit))
                @if let Some(limit) = feature.limit.filter(|limit| 0 < *limit) {
                    meter min="0" max=(limit) value=(feature.used.min(limit)) aria-label=(name) { (feature.used) "/" (limit) }
                }
                @if let Some(at) = feature.resets_at { span.hint { (words::RESETS) " " (show::instant(at)) } }
            }
        }
    }
}

fn credits(found: &Found) -> Markup {
    html! {
        @if !found.state.credits.is_empty() {
            section.card aria-labelledby="credits" {
                h2 id="credits" { (words::CREDITS) }
                @for (key, credit) in &found.state.credits { (self::credit(key, credit)) }
            }
        }
    }
}

fn credit(key: &str, credit: &CreditState) -> Markup {
    html! {
        p { strong { (credit.balance) } " " (show::words(key)) @if credit.debt != 0 { " " span.tag.warn { (words::DEBT) " " (credit.debt) } } }
        ul {
            @for grant in &credit.grants {
                li { (grant.remaining) " " (grant.source) @if let Some(at) = grant.expires_at { ", " (words::UNTIL) " " (show::day(at)) } }
            }
        }
    }
}

fn invoices(found: &Found) -> Markup {
    html! {
        section.card aria-labelledby="invoices" {
            h2 id="invoices" { (words::INVOICES) }
            @if found.invoices.is_empty() { p.muted { (words::NO_INVOICES) } }
            @else {
                table {
                    thead { tr { th scope="col" { (words::DATE) } th scope="col" { (words::STATUS) } th.number scope="col" { (words::TOTAL) } } }
                    tbody {
                        @for invoice in &found.invoices {
                            tr {
                                td { (show::day(invoice.created_at)) br; span.muted { (invoice.number.as_deref().unwrap_or(&invoice.id)) } }
                                td {
                                    (invoice.status)
                                    @for payment in invoice.payments.iter().filter_map(|payment| payment.failure_code.as_ref()) { br; code { (payment) } }
                                }
                                td.number { (show::money(invoice.total)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
