//! `farthing doctor` about mails: is there a server, does it let us in, who is told.

use farthing_mail::{SendError, SmtpMailer};

use crate::config::MailConfig;

/// One finding about mails: what is wrong, and what to do; or what is right.
pub type Looked = Result<String, (String, String)>;

/// Connects to the mail server, switches to TLS and logs in; sends nothing.
pub fn server(config: &MailConfig) -> Looked {
    let Some(url) = &config.url else {
        return Err((
            "FARTHING_MAIL_URL is not set: mails are kept and not sent".to_owned(),
            "set it to smtps://USER:PASSWORD@HOST, and FARTHING_MAIL_FROM".to_owned(),
        ));
    };
    let tested = SmtpMailer::new(url).and_then(|mailer| mailer.test());
    match tested {
        Ok(()) => Ok(format!("{url} answers and lets us in")),
        Err(SendError::Refused(why) | SendError::Later(why)) => {
            Err((format!("the mail server {url} does not work: {why}"), fix(&why).to_owned()))
        }
    }
}

/// Whether anybody is told of refunds to decide and of disputes.
pub fn operators(config: &MailConfig) -> Looked {
    match config.operators.len() {
        0 => Err((
            "FARTHING_MAIL_ADMINS is not set: nobody is told of refunds to decide and of disputes"
                .to_owned(),
            "set it to the addresses of those who decide, with a comma between them".to_owned(),
        )),
        1 => Ok("1 operator is told".to_owned()),
        n => Ok(format!("{n} operators are told")),
    }
}

/// What to do about a server that does not work, by what it said.
fn fix(why: &str) -> &'static str {
    if why.contains("STARTTLS") {
        return "use smtps://HOST:465; or, for a relay on this machine, smtp://127.0.0.1:25?tls=none";
    }
    if ["530", "534", "535", "538"].iter().any(|code| why.starts_with(code)) {
        return "check user and password in FARTHING_MAIL_URL; some providers want one made for apps";
    }
    if ["certificate", "TLS", "handshake"].iter().any(|word| why.contains(word)) {
        return "use the name that the server's certificate is for, and smtps:// only on its TLS port";
    }
    "check host and port in FARTHING_MAIL_URL, and that this machine may connect to them"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_not_there_is_a_finding_with_a_fix() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let url = format!("smtp://me:secret@{address}").parse().ok();
        let config = MailConfig { url, ..MailConfig::default() };
        let (message, fix) = server(&config).unwrap_err();
        assert!(message.contains(&address.to_string()) && !message.contains("secret"), "{message}");
        assert!(fix.contains("host and port"), "{fix}");
        assert!(server(&MailConfig::default()).unwrap_err().0.contains("not sent"));
        assert!(operators(&MailConfig::default()).is_err());
    }

    #[test]
    fn what_the_server_said_leads_to_what_to_do() {
        assert!(fix("STARTTLS is not supported on this server").contains("smtps://"));
        assert!(fix("535 5.7.8 no").contains("password"));
        assert!(fix("invalid peer certificate: Expired").contains("certificate"));
    }
}
