//! The routes under `/v1`, by what they are about. A handler reads the request, calls the engine
//! once and shows the answer; it decides nothing.

pub mod access;
pub mod billing_pages;
pub mod catalog;
pub mod changes;
pub mod checkouts;
pub mod credits;
pub mod customers;
pub mod drift;
pub mod events;
pub mod invoices;
pub mod mails;
pub mod overrides;
pub mod plans;
pub mod refunds;
mod retries;
pub mod sandbox;
pub mod scenarios;
pub mod subscriptions;
mod trials;
mod usage;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::App;

/// All of them.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(access::check))
        .routes(routes!(access::consume))
        .routes(routes!(access::release))
        .routes(routes!(access::sync))
        .routes(routes!(usage::report_usage))
        .routes(routes!(customers::list_customers))
        .routes(routes!(
            customers::put_customer,
            customers::get_customer,
            customers::delete_customer
        ))
        .routes(routes!(customers::get_state))
        .routes(routes!(customers::get_timeline))
        .routes(routes!(billing_pages::make_link))
        .routes(routes!(billing_pages::list_methods, billing_pages::add_method))
        .routes(routes!(billing_pages::set_default_method))
        .routes(routes!(billing_pages::remove_method))
        .routes(routes!(overrides::put_override, overrides::delete_override))
        .routes(routes!(plans::list_plans))
        .routes(routes!(checkouts::start_checkout))
        .routes(routes!(checkouts::get_checkout))
        .routes(routes!(subscriptions::list_subscriptions))
        .routes(routes!(subscriptions::get_subscription))
        .routes(routes!(changes::change_subscription))
        .routes(routes!(changes::cancel_subscription))
        .routes(routes!(changes::resume_subscription))
        .routes(routes!(retries::retry_payment))
        .routes(routes!(trials::extend_trial))
        .routes(routes!(invoices::list_invoices))
        .routes(routes!(mails::list_mails))
        .routes(routes!(mails::get_mail))
        .routes(routes!(refunds::list_payments))
        .routes(routes!(refunds::get_eligibility))
        .routes(routes!(refunds::list_refunds, refunds::request_refund))
        .routes(routes!(refunds::get_refund))
        .routes(routes!(refunds::approve_refund))
        .routes(routes!(refunds::reject_refund))
        .routes(routes!(refunds::list_disputes))
        .routes(routes!(credits::get_ledger, credits::adjust_credits))
        .routes(routes!(credits::resume_spending))
        .routes(routes!(catalog::get_catalog))
        .routes(routes!(catalog::plan_catalog))
        .routes(routes!(catalog::apply_catalog))
        .routes(routes!(events::list_events))
        .routes(routes!(events::get_event))
        .routes(routes!(events::replay_event))
        .routes(routes!(drift::reconcile_customer))
        .routes(routes!(drift::list_drift))
        .routes(routes!(drift::ignore_drift))
        .routes(routes!(sandbox::advance_clock))
        .routes(routes!(scenarios::list_scenarios))
        .routes(routes!(scenarios::set_up_scenario))
}
