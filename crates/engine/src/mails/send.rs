//! Sending what is due: claim, look whether it is still true, send, write down what came of it.

use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_mail::{Letter, Postmark, SendError, message};
use farthing_store::mails::Mail;
use farthing_store::{Claim, Lease, alerts, customers, mails};

use super::passed::MAX_AGE;
use crate::{Engine, EngineError};

/// How long one worker may take for a mail before another one sends it, in seconds: longer than a
/// server that answers slowly at every step.
const LEASE_SECONDS: i64 = 300;
/// The first wait after a try in vain, in seconds; each next one is twice as long.
const FIRST_WAIT: i64 = 30;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 3_600;
/// After so many tries of one mail in vain an operator is told that the server is in trouble.
const TROUBLE_AFTER: i64 = 3;

/// The kind of the alert about one mail.
const MAIL: &str = "mail";
/// The kind and the subject of the alert about the mail server.
const SERVER: (&str, &str) = ("mail_server", "smtp");

const NO_SERVER: &str = "no mail server is configured; set FARTHING_MAIL_URL";
const UNREADABLE: &str = "this version does not know this kind of mail";

/// What is to be done with a mail.
enum Verdict {
    Send { letter: Box<Letter>, to: String, name: Option<String> },
    Suppress(&'static str),
    Dead(&'static str),
}

impl Engine {
    /// Sends mails that are due; answers how many were looked at. Blocks while the mail server is
    /// asked, so it has a thread of its own and is no part of [`Engine::run_due`].
    pub fn send_mails(&self) -> Result<usize, EngineError> {
        let now = self.now();
        if !self.read(|_, tx| Ok(mails::is_due(tx, now)?))? {
            return Ok(0);
        }
        let token = self.new_id(IdKind::Request);
        let claimed = {
            let token = token.clone();
            self.write(move |engine, tx| {
                let now = engine.now();
                let lease_until = now.plus_seconds(LEASE_SECONDS);
                Ok(mails::claim_due(tx, Claim { now, lease_until, token: &token, limit: 1 })?)
            })?
        };
        for mail in &claimed {
            self.send_mail(mail, &token)?;
        }
        Ok(claimed.len())
    }

    /// When the next mail is due.
    pub fn next_mail_due(&self) -> Result<Option<Timestamp>, EngineError> {
        self.read(|_, tx| Ok(mails::next_due(tx)?))
    }

    fn send_mail(&self, mail: &Mail, token: &str) -> Result<(), EngineError> {
        match self.verdict(mail)? {
            Verdict::Suppress(reason) => self.suppressed(mail, token, reason),
            Verdict::Dead(reason) => self.died(mail, token, reason),
            Verdict::Send { letter, to, name } => {
                let post = self.mail_post();
                let Some(mailer) = &post.mailer else {
                    return self.suppressed(mail, token, NO_SERVER);
                };
                let name = name.as_deref();
                let postmark = Postmark { id: &mail.id, to: &to, name, now: self.now() };
                let message = match message(&letter, &post.letterhead, postmark) {
                    Ok(message) => message,
                    Err(error) => return self.died(mail, token, &error.to_string()),
                };
                match mailer.send(&message) {
                    Ok(()) => self.arrived(mail, token, (&to, &letter)),
                    Err(SendError::Refused(why)) => self.died(mail, token, &why),
                    Err(SendError::Later(why)) => self.in_vain(mail, token, &why),
                }
            }
        }
    }

    fn verdict(&self, mail: &Mail) -> Result<Verdict, EngineError> {
        let Ok(letter) = serde_json::from_str::<Letter>(&mail.data) else {
            return Ok(Verdict::Dead(UNREADABLE));
        };
        self.read(|engine, tx| {
            if let Some(reason) = engine.passed(tx, mail, &letter)? {
                return Ok(Verdict::Suppress(reason));
            }
            let customer = match &mail.customer {
                None => None,
                // The address as it is now: it may have been mended since.
                Some(id) => customers::find(tx, id)?,
            };
            let (to, name) = match customer {
                None => (mail.recipient.clone(), None),
                Some(customer) => (customer.email, customer.name),
            };
            let letter = Box::new(engine.as_of_now(tx, mail, letter.clone())?);
            Ok(Verdict::Send { letter, to, name })
        })
    }

    fn arrived(
        &self,
        mail: &Mail,
        token: &str,
        (to, letter): (&str, &Letter),
    ) -> Result<(), EngineError> {
        tracing::info!(mail.id = mail.id, mail.kind = mail.kind, "mail sent");
        let (id, token, to) = (mail.id.clone(), token.to_owned(), to.to_owned());
        let first = mail.attempts <= 1;
        let data = serde_json::to_string(letter).expect("a letter is plain data");
        self.write(move |engine, tx| {
            let now = engine.now();
            mails::sent(tx, Lease { id: &id, token: &token }, (&to, &data), now)?;
            if !first {
                alerts::resolve(tx, SERVER.0, SERVER.1, now)?;
            }
            Ok(())
        })
    }

    fn suppressed(
        &self,
        mail: &Mail,
        token: &str,
        reason: &'static str,
    ) -> Result<(), EngineError> {
        tracing::info!(mail.id = mail.id, mail.kind = mail.kind, reason, "mail not sent");
        let (id, token) = (mail.id.clone(), token.to_owned());
        self.write(move |engine, tx| {
            let lease = Lease { id: &id, token: &token };
            Ok(mails::suppress(tx, lease, engine.now(), reason)?)
        })
    }

    fn died(&self, mail: &Mail, token: &str, reason: &str) -> Result<(), EngineError> {
        tracing::warn!(mail.id = mail.id, mail.kind = mail.kind, reason, "mail given up");
        let (id, token, reason) = (mail.id.clone(), token.to_owned(), reason.to_owned());
        let detail = format!("a mail ({}) cannot be sent: {reason}", mail.kind);
        self.write(move |engine, tx| {
            engine.alert(tx, MAIL, &id, &detail)?;
            Ok(mails::dead(tx, Lease { id: &id, token: &token }, engine.now(), &reason)?)
        })
    }

    fn in_vain(&self, mail: &Mail, token: &str, reason: &str) -> Result<(), EngineError> {
        if mail.created_at.plus_seconds(MAX_AGE) <= self.now() {
            return self.died(mail, token, &format!("tried for three days: {reason}"));
        }
        tracing::warn!(mail.id = mail.id, mail.kind = mail.kind, reason, "mail tried in vain");
        let (id, token, reason) = (mail.id.clone(), token.to_owned(), reason.to_owned());
        let attempts = mail.attempts;
        self.write(move |engine, tx| {
            let doublings = u32::try_from(attempts.clamp(1, 8) - 1).unwrap_or_default();
            let wait = (FIRST_WAIT << doublings).min(LONGEST_WAIT);
            let at = engine.now().plus_seconds(wait);
            if TROUBLE_AFTER <= attempts {
                let detail = format!("mails cannot be sent: {reason}");
                engine.alert(tx, SERVER.0, SERVER.1, &detail)?;
            }
            Ok(mails::retry(tx, Lease { id: &id, token: &token }, at, &reason)?)
        })
    }
}
