//! The admin panel as a browser meets it, without one: cookies, forms, permissions, words.
#![allow(clippy::unwrap_used)]

mod escaping;
mod forms;
mod harness;
mod money_back;
mod roles;
mod sign_in;
mod working;
