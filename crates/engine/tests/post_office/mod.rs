//! A mail server on this machine that speaks enough SMTP, and does what a test says.

#![allow(dead_code, reason = "each test binary uses its own part of it")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use farthing_engine::Engine;
use farthing_engine::mails::Post;
use farthing_mail::{Brand, Letterhead, SmtpMailer};
use mail_parser::MessageParser;

/// What the server does with a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Takes it.
    Takes,
    /// Says so to every recipient instead.
    Says(&'static str),
    /// Takes it and hangs up before it says so.
    TakesAndHangsUp,
    /// Hangs up at once.
    IsDown,
}

/// A mail as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrived {
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub text: String,
}

/// The server. It runs as long as the test.
#[derive(Clone)]
pub struct PostOffice {
    address: String,
    manner: Arc<Mutex<Manner>>,
    arrived: Arc<Mutex<Vec<Arrived>>>,
}

impl PostOffice {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let office =
            Self { address, manner: Arc::new(Mutex::new(Manner::Takes)), arrived: Arc::default() };
        let inside = office.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up is none of the server's business.
                let _ended = inside.converse(&stream);
            }
        });
        office
    }

    /// Lets an engine send its mails here.
    pub fn serve(&self, engine: &Engine) {
        let url = format!("smtp://{}?tls=none", self.address).parse().unwrap();
        let brand = Brand { app: "Acme Chat".to_owned(), ..Brand::default() };
        let from = "Acme Chat <billing@acme.example>".to_owned();
        let post = Post {
            letterhead: Letterhead { brand, from, reply_to: None },
            operators: vec!["ops@acme.example".to_owned()],
            mailer: Some(Arc::new(SmtpMailer::new(&url).unwrap())),
        };
        let _same = engine.clone().with_mail(post);
    }

    pub fn does(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// What has arrived, the oldest first.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().unwrap().clone()
    }

    pub fn subjects(&self) -> Vec<String> {
        self.arrived().into_iter().map(|mail| mail.subject).collect()
    }

    fn converse(&self, stream: &TcpStream) -> std::io::Result<()> {
        let manner = *self.manner.lock().unwrap();
        if manner == Manner::IsDown {
            return Ok(());
        }
        let mut reader = BufReader::new(stream.try_clone()?);
        let say = |text: &str| {
            let mut out = stream;
            out.write_all(format!("{text}\r\n").as_bytes())
        };
        say("220 post.test ready")?;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            let word = line.split([' ', ':', '\r']).next().unwrap_or_default().to_owned();
            match (word.as_str(), manner) {
                ("RCPT", Manner::Says(answer)) => say(answer)?,
                ("DATA", _) => {
                    say("354 go on")?;
                    self.take(&mut reader)?;
                    if manner == Manner::TakesAndHangsUp {
                        return Ok(());
                    }
                    say("250 queued")?;
                }
                ("QUIT", _) => return say("221 bye"),
                _ => say("250 ok")?,
            }
        }
    }

    fn take(&self, reader: &mut impl BufRead) -> std::io::Result<()> {
        let mut data = Vec::new();
        loop {
            let mut line = Vec::new();
            if reader.read_until(b'\n', &mut line)? == 0 || line == b".\r\n" {
                break;
            }
            data.extend(line.strip_prefix(b".").unwrap_or(&line));
        }
        let parsed = MessageParser::default().parse(&data).unwrap();
        let to = parsed.to().unwrap().first().unwrap().address.clone().unwrap();
        self.arrived.lock().unwrap().push(Arrived {
            to: to.into_owned(),
            subject: parsed.subject().unwrap().to_owned(),
            message_id: parsed.message_id().unwrap().to_owned(),
            text: parsed.body_text(0).unwrap().into_owned(),
        });
        Ok(())
    }
}
