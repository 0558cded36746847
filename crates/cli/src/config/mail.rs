//! How mails leave, and in whose name: `FARTHING_MAIL_…` and what the pages in mails link to.

use std::sync::Arc;

use farthing_engine::mails::Post;
use farthing_mail::message::{is_address, is_mailbox};
use farthing_mail::{Brand, Letterhead, SmtpMailer, SmtpUrl};
use farthing_store::meta::Mode;

use super::Reader;
use crate::exit::Failure;

/// Everything about mails.
#[derive(Clone, Debug, Default)]
pub struct MailConfig {
    /// The server; absent: mails are kept and marked as not sent.
    pub url: Option<SmtpUrl>,
    /// In whose name.
    pub letterhead: Letterhead,
    /// The operators' addresses.
    pub operators: Vec<String>,
}

impl MailConfig {
    /// What the engine has to be told. Errors: TLS cannot be set up on this machine.
    pub fn post(&self) -> Result<Post, Failure> {
        let mut post = Post {
            letterhead: self.letterhead.clone(),
            operators: self.operators.clone(),
            mailer: None,
        };
        if let Some(url) = &self.url {
            let mailer = SmtpMailer::new(url).map_err(|error| {
                Failure::new(format!("mails cannot be sent: {error}; nothing was started"))
                    .fix("install the machine's root certificates, such as ca-certificates")
            })?;
            post.mailer = Some(Arc::new(mailer));
        }
        Ok(post)
    }
}

impl Reader<'_> {
    /// What can be read; mistakes are left in the reader.
    pub(super) fn mail(&mut self, mode: Option<Mode>, return_base: Option<&str>) -> MailConfig {
        let url = self.mail_url();
        let from = self.mailbox("FARTHING_MAIL_FROM");
        let reply_to = self.mailbox("FARTHING_MAIL_REPLY_TO");
        if url.is_some() && from.is_none() && (self.env)("FARTHING_MAIL_FROM").is_none() {
            let _told: Option<()> = self.wrong(
                "FARTHING_MAIL_URL is set, but FARTHING_MAIL_FROM is not",
                "set it to the address that mails come from: Example <billing@example.com>",
            );
        }
        let host = return_base.and_then(|base| reqwest::Url::parse(base).ok());
        let host = host.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
        let name = (self.env)("FARTHING_APP_NAME").map(|name| name.trim().to_owned());
        let brand = Brand {
            app: name.unwrap_or(host),
            logo_url: self.page("FARTHING_LOGO_URL", mode),
            support: self.support(),
            billing_url: self.page("FARTHING_BILLING_URL", mode),
        };
        let from = from.unwrap_or_default();
        let operators = self.operators();
        MailConfig { url, letterhead: Letterhead { brand, from, reply_to }, operators }
    }

    fn mail_url(&mut self) -> Option<SmtpUrl> {
        let text = self.secret("FARTHING_MAIL_URL")?;
        match text.parse() {
            Ok(url) => Some(url),
            Err(problem) => self.wrong(
                format!("FARTHING_MAIL_URL is something {problem}"),
                "write smtps://USER:PASSWORD@HOST, or smtp://USER:PASSWORD@HOST:587 for STARTTLS; \
                 write % and what is not a letter or digit in the password as %25 and so on",
            ),
        }
    }

    fn mailbox(&mut self, name: &str) -> Option<String> {
        let text = (self.env)(name)?.trim().to_owned();
        if is_mailbox(&text) {
            return Some(text);
        }
        self.wrong(
            format!("{name} is {text:?}, which is no address"),
            "write billing@example.com, or Example <billing@example.com>",
        )
    }

    fn support(&mut self) -> Option<String> {
        let text = (self.env)("FARTHING_SUPPORT_EMAIL")?.trim().to_owned();
        if is_address(&text) {
            return Some(text);
        }
        self.wrong(
            format!("FARTHING_SUPPORT_EMAIL is {text:?}, which is no address"),
            "write an address such as help@example.com",
        )
    }

    fn operators(&mut self) -> Vec<String> {
        let Some(text) = (self.env)("FARTHING_MAIL_ADMINS") else { return Vec::new() };
        let addresses: Vec<String> = text
            .split(',')
            .map(|address| address.trim().to_owned())
            .filter(|address| !address.is_empty())
            .collect();
        for address in addresses.iter().filter(|address| !is_address(address)) {
            let _told: Option<()> = self.wrong(
                format!("FARTHING_MAIL_ADMINS has {address:?}, which is no address"),
                "write addresses with a comma between them: ana@example.com,bo@example.com",
            );
        }
        addresses
    }

    /// A page or picture that mails link to. Live mode takes only https.
    fn page(&mut self, name: &str, mode: Option<Mode>) -> Option<String> {
        let text = (self.env)(name)?.trim().to_owned();
        let fix = "write a whole address, such as https://app.example.com/billing";
        let Ok(url) = reqwest::Url::parse(&text) else {
            return self.wrong(format!("{name} is {text:?}, which is no address"), fix);
        };
        match url.scheme() {
            "https" => Some(url.to_string()),
            "http" if mode != Some(Mode::Live) => Some(url.to_string()),
            _ => self.wrong(format!("{name} is {text:?}, which is not https"), fix),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &[(&str, &str)]) -> Result<MailConfig, Vec<String>> {
        let env = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let mut reader = Reader { env: &env, mistakes: Vec::new() };
        let config = reader.mail(Some(Mode::Live), Some("https://app.example.com"));
        let told: Vec<String> = reader.mistakes.into_iter().map(|it| it.message).collect();
        if told.is_empty() { Ok(config) } else { Err(told) }
    }

    #[test]
    fn without_settings_mails_are_kept_under_the_apps_own_name() {
        let config = config(&[]).unwrap();
        assert_eq!(config.url, None);
        assert_eq!(config.letterhead.brand.app, "app.example.com");
        assert!(config.operators.is_empty());
        assert!(config.post().unwrap().mailer.is_none());
    }

    #[test]
    fn everything_is_read() {
        let config = config(&[
            ("FARTHING_MAIL_URL", "smtps://me:pa%25ss@mail.example.com"),
            ("FARTHING_MAIL_FROM", "Acme <billing@example.com>"),
            ("FARTHING_MAIL_REPLY_TO", "help@example.com"),
            ("FARTHING_MAIL_ADMINS", "ana@example.com, bo@example.com,"),
            ("FARTHING_APP_NAME", "Acme"),
            ("FARTHING_LOGO_URL", "https://example.com/logo.png"),
            ("FARTHING_SUPPORT_EMAIL", "help@example.com"),
            ("FARTHING_BILLING_URL", "https://example.com/billing"),
        ])
        .unwrap();
        assert_eq!(config.operators, ["ana@example.com", "bo@example.com"]);
        assert_eq!(config.letterhead.brand.app, "Acme");
        assert!(!format!("{config:?}").contains("pa%"), "no password is shown");
    }

    #[test]
    fn every_mistake_is_told_and_no_password_with_it() {
        let mistakes = config(&[
            ("FARTHING_MAIL_URL", "smtp://me:secret@mail.example.com?tls=none"),
            ("FARTHING_MAIL_REPLY_TO", "help"),
            ("FARTHING_MAIL_ADMINS", "ana"),
            ("FARTHING_LOGO_URL", "http://example.com/logo.png"),
            ("FARTHING_SUPPORT_EMAIL", "https://help.example.com"),
            ("FARTHING_BILLING_URL", "/billing"),
        ])
        .unwrap_err();
        assert_eq!(mistakes.len(), 6, "{mistakes:?}");
        assert!(!mistakes.concat().contains("secret"), "{mistakes:?}");
        let url = ("FARTHING_MAIL_URL", "smtps://mail.example.com");
        let mistakes = config(&[url]).unwrap_err();
        assert_eq!(mistakes, ["FARTHING_MAIL_URL is set, but FARTHING_MAIL_FROM is not"]);
    }
}
