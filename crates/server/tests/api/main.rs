//! The API against a real engine on SQLite, with the sandbox in memory as Stripe.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod access;
mod auth;
mod billing_pages;
mod bodies;
mod buying;
mod catalog;
mod changes;
mod connections;
mod customers;
mod document;
mod drift;
mod harness;
mod idempotency;
mod logs;
mod mails;
mod operations;
mod refunds;
mod retries;
mod robustness;
mod sandbox;
mod webhooks;
