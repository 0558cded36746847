//! The SMTP mailer against a real server on this machine, which follows a script.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use farthing_mail::{
    Letterhead, Mailer, Message, Postmark, SendError, SmtpMailer, SmtpUrl, message, samples,
};
use mail_parser::MessageParser;

/// What the server says where it may say something else than yes.
#[derive(Clone, Copy, Default)]
struct Script {
    greeting: Option<&'static str>,
    offers: &'static [&'static str],
    auth: Option<&'static str>,
    rcpt: Option<&'static str>,
    data: Option<&'static str>,
    /// Hangs up instead of answering to the message.
    hangs_up: bool,
}

/// What reached the server.
#[derive(Debug, Default)]
struct Heard {
    commands: Vec<String>,
    data: Vec<u8>,
}

/// A server for one connection: its address, and what it heard in the end.
fn server(script: Script) -> (String, Receiver<Heard>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (tell, heard) = channel();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut so_far = Heard::default();
        // A client that hangs up in the middle is what some tests are about.
        let _ended = converse(stream, script, &mut so_far);
        tell.send(so_far).unwrap();
    });
    (address, heard)
}

fn converse(stream: TcpStream, script: Script, heard: &mut Heard) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let say = |text: &str| (&stream).write_all(format!("{text}\r\n").as_bytes());
    say(script.greeting.unwrap_or("220 mail.test ready"))?;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_owned();
        heard.commands.push(line.clone());
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match word.as_str() {
            "EHLO" => {
                for offer in script.offers {
                    say(&format!("250-{offer}"))?;
                }
                say("250 SIZE 1000000")?;
            }
            "AUTH" => say(script.auth.unwrap_or("235 welcome"))?,
            "RCPT" => say(script.rcpt.unwrap_or("250 ok"))?,
            "DATA" => {
                say("354 go on")?;
                heard.data = read_data(&mut reader)?;
                if script.hangs_up {
                    return Ok(());
                }
                say(script.data.unwrap_or("250 queued"))?;
            }
            "QUIT" => return say("221 bye"),
            _ => say("250 ok")?,
        }
    }
}

/// Up to the line with a single dot, with doubled dots made single again.
fn read_data(reader: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
    let mut data = Vec::new();
    loop {
        let mut line = Vec::new();
        if reader.read_until(b'\n', &mut line)? == 0 || line == b".\r\n" {
            return Ok(data);
        }
        data.extend(line.strip_prefix(b".").unwrap_or(&line));
    }
}

fn a_message() -> Message {
    let (_, letter) =
        samples::all().into_iter().find(|(name, _)| *name == "payment_failed").unwrap();
    let brand = farthing_mail::Brand { app: "Acme".to_owned(), ..Default::default() };
    let from = "Acme <billing@acme.example>".to_owned();
    let letterhead = Letterhead { brand, from, reply_to: None };
    let now = "2027-01-31T10:00:00Z".parse().unwrap();
    let postmark = Postmark { id: "mail_1", to: "ana@example.com", name: Some("Ana"), now };
    message(&letter, &letterhead, postmark).unwrap()
}

fn mailer(url: &str) -> SmtpMailer {
    SmtpMailer::new(&url.parse::<SmtpUrl>().unwrap()).unwrap()
}

fn send(script: Script, user: &str, query: &str) -> (Result<(), SendError>, Heard) {
    let (address, heard) = server(script);
    let sent = mailer(&format!("smtp://{user}{address}{query}")).send(&a_message());
    (sent, heard.recv().unwrap())
}

#[test]
fn a_message_arrives_as_it_left() {
    let (sent, heard) = send(Script::default(), "", "?tls=none");
    assert_eq!(sent, Ok(()));
    let parsed = MessageParser::default().parse(&heard.data).unwrap();
    assert_eq!(parsed.message_id(), Some("mail_1@acme.example"));
    assert_eq!(parsed.subject(), Some("Your payment for Growth did not go through"));
    assert!(parsed.body_text(0).unwrap().contains("We could not charge $69.00"));
    assert!(parsed.body_html(0).unwrap().contains("<h1"));
    assert!(heard.commands.contains(&"MAIL FROM:<billing@acme.example>".to_owned()));
    assert!(heard.commands.contains(&"RCPT TO:<ana@example.com>".to_owned()));
}

#[test]
fn a_password_is_said_only_to_a_server_that_asks_for_it() {
    let script = Script { offers: &["AUTH PLAIN"], ..Script::default() };
    let (sent, heard) = send(script, "me:secret@", "?tls=none");
    assert_eq!(sent, Ok(()));
    assert!(heard.commands.iter().any(|command| command.starts_with("AUTH PLAIN")));
}

#[test]
fn without_starttls_neither_a_password_nor_a_mail_is_said() {
    let script = Script { offers: &["AUTH PLAIN"], ..Script::default() };
    let (sent, heard) = send(script, "me:secret@", "");
    let Err(SendError::Later(why)) = sent else { panic!("{sent:?}") };
    assert!(why.contains("STARTTLS"), "{why}");
    let said = |word: &str| heard.commands.iter().any(|command| command.starts_with(word));
    assert!(!said("AUTH") && !said("MAIL") && heard.data.is_empty(), "{heard:?}");
}

#[test]
fn a_recipient_that_does_not_exist_is_refused_for_good() {
    let rcpt = Some("550 5.1.1 <ana@example.com>: no such user");
    let (sent, _) = send(Script { rcpt, ..Script::default() }, "", "?tls=none");
    let Err(SendError::Refused(why)) = sent else { panic!("{sent:?}") };
    assert!(why.starts_with("550") && !why.contains('@'), "{why}");
}

#[test]
fn a_full_mailbox_or_a_busy_server_is_tried_again() {
    let rcpt = Some("452 4.2.2 mailbox full");
    let (sent, _) = send(Script { rcpt, ..Script::default() }, "", "?tls=none");
    assert!(matches!(sent, Err(SendError::Later(_))), "{sent:?}");
    let greeting = Some("421 too busy");
    let (sent, _) = send(Script { greeting, ..Script::default() }, "", "?tls=none");
    assert!(matches!(sent, Err(SendError::Later(_))), "{sent:?}");
    let data = Some("554 5.7.1 spam");
    let (sent, _) = send(Script { data, ..Script::default() }, "", "?tls=none");
    assert!(matches!(sent, Err(SendError::Refused(_))), "{sent:?}");
}

#[test]
fn a_wrong_password_is_the_operators_trouble_and_loses_no_mail() {
    let script =
        Script { offers: &["AUTH PLAIN"], auth: Some("535 5.7.8 no"), ..Script::default() };
    let (sent, _) = send(script, "me:secret@", "?tls=none");
    let Err(SendError::Later(why)) = sent else { panic!("{sent:?}") };
    assert!(why.starts_with("535"), "{why}");
    assert!(!why.contains("secret"), "{why}");
}

#[test]
fn a_server_that_hangs_up_or_is_not_there_is_tried_again() {
    let (sent, heard) = send(Script { hangs_up: true, ..Script::default() }, "", "?tls=none");
    assert!(matches!(sent, Err(SendError::Later(_))), "{sent:?}");
    assert!(!heard.data.is_empty(), "the mail may have been taken: it is sent again all the same");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let sent = mailer(&format!("smtp://{address}?tls=none")).send(&a_message());
    assert!(matches!(sent, Err(SendError::Later(_))), "{sent:?}");
}

#[test]
fn a_test_connects_and_logs_in_and_sends_nothing() {
    let (address, heard) = server(Script { offers: &["AUTH PLAIN"], ..Script::default() });
    assert_eq!(mailer(&format!("smtp://me:secret@{address}?tls=none")).test(), Ok(()));
    let heard = heard.recv().unwrap();
    assert!(heard.commands.iter().any(|command| command.starts_with("AUTH")), "{heard:?}");
    assert!(!heard.commands.iter().any(|command| command.starts_with("MAIL")), "{heard:?}");
}
