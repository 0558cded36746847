//! Mails: who gets one, when it is sent, and when it is better not sent any more.
//!
//! A mail is a row that is written in the transaction of the change that causes it, under the key
//! of the fact that it tells. [`Engine::send_mails`] sends what is due, outside of any transaction,
//! on a thread of its own, so that a slow mail server never keeps payments waiting. It is sent at
//! least once: whoever breaks off between the server's answer and our commit leaves a lease behind,
//! and when that is over the same mail is sent again under the same `Message-ID`.
//!
//! In reading order: `letters` (events to letters), `dunning` (overdue payments), `changes`
//! (refunds, disputes), `trial`, `send`, `passed`
//! (is it still true?), [`view`].

mod changes;
mod dunning;
mod letters;
mod passed;
mod send;
mod trial;
pub mod view;

use std::sync::Arc;

use farthing_core::catalog::Catalog;
use farthing_core::ids::{CustomerId, IdKind};
use farthing_mail::letter::Reader;
use farthing_mail::{Letter, Letterhead, Mailer};
use farthing_store::mails::NewMail;
use farthing_store::{Tx, mails};

use crate::{Engine, EngineError};

/// How mails leave, and in whose name.
#[derive(Clone, Default)]
pub struct Post {
    /// In whose name.
    pub letterhead: Letterhead,
    /// The operators' addresses.
    pub operators: Vec<String>,
    /// What sends them; without it they are kept and marked as not sent.
    pub mailer: Option<Arc<dyn Mailer>>,
}

/// A letter with the fact that it tells.
pub(crate) struct Occasion<'a> {
    /// Whose it is; `None`: nobody's in particular.
    pub customer: Option<&'a CustomerId>,
    /// The fact: the same key is the same mail.
    pub key: String,
    /// What it is about, such as a subscription's id.
    pub subject: &'a str,
    /// What it says.
    pub letter: Letter,
}

impl Engine {
    /// Lets mails leave as `post` says. To be called before anybody else has the engine; of two
    /// calls the first one counts.
    pub fn with_mail(self, post: Post) -> Self {
        self.inner.post.get_or_init(|| post);
        self
    }

    fn mail_post(&self) -> Post {
        self.inner.post.get().cloned().unwrap_or_default()
    }

    /// Leaves a mail for its reader, in the transaction of what caused it; once for each fact.
    pub(crate) fn mail(&self, tx: &mut Tx<'_>, occasion: &Occasion<'_>) -> Result<(), EngineError> {
        match occasion.letter.reader() {
            Reader::Customer => self.leave(tx, occasion, (occasion.key.clone(), "")),
            Reader::Operators => {
                let post = self.mail_post();
                if post.operators.is_empty() {
                    // It is kept, and says why it was not sent.
                    return self.leave(tx, occasion, (occasion.key.clone(), ""));
                }
                for address in &post.operators {
                    let key = format!("{}:{address}", occasion.key);
                    self.leave(tx, occasion, (key, address))?;
                }
                Ok(())
            }
        }
    }

    fn leave(
        &self,
        tx: &mut Tx<'_>,
        occasion: &Occasion<'_>,
        (business_key, recipient): (String, &str),
    ) -> Result<(), EngineError> {
        let now = self.now();
        let of_customer = occasion.letter.reader() == Reader::Customer;
        let mail = NewMail {
            id: self.new_id(IdKind::Mail),
            customer: occasion.customer.filter(|_| of_customer).cloned(),
            kind: occasion.letter.kind().to_owned(),
            business_key,
            subject: occasion.subject.to_owned(),
            recipient: recipient.to_owned(),
            data: serde_json::to_string(&occasion.letter).expect("a letter is plain data"),
            due_at: now.plus_seconds(patience(&occasion.letter)),
            created_at: now,
        };
        mails::insert(tx, &mail)?;
        Ok(())
    }
}

/// How long a letter waits before it is sent, in seconds. Why a payment failed, and when it is
/// tried again, is found out right after the failure; the letter says how it stands by then.
fn patience(letter: &Letter) -> i64 {
    match letter {
        Letter::PaymentFailed(_) | Letter::RetryFailed(_) => 30,
        _ => 0,
    }
}

/// The name that people know a plan by.
fn plan_name(catalog: &Catalog, key: &str) -> String {
    catalog.plans.get(key).map_or_else(|| key.to_owned(), |plan| plan.name.clone())
}
