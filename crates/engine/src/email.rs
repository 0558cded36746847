//! E-mail addresses: what is accepted, and the one form that trials are counted by.

/// The address in lower case, without what a provider of mail ignores: `+anything` before the `@`
/// everywhere, and dots at Google. `None` when it cannot be an address.
pub(crate) fn canonical(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let printable = address.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let has_dot = domain.split('.').all(|label| !label.is_empty()) && domain.contains('.');
    if !printable || local.is_empty() || 254 < address.len() || !has_dot {
        return None;
    }
    let domain = domain.to_lowercase();
    let local = local.to_lowercase();
    let local = local.split_once('+').map_or(local.as_str(), |(before, _)| before);
    if local.is_empty() || local.contains('@') {
        return None;
    }
    Some(match domain.as_str() {
        "gmail.com" | "googlemail.com" => format!("{}@gmail.com", local.replace('.', "")),
        _ => format!("{local}@{domain}"),
    })
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
        for bad in ["", "@", "a@", "@b.c", "a b@c.de", "a@b", "a@b..c", "a\0@b.cd", "+x@b.cd"] {
            assert_eq!(canonical(bad), None, "{bad:?} was accepted");
        }
    }
}
