//! Links between documents, and from documents to code, that lead nowhere.

use super::{Finding, Tree};

/// Every link in a Markdown file to a file or folder of the repository that does not exist.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.with_ending(".md") {
        let mut in_fence = false;
        for (index, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                in_fence = !in_fence;
            }
            if in_fence {
                continue;
            }
            for target in targets(&without_inline_code(line)) {
                if !exists(tree, path, &target) {
                    findings.push(dead_link(path, index + 1, &target));
                }
            }
        }
    }
    findings
}

fn dead_link(path: &str, line: usize, target: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line,
        what: format!("the link to `{target}` leads nowhere"),
        why: "a reader who follows it is lost".to_owned(),
        instead: "link to a file that exists, relative to this one".to_owned(),
    }
}

/// What a line links to: `[text](target)`, `[name]: target`, `src="target"`, `href="target"`.
fn targets(line: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for (opening, closing) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
        for (at, _) in line.match_indices(opening) {
            let rest = &line[at + opening.len()..];
            targets.extend(rest.split_once(closing).map(|(target, _)| target));
        }
    }
    if line.starts_with('[') && !line.starts_with("[^") {
        targets.extend(line.split_once("]: ").map(|(_, target)| target));
    }
    // A title may follow the target.
    let words = targets.iter().filter_map(|target| target.split_whitespace().next());
    words.map(|word| word.trim_matches(['<', '>']).to_owned()).collect()
}

fn exists(tree: &Tree, from: &str, target: &str) -> bool {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    let elsewhere = path.contains("://") || path.starts_with("mailto:");
    if path.is_empty() || elsewhere {
        return true;
    }
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let base = if path.starts_with('/') { "" } else { folder };
    let Some(path) = resolve(base, path) else { return false };
    let inside = format!("{path}/");
    path.is_empty()
        || tree.paths.contains(&path)
        || tree.paths.iter().any(|it| it.starts_with(&inside))
}

/// `None` if the way leads out of the repository.
fn resolve(base: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn without_inline_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Vec<String> {
        let tree = Tree::of(&[("docs/a.md", text), ("README.md", ""), ("docs/adr/0001-x.md", "")]);
        check(&tree).into_iter().map(|it| format!("{} {}", it.line, it.what)).collect()
    }

    #[test]
    fn links_to_files_folders_and_other_sites_are_fine() {
        let text = "[a](../README.md) [b](adr/) [c](adr/0001-x.md#why \"title\") [d](#here)\n\
                    [e](https://example.com/x) [f](/README.md)\n[g]: ../README.md\n";
        assert_eq!(findings(text), [""; 0]);
    }

    #[test]
    fn a_link_to_nothing_is_found_however_it_is_written() {
        for text in ["[a](gone.md)", "[a]: gone.md", "<img src=\"gone.md\">", "[a](<gone.md>)"] {
            assert_eq!(findings(text), ["1 the link to `gone.md` leads nowhere"], "{text}");
        }
    }

    #[test]
    fn a_link_out_of_the_repository_is_found() {
        assert_eq!(findings("[a](../../secret.md)").len(), 1);
    }

    #[test]
    fn code_is_not_a_link() {
        assert_eq!(findings("`[a](gone.md)`\n```\n[a](gone.md)\n```\n"), [""; 0]);
        assert_eq!(findings("```\n```\n[a](gone.md)"), ["3 the link to `gone.md` leads nowhere"]);
    }
}
