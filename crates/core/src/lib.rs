//! What Farthing decides, and nothing else.
//!
//! No async, no I/O, no clock, no randomness; ids and the time are given. Every function here
//! answers the same for the same arguments.
//!
//! In reading order: [`ids`], [`money`], [`time`], [`catalog`], [`snapshot`].

pub mod access;
pub mod allowance;
pub mod catalog;
pub mod change;
pub mod clawback;
pub mod credits;
pub mod decline;
pub mod dunning;
pub mod entitlement;
pub mod facts;
pub mod ids;
pub mod money;
pub mod refund;
pub mod snapshot;
pub mod subscription;
pub mod time;
