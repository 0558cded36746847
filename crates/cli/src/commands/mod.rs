//! One file per command.

pub mod admin;
pub mod catalog;
pub mod check;
pub mod clock;
pub mod consume;
pub mod customers;
pub mod db;
pub mod doctor;
mod doctor_endpoint;
mod doctor_mail;
pub mod events;
pub mod init;
pub mod keys;
pub mod reconcile;
pub mod refunds;
pub mod serve;
pub mod simulate;
