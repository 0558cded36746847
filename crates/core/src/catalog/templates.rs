//! Catalogs to start from.

/// The catalog that `farthing dev` writes; it uses every part of the format.
pub const SAMPLE: &str = include_str!("sample.toml");

/// Credits as the product: packs first, subscriptions that refill a balance.
pub const AI_CREDITS: &str = include_str!("ai_credits.toml");

/// Workspaces of a few sizes, paid by month or year.
pub const SEATS: &str = include_str!("seats.toml");

/// What `farthing init --template` knows: each name and its catalog.
pub const TEMPLATES: [(&str, &str); 3] =
    [("saas", SAMPLE), ("ai-credits", AI_CREDITS), ("seats", SEATS)];

/// The catalog of that name; `None` when there is no such template.
pub fn template(name: &str) -> Option<&'static str> {
    TEMPLATES.iter().find(|(known, _)| *known == name).map(|(_, source)| *source)
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn every_template_is_a_catalog() {
        for (name, source) in TEMPLATES {
            let errors = parse(source).err().unwrap_or_default();
            assert_eq!(errors, [], "in the template {name}");
            assert!(!source.contains('\t') && source.ends_with('\n'), "{name} is tidy");
        }
        assert_eq!(template("saas"), Some(SAMPLE));
        assert_eq!(template("sass"), None);
    }
}
