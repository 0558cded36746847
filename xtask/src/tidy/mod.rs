//! The rules of this repository that a compiler does not know.
//!
//! Every rule is a function from the repository's files to findings; only [`run`] and [`Tree`]
//! touch the disk, so each rule is tested with a planted violation. A finding says where, what,
//! why, and what to do instead.

mod edges;
mod error_codes;
mod links;
mod migrations;
mod places;
mod scan;
mod sizes;
mod source;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::steps::Steps;
use crate::{Result, process};

/// One violation of one rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// Counted from 1; 0 for the file as a whole.
    pub line: usize,
    pub what: String,
    pub why: String,
    pub instead: String,
}

impl Finding {
    fn print(&self) {
        let Finding { path, line, what, why, instead } = self;
        let place = if *line == 0 { path.clone() } else { format!("{path}:{line}") };
        println!("{place}: {what}\n    why: {why}\n    instead: {instead}");
    }
}

/// The files of the repository that git knows or would add.
pub struct Tree {
    /// All paths, with `/`, relative to the root.
    pub paths: BTreeSet<String>,
    /// The files that are text, with their contents.
    pub texts: Vec<(String, String)>,
}

impl Tree {
    fn read(root: &Path) -> Result<Self> {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let names = process::output(Command::new("git").args(list).current_dir(root))?;
        let names = names.split('\0').filter(|name| !name.is_empty());
        let mut tree = Tree { paths: BTreeSet::new(), texts: Vec::new() };
        for name in names {
            // A file may be deleted and still be in the index.
            let Ok(bytes) = std::fs::read(root.join(name)) else { continue };
            tree.paths.insert(name.to_owned());
            if let Ok(text) = String::from_utf8(bytes) {
                tree.texts.push((name.to_owned(), text));
            }
        }
        Ok(tree)
    }

    /// The text of one file.
    fn text(&self, path: &str) -> Option<&str> {
        let found = self.texts.iter().find(|(name, _)| name == path);
        found.map(|(_, text)| text.as_str())
    }

    /// The text files with this ending.
    fn with_ending<'a>(&'a self, ending: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let texts = self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()));
        texts.filter(move |(path, _)| path.ends_with(ending))
    }

    #[cfg(test)]
    fn of(files: &[(&str, &str)]) -> Self {
        Tree {
            paths: files.iter().map(|(path, _)| (*path).to_owned()).collect(),
            texts: files.iter().map(|(p, t)| ((*p).to_owned(), (*t).to_owned())).collect(),
        }
    }
}

/// `cargo xtask tidy`: checks every rule, then that the core builds alone.
pub fn run(root: &Path) -> Result<ExitCode> {
    let mut steps = Steps::new();
    steps.run_noting("edges between crates", || {
        let metadata = ["metadata", "--format-version", "1", "--no-deps"];
        let metadata = process::output(Command::new("cargo").args(metadata).current_dir(root))?;
        report(edges::check(&metadata)?)
    });
    let tree = Tree::read(root)?;
    let sources = scan::sources(&tree);
    steps.run_noting("source rules", || report(source::check(&tree, &sources)));
    steps.run_noting("sizes", || report(sizes::check(&tree, &sources)));
    steps.run_noting("migrations", || report(migrations::check(&tree)));
    steps.run_noting("error codes", || report(error_codes::check(&tree, &sources)));
    steps.run_noting("links in documents", || report(links::check(&tree)));
    steps.run_noting("places and hosts", || report(places::check(&tree)));
    // A build of the whole workspace unifies features, and jiff's clock comes back with them.
    steps.run("the core builds alone", || {
        let arguments = ["check", "--quiet", "--package", "farthing-core"];
        process::run(Command::new("cargo").args(arguments).current_dir(root))
    });
    Ok(steps.finish())
}

fn report(mut findings: Vec<Finding>) -> Result<((), String)> {
    findings.sort();
    findings.iter().for_each(Finding::print);
    match findings.len() {
        0 => Ok(((), String::new())),
        1 => Err("1 finding".to_owned()),
        number => Err(format!("{number} findings")),
    }
}
