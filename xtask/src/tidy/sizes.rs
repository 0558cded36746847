//! Files and functions that have grown too long to be read in one go.

use super::scan::{Source, find_words, item_end};
use super::{Finding, Tree};

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;
const FILE_ENDINGS: [&str; 7] = [".rs", ".py", ".js", ".cjs", ".mjs", ".sql", ".sh"];

/// Files over 600 lines and Rust functions over 70, tests included.
pub fn check(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for ending in FILE_ENDINGS {
        for (path, text) in tree.with_ending(ending) {
            let lines = text.lines().count();
            if FILE_LINES_MAX < lines {
                findings.push(Finding {
                    path: path.to_owned(),
                    line: 0,
                    what: format!("{lines} lines; at most {FILE_LINES_MAX}"),
                    why: "a file is read as a whole, by people with little time".to_owned(),
                    instead: "divide it by subject; long tests go into a file of their own"
                        .to_owned(),
                });
            }
        }
    }
    findings.extend(sources.iter().flat_map(long_functions));
    findings
}

fn long_functions(source: &Source) -> Vec<Finding> {
    let code = &source.code;
    let functions = find_words(code, "fn").filter_map(|start| {
        let name = code[start..].strip_prefix("fn ")?;
        let name: String =
            name.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
        let end = item_end(code, start)?;
        let lines = source.line(end) - source.line(start) + 1;
        (FUNCTION_LINES_MAX < lines && !name.is_empty()).then_some((start, name, lines))
    });
    functions
        .map(|(start, name, lines)| Finding {
            path: source.path.clone(),
            line: source.line(start),
            what: format!("fn {name} has {lines} lines; at most {FUNCTION_LINES_MAX}"),
            why: "a function that does not fit on a screen hides its branches".to_owned(),
            instead: "keep the branches here and move the leaves into functions of their own"
                .to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::scan::sources;
    use super::*;

    fn findings(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::of(&[(path, text)]);
        check(&tree, &sources(&tree)).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_function_may_have_seventy_lines_and_not_one_more() {
        let function = |lines: usize| format!("fn long() {{{}}}\n", "\n".repeat(lines - 1));
        assert_eq!(findings("src/a.rs", &function(70)), [""; 0]);
        let expected = ["fn long has 71 lines; at most 70"];
        assert_eq!(findings("src/a.rs", &function(71)), expected);
    }

    #[test]
    fn braces_in_literals_and_arrays_in_signatures_do_not_confuse_the_count() {
        let text = format!("fn a(x: [u8; 4]) {{ let y = '}}'; \"}}\"; {} }}", "\n".repeat(71));
        assert_eq!(findings("src/a.rs", &text).len(), 1);
        let text = format!("fn a(x: fn(u8)) {{ '{{' }}\n{}fn b();", "\n".repeat(71));
        assert_eq!(findings("src/a.rs", &text).len(), 0);
    }

    #[test]
    fn a_file_may_have_six_hundred_lines_and_not_one_more() {
        assert_eq!(findings("tests/a.py", &"x\n".repeat(600)), [""; 0]);
        assert_eq!(findings("tests/a.py", &"x\n".repeat(601)), ["601 lines; at most 600"]);
        assert_eq!(findings("Cargo.lock", &"x\n".repeat(601)), [""; 0]);
    }
}
