//! From words to a MIME message: addresses, headers, two alternatives.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use farthing_core::time::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use crate::{Brand, Letter, clean, render};

/// How much of a name stands before an address, in characters.
const NAME_MAX: usize = 80;

/// An address that cannot be written to. It is not repeated: logs and alerts hold no addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// The sender's.
    #[error("the address that mails come from is not one")]
    From,
    /// Where answers go.
    #[error("the address that answers go to is not one")]
    ReplyTo,
    /// The recipient's.
    #[error("the recipient's address is not one")]
    To,
    /// It cannot be put into a message.
    #[error("the message cannot be written: {0}")]
    Unwritable(String),
}

/// What an operator configures about all mails.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Letterhead {
    /// Whose mails they are.
    pub brand: Brand,
    /// Where they come from: `billing@example.com`, or `Example <billing@example.com>`.
    pub from: String,
    /// Where answers go; absent: to `from`.
    pub reply_to: Option<String>,
}

/// What makes one mail this one.
#[derive(Clone, Copy, Debug)]
pub struct Postmark<'a> {
    /// The mail's id. The message's own id is made of it, so that a mail that was sent twice can
    /// be recognised as the same.
    pub id: &'a str,
    /// The recipient's address.
    pub to: &'a str,
    /// The recipient's name.
    pub name: Option<&'a str>,
    /// The present instant.
    pub now: Timestamp,
}

/// A message, ready to leave.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The envelope's sender: a bare address.
    pub from: String,
    /// The envelope's recipient: a bare address.
    pub to: String,
    /// Headers and body as they go over the wire.
    pub bytes: Vec<u8>,
}

/// Nobody's address: logs hold none.
impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Message({} bytes)", self.bytes.len())
    }
}

/// `letter` as a message. The same arguments make the same bytes.
///
/// Errors: an address is none. It will not be one later, either.
pub fn message(
    letter: &Letter,
    letterhead: &Letterhead,
    postmark: Postmark<'_>,
) -> Result<Message, MessageError> {
    let brand = &letterhead.brand;
    let from: Mailbox = letterhead.from.parse().map_err(|_| MessageError::From)?;
    let address = postmark.to.trim().parse().map_err(|_| MessageError::To)?;
    let name = postmark.name.map(|name| clean::one_line(name, NAME_MAX));
    let to = Mailbox::new(name.filter(|name| !name.is_empty()), address);
    let mut builder = lettre::Message::builder()
        .from(from.clone())
        .to(to.clone())
        .date(system_time(postmark.now))
        .message_id(Some(format!("<{}@{}>", postmark.id, from.email.domain())));
    if let Some(reply_to) = &letterhead.reply_to {
        builder = builder.reply_to(reply_to.parse().map_err(|_| MessageError::ReplyTo)?);
    }
    let words = render(letter, postmark.name, brand);
    let both = MultiPart::alternative()
        .boundary(boundary(postmark.id))
        .singlepart(part(ContentType::TEXT_PLAIN, words.text))
        .singlepart(part(ContentType::TEXT_HTML, words.html));
    let mut message = builder
        .subject(words.subject)
        .multipart(both)
        .map_err(|error| MessageError::Unwritable(error.to_string()))?;
    // Says to other machines that nobody wrote this by hand, so that they send no "out of office".
    // Source: <https://www.rfc-editor.org/rfc/rfc3834#section-5>.
    message.headers_mut().insert_raw(HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    ));
    let bytes = message.formatted();
    Ok(Message { from: from.email.to_string(), to: to.email.to_string(), bytes })
}

fn part(kind: ContentType, text: String) -> SinglePart {
    SinglePart::builder().header(kind).body(text)
}

/// `=_` never stands in a part: `=` is written as `=3D` there.
fn boundary(id: &str) -> String {
    let id: String = id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    format!("=_{id}")
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(at.seconds()).unwrap_or_default())
}

/// Whether `text` can stand as the sender or as where answers go.
pub fn is_mailbox(text: &str) -> bool {
    text.parse::<Mailbox>().is_ok()
}

/// Whether `text` can be written to.
pub fn is_address(text: &str) -> bool {
    text.parse::<lettre::Address>().is_ok()
}
