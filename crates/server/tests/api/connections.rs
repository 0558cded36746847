//! Real sockets, and clients that do not behave.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::Server;

/// A server on a port of its own, and how to stop it.
async fn listen(server: &Server) -> (std::net::SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async { stopped.await.unwrap_or_default() };
    let serving = tokio::spawn(farthing_server::serve(listener, server.router.clone(), shutdown));
    (address, stop, serving)
}

/// Sends `text` and reads until the server closes the connection.
async fn talk(address: std::net::SocketAddr, text: &[u8]) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(text).await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), client.read_to_end(&mut answer));
    read.await.expect("the server closes the connection").unwrap_or_default();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_head_that_cannot_be_trusted_ends_the_connection() {
    let server = Server::new();
    let (address, _stop, _serving) = listen(&server).await;
    let head = "POST /v1/consume HTTP/1.1\r\nHost: x\r\n";
    for bad in [
        format!("{head}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
        format!("{head}Content-Length: -5\r\n\r\nabc"),
        format!("{head}Content-Length: 5x\r\n\r\nabc"),
        format!("{head}Transfer-Encoding: nonsense\r\n\r\nabc"),
        format!("{head}X: a\0b\r\n\r\n"),
        format!("{head}X: {}\r\n\r\n", "x".repeat(40_000)),
        "nonsense\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
    ] {
        let answer = talk(address, bad.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{:.60}: {answer}", bad);
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "one answer, then the end: {answer}");
    }
}

#[tokio::test]
async fn a_client_that_never_ends_its_head_is_cut_off() {
    let server = Server::new();
    let (address, _stop, _serving) = listen(&server).await;
    let started = std::time::Instant::now();
    talk(address, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ").await;
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_server_that_stops_answers_what_it_began() {
    let server = Server::new();
    let (address, stop, serving) = listen(&server).await;
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    stop.send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.write_all(b"\r\n").await.unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200"), "{answer:?}");
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
