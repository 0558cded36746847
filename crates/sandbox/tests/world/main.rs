//! The sandbox as its callers see it: requests in, objects, events and webhooks out.

mod changes;
mod checkout;
mod disputes;
mod faults;
mod http;
mod idempotency;
mod invoices;
mod lists;
mod never_fails;
mod parameters;
mod payments;
mod pending_updates;
mod persistence;
mod portal;
mod previews;
mod schedules;
mod shop;
mod subscriptions;
mod three_d_secure;
mod webhooks;
