//! The sandbox as its callers see it: requests in, objects, events and webhooks out.

mod checkout;
mod http;
mod idempotency;
mod invoices;
mod lists;
mod never_fails;
mod parameters;
mod payments;
mod persistence;
mod shop;
mod subscriptions;
mod webhooks;
