//! The whole system in a deterministic simulation, from one seed.
//!
//! The real engine, the real store (SQLite in memory) and the sandbox as provider, driven by one
//! thread: the same seed gives the same history, to the byte. What happens is written down
//! beforehand ([`script`]); calls, events, clocks and nodes fail as the script says ([`line`],
//! [`given`]); an [`oracle`] that shares no code with the engine says what must be. A failing seed
//! is shortened to the few items of its script that matter ([`shrink()`]).

mod acts;
pub mod given;
pub mod line;
pub mod oracle;
pub mod plants;
mod report;
mod run;
pub mod script;
mod shrink;
mod trace;
mod truth;
mod world;

pub use report::{Revenue, tale};
pub use run::{Options, Outcome, run};
pub use shrink::shrink;
pub use world::Failure;
