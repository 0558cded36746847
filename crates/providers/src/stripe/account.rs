//! Whose account the API key belongs to.
//!
//! Source: <https://docs.stripe.com/api/accounts>.

use super::Livemode;
use super::answer::answer;
use super::form::path;
use super::wire::Node;
use crate::error::CallError;
use crate::http::HttpRequest;

/// The account behind the API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountSnapshot {
    /// `acct_...`.
    pub id: String,
    /// The mode of the key that asked: an account has both, so the account itself does not say.
    pub livemode: Livemode,
    /// Whether it can take money.
    pub charges_enabled: Option<bool>,
    /// Two letters.
    pub country: Option<String>,
}

/// Reads our own account.
pub fn encode_fetch_account() -> HttpRequest {
    HttpRequest::get(path(&["account"], &[]))
}

/// The account, as asked with a key of mode `livemode`.
pub fn decode_account(
    status: u16,
    body: &[u8],
    livemode: Livemode,
) -> Result<AccountSnapshot, CallError> {
    let body = answer(status, body)?;
    let root = Node::root(&body);
    root.expect_kind("account")?;
    Ok(AccountSnapshot {
        id: root.text("id")?,
        livemode,
        charges_enabled: root.opt_flag("charges_enabled")?,
        country: root.opt_text("country")?,
    })
}
