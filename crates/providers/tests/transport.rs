//! The one file that touches the network, against small servers on this machine.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use farthing_providers::transport::STRIPE_URL;
use farthing_providers::{HttpRequest, HttpTransport, Livemode, Transport, TransportError};

const KEY: &str = "sk_test_secret";

/// Takes one connection after the other; each is answered with the next of `answers` and closed.
/// An empty answer is a connection that breaks off. Gives back what was asked.
fn server(answers: Vec<String>) -> (String, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let serve = move || {
        let serve = |answer: String| {
            let (mut stream, _) = listener.accept().expect("a connection");
            let asked = read_request(&mut stream);
            stream.write_all(answer.as_bytes()).expect("the client reads");
            asked
        };
        answers.into_iter().map(serve).collect()
    };
    (url, thread::spawn(serve))
}

/// One request with its body, as far as Content-Length tells.
fn read_request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        let count = stream.read(&mut bytes).expect("the client writes");
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse().expect("a number"));
            if count == 0 || length <= body.len() {
                return text;
            }
        }
    }
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

fn transport(url: &str) -> HttpTransport {
    HttpTransport::new(url, KEY, Livemode::Test).expect("a good address and key")
}

#[test]
fn a_request_carries_key_version_and_form_and_its_answer_comes_back() {
    let (url, server) = server(vec![answer(201, "Request-Id: req_1\r\n", "{\"a\":1}")]);
    let form = vec![("metadata[a b]".to_owned(), "ä&=".to_owned())];
    let request = HttpRequest::post("/v1/customers".to_owned(), "key-1", form);
    let response = transport(&format!("{url}/")).send(&request).unwrap();
    assert_eq!((response.status, response.body.as_slice()), (201, b"{\"a\":1}".as_slice()));
    assert_eq!(response.header("request-id"), Some("req_1"));
    let asked = server.join().unwrap().remove(0);
    for part in [
        "POST /v1/customers HTTP/1.1\r\n",
        "authorization: Bearer sk_test_secret\r\n",
        "stripe-version: 2026-10-28.endive\r\n",
        "idempotency-key: key-1\r\n",
        "content-type: application/x-www-form-urlencoded\r\n",
        "\r\n\r\nmetadata%5Ba+b%5D=%C3%A4%26%3D",
    ] {
        assert!(asked.contains(part), "{part:?} is not in {asked}");
    }
}

#[test]
fn a_read_carries_its_query_and_no_body() {
    let (url, server) = server(vec![answer(200, "", "{}")]);
    let request = HttpRequest::get("/v1/prices?lookup_keys%5B0%5D=a".to_owned());
    transport(&url).send(&request).unwrap();
    let asked = server.join().unwrap().remove(0);
    assert!(asked.starts_with("GET /v1/prices?lookup_keys%5B0%5D=a HTTP/1.1\r\n"), "{asked}");
    assert!(!asked.contains("idempotency-key") && asked.ends_with("\r\n\r\n"), "{asked}");
}

#[test]
fn a_connection_that_breaks_off_is_tried_again_with_the_same_key() {
    let (url, server) = server(vec![String::new(), answer(200, "", "{}")]);
    let request = HttpRequest::post("/v1/customers".to_owned(), "key-1", Vec::new());
    assert_eq!(transport(&url).send(&request).unwrap().status, 200);
    let asked = server.join().unwrap();
    assert!(asked.iter().all(|asked| asked.contains("idempotency-key: key-1")), "{asked:?}");
}

#[test]
fn what_breaks_off_may_have_happened_and_what_nobody_listens_to_has_not() {
    let (url, server) = server(vec![String::new()]);
    let request = HttpRequest::delete("/v1/subscriptions/sub_1".to_owned());
    let err = transport(&url).send(&request).unwrap_err();
    assert!(matches!(err, TransportError::Unknown(_)), "{err:?}");
    server.join().unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let err = transport(&url).send(&request).unwrap_err();
    let TransportError::NotSent(why) = &err else { panic!("{err:?}") };
    assert!(why.contains("refused") && !why.contains(KEY), "{why}");
}

#[test]
fn an_answer_cut_short_may_have_happened() {
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"id\"".to_owned();
    let (url, server) = server(vec![half]);
    let request = HttpRequest::delete("/v1/customers/cus_1".to_owned());
    let err = transport(&url).send(&request).unwrap_err();
    assert!(matches!(err, TransportError::Unknown(_)), "{err:?}");
    server.join().unwrap();
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let (url, server) = server(vec![answer(302, "Location: http://127.0.0.1:1/\r\n", "")]);
    let request = HttpRequest::get("/v1/account".to_owned());
    assert_eq!(transport(&url).send(&request).unwrap().status, 302);
    server.join().unwrap();
}

#[test]
fn a_key_of_the_other_mode_or_no_key_at_all_is_refused() {
    let new = |key: &str, mode: Livemode| HttpTransport::new(STRIPE_URL, key, mode);
    assert!(new("sk_test_1", Livemode::Test).is_ok() && new("rk_live_1", Livemode::Live).is_ok());
    let err = new("sk_live_1", Livemode::Test).unwrap_err();
    assert_eq!(err.to_string(), "the Stripe API key is a live key, but this is test mode");
    assert!(new("sk_test_1", Livemode::Live).is_err());
    for key in ["", "pk_test_1", "whsec_1", "sk_test_1\nx"] {
        let err = new(key, Livemode::Test).unwrap_err().to_string();
        assert!(key.is_empty() || !err.contains(key), "{err}");
    }
}

#[test]
fn a_key_goes_over_https_or_stays_on_this_machine() {
    let new = |url: &str| HttpTransport::new(url, KEY, Livemode::Test);
    for url in
        ["https://api.stripe.com", "http://localhost:1", "http://[::1]:1", "http://127.0.0.2"]
    {
        assert!(new(url).is_ok(), "{url}");
    }
    for url in ["http://api.stripe.com", "http://10.0.0.1", "ftp://localhost", "stripe", ""] {
        assert!(new(url).is_err(), "{url}");
    }
    assert!(HttpTransport::new("http://127.0.0.1:1", "sk_live_1", Livemode::Live).is_err());
    assert_eq!(format!("{:?}", transport("http://[::1]:1")), "HttpTransport(http://[::1]:1)");
}
