//! What the sandbox lab needs of the pretend world. Without it there is no lab.

use std::future::Future;
use std::pin::Pin;

use farthing_core::time::Timestamp;

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The pretend world whose clock can be moved.
pub trait Lab: Send + Sync {
    /// What the clock shows.
    fn now(&self) -> Timestamp;

    /// Moves the clock to `to`, waits until everything that became due has happened, and answers
    /// how many events were delivered on the way. Errors: a sentence for people.
    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<u64, String>>;
}
