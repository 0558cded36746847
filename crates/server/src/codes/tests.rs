//! The codes, the page that explains them, and the engine's source agree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

const INTRODUCTION: &str = "\
# Error codes

Every error is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail`,
`code`, `request_id` and `errors[{pointer, code, message, fix}]`. Codes are stable: match on them
and show `detail` to people. Unless it says otherwise, an error changed nothing.

A refusal by a limit is not an error: `POST /v1/consume` and its relatives answer 200 with
`allowed: false` and a `code` of their own, listed under `AccessAnswer` at `/docs`. Codes that begin
with `catalog_` and stand in `errors[]` say what is wrong with a catalog file, with line and column.
";

/// No request is answered with it.
const OF_A_JOB: &str = "unknown_job";

fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let parts = [
        (Kind::Request, "About a request", "In `code`."),
        (Kind::Refusal, "Not for this customer, or not now", "In `code`."),
        (Kind::Field, "About one field", "In `errors[].code`; the status is 422."),
    ];
    for (kind, heading, place) in parts {
        page.push_str(&format!("\n## {heading}\n\n{place}\n\n"));
        page.push_str("| Code | Status | What happened | What to do |\n|---|---|---|---|\n");
        for code in Code::ALL.iter().filter(|code| code.kind() == kind) {
            let (meaning, todo) = code.advice();
            let status = code.status().as_u16();
            page.push_str(&format!("| `{}` | {status} | {meaning} | {todo} |\n", code.code()));
        }
    }
    page
}

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn every_code_has_a_name_and_advice_of_its_own() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(names.len(), Code::ALL.len(), "two codes have one name");
    for code in Code::ALL {
        let (meaning, todo) = code.advice();
        assert!(!code.code().is_empty() && !meaning.is_empty() && !todo.is_empty(), "{code:?}");
        assert_eq!(Code::of(code.code()), Some(*code));
    }
}

#[test]
fn the_page_of_error_codes_is_made_from_them() {
    let path = crates().join("../docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, page()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == page(),
        "docs/errors.md is out of date: run UPDATE_DOCS=1 cargo test -p farthing-server codes"
    );
}

#[test]
fn every_code_that_the_engine_answers_is_explained() {
    let mut missing = BTreeSet::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(crates().join("engine/src")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap();
        for code in codes_in(source).into_iter().filter(|code| code != OF_A_JOB) {
            seen += 1;
            if Code::of(&code).is_none() {
                missing.insert(code);
            }
        }
    }
    assert!(15 < seen, "only {seen} codes were found: does this test still know how they look?");
    assert!(missing.is_empty(), "add these to Code: {missing:?}");
}

/// Of the first two literals after `refused(` and `invalid(`, the one that is a code (the other
/// one is a pointer or a message), and what `code:` names.
fn codes_in(source: &str) -> Vec<String> {
    let mut codes = Vec::new();
    for (call, literals) in [("::refused(", 1), ("::invalid(", 2), (" code: \"", 1)] {
        for (at, _) in source.match_indices(call) {
            let rest = &source[at + call.trim_end_matches('"').len()..];
            let literals = rest.split('"').skip(1).step_by(2).take(literals);
            let code = literals
                .map(str::to_owned)
                .find(|text| text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'));
            codes.extend(code);
        }
    }
    codes
}
