//! The browser tests' Chromium and Node packages: exactly those of the lock file.

use std::path::{Path, PathBuf};

use crate::{Result, install, node, process};

/// Where the tests are.
pub const FOLDER: &str = "tests/browser";

/// What the browser tests run on.
pub struct Browser {
    /// The program.
    pub chromium: PathBuf,
    /// For `NODE_PATH`.
    pub node_modules: PathBuf,
}

/// Installs what is missing.
pub fn prepare(root: &Path) -> Result<Browser> {
    let chromium = match std::env::var_os("CHROMIUM") {
        Some(named) => PathBuf::from(named),
        None => found()?,
    };
    let node_modules = node::prepare_in(root, FOLDER, "target/browser-node")?;
    Ok(Browser { chromium, node_modules })
}

/// Chromium, installed if it is not there.
fn found() -> Result<PathBuf> {
    if !process::on_path("chromium") {
        let otherwise = ", or name one in CHROMIUM";
        install::debian_packages("Chromium", &["chromium"], otherwise)?;
    }
    let program = process::output(std::process::Command::new("which").arg("chromium"))?;
    Ok(PathBuf::from(program.trim()))
}
