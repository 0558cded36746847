//! Work on its way to a writer, and the answer on its way back.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::error::StoreError;
use crate::tx::Tx;

/// The answer to [`crate::Store::write`]: await it, or [`wait`](Pending::wait) for it.
///
/// Dropping it does not stop the work.
#[must_use = "the outcome of the write, durable or not, is only known from its answer"]
pub struct Pending<T, E> {
    answer: oneshot::Receiver<Result<T, E>>,
}

impl<T, E: From<StoreError>> Pending<T, E> {
    /// Blocks until the answer is there. Panics on a thread that runs async tasks; await there.
    pub fn wait(self) -> Result<T, E> {
        self.answer.blocking_recv().unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }
}

impl<T, E: From<StoreError>> Future for Pending<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = Pin::new(&mut self.answer).poll(cx);
        answer.map(|answer| answer.unwrap_or_else(|_| Err(StoreError::Closed.into())))
    }
}

/// A piece of work as a writer sees it, whatever its types.
pub(crate) trait Work: Send {
    /// Runs the work once more from its start. Whether what it wrote may be committed.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// Makes `error` the answer, unless the work refused itself before.
    fn fail(&mut self, error: StoreError);
    /// Makes `error` the answer, whatever the last run said: that run did not count.
    fn replace(&mut self, error: StoreError);
    /// Sends the answer; nobody may be waiting for it any more.
    fn answer(self: Box<Self>);
}

struct Task<T, E, F> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

pub(crate) fn task<T, E, F>(work: F) -> (Box<dyn Work>, Pending<T, E>)
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    E: From<StoreError> + Send + 'static,
    T: Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Task { work, outcome: None, reply }), Pending { answer })
}

impl<T, E, F> Work for Task<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    E: From<StoreError> + Send,
    T: Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // What the work captured cannot be seen half changed: it is dropped after a panic.
        let ran = catch_unwind(AssertUnwindSafe(|| (self.work)(tx)));
        let outcome = match (ran, tx.failed()) {
            (Err(_), _) => Err(StoreError::Panicked.into()),
            (Ok(Ok(_)), Some(error)) => Err(error.clone().into()),
            (Ok(outcome), _) => outcome,
        };
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn fail(&mut self, error: StoreError) {
        if !matches!(self.outcome, Some(Err(_))) {
            self.replace(error);
        }
    }

    fn replace(&mut self, error: StoreError) {
        self.outcome = Some(Err(error.into()));
    }

    fn answer(self: Box<Self>) {
        if let Some(outcome) = self.outcome {
            let _nobody_waits = self.reply.send(outcome);
        }
    }
}
