//! What is wrong with a catalog file, where, and what to write instead.
//!
//! Here mistakes are collected; how they are drawn is the command line's business.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::Serialize;

/// One mistake in a catalog file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("line {line}, column {column}: {message}; {fix}")]
pub struct CatalogError {
    /// What kind of mistake it is, for example `catalog_unknown_key`. Stable.
    pub code: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, counted in characters and not in bytes.
    pub column: usize,
    /// Where the text to underline starts, in bytes from the start of the file.
    pub offset: usize,
    /// How many bytes to underline; 0 when something is missing at the end of the file.
    pub len: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub fix: String,
    /// The known name that is most like the one written.
    pub nearest: Option<String>,
}

/// Mistakes that can follow from text that could not be read, such as a plan that seems to be
/// missing because its header lacks a bracket. They are left out until the syntax is right.
const MAY_FOLLOW_FROM_SYNTAX: [&str; 8] = [
    "catalog_missing_key",
    "catalog_missing_currency",
    "catalog_undeclared_currency",
    "catalog_unknown_plan",
    "catalog_unknown_feature",
    "catalog_unknown_key",
    "catalog_plan_not_in_tiers",
    "catalog_price_missing",
];

/// The most mistakes that one answer holds: nobody reads more, and a hostile file has a million.
pub const MAX_ERRORS: usize = 1_000;

/// The mistakes found so far in one file, up to [`MAX_ERRORS`].
pub(super) struct Report<'s> {
    source: &'s str,
    found: Vec<Found>,
}

struct Found {
    code: &'static str,
    at: Range<usize>,
    message: String,
    fix: String,
    nearest: Option<String>,
}

impl<'s> Report<'s> {
    pub fn new(source: &'s str) -> Self {
        Self { source, found: Vec::new() }
    }

    /// Adds a mistake. `at` is in bytes, half-open.
    pub fn add(
        &mut self,
        code: &'static str,
        at: &Range<usize>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if self.is_full() {
            return;
        }
        let (message, fix) = (message.into(), fix.into());
        self.found.push(Found { code, at: at.clone(), message, fix, nearest: None });
    }

    /// Adds a mistake about a name that is not one of `known`.
    pub fn add_unknown<'k>(
        &mut self,
        code: &'static str,
        at: &Range<usize>,
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'k str>,
    ) {
        if self.is_full() {
            return;
        }
        let known: Vec<&str> = known.into_iter().collect();
        let nearest = nearest(name, &known).map(str::to_owned);
        // A value is written in quotes, a key is not.
        let is_value = self.written(at).starts_with(['"', '\'']);
        let quoted = |name: &str| match is_value {
            true => format!("\"{}\"", shown(name)),
            false => format!("`{}`", shown(name)),
        };
        let fix = match (nearest.as_deref(), known.as_slice()) {
            (Some(nearest), _) => format!("write {}", quoted(nearest)),
            (None, [only]) => format!("write {}", quoted(only)),
            (None, []) => "remove it".to_owned(),
            (None, known) => format!("use one of: {}", list(known, quoted)),
        };
        let message = format!("`{}` is not {what}", shown(name));
        self.found.push(Found { code, at: at.clone(), message, fix, nearest });
    }

    fn is_full(&self) -> bool {
        MAX_ERRORS <= self.found.len()
    }

    /// The written text at `at`, for repeating it in a message.
    pub fn written(&self, at: &Range<usize>) -> String {
        shown(self.source.get(at.clone()).unwrap_or_default())
    }

    /// Everything found, in file order. `syntax` are the places that could not be read: nothing
    /// else is said about their lines, nor what may only follow from them.
    pub fn finish(mut self, syntax: &[Range<usize>]) -> Vec<CatalogError> {
        let lines = Lines::of(self.source);
        if !syntax.is_empty() {
            let broken: BTreeSet<usize> = syntax.iter().map(|at| lines.index(at.start)).collect();
            self.found.retain(|found| {
                found.code == "catalog_syntax"
                    || !(MAY_FOLLOW_FROM_SYNTAX.contains(&found.code)
                        || broken.contains(&lines.index(found.at.start)))
            });
        }
        self.found.sort_by_key(|found| (found.at.start, found.at.end));
        let mut last = None;
        let error = |found: Found| {
            let offset = self.source.floor_char_boundary(found.at.start);
            let column = lines.column(offset, &mut last);
            CatalogError {
                code: found.code,
                line: lines.index(offset) + 1,
                column,
                offset,
                len: found.at.end.min(self.source.len()).saturating_sub(offset),
                message: found.message,
                fix: found.fix,
                nearest: found.nearest,
            }
        };
        self.found.into_iter().map(error).collect()
    }
}

/// Where each line of a file starts, in bytes.
struct Lines<'s> {
    source: &'s str,
    starts: Vec<usize>,
}

impl<'s> Lines<'s> {
    fn of(source: &'s str) -> Self {
        let after_breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self { source, starts: std::iter::once(0).chain(after_breaks).collect() }
    }

    /// The line that contains `offset`, from 0.
    fn index(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// The column of `offset`, from 1, in characters. `last` remembers where the previous answer
    /// was, so that one very long line with many mistakes is walked once.
    fn column(&self, offset: usize, last: &mut Option<(usize, usize)>) -> usize {
        let start = self.starts[self.index(offset)];
        let (from, column) =
            last.filter(|(at, _)| start <= *at && *at <= offset).unwrap_or((start, 1));
        let column = column + self.source.get(from..offset).unwrap_or_default().chars().count();
        *last = Some((offset, column));
        column
    }
}

/// The known name that is most like `written`: the same but for case and dashes, its
/// beginning, or few letters apart. `None` when nothing is close.
pub(super) fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    const LONGEST: usize = 60;
    const MOST: usize = 1_000;
    if written.len() > LONGEST {
        return None;
    }
    let plain = |name: &str| name.to_lowercase().replace(['-', ' '], "_");
    let written = plain(written);
    let allowed = (written.chars().count() / 3).max(1);
    known
        .iter()
        .take(MOST)
        .map(|name| match plain(name) {
            longer if 3 <= written.len() && longer.starts_with(&written) => (1, *name),
            far if allowed + 1 < far.len().abs_diff(written.len()) => (usize::MAX, *name),
            near => (strsim::damerau_levenshtein(&written, &near), *name),
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// `name` as it may stand in a message: on one line, without control characters, not too long.
pub(super) fn shown(name: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String = name.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    if name.chars().count() > LONGEST {
        shown.push('…');
    }
    shown
}

/// The names behind each other, shortened when there are very many.
fn list(names: &[&str], quoted: impl Fn(&str) -> String) -> String {
    const MOST: usize = 12;
    let mut quoted: Vec<String> = names.iter().take(MOST).map(|name| quoted(name)).collect();
    if names.len() > MOST {
        quoted.push("…".to_owned());
    }
    quoted.join(", ")
}
