//! How a message leaves: the trait that the engine knows.

use crate::message::Message;

/// Takes messages away. Blocks until the other side has answered for the message.
pub trait Mailer: Send + Sync {
    /// Sends one message. `Ok` means that the other side has taken responsibility for it.
    ///
    /// Errors: see [`SendError`].
    fn send(&self, message: &Message) -> Result<(), SendError>;
}

/// Why a message did not leave, without anybody's address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// This message will never be taken: its recipient does not exist, for example.
    #[error("refused for good: {0}")]
    Refused(String),
    /// Later it may be: the server is down, busy, or does not accept us.
    #[error("not now: {0}")]
    Later(String),
}

/// Takes every message and sends none: in a sandbox the mails that are stored are the outbox.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outbox;

impl Mailer for Outbox {
    fn send(&self, _message: &Message) -> Result<(), SendError> {
        Ok(())
    }
}
