//! A sandbox of its own: `cargo run -p farthing-sandbox --example serve -- 12111 world.db`.
//!
//! Both arguments may be left out: then a free port is taken and nothing is kept in a file.
//! Its clock follows the machine's; `POST /_advance` with a number of seconds moves it ahead.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use farthing_sandbox::Sandbox;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the url is what this program is for")]
#[expect(clippy::disallowed_methods, reason = "a program of its own takes the machine's time")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let ahead = Arc::new(AtomicI64::new(0));
    let clock = {
        let ahead = ahead.clone();
        move || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            let now = now.unwrap_or_default().as_micros();
            i64::try_from(now).unwrap_or(i64::MAX) + ahead.load(Ordering::SeqCst) * 1_000_000
        }
    };
    let file = std::env::args().nth(2).map(std::path::PathBuf::from);
    let sandbox = Sandbox::open(file.as_deref(), 1, Arc::new(clock), &url)?;
    let advance = axum::routing::post(move |body: String| async move {
        ahead.fetch_add(body.trim().parse().unwrap_or(0), Ordering::SeqCst).to_string()
    });
    let app = axum::Router::new().route("/_advance", advance).merge(sandbox.router());
    tokio::spawn(sandbox.run(Duration::from_millis(200)));
    println!("{url}");
    axum::serve(listener, app).await?;
    Ok(())
}
