//! TOML that cannot be read, and text that is not TOML at all.

use farthing_core::catalog::{
    AI_CREDITS, CatalogError, InUse, MAX_ERRORS, MAX_SOURCE_BYTES, SAMPLE, SEATS, diff, parse,
};
use proptest::prelude::*;

fn rendered(source: &str) -> String {
    let line = |error: &CatalogError| {
        let at = &source[error.offset..error.offset + error.len];
        format!(
            "{}:{} {at:?} {}: {} → {}",
            error.line, error.column, error.code, error.message, error.fix
        )
    };
    let errors = parse(source).err().unwrap_or_default();
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_syntax_error_is_named_at_once_and_so_is_what_does_not_follow_from_them() {
    let broken = SAMPLE
        .replace("fallback = \"free\"", "fallback = free")
        .replace("[plans.starter]", "[plans.starter")
        .replace("name = \"Growth\"", "name = \"Growth")
        .replace("chatbots = 10,", "chatbots = 10, chatbots = 11,")
        .replace("text = 1, image", "text = 0x, image")
        .replace("expires = \"12 months\"", "expires = \"12 moons\"");
    insta::assert_snapshot!(rendered(&broken), @r#"
    16:12 "free" catalog_syntax: invalid boolean → put quotes around text; write true and false without them
    35:17 "0x" catalog_number_out_of_range: `features.ai.cost.text` is out of range → write a number from 1 to 9_007_199_254_740_991
    47:15 "" catalog_syntax: unclosed table → write `]` here
    56:15 "" catalog_syntax: invalid basic string → write `"` here
    59:27 "chatbots" catalog_syntax: duplicate key → keep one of them
    82:11 "\"12 moons\"" catalog_duration: `12 moons` is not a length of time → write a time such as "14 days" or "12 months"
    "#);
}

#[test]
fn a_table_written_twice_is_a_syntax_error() {
    let twice = SAMPLE.replace("[changes]", "[plans.free]");
    insta::assert_snapshot!(rendered(&twice), @r#"88:8 "free" catalog_syntax: duplicate key → keep one of them"#);
}

#[test]
fn a_file_that_ends_in_the_middle_says_so_there() {
    let end = SAMPLE.find("EUR = \"18.00\"").unwrap();
    insta::assert_snapshot!(rendered(&SAMPLE[..end]), @r#"49:32 "" catalog_syntax: unclosed inline table → write `}` here"#);
}

#[test]
fn columns_are_counted_in_characters() {
    let source = SAMPLE.replace("name = \"500 AI credits\"", "\"ñäme🚀\" = 1; name = \"\"");
    let errors = parse(&source).unwrap_err();
    let line = source.lines().nth(errors[0].line - 1).unwrap();
    let before: String = line.chars().take(errors[0].column - 1).collect();
    let in_line = errors[0].offset - source[..errors[0].offset].rfind('\n').unwrap() - 1;
    assert_eq!(before.len(), in_line, "{errors:?}");
    assert_ne!(before.chars().count(), in_line, "the line has no wide characters before it");
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_fine() {
    assert_eq!(parse(&SAMPLE.replace('\n', "\r\n")), parse(SAMPLE));
    assert_eq!(parse(&format!("\u{feff}{SAMPLE}")), parse(SAMPLE));
}

#[test]
fn control_characters_of_a_file_do_not_reach_the_terminal() {
    let errors = parse("\"\\u001b[31m\\n\" = 1\n\"\u{202e}x\" = 2\n").unwrap_err();
    for error in errors {
        let text = format!("{}{}", error.message, error.fix);
        assert!(!text.contains(['\u{1b}', '\n', '\u{202e}']), "{text:?}");
    }
}

#[test]
fn the_worst_file_is_still_answered() {
    let fill = |text: &str| text.repeat(MAX_SOURCE_BYTES / text.len());
    for hostile in ["[", "{", "a.", "a={", "[a.b]\n", "\"", "=", "x=1\n", "é"] {
        assert!(parse(&fill(hostile)).is_err(), "{hostile:?}");
    }
    let many: String = (0..40_000).map(|n| format!("limit{n} = 1\n")).collect();
    let source =
        SAMPLE.replace("[plans.starter]", &format!("[plans.free.limits]\n{many}\n[plans.starter]"));
    assert!(parse(&source).is_err());
    let unknown: String = (0..20_000).map(|n| format!("chatbots{n} = 1, ")).collect();
    let errors = parse(&SAMPLE.replacen("chatbots = 1,", &unknown, 1)).unwrap_err();
    assert_eq!(errors.len(), MAX_ERRORS);
}

/// The sample with some of its text cut out and other text put in.
fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,8}",
        "[\\[\\]{}=\",.\n#0-9a-z_ -]{0,8}",
        Just("9".repeat(30)),
        Just("unlimited".to_owned()),
        Just("\"-1 GB\"".to_owned()),
    ];
    let edit = (any::<prop::sample::Index>(), 0..12_usize, piece);
    let sources = prop_oneof![Just(SAMPLE), Just(AI_CREDITS), Just(SEATS)];
    (sources, prop::collection::vec(edit, 1..6)).prop_map(|(source, edits)| {
        let mut chars: Vec<char> = source.chars().collect();
        for (at, cut, piece) in edits {
            let start = at.index(chars.len());
            let end = (start + cut).min(chars.len());
            chars.splice(start..end, piece.chars());
        }
        chars.into_iter().collect()
    })
}

/// Every error points into the file, at a character, in order, and says something.
fn check_errors(source: &str, errors: &[CatalogError]) -> Result<(), TestCaseError> {
    prop_assert!(!errors.is_empty());
    for error in errors {
        prop_assert!(source.get(error.offset..error.offset + error.len).is_some(), "{error:?}");
        let before = &source[..error.offset];
        prop_assert_eq!(error.line, before.matches('\n').count() + 1);
        let in_line = before.rsplit('\n').next().unwrap_or_default();
        prop_assert_eq!(error.column, in_line.chars().count() + 1);
        prop_assert!(!error.message.is_empty() && !error.fix.is_empty(), "{error:?}");
        prop_assert!(error.code.starts_with("catalog_"));
    }
    prop_assert!(errors.is_sorted_by_key(|error| error.offset));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_reader(source in "(\\PC|\n){0,200}") {
        if let Err(errors) = parse(&source) {
            check_errors(&source, &errors)?;
        }
    }

    #[test]
    fn no_mutation_breaks_the_reader_and_every_difference_is_told(source in mutated()) {
        match parse(&source) {
            Err(errors) => check_errors(&source, &errors)?,
            Ok(catalog) => {
                let sample = parse(SAMPLE).unwrap();
                let changes = diff(Some(&sample), &catalog, &InUse::default());
                prop_assert_eq!(changes.is_empty(), sample == catalog);
                prop_assert_eq!(diff(Some(&catalog), &catalog, &InUse::default()), []);
            }
        }
    }
}
