//! Migrations: the same on both databases, and never changed once released.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::{Finding, Tree};

const FOLDER: &str = "crates/store/migrations/";
const DATABASES: [&str; 2] = ["sqlite", "postgres"];
/// What was released, in the format of `sha256sum`, with paths relative to the folder.
const RELEASED: &str = "crates/store/migrations/released.sha256";

/// Judges the folder of migrations, once there is one.
pub fn check(tree: &Tree) -> Vec<Finding> {
    if !tree.paths.iter().any(|path| path.starts_with(FOLDER)) {
        return Vec::new();
    }
    let mut findings = both_or_neither(tree);
    for database in DATABASES {
        findings.extend(numbering(tree, database));
    }
    findings.extend(released_is_unchanged(tree));
    findings
}

fn both_or_neither(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (database, other) in [(DATABASES[0], DATABASES[1]), (DATABASES[1], DATABASES[0])] {
        for name in names(tree, database) {
            if !tree.paths.contains(&format!("{FOLDER}{other}/{name}")) {
                findings.push(finding(
                    &format!("{FOLDER}{database}/{name}"),
                    0,
                    format!("{other} has no migration of this name"),
                    "both databases carry the same schema, step by step",
                    "add the other one in the same commit, even if it does nothing there",
                ));
            }
        }
    }
    findings
}

/// Four digits from 0001 on, each number once, none left out.
fn numbering(tree: &Tree, database: &str) -> Vec<Finding> {
    let names = names(tree, database);
    let wrong = names.iter().enumerate().filter(|(position, name)| {
        let number = name.split_once('_').map(|(number, _)| number).unwrap_or_default();
        number != format!("{:04}", position + 1)
    });
    wrong
        .map(|(position, name)| {
            finding(
                &format!("{FOLDER}{database}/{name}"),
                0,
                format!("expected the number {:04}", position + 1),
                "migrations run in the order of their numbers, on every machine alike",
                "number them 0001_name.sql, 0002_name.sql, ... without gaps or repeats",
            )
        })
        .collect()
}

fn released_is_unchanged(tree: &Tree) -> Vec<Finding> {
    let Some(list) = tree.text(RELEASED) else {
        return vec![finding(
            RELEASED,
            0,
            "this file is missing".to_owned(),
            "a released migration never changes, and this list proves it",
            "create it; it stays empty until the first release",
        )];
    };
    let mut released = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, line) in list.lines().enumerate() {
        let Some((sum, name)) = line.split_once("  ") else {
            findings.push(finding(
                RELEASED,
                index + 1,
                format!("`{line}` is not a line of sha256sum"),
                "what cannot be read cannot be checked",
                "write the checksum, two spaces and the path, as sha256sum does",
            ));
            continue;
        };
        released.insert(name, ());
        let path = format!("{FOLDER}{name}");
        let now = tree.text(&path).map(|text| hex::encode(Sha256::digest(text)));
        if now.as_deref() != Some(sum) {
            let what = if now.is_some() { "was changed" } else { "was removed" };
            findings.push(finding(
                &path,
                0,
                format!("this migration is released and {what}"),
                "databases out there have run it and will not run it again",
                "restore it and write a new migration",
            ));
        }
    }
    findings
}

fn names(tree: &Tree, database: &str) -> Vec<String> {
    let folder = format!("{FOLDER}{database}/");
    let names = tree.paths.iter().filter_map(|path| path.strip_prefix(&folder));
    names.filter(|name| name.ends_with(".sql")).map(str::to_owned).collect()
}

fn finding(path: &str, line: usize, what: String, why: &str, instead: &str) -> Finding {
    Finding { path: path.to_owned(), line, what, why: why.to_owned(), instead: instead.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SQLITE: &str = "crates/store/migrations/sqlite/0001_init.sql";
    const POSTGRES: &str = "crates/store/migrations/postgres/0001_init.sql";

    fn findings(files: &[(&str, &str)]) -> Vec<String> {
        let findings = check(&Tree::of(files));
        findings.into_iter().map(|it| format!("{}: {}", it.path, it.what)).collect()
    }

    #[test]
    fn the_same_numbers_on_both_databases_are_fine() {
        assert_eq!(findings(&[(SQLITE, "a"), (POSTGRES, "b"), (RELEASED, "")]), [""; 0]);
        assert_eq!(findings(&[("README.md", "")]), [""; 0]);
    }

    #[test]
    fn a_migration_for_one_database_only_is_found() {
        let found = findings(&[(SQLITE, "a"), (RELEASED, "")]);
        assert_eq!(found, [format!("{SQLITE}: postgres has no migration of this name")]);
    }

    #[test]
    fn a_gap_and_a_repeat_are_found() {
        let at = |database: &str, name: &str| format!("{FOLDER}{database}/{name}.sql");
        for names in [["0001_a", "0003_b"], ["0001_a", "0001_b"]] {
            let paths = DATABASES.map(|database| names.map(|name| at(database, name))).concat();
            let mut files: Vec<(&str, &str)> = paths.iter().map(|it| (it.as_str(), "")).collect();
            files.push((RELEASED, ""));
            assert_eq!(findings(&files).len(), 2, "one per database");
        }
    }

    #[test]
    fn a_released_migration_may_not_change_or_go() {
        let sum = hex::encode(Sha256::digest("a"));
        let list = format!("{sum}  sqlite/0001_init.sql\n");
        let judge = |text| findings(&[(SQLITE, text), (POSTGRES, "b"), (RELEASED, &list)]);
        assert_eq!(judge("a"), [""; 0]);
        assert!(judge("changed")[0].ends_with("is released and was changed"));
        assert!(findings(&[(RELEASED, &list)])[0].ends_with("is released and was removed"));
    }

    #[test]
    fn the_list_of_released_ones_must_exist_and_be_readable() {
        assert!(findings(&[(SQLITE, "a"), (POSTGRES, "b")])[0].contains("missing"));
        let found = findings(&[(SQLITE, "a"), (POSTGRES, "b"), (RELEASED, "nonsense")]);
        assert!(found[0].contains("not a line of sha256sum"));
    }
}
