//! Mails for people: what was sent to whom, and how it looked.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_mail::{Letter, Postmark, message, render};
use farthing_store::mails::{self, Mail};
use farthing_store::{Tx, customers};
use serde::Serialize;

use crate::{Engine, EngineError};

/// A mail in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MailView {
    /// Ours, `mail_…`; the message's own id begins with it.
    pub id: String,
    /// Whose; `None`: it is for operators.
    pub customer: Option<CustomerId>,
    /// The occasion, such as `payment_failed`.
    pub kind: String,
    /// What it is about, such as a subscription's id.
    pub about: String,
    /// The address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// `queued`, `failed` (tried in vain, tried again), `sent`, `dead` or `suppressed`.
    pub state: &'static str,
    /// Why it failed last, or why it is not sent.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was sent, given up or suppressed.
    pub closed_at: Option<Timestamp>,
}

/// A mail with what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WholeMail {
    /// The same as in a list.
    #[serde(flatten)]
    pub mail: MailView,
    /// A whole HTML document.
    pub html: String,
    /// The same as plain text.
    pub text: String,
    /// The headers as they leave, one on each line. Empty while there is no address.
    pub headers: String,
}

impl Engine {
    /// Up to `limit` mails, of one customer or of everybody and operators, the newest first,
    /// before the id `before` (`""`: from the newest).
    pub fn mails(
        &self,
        customer: Option<&CustomerId>,
        before: &str,
        limit: u32,
    ) -> Result<Vec<MailView>, EngineError> {
        self.read(|engine, tx| {
            let found = mails::list(tx, customer, before, limit)?;
            found.iter().map(|mail| engine.view(tx, mail).map(|whole| whole.mail)).collect()
        })
    }

    /// A mail with what it says. Words and looks are this version's; what was sent before an
    /// upgrade may have looked otherwise.
    pub fn whole_mail(&self, id: &str) -> Result<WholeMail, EngineError> {
        self.read(|engine, tx| {
            let missing = || EngineError::NotFound { what: "mail", id: id.to_owned() };
            let mail = mails::find(tx, id)?.ok_or_else(missing)?;
            engine.view(tx, &mail)
        })
    }

    fn view(&self, tx: &mut Tx<'_>, mail: &Mail) -> Result<WholeMail, EngineError> {
        let customer = match &mail.customer {
            None => None,
            Some(id) => customers::find(tx, id)?,
        };
        let name = customer.as_ref().and_then(|customer| customer.name.as_deref());
        let current = customer.as_ref().map_or("", |customer| customer.email.as_str());
        let to = if mail.recipient.is_empty() { current } else { mail.recipient.as_str() };
        let letterhead = self.mail_post().letterhead;
        let letter = serde_json::from_str::<Letter>(&mail.data).ok();
        let words = letter.as_ref().map(|letter| render(letter, name, &letterhead.brand));
        let now = mail.closed_at.unwrap_or(mail.created_at);
        let postmark = Postmark { id: &mail.id, to, name, now };
        let message = letter.and_then(|letter| message(&letter, &letterhead, postmark).ok());
        let headers = message.map(|message| headers(&message.bytes)).unwrap_or_default();
        let view = MailView {
            id: mail.id.clone(),
            customer: mail.customer.clone(),
            kind: mail.kind.clone(),
            about: mail.subject.clone(),
            to: to.to_owned(),
            subject: words.as_ref().map(|words| words.subject.clone()).unwrap_or_default(),
            state: mail.state.as_str(),
            reason: mail.reason.clone(),
            attempts: mail.attempts,
            created_at: mail.created_at,
            closed_at: mail.closed_at,
        };
        let (html, text) = words.map(|words| (words.html, words.text)).unwrap_or_default();
        Ok(WholeMail { mail: view, html, text, headers })
    }
}

/// What stands before the first empty line.
fn headers(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    head.replace("\r\n", "\n")
}
