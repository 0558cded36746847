//! Typed reading of a parsed TOML document. Every mistake is reported and answered with `None`,
//! so that reading goes on and finds the next one.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};

use toml::de::{DeTable, DeValue};

use super::error::{Report, shown};

/// The largest number of anything: every client, also one that counts in doubles, reads it
/// exactly (2^53 - 1).
pub(super) const MOST: i64 = 9_007_199_254_740_991;

/// A value, its key, and where both are written.
#[derive(Clone, Debug)]
pub(super) struct Node<'a> {
    /// The key it stands under; its list's key inside a list.
    pub key: &'a str,
    /// Where it is in the catalog, for example `plans.growth.name`.
    pub path: String,
    /// What to underline when the key is wrong, or when something inside is missing.
    pub key_at: Range<usize>,
    /// What to underline when the value is wrong.
    pub at: Range<usize>,
    value: &'a DeValue<'a>,
}

impl<'a> Node<'a> {
    /// The whole document as one node.
    pub fn root(table: &'a DeValue<'a>) -> Self {
        Self { key: "", path: String::new(), key_at: 0..0, at: 0..0, value: table }
    }

    /// The value itself, for those that accept several types.
    pub fn value(&self) -> &'a DeValue<'a> {
        self.value
    }

    /// Reports that the value has another type than `wanted`.
    pub fn wrong_type(&self, wanted: &str, example: &str, report: &mut Report<'_>) {
        let message = format!("{} is {}, not {wanted}", self.subject(), type_words(self.value));
        report.add("catalog_wrong_type", &self.at, message, format!("write {example}"));
    }

    /// What messages call this value.
    pub fn subject(&self) -> String {
        if self.path.is_empty() { "the catalog".to_owned() } else { format!("`{}`", self.path) }
    }

    /// Any text.
    pub fn text(&self, example: &str, report: &mut Report<'_>) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.wrong_type("text", &format!("\"{example}\""), report);
        }
        text
    }

    /// A name that people see: 1 to 80 characters, no control characters.
    pub fn title(&self, report: &mut Report<'_>) -> Option<String> {
        let text = self.text("Growth", report)?;
        let fits = !text.trim().is_empty() && text.chars().count() <= 80;
        if fits && !text.chars().any(char::is_control) {
            return Some(text.to_owned());
        }
        let message = format!("{} is empty, too long, or has control characters", self.subject());
        report.add("catalog_bad_name", &self.at, message, "write 1 to 80 ordinary characters");
        None
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: RangeInclusive<i64>, report: &mut Report<'_>) -> Option<i64> {
        let Some(written) = self.value.as_integer() else {
            let example = if *range.start() == 0 { 0 } else { 1.max(*range.start()) };
            self.wrong_type(
                "a whole number",
                &format!("digits without quotes, such as {example}"),
                report,
            );
            return None;
        };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        if let Some(number) = number.filter(|number| range.contains(number)) {
            return Some(number);
        }
        let (low, high) = (grouped(*range.start()), grouped(*range.end()));
        report.add(
            "catalog_number_out_of_range",
            &self.at,
            format!("{} is out of range", self.subject()),
            format!("write a number from {low} to {high}"),
        );
        None
    }

    /// `true` or `false`.
    pub fn boolean(&self, report: &mut Report<'_>) -> Option<bool> {
        let value = self.value.as_bool();
        if value.is_none() {
            self.wrong_type("true or false", "true or false, without quotes", report);
        }
        value
    }

    /// One of the given words.
    pub fn word<T: Copy>(&self, words: &[(&'static str, T)], report: &mut Report<'_>) -> Option<T> {
        let text = self.text(words[0].0, report)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word);
            let what = format!("a value of {}", self.subject());
            report.add_unknown("catalog_unknown_word", &self.at, &what, text, known);
        }
        found.map(|(_, value)| *value)
    }

    /// A list; its elements carry the list's key and path.
    pub fn list(&self, example: &str, report: &mut Report<'_>) -> Option<Vec<Node<'a>>> {
        let Some(array) = self.value.as_array() else {
            self.wrong_type("a list", example, report);
            return None;
        };
        let element = |(index, value): (usize, &'a toml::Spanned<DeValue<'a>>)| Node {
            key: self.key,
            path: format!("{}[{index}]", self.path),
            key_at: value.span(),
            at: value.span(),
            value: value.get_ref(),
        };
        Some(array.iter().enumerate().map(element).collect())
    }

    /// A list of texts, each once; what is wrong with one is reported and leaves the others.
    pub fn texts(
        &self,
        example: &str,
        report: &mut Report<'_>,
    ) -> Option<Vec<(Node<'a>, &'a str)>> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for node in self.list(example, report)? {
            let Some(text) = node.value.as_str() else {
                node.wrong_type("text", "it in quotes", report);
                continue;
            };
            if seen.insert(text) {
                all.push((node, text));
            } else {
                node.twice(text, report);
            }
        }
        Some(all)
    }

    fn twice(&self, text: &str, report: &mut Report<'_>) {
        let message = format!("`{}` is in the list twice", shown(text));
        report.add("catalog_duplicate", &self.at, message, "remove one of them");
    }

    /// A list of words, none twice, and not empty unless `may_be_empty`.
    pub fn words<T: Copy>(
        &self,
        words: &[(&'static str, T)],
        may_be_empty: bool,
        report: &mut Report<'_>,
    ) -> Option<Vec<T>> {
        let example = format!("[\"{}\"]", words[0].0);
        let texts = self.texts(&example, report)?;
        if texts.is_empty() && !may_be_empty {
            self.empty(&format!("at least one word, such as {example}"), report);
        }
        Some(texts.iter().filter_map(|(node, _)| node.word(words, report)).collect())
    }

    /// Reports that nothing is in here.
    pub fn empty(&self, fix: &str, report: &mut Report<'_>) {
        let message = format!("{} is empty", self.subject());
        report.add("catalog_empty_value", &self.at, message, format!("write {fix}"));
    }

    /// A table with exactly the `known` keys; each other one is reported.
    pub fn section(&self, known: &[&str], report: &mut Report<'_>) -> Option<Section<'a>> {
        let section = self.table(report)?;
        for node in &section.nodes {
            if !known.contains(&node.key) {
                let what = format!("a key of {}", self.subject());
                let known = known.iter().copied();
                report.add_unknown("catalog_unknown_key", &node.key_at, &what, node.key, known);
            }
        }
        Some(section)
    }

    /// A table whose keys are names that the catalog makes up: features, plans, packs, operations.
    pub fn named(&self, what: &str, report: &mut Report<'_>) -> Option<Section<'a>> {
        let section = self.table(report)?;
        for node in &section.nodes {
            if !is_safe_name(node.key) {
                report.add(
                    "catalog_bad_name",
                    &node.key_at,
                    format!("`{}` cannot name {what}", shown(node.key)),
                    "use 1 to 40 small letters, digits and _, starting with a letter",
                );
            }
        }
        Some(section)
    }

    /// A table with any keys.
    pub fn table(&self, report: &mut Report<'_>) -> Option<Section<'a>> {
        let Some(table) = self.value.as_table() else {
            self.wrong_type("a table", "{ key = value }", report);
            return None;
        };
        Some(Section {
            path: self.path.clone(),
            at: self.key_at.clone(),
            nodes: nodes(self, table),
        })
    }
}

fn nodes<'a>(parent: &Node<'a>, table: &'a DeTable<'a>) -> Vec<Node<'a>> {
    let mut nodes: Vec<Node<'a>> = table
        .iter()
        .map(|(key, value)| {
            let name: &'a str = key.get_ref();
            let path = match parent.path.as_str() {
                "" => name.to_owned(),
                parent => format!("{parent}.{name}"),
            };
            let at = if value.get_ref().is_table() { key.span() } else { value.span() };
            Node { key: name, path: shown(&path), key_at: key.span(), at, value: value.get_ref() }
        })
        .collect();
    nodes.sort_by_key(|node| node.key_at.start);
    nodes
}

/// A table that was read, its entries in file order.
#[derive(Debug)]
pub(super) struct Section<'a> {
    path: String,
    /// What to underline when something is missing.
    pub at: Range<usize>,
    /// The entries.
    pub nodes: Vec<Node<'a>>,
}

impl<'a> Section<'a> {
    /// The entry of that key.
    pub fn find(&self, key: &str) -> Option<&Node<'a>> {
        self.nodes.iter().find(|node| node.key == key)
    }

    /// The entry of that key; its absence is reported, with an example of what to add.
    pub fn get(&self, key: &str, example: &str, report: &mut Report<'_>) -> Option<&Node<'a>> {
        let node = self.find(key);
        if node.is_none() {
            let place = match self.path.as_str() {
                "" => String::new(),
                path => format!(" in `{path}`"),
            };
            report.add(
                "catalog_missing_key",
                &self.at,
                format!("`{key}` is missing{place}"),
                format!("add `{example}`"),
            );
        }
        node
    }
}

/// Whether `name` is safe in a path, a column, a metric and a provider's key:
/// `[a-z][a-z0-9_]{0,39}`.
pub(super) fn is_safe_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= 40
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(rest)
}

fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a decimal point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// `1234567` as `1_234_567`, the way it may be written in the catalog.
pub(super) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}
