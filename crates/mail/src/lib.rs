//! Every mail that Farthing writes: what it says, how it looks, and how it leaves.
//!
//! A [`Letter`] holds what a mail says, as data. [`render`] turns it into a subject, HTML and plain
//! text, in the words of [`texts`](mod@texts) and in the one layout of `layout`; [`message`] makes a
//! MIME message of it. All of that is pure. Only [`smtp`] opens a connection.
//!
//! *Never* in here: a decision about whether somebody gets a mail, or when. That is the engine's.
//!
//! In reading order: [`letter`], [`texts`](mod@texts), `layout`, [`message`], [`mailer`], [`smtp`].

mod clean;
mod content;
mod layout;
pub mod letter;
pub mod mailer;
pub mod message;
pub mod samples;
mod shown;
pub mod smtp;
pub mod texts;

use serde::{Deserialize, Serialize};

pub use clean::{one_line, without_addresses};
pub use letter::Letter;
pub use mailer::{Mailer, Outbox, SendError};
pub use message::{Letterhead, Message, Postmark, message};
pub use smtp::{SmtpMailer, SmtpUrl};

/// Whose mails these are: what an operator configures, the same in every mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Brand {
    /// The app's name, as its customers know it.
    pub app: String,
    /// A picture for the top of the HTML, `https://…`.
    pub logo_url: Option<String>,
    /// Where customers can ask, as an address.
    pub support: Option<String>,
    /// The page on which customers see and change what they pay.
    pub billing_url: Option<String>,
}

/// A mail in words, ready to be put into a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// A whole document, with everything inline.
    pub html: String,
    /// The same without any markup.
    pub text: String,
}

/// What `letter` says to `name`, in the words and the layout of all mails.
///
/// Everything that came from a person or a provider is escaped or reduced to one line here; the
/// caller need not.
pub fn render(letter: &Letter, name: Option<&str>, brand: &Brand) -> Rendered {
    let app = one_line(&brand.app, APP_MAX);
    let brand = Brand { app, ..brand.clone() };
    let content = texts::content(letter, name, &brand).on_lines();
    let (html, text) = (layout::html(&content, &brand), layout::text(&content, &brand));
    Rendered { subject: content.subject, html, text }
}

/// How long the app's name may be, in characters.
const APP_MAX: usize = 80;
