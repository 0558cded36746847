//! The command line, tested through the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod catalog;
mod check;
mod commands;
mod dev;
mod doctor;
mod keys;
mod reconcile;
mod restart;
mod serve;
#[path = "../support/mod.rs"]
mod support;
