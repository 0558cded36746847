//! A blocking session over the asynchronous driver, on a runtime of its own that has no threads.
//!
//! The synchronous driver waits for every answer before it sends the next statement. This one
//! sends BEGIN together with the first statement of a transaction, and does not wait for the end
//! of a read: one round trip instead of three.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Error, NoTls, Row, Statement};

use super::tls::Tls;
use crate::error::StoreError;

/// One connection to the server. Must not be used, nor dropped, on a thread that runs async tasks.
pub(super) struct Session {
    client: Client,
    connection: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>,
    ended: bool,
    runtime: Runtime,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("{0}")]
    Runtime(#[from] io::Error),
    #[error("{}", super::connection::describe(.0))]
    Driver(#[from] Error),
}

type Connected = (Client, Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>);

impl Session {
    /// Connects, encrypted if `tls` is given and the address wants it.
    pub(super) fn connect(config: &Config, tls: Option<&Tls>) -> Result<Self, ConnectError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let connected: Result<Connected, Error> = runtime.block_on(async {
            Ok(match tls {
                Some(tls) => {
                    let (client, connection) = config.connect(tls.clone()).await?;
                    (client, Box::pin(connection) as _)
                }
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    (client, Box::pin(connection) as _)
                }
            })
        });
        let (client, connection) = connected?;
        Ok(Self { client, connection, ended: false, runtime })
    }

    /// Runs statements without parameters and answers.
    pub(super) fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.wait(async |client| client.batch_execute(sql).await)
    }

    /// Sends a statement without parameters. Its answer is read, and forgotten, with the next one.
    pub(super) fn send(&mut self, sql: &str) -> Result<(), Error> {
        let Self { client, connection, ended, runtime } = self;
        let mut answer = pin!(client.batch_execute(sql));
        runtime.block_on(poll_fn(|cx| {
            let answered = answer.as_mut().poll(cx);
            if !*ended && let Poll::Ready(end) = connection.as_mut().poll(cx) {
                *ended = true;
                return Poll::Ready(end);
            }
            // Sent: it does not matter that there is no answer yet.
            Poll::Ready(if let Poll::Ready(answer) = answered { answer } else { Ok(()) })
        }))
    }

    pub(super) fn prepare(&mut self, sql: &str) -> Result<Statement, Error> {
        self.wait(async |client| client.prepare(sql).await)
    }

    /// Runs a statement, after `begin` if that is given. How many rows were changed.
    pub(super) fn execute(
        &mut self,
        begin: Option<&str>,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, StoreError> {
        self.wait_begun(begin, async |client| client.execute(statement, params).await)
    }

    /// Runs a statement, after `begin` if that is given. All its rows.
    pub(super) fn query(
        &mut self,
        begin: Option<&str>,
        statement: &Statement,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        self.wait_begun(begin, async |client| client.query(statement, params).await)
    }

    /// A setting of the session.
    pub(super) fn setting(&mut self, name: &str) -> Result<String, Error> {
        self.wait(async |client| {
            let row = client.query_one("SELECT pg_catalog.current_setting($1)", &[&name]).await?;
            row.try_get(0)
        })
    }

    fn wait_begun<T>(
        &mut self,
        begin: Option<&str>,
        work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, StoreError> {
        let (begun, done) = self
            .wait(async |client| {
                Ok(match begin {
                    None => (Ok(()), work(client).await),
                    // Sent in this order, and answered in this order.
                    Some(begin) => {
                        tokio::join!(biased; client.batch_execute(begin), work(client))
                    }
                })
            })
            .map_err(|error| super::connection::store_error(&error))?;
        match (begun, done) {
            (Ok(()), done) => done.map_err(|error| super::connection::store_error(&error)),
            (Err(error), Err(_)) => Err(super::connection::store_error(&error)),
            // No transaction was begun, so the statement was one of its own.
            (Err(error), Ok(_)) => {
                let message = super::connection::describe(&error);
                Err(StoreError::CommitUnknown { message })
            }
        }
    }

    /// Waits for `work`, and keeps the connection going meanwhile.
    fn wait<T>(&mut self, work: impl AsyncFnOnce(&Client) -> Result<T, Error>) -> Result<T, Error> {
        let Self { client, connection, ended, runtime } = self;
        let mut work = pin!(work(client));
        runtime.block_on(poll_fn(|cx| {
            // The work comes first: what it sends is there when the connection looks for it.
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(done);
            }
            let mut end = Ok(());
            if !*ended && let Poll::Ready(ends) = connection.as_mut().poll(cx) {
                (*ended, end) = (true, ends);
            }
            // What the server said last is more telling than that it hung up.
            match (work.as_mut().poll(cx), end) {
                (Poll::Pending, Err(error)) => Poll::Ready(Err(error)),
                (polled, _) => polled,
            }
        }))
    }
}
