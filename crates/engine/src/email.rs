//! E-mail addresses: what is accepted, and the one form that trials are counted by.

/// The address in lower case, without what a provider of mail ignores: `+anything` before the `@`
/// everywhere, and dots at Google. `None` when it cannot be an address.
///
/// What is accepted is the unquoted form, also with letters beyond ASCII: what mail programs, forms
/// and payment providers take. Source: <https://www.rfc-editor.org/rfc/rfc5322#section-3.2.3>,
/// <https://www.rfc-editor.org/rfc/rfc6531#section-3.3>.
pub(crate) fn canonical(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    if 254 < address.len() || 64 < local.len() || !is_dotted(local, is_local) {
        return None;
    }
    if !domain.contains('.') || !is_dotted(domain, is_domain) || !domain.split('.').all(is_label) {
        return None;
    }
    let domain = domain.to_lowercase();
    let local = local.to_lowercase();
    let local = local.split_once('+').map_or(local.as_str(), |(before, _)| before);
    if local.is_empty() {
        return None;
    }
    Some(match domain.as_str() {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
        _ => format!("{local}@{domain}"),
    })
}

/// Parts with dots between them, none of them empty.
fn is_dotted(text: &str, allowed: fn(char) -> bool) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.chars().all(allowed))
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
}

fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || c == '-'
}

fn is_label(label: &str) -> bool {
    label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn aliases_of_one_mailbox_are_one_address() {
        for alias in ["Ana.Silva@Gmail.com", "anasilva+trial2@googlemail.com"] {
            assert_eq!(canonical(alias).unwrap(), "anasilva@gmail.com");
        }
        assert_eq!(canonical("a.b+c@Example.com").unwrap(), "a.b@example.com");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for bad in [
            "",
            "@",
            "a@",
            "@b.c",
            "a b@c.de",
            "a@b",
            "a@b..c",
            "a\0@b.cd",
            "+x@b.cd",
            "<script>@example.com",
            "a@<b>.com",
            "\"a\"@b.cd",
            "a@b@c.de",
            ".a@b.cd",
            "a.@b.cd",
            "a..b@c.de",
            "a@-b.cd",
            "a@b-.cd",
            "a@[127.0.0.1]",
            "a,b@c.de",
            "a:b@c.de",
            "a\\@b.cd",
            "a@b.cd\r\nBcc: x@y.zz",
            "a\u{202e}b@c.de",
            &format!("{}@b.cd", "a".repeat(65)),
        ] {
            assert_eq!(canonical(bad), None, "{bad:?} was accepted");
        }
    }

    #[test]
    fn what_people_really_have_is_taken() {
        for good in ["o'neil@b-c.co.uk", "a_b-c=d/e@x1.example", "jörg@müller.de", "1@2.34"] {
            assert!(canonical(good).is_some(), "{good:?} was refused");
        }
    }
}
