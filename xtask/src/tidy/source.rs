//! What may not be written where.

use super::scan::{Source, find_words, line_of};
use super::{Finding, Tree};

/// Words that are not allowed in some files, why, and what to write instead.
struct Ban {
    words: &'static [&'static str],
    applies: fn(&Source) -> bool,
    in_tests: bool,
    why: &'static str,
    instead: &'static str,
}

const CORE_WHY: &str = "the core decides and does nothing else: no async, no I/O, no clock, no \
                        randomness, no floating point";

const BANS: [Ban; 8] = [
    Ban {
        words: &["async", ".await", "std::fs", "std::net", "std::io", "std::env", "std::process"],
        applies: in_core,
        in_tests: false,
        why: CORE_WHY,
        instead: "take the value as an argument; the engine and the command line do I/O",
    },
    Ban {
        words: &["std::thread", "std::time", "rand", "getrandom", "uuid"],
        applies: in_core,
        in_tests: false,
        why: CORE_WHY,
        instead: "take the time and the ids as arguments, from the caller's Clock and Ids",
    },
    Ban {
        words: &["f32", "f64", "as_f64", "from_f64", "as_secs_f64"],
        applies: in_core,
        in_tests: false,
        why: CORE_WHY,
        instead: "count in integers: minor units, microseconds, units of a feature",
    },
    Ban {
        words: &["reqwest"],
        applies: may_not_open_sockets,
        in_tests: false,
        why: "calls go out from one file per side, so that timeouts, pins and faults are in one \
              place",
        instead: "go through providers/src/transport.rs, or take the answer as an argument",
    },
    Ban {
        words: &["SystemTime::now", "Timestamp::now", "Zoned::now", "Utc::now", "Instant::now"],
        applies: may_not_read_the_clock,
        in_tests: false,
        why: "time is given, so that every run can be repeated",
        instead: "take the time from the Clock that was given",
    },
    Ban {
        words: &[".unwrap()"],
        applies: everywhere,
        in_tests: false,
        why: "a panic without a reason helps nobody at three in the morning",
        instead: "return an error, or write expect(\"why this holds\")",
    },
    Ban {
        words: &["todo!", "unimplemented!", "dbg!"],
        applies: everywhere,
        in_tests: true,
        why: "what is not finished does not land",
        instead: "finish it, or leave it out and say so in the issue",
    },
    Ban {
        words: &["#[ignore"],
        applies: everywhere,
        in_tests: true,
        why: "a test that does not run proves nothing, and nothing skips in silence",
        instead: "make it run, or assert today's behaviour with a comment that says what is wrong",
    },
];

const LEFTOVER: &str = "FIXME";
const LEFTOVER_ENDINGS: [&str; 7] = [".py", ".js", ".cjs", ".mjs", ".sql", ".sh", ".toml"];

/// Every place where a banned word stands.
pub fn check(tree: &Tree, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        for ban in BANS.iter().filter(|ban| (ban.applies)(source)) {
            findings.extend(banned(source, ban));
        }
        if in_core(source) {
            findings.extend(float_literals(source));
        }
        findings.extend(leftovers(&source.path, &source.comments));
    }
    for ending in LEFTOVER_ENDINGS {
        for (path, text) in tree.with_ending(ending) {
            findings.extend(leftovers(path, text));
        }
    }
    findings
}

fn banned<'a>(source: &'a Source, ban: &'a Ban) -> impl Iterator<Item = Finding> + 'a {
    ban.words.iter().flat_map(move |word| {
        let mut places: Vec<usize> = find_words(&source.code, word).collect();
        if let Some(module) = word.strip_prefix("std::") {
            places.extend(in_grouped_imports(&source.code, module));
        }
        let places = places.into_iter().filter(|at| ban.in_tests || !source.is_test(*at));
        places.map(move |at| Finding {
            path: source.path.clone(),
            line: source.line(at),
            what: format!("`{word}`"),
            why: ban.why.to_owned(),
            instead: ban.instead.to_owned(),
        })
    })
}

/// `use std::{collections::BTreeMap, fs};` names `std::fs` too.
fn in_grouped_imports(code: &str, module: &str) -> Vec<usize> {
    let mut places = Vec::new();
    for (start, group) in code.match_indices("use std::{") {
        let start = start + group.len();
        let end = start + code[start..].find(';').unwrap_or(code.len() - start);
        let depth = |at: usize| {
            let before = &code[start..at];
            before.matches('{').count() - before.matches('}').count()
        };
        let words = find_words(&code[start..end], module).map(|at| start + at);
        places.extend(words.filter(|at| depth(*at) == 0 && !code[..*at].ends_with("::")));
    }
    places
}

/// `1.5` is a float without saying so.
fn float_literals(source: &Source) -> Vec<Finding> {
    let code = source.code.as_bytes();
    let digit = |at: usize| code.get(at).is_some_and(u8::is_ascii_digit);
    let dots = source.code.match_indices('.').map(|(at, _)| at);
    let floats = dots.filter(|dot| {
        let Some(last) = dot.checked_sub(1) else { return false };
        let start = code[..*dot].iter().rposition(|byte| !byte.is_ascii_digit());
        let before = start.map_or(b' ', |at| code[at]);
        // `pair.0.1` and `x1.0` are fields.
        let is_field = before == b'.' || before == b'_' || before.is_ascii_alphabetic();
        digit(last) && digit(dot + 1) && !is_field
    });
    floats
        .filter(|at| !source.is_test(*at))
        .map(|at| Finding {
            path: source.path.clone(),
            line: source.line(at),
            what: "a floating-point number".to_owned(),
            why: CORE_WHY.to_owned(),
            instead: "count in integers: minor units, parts per million, microseconds".to_owned(),
        })
        .collect()
}

fn leftovers(path: &str, text: &str) -> Vec<Finding> {
    let places = find_words(text, LEFTOVER);
    let finding = |at| Finding {
        path: path.to_owned(),
        line: line_of(text, at),
        what: format!("`{LEFTOVER}`"),
        why: "what is not finished does not land".to_owned(),
        instead: "mend it, or say in the issue what is missing".to_owned(),
    };
    places.map(finding).collect()
}

fn everywhere(_: &Source) -> bool {
    true
}

fn in_core(source: &Source) -> bool {
    source.path.starts_with("crates/core/")
}

fn may_not_open_sockets(source: &Source) -> bool {
    let path = &source.path;
    let transport = path == "crates/providers/src/transport.rs";
    !(transport || path.starts_with("crates/sandbox/") || path.starts_with("crates/cli/"))
}

/// The command line hands the clock to everything else; the checks themselves are no product. The
/// transport measures how long it has waited, which no run repeats.
fn may_not_read_the_clock(source: &Source) -> bool {
    let path = &source.path;
    let transport = path == "crates/providers/src/transport.rs";
    !(transport || path.starts_with("crates/cli/") || path.starts_with("xtask/"))
}

#[cfg(test)]
mod tests {
    use super::super::scan::sources;
    use super::*;

    /// The findings as "line what".
    fn findings(path: &str, text: &str) -> Vec<String> {
        let tree = Tree::of(&[(path, text)]);
        let mut findings = check(&tree, &sources(&tree));
        findings.sort();
        findings.iter().map(|it| format!("{} {}", it.line, it.what)).collect()
    }

    #[test]
    fn the_core_may_not_wait_or_do_input_and_output() {
        let text = "\nasync fn a() { b.await }\nuse std::fs::File;\nstd::net::x();";
        let expected = ["2 `.await`", "2 `async`", "3 `std::fs`", "4 `std::net`"];
        assert_eq!(findings("crates/core/src/a.rs", text), expected);
        assert_eq!(findings("crates/server/src/a.rs", text), [""; 0]);
    }

    #[test]
    fn the_core_may_not_know_the_time_or_chance() {
        let text = "use std::time::Duration;\nlet x = rand::random();";
        assert_eq!(findings("crates/core/src/a.rs", text), ["1 `std::time`", "2 `rand`"]);
    }

    #[test]
    fn a_grouped_import_is_seen_through() {
        let text = "use std::{collections::{BTreeMap, fs}, fmt, time};";
        assert_eq!(findings("crates/core/src/a.rs", text), ["1 `std::time`"]);
    }

    #[test]
    fn the_core_may_not_count_in_floats() {
        let text = "fn a(x: f64) -> f32 {}\nlet x = 1.5;\nlet y = v.as_f64();\nlet z = pair.0.1;";
        let expected = ["1 `f32`", "1 `f64`", "2 a floating-point number", "3 `as_f64`"];
        assert_eq!(findings("crates/core/src/a.rs", text), expected);
    }

    #[test]
    fn words_in_comments_strings_and_tests_of_the_core_do_not_count() {
        let text =
            "// async f64\nlet a = \"std::time 1.5\";\n#[cfg(test)]\nmod tests { use std::fs; }";
        assert_eq!(findings("crates/core/src/a.rs", text), [""; 0]);
    }

    #[test]
    fn sockets_are_opened_in_one_file() {
        assert_eq!(findings("crates/providers/src/stripe.rs", "use reqwest::Client;").len(), 1);
        assert_eq!(findings("crates/providers/src/transport.rs", "use reqwest::Client;").len(), 0);
        assert_eq!(findings("crates/engine/tests/world.rs", "use reqwest::Client;").len(), 0);
    }

    #[test]
    fn only_the_command_line_reads_the_clock() {
        let text = "fn a() { Timestamp::now() }";
        assert_eq!(findings("crates/engine/src/a.rs", text), ["1 `Timestamp::now`"]);
        assert_eq!(findings("crates/cli/src/clock.rs", text), [""; 0]);
        assert_eq!(findings("crates/engine/tests/a.rs", text), [""; 0]);
    }

    #[test]
    fn unwrap_is_for_tests() {
        let text = "a.unwrap();\n#[test]\nfn b() { c.unwrap() }";
        assert_eq!(findings("crates/store/src/a.rs", text), ["1 `.unwrap()`"]);
        assert_eq!(findings("crates/store/tests/a.rs", text), [""; 0]);
    }

    #[test]
    fn nothing_unfinished_lands_not_even_in_tests() {
        let text = "#[test]\n#[ignore]\nfn a() { todo!() }\nfn b() { dbg!(1); unimplemented!() }";
        let expected = ["2 `#[ignore`", "3 `todo!`", "4 `dbg!`", "4 `unimplemented!`"];
        assert_eq!(findings("crates/store/tests/a.rs", text), expected);
    }

    #[test]
    fn leftovers_are_found_in_comments_and_in_other_languages() {
        let word = ["FIX", "ME"].concat();
        assert_eq!(findings("crates/a/src/a.rs", &format!("\n// {word}: x")).len(), 1);
        assert_eq!(findings("tests/oracles/a.py", &format!("# {word}")).len(), 1);
        assert_eq!(findings("crates/a/src/a.rs", &format!("let a = \"{word}\";")).len(), 0);
    }
}
