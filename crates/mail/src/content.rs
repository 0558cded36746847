//! A mail as its parts, before it has a look: what the texts make and the layouts show.

use crate::clean::one_line;

/// The parts of a mail, in the order in which they are read. Plain text: nothing is escaped yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Content {
    pub subject: String,
    /// What lists of mails show beside the subject.
    pub preview: String,
    pub title: String,
    pub greeting: String,
    /// Paragraphs.
    pub body: Vec<String>,
    /// Names with values.
    pub facts: Vec<(&'static str, String)>,
    /// What somebody wrote, with a line that says who.
    pub quote: Option<(&'static str, String)>,
    /// When, and what happens then.
    pub steps: Vec<(String, String)>,
    pub button: Option<Button>,
    /// Paragraphs after the button.
    pub closing: Vec<String>,
    /// Why the reader gets this.
    pub footer: Vec<String>,
}

impl Content {
    /// The same with every part on one line, whatever was put into it. Only what somebody wrote
    /// keeps its lines, which the layouts show as a quote.
    pub fn on_lines(self) -> Self {
        let line = |text: String| one_line(&text, PART_MAX);
        let all = |texts: Vec<String>| texts.into_iter().map(line).collect();
        let pairs = |(name, text): (String, String)| (line(name), line(text));
        Self {
            subject: one_line(&self.subject, SUBJECT_MAX),
            preview: one_line(&self.preview, SUBJECT_MAX),
            title: line(self.title),
            greeting: line(self.greeting),
            body: all(self.body),
            facts: self.facts.into_iter().map(|(name, text)| (name, line(text))).collect(),
            quote: self.quote,
            steps: self.steps.into_iter().map(pairs).collect(),
            button: self.button,
            closing: all(self.closing),
            footer: all(self.footer),
        }
    }
}

/// How long a subject may be, in characters: what lists of mails still show.
const SUBJECT_MAX: usize = 120;
/// How long any other part may be, in characters.
const PART_MAX: usize = 1_000;

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Button {
    pub label: &'static str,
    pub url: String,
}

impl Button {
    /// `None` unless `url` is one that a browser opens as a page.
    pub fn to(label: &'static str, url: Option<&str>) -> Option<Self> {
        let url = url?.trim();
        let opens = url.starts_with("https://") || url.starts_with("http://");
        let plain = url.chars().all(|c| c.is_ascii_graphic());
        (opens && plain).then(|| Self { label, url: url.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_linked() {
        for bad in ["javascript:alert(1)", "data:text/html,x", "/pay", "", "https://a b", "ftp://a"]
        {
            assert_eq!(Button::to("Pay", Some(bad)), None, "{bad}");
        }
        assert!(Button::to("Pay", Some("https://a.example/pay?x=1")).is_some());
        assert_eq!(Button::to("Pay", None), None);
    }
}
