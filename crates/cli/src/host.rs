//! Serving until somebody asks to stop: what `dev` and `serve` have in common.

use std::net::TcpListener;
use std::time::Duration;

use axum::Router;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::exit::Failure;

/// How long requests that are under way may take once it was asked to stop.
const DRAIN: Duration = Duration::from_secs(7);

/// A server in the background.
pub struct Host {
    runtime: Runtime,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
}

/// Binds an address, told apart by what to do about it.
pub fn bind(address: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(format!(
            "port {} is in use by another program; nothing was changed",
            address.port()
        ))
        .fix("stop that program, or choose another port; 0 takes any that is free"),
        std::io::ErrorKind::PermissionDenied => Failure::new(format!(
            "this user may not listen on port {}; nothing was changed",
            address.port()
        ))
        .fix("choose a port above 1023"),
        _ => Failure::new(format!("cannot listen on {address}: {error}; nothing was changed"))
            .fix("choose an address of this machine"),
    })
}

/// A runtime for the server. Made before anything is written, because it may fail.
pub fn runtime() -> Result<Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let built = builder.enable_all().worker_threads(2).thread_name("http").build();
    built.map_err(|error| Failure::new(format!("no threads could be started: {error}")))
}

impl Host {
    /// Serves `router` on `listener` from now on.
    pub fn start(runtime: Runtime, listener: TcpListener, router: Router) -> Result<Self, Failure> {
        let (stop, mut stopped) = watch::channel(false);
        let entered = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener)
            .map_err(|error| Failure::new(format!("cannot listen: {error}")))?;
        drop(entered);
        let shutdown = async move {
            // An error says that the host is gone, which is a reason to stop, too.
            let _gone = stopped.wait_for(|stop| *stop).await;
        };
        let server = runtime.spawn(farthing_server::serve(listener, router, shutdown));
        Ok(Self { runtime, stop, server })
    }

    /// For what runs beside the server.
    pub fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Waits until somebody asks to stop, or the server ends by itself.
    pub fn wait(&mut self) -> Result<(), Failure> {
        let Self { runtime, server, .. } = self;
        let ended = runtime.block_on(async {
            tokio::select! {
                ended = server => Some(ended),
                () = asked_to_stop() => None,
            }
        });
        match ended {
            None | Some(Ok(())) => Ok(()),
            Some(Err(_)) => Err(Failure::new("the server stopped by a mistake of its own")),
        }
    }

    /// Takes no more requests and lets those under way finish, for a few seconds.
    pub fn drain(&mut self) {
        let _already = self.stop.send(true);
        let Self { runtime, server, .. } = self;
        if server.is_finished() {
            return;
        }
        let drained = runtime.block_on(async { tokio::time::timeout(DRAIN, server).await });
        if drained.is_err() {
            tracing::warn!("some requests were still under way and were cut off");
        }
    }

    /// Ends what is left.
    pub fn shut_down(self) {
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
