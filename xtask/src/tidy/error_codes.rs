//! Every public error code is explained in docs/errors.md, and nothing else is.
//!
//! By convention a type that has public codes answers them in a function named `code`, as string
//! literals. The page explains a code under a heading or in the first cell of a table row that
//! begins with it, in backticks.

use std::collections::BTreeMap;

use super::scan::{Source, find_words, item_end};
use super::{Finding, Tree};

const PAGE: &str = "docs/errors.md";

/// Judges the page by the code and the code by the page.
pub fn check(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut used = BTreeMap::new();
    for source in sources.iter().filter(|source| source.path.starts_with("crates/")) {
        for (at, code) in codes(source) {
            used.entry(code).or_insert_with(|| (source.path.clone(), source.line(at)));
        }
    }
    let explained = tree.text(PAGE).map(explained).unwrap_or_default();
    let missing = used.iter().filter(|(code, _)| !explained.contains_key(*code));
    let missing = missing.map(|(code, (path, line))| Finding {
        path: path.clone(),
        line: *line,
        what: format!("the error code `{code}` is not in {PAGE}"),
        why: "whoever meets a code must find out what happened and what to do".to_owned(),
        instead: format!("explain it in {PAGE}, under a heading or in a row that begins with it"),
    });
    let stale = explained.iter().filter(|(code, _)| !used.contains_key(*code));
    let stale = stale.map(|(code, line)| Finding {
        path: PAGE.to_owned(),
        line: *line,
        what: format!("no function `code` answers `{code}`"),
        why: "a page that explains what cannot happen misleads".to_owned(),
        instead: "remove it, or give the type that has it a function named `code`".to_owned(),
    });
    missing.chain(stale).collect()
}

/// The literals in the functions named `code`, with their places.
fn codes(source: &Source) -> Vec<(usize, String)> {
    let mut codes = Vec::new();
    for start in find_words(&source.code, "fn code") {
        if source.is_test(start) || !source.code[start..].starts_with("fn code(") {
            continue;
        }
        let Some(end) = item_end(&source.code, start) else { continue };
        let inside = source.strings.iter().filter(|(at, _)| start < *at && *at < end);
        codes.extend(inside.filter(|(_, text)| is_code(text)).cloned());
    }
    codes
}

/// The codes that the page explains, with their lines.
fn explained(page: &str) -> BTreeMap<String, usize> {
    let lines = page.lines().enumerate().filter_map(|(index, line)| {
        let line = line.trim_start();
        let cell = line.strip_prefix('|').or_else(|| Some(line.trim_start_matches('#')))?;
        if cell.len() == line.len() {
            return None;
        }
        let (code, _) = cell.trim_start().strip_prefix('`')?.split_once('`')?;
        is_code(code).then(|| (code.to_owned(), index + 1))
    });
    lines.collect()
}

fn is_code(text: &str) -> bool {
    text.starts_with(|it: char| it.is_ascii_lowercase())
        && text.chars().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
}

#[cfg(test)]
mod tests {
    use super::super::scan::sources;
    use super::*;

    const CODE: &str = "impl Refusal {\n pub fn code(&self) -> &'static str {\n  match self {\n   \
                        A => \"limit_reached\",\n   B => \"past_due\",\n  }\n }\n fn codes() { \
                        \"other\" }\n}";

    fn findings(page: &str) -> Vec<String> {
        let tree = Tree::of(&[("crates/core/src/a.rs", CODE), (PAGE, page)]);
        check(&tree, &sources(&tree))
            .into_iter()
            .map(|it| format!("{}:{} {}", it.path, it.line, it.what))
            .collect()
    }

    #[test]
    fn codes_under_a_heading_or_in_a_row_are_explained() {
        assert_eq!(findings("### `limit_reached`\n| `past_due` | pay |\n"), [""; 0]);
    }

    #[test]
    fn a_code_without_an_explanation_is_found() {
        let expected =
            ["crates/core/src/a.rs:5 the error code `past_due` is not in docs/errors.md"];
        assert_eq!(findings("## `limit_reached`\nSee `past_due`.\n"), expected);
    }

    #[test]
    fn an_explanation_without_a_code_is_found() {
        let found = findings("## `limit_reached`\n## `past_due`\n## `gone`\n");
        assert_eq!(found, ["docs/errors.md:3 no function `code` answers `gone`"]);
    }

    #[test]
    fn without_the_page_every_code_is_found() {
        let tree = Tree::of(&[("crates/core/src/a.rs", CODE)]);
        assert_eq!(check(&tree, &sources(&tree)).len(), 2);
    }
}
