//! The billing page as a browser without scripts sees it: the real engine, the sandbox as Stripe.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod browser;
mod buying;
mod changing;
mod escaping;
mod guarding;

#[path = "../../../engine/tests/world/mod.rs"]
mod world;
