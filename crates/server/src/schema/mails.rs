//! Mails.

use serde::Deserialize;
use utoipa::ToSchema;

/// A mail in a list.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Ours; the message's own id begins with it.
    pub id: String,
    /// Whose; `null` when it is for operators.
    pub customer: Option<String>,
    /// The occasion, such as `payment_failed`.
    pub kind: String,
    /// What it is about, such as a subscription's id.
    pub about: String,
    /// The address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// `queued`, `failed` (tried in vain, tried again), `sent`, `dead` or `suppressed`.
    pub state: String,
    /// Why it failed last, or why it is not sent.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was sent, given up or suppressed.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
}

/// A mail with what it says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WholeMail {
    /// Ours; the message's own id begins with it.
    pub id: String,
    /// Whose; `null` when it is for operators.
    pub customer: Option<String>,
    /// The occasion, such as `payment_failed`.
    pub kind: String,
    /// What it is about, such as a subscription's id.
    pub about: String,
    /// The address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// `queued`, `failed` (tried in vain, tried again), `sent`, `dead` or `suppressed`.
    pub state: String,
    /// Why it failed last, or why it is not sent.
    pub reason: Option<String>,
    /// How often it was tried.
    pub attempts: i64,
    /// When it was written.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was sent, given up or suppressed.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// A whole HTML document.
    pub html: String,
    /// The same as plain text.
    pub text: String,
    /// The headers as they leave, one on each line; empty while there is no address.
    pub headers: String,
}
