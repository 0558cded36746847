//! The pages that people use, rendered on the server: the admin panel and the billing page.
//!
//! Every screen works from the same engine calls as the API, and no page has a rule of its own.
//! Nothing here needs a script to be read or submitted. What a page may load is said in its
//! headers, what it may change needs a token in its form and a request from its own address, and
//! every text is escaped by the template engine.
//!
//! In reading order: [`site`], `guard`, `security`, `forms`, `refusal`, `layout`, [`admin`],
//! [`billing`].

pub mod admin;
mod assets;
pub mod billing;
mod cookies;
mod forms;
mod guard;
mod lab;
mod layout;
mod qr;
mod refusal;
mod security;
mod show;
pub mod site;
mod slow;

pub use admin::routes;
pub use lab::{BoxFuture, Lab};
pub use security::{BadBase, Base};
pub use site::Site;

/// The id of a request. It is always ours; one that the client sends is not looked at.
///
/// Whoever serves the pages puts it into the request's extensions.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);
