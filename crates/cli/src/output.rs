//! What people and scripts get to see: lines, tables, JSON, colors where they are wanted.
//!
//! Answers go to standard output and everything about them to standard error. A pipe that was
//! closed on the other side is no error: `farthing events list | head` just ends.

use std::io::{IsTerminal, Write};

use serde::Serialize;
use serde_json::json;

use crate::exit::Failure;

/// Where and how to write.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    /// Answers are JSON, one document per line.
    pub json: bool,
    /// Standard output is a terminal.
    pub terminal: bool,
    color: bool,
    color_err: bool,
}

/// How a piece of text stands out, where colors are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// What is less important.
    Dim,
    /// What is more important.
    Bold,
    /// What is well.
    Good,
    /// What to look at.
    Bad,
}

impl Out {
    /// For this process: colors only on a terminal, never with `NO_COLOR`.
    pub fn new(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let terminal = std::io::stdout().is_terminal();
        let color_err = wanted && std::io::stderr().is_terminal();
        Self { json, terminal, color: wanted && terminal && !json, color_err }
    }

    /// Whether standard output may have colors.
    pub fn color(&self) -> bool {
        self.color
    }

    /// One line of an answer for people.
    pub fn line(&self, text: impl AsRef<str>) {
        write(&mut std::io::stdout().lock(), text.as_ref());
    }

    /// One JSON document, on one line.
    pub fn value(&self, value: &impl Serialize) {
        // Everything that is shown is plain data with text keys.
        let text = serde_json::to_string(value).unwrap_or_else(|error| {
            json!({ "error": format!("the answer cannot be shown: {error}") }).to_string()
        });
        write(&mut std::io::stdout().lock(), &text);
    }

    /// Names what a command works on, on standard error.
    pub fn target(&self, text: &str) {
        write(
            &mut std::io::stderr().lock(),
            &paint(&format!("→ {text}"), Tone::Dim, self.color_err),
        );
    }

    /// Something besides the answer, on standard error.
    pub fn note(&self, text: impl AsRef<str>) {
        write(&mut std::io::stderr().lock(), text.as_ref());
    }

    /// `text` in that tone, if standard output may have colors.
    pub fn tone(&self, text: &str, tone: Tone) -> String {
        paint(text, tone, self.color)
    }

    /// Rows under headings, in columns.
    pub fn table(&self, headings: &[&str], rows: &[Vec<String>]) {
        let width = |text: &str| text.chars().count();
        let mut widths: Vec<usize> = headings.iter().map(|heading| width(heading)).collect();
        for row in rows {
            for (cell, known) in row.iter().zip(&mut widths) {
                *known = width(cell).max(*known);
            }
        }
        let line = |cells: &[String]| {
            let padded = cells.iter().zip(&widths).map(|(cell, wanted)| {
                format!("{cell}{}", " ".repeat(wanted.saturating_sub(width(cell))))
            });
            padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let headings: Vec<String> = headings.iter().map(|heading| heading.to_uppercase()).collect();
        self.line(self.tone(&line(&headings), Tone::Dim));
        for row in rows {
            self.line(line(row));
        }
    }

    /// Why a command failed, on standard error.
    pub fn failure(&self, failure: &Failure) {
        let mut err = std::io::stderr().lock();
        if self.json {
            let value = json!({ "error": failure.message, "fix": failure.fix });
            return write(&mut err, &value.to_string());
        }
        let label = paint("error:", Tone::Bad, self.color_err);
        write(&mut err, &format!("{label} {}", failure.message));
        if let Some(fix) = &failure.fix {
            write(&mut err, &format!("  {} {fix}", paint("fix:", Tone::Bold, self.color_err)));
        }
    }
}

fn write(to: &mut impl Write, line: &str) {
    // Nobody is left to be told that nobody is reading.
    let _closed = writeln!(to, "{line}").and_then(|()| to.flush());
}

fn paint(text: &str, tone: Tone, color: bool) -> String {
    let code = match tone {
        _ if !color => return text.to_owned(),
        Tone::Dim => 2,
        Tone::Bold => 1,
        Tone::Good => 32,
        Tone::Bad => 31,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// `text` without what could steer a terminal: it came from elsewhere.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }

    #[test]
    fn tones_are_silent_without_colors() {
        assert_eq!(paint("x", Tone::Bad, false), "x");
        assert_eq!(paint("x", Tone::Bad, true), "\u{1b}[31mx\u{1b}[0m");
    }
}
