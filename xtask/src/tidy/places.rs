//! Places that exist on one machine or in one network only, and so do not belong here.

use super::{Finding, Tree};

/// Top-level folders in which people keep their checkouts; a path into one is nobody else's.
const FOLDERS: [&str; 3] = ["home", "work", "Users"];

/// Absolute paths of one machine, and download addresses in lock files.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.texts {
        for (index, line) in text.lines().enumerate() {
            if let Some(folder) = FOLDERS.iter().find(|folder| names_folder(line, folder)) {
                findings.push(Finding {
                    path: path.clone(),
                    line: index + 1,
                    what: format!("a path under the folder `{folder}` of one machine"),
                    why: "a clone elsewhere does not have that place".to_owned(),
                    instead: "write a path relative to the repository".to_owned(),
                });
            }
            if path.ends_with("package-lock.json") && line.trim_start().starts_with("\"resolved\"")
            {
                findings.push(Finding {
                    path: path.clone(),
                    line: index + 1,
                    what: "a download address in the lock file".to_owned(),
                    why: "the registry is the machine's choice; versions and checksums are ours"
                        .to_owned(),
                    instead: "make it with `npm install --package-lock-only --omit-lockfile-\
                              registry-resolved`"
                        .to_owned(),
                });
            }
        }
    }
    findings
}

/// `see /folder/x`, but not `example.com/folder/x` or `some/folder/x`.
fn names_folder(line: &str, folder: &str) -> bool {
    let needle = format!("/{folder}/");
    line.match_indices(&needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|it| it.is_alphanumeric() || "._-~}/".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&Tree::of(&[(path, text)])).len()
    }

    #[test]
    fn a_path_of_one_machine_is_found_in_any_file() {
        for folder in FOLDERS {
            assert_eq!(findings("README.md", &format!("a\nsee `/{folder}/me/x`")), 1);
            assert_eq!(findings(".ci/run", &format!("cd /{folder}/me")), 1);
        }
    }

    #[test]
    fn the_same_word_elsewhere_is_fine() {
        for folder in FOLDERS {
            assert_eq!(findings("README.md", &format!("https://example.com/{folder}/x")), 0);
            assert_eq!(findings("README.md", &format!("crates/{folder}/x and {folder}/y")), 0);
        }
    }

    #[test]
    fn a_download_address_in_a_lock_file_is_found() {
        let line = "      \"resolved\": \"https://example.com/a.tgz\",";
        assert_eq!(findings("tests/oracles/package-lock.json", line), 1);
        assert_eq!(findings("tests/oracles/package.json", line), 0);
    }
}
