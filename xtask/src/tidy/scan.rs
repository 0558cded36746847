//! Rust source, read just closely enough to tell code, comments, strings and tests apart.
//!
//! This is not a parser: it blanks what is not code, with the same length, so that a byte offset
//! or a line means the same in every view. A rule then looks for words.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Tree;

/// One Rust file in several views of the same length.
pub struct Source {
    pub path: String,
    pub text: String,
    /// The text with comments and the insides of literals blanked.
    pub code: String,
    /// The text with everything but comments blanked.
    pub comments: String,
    /// String literals in order: where they stand and what is between their quotes.
    pub strings: Vec<(usize, String)>,
    /// The file is part of a test, a benchmark or an example.
    pub is_test_file: bool,
    /// Items under `#[cfg(test)]` or `#[test]`.
    test_ranges: Vec<Range<usize>>,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let mut lexer = Lexer::new(text);
        lexer.run();
        let test_ranges = test_ranges(&lexer.code);
        let folders = ["tests/", "benches/", "examples/"];
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code: lexer.code,
            comments: lexer.comments,
            strings: lexer.strings,
            is_test_file: folders
                .iter()
                .any(|it| path.starts_with(it) || path.contains(&format!("/{it}"))),
            test_ranges,
        }
    }

    /// The line of a byte offset, counted from 1.
    pub fn line(&self, offset: usize) -> usize {
        line_of(&self.text, offset)
    }

    /// Whether the code at this offset is only compiled for tests.
    pub fn is_test(&self, offset: usize) -> bool {
        self.is_test_file || self.test_ranges.iter().any(|range| range.contains(&offset))
    }

    /// The paths, without ending, of modules declared under `#[cfg(test)]` in files of their own.
    fn test_modules(&self) -> Vec<String> {
        let (folder, _) = self.path.rsplit_once('/').unwrap_or_default();
        let stem = self.path.trim_end_matches(".rs");
        let children = match stem.rsplit_once('/') {
            Some((folder, "mod" | "lib" | "main")) => folder,
            _ => stem,
        };
        let declared = self.test_ranges.iter().filter_map(|range| {
            let item = self.code[range.clone()].trim_end().strip_suffix(';')?;
            let (attributes, name) = item.rsplit_once("mod ")?;
            if !attributes.contains("#[path") {
                return Some(format!("{children}/{}", name.trim()));
            }
            let (_, file) = self.strings.iter().find(|(at, _)| range.contains(at))?;
            Some(format!("{folder}/{}", file.trim_end_matches(".rs")))
        });
        declared.collect()
    }
}

/// The line of a byte offset, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    1 + text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count()
}

/// All Rust files, with those that a `#[cfg(test)] mod name;` pulls in marked as tests.
pub fn sources(tree: &Tree) -> Vec<Source> {
    let mut sources: Vec<Source> =
        tree.with_ending(".rs").map(|(path, text)| Source::new(path, text)).collect();
    let tests: BTreeSet<String> = sources.iter().flat_map(Source::test_modules).collect();
    for source in &mut sources {
        let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
        let within = |module: &String| {
            stem == module || stem.starts_with(module) && stem[module.len()..].starts_with('/')
        };
        source.is_test_file |= tests.iter().any(within);
    }
    sources
}

/// Where `needle` stands in `code` as whole words: `rand` is not found in `operand`.
pub fn find_words<'a>(code: &'a str, needle: &'a str) -> impl Iterator<Item = usize> + 'a {
    let starts_as_word = needle.starts_with(is_word);
    let ends_as_word = needle.ends_with(is_word);
    code.match_indices(needle).map(|(offset, _)| offset).filter(move |offset| {
        let before = code[..*offset].chars().next_back();
        let after = code[offset + needle.len()..].chars().next();
        !(starts_as_word && before.is_some_and(is_word)
            || ends_as_word && after.is_some_and(is_word))
    })
}

/// The end of the item that starts at `start`: behind its `;` or its closing brace.
///
/// `None` if the file ends first, which happens only while it is being written.
pub fn item_end(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0usize;
    for (offset, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'}' if depth <= 1 => return Some(offset + 1),
            b'}' => depth -= 1,
            b';' if depth == 0 => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn test_ranges(code: &str) -> Vec<Range<usize>> {
    let attributes = code.match_indices("#[").filter_map(|(start, _)| {
        let end = start + code[start..].find(']')?;
        let attribute = &code[start + 2..end];
        let for_tests = attribute == "test"
            || attribute.ends_with("::test")
            || attribute.starts_with("cfg(")
                && find_words(attribute, "test").next().is_some()
                && !attribute.contains("not(");
        for_tests.then_some((start, end + 1))
    });
    attributes
        .map(|(start, end)| start..item_end(code, skip_attributes(code, end)).unwrap_or(code.len()))
        .collect()
}

fn skip_attributes(code: &str, mut at: usize) -> usize {
    loop {
        at += code[at..].len() - code[at..].trim_start().len();
        if !code[at..].starts_with("#[") {
            return at;
        }
        at += code[at..].find(']').map_or(code[at..].len(), |end| end + 1);
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    code: String,
    comments: String,
    strings: Vec<(usize, String)>,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Lexer { text, at: 0, code: String::new(), comments: String::new(), strings: Vec::new() }
    }

    fn run(&mut self) {
        while let Some(next) = self.rest().chars().next() {
            let rest = self.rest();
            if rest.starts_with("//") {
                self.comment(rest.find('\n').unwrap_or(rest.len()));
            } else if rest.starts_with("/*") {
                self.comment(block_comment(rest));
            } else if let Some((quote, inside)) = self.raw_string() {
                self.string(quote, inside);
            } else if next == '"' {
                self.string(1, until_quote(&rest[1..]));
            } else if let Some(length) = char_literal(rest) {
                self.blank_all(length);
            } else {
                self.keep(next.len_utf8());
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The length of the opening quote and of the inside, if a raw string starts here.
    fn raw_string(&self) -> Option<(usize, usize)> {
        let rest = self.rest();
        let within_word = self.text[..self.at].ends_with(is_word);
        let prefix = ["r", "br", "cr"].into_iter().find(|it| {
            rest.strip_prefix(it).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
        })?;
        if within_word {
            return None;
        }
        let hashes = rest[prefix.len()..].bytes().take_while(|byte| *byte == b'#').count();
        let open = prefix.len() + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        let inside = rest[open..].find(&close).unwrap_or(rest.len() - open);
        Some((open, inside))
    }

    fn comment(&mut self, length: usize) {
        let comment = &self.rest()[..length];
        self.code.push_str(&blank(comment));
        self.comments.push_str(comment);
        self.at += length;
    }

    fn string(&mut self, quote: usize, inside: usize) {
        self.keep(quote);
        self.strings.push((self.at, self.rest()[..inside].to_owned()));
        self.blank_all(inside);
        let close = self.rest().len().min(quote.min(1));
        self.keep(close);
    }

    fn keep(&mut self, length: usize) {
        let kept = &self.rest()[..length];
        self.code.push_str(kept);
        self.comments.push_str(&blank(kept));
        self.at += length;
    }

    fn blank_all(&mut self, length: usize) {
        let blank = blank(&self.rest()[..length]);
        self.code.push_str(&blank);
        self.comments.push_str(&blank);
        self.at += length;
    }
}

/// Spaces of the same length in bytes; line ends stay.
fn blank(text: &str) -> String {
    let bytes = text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' });
    bytes.collect()
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        if rest.as_bytes()[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.as_bytes()[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// The length of a string's inside, up to the quote that ends it.
fn until_quote(inside: &str) -> usize {
    let mut escaped = false;
    for (offset, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return offset,
            _ => {}
        }
    }
    inside.len()
}

/// The length of a character literal, if one starts here and not a lifetime.
fn char_literal(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('\'')?;
    let first = inside.chars().next()?;
    if first == '\\' {
        let skipped = 1 + inside[1..].chars().next()?.len_utf8();
        return inside[skipped..].find('\'').map(|end| 1 + skipped + end + 1);
    }
    inside[first.len_utf8()..].starts_with('\'').then(|| first.len_utf8() + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let source = Source::new("src/lib.rs", text);
        assert_eq!(source.code.len(), text.len(), "offsets must not move");
        assert_eq!(source.comments.len(), text.len(), "offsets must not move");
        source.code
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        assert!(!code("// f64\n/* f64 /* f64 */ f64 */ let a = \"f64 \\\" f64\";").contains("f64"));
        assert!(
            !code("let a = r#\"f64 \" f64\"#; let b = br\"f64\"; let c = b\"f64\";")
                .contains("f64")
        );
        assert!(code("let quote = '\"'; let a: f64 = 1;").contains("f64"));
        assert!(code("let quote = '\\''; let a: f64 = 1;").contains("f64"));
        assert!(code("fn a<'a>(x: &'a str) -> f64 {}").contains("f64"));
        assert!(code("let r#type = 1; let x: f64 = 2; // \"é\"").contains("f64"));
    }

    #[test]
    fn strings_are_kept_with_their_place() {
        let source = Source::new("src/lib.rs", "let a = \"one\"; let b = r#\"t\"wo\"#;");
        let strings: Vec<&str> = source.strings.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(strings, ["one", "t\"wo"]);
        assert_eq!(&source.text[source.strings[0].0..][..3], "one");
    }

    #[test]
    fn tests_within_a_file_are_told_apart() {
        let text = "fn a() { x }\n#[cfg(test)]\nmod tests { fn b() { y } }\nfn c() { z }\n\
                    #[test]\n#[should_panic]\nfn d() { w }\n#[cfg(not(test))]\nfn e() { v }";
        let source = Source::new("src/lib.rs", text);
        let is_test = |word: &str| source.is_test(find_words(text, word).next().unwrap());
        assert_eq!(["x", "y", "z", "w", "v"].map(is_test), [false, true, false, true, false]);
    }

    #[test]
    fn a_test_module_in_its_own_file_is_a_test() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "#[cfg(test)]\nmod tests;\nmod tests_of_time;"),
            ("crates/a/src/tests.rs", ""),
            ("crates/a/src/tests/deep.rs", ""),
            ("crates/a/src/tests_of_time.rs", ""),
            ("crates/a/src/money.rs", "#[cfg(test)]\nmod proofs;"),
            ("crates/a/src/money/proofs.rs", ""),
            ("crates/a/tests/api.rs", ""),
            ("crates/a/src/b.rs", "#[cfg(test)]\n#[path = \"b_tests.rs\"]\nmod tests;"),
            ("crates/a/src/b_tests.rs", ""),
        ]);
        let tests: Vec<bool> = sources(&tree).iter().map(|source| source.is_test_file).collect();
        let expected = [false, true, true, false, false, true, true, false, true];
        assert_eq!(tests, expected);
    }

    #[test]
    fn words_are_found_whole() {
        let found = |text: &str, word: &str| find_words(text, word).count();
        assert_eq!(found("operand rand::x my_rand", "rand"), 1);
        assert_eq!(found("x.await; y.awaiting", ".await"), 1);
        assert_eq!(found("a.unwrap() b.unwrap_or()", ".unwrap()"), 1);
    }
}
