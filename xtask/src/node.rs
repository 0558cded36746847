//! Node packages: exactly those of a lock file, in a folder of their own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, install, process};

const SOURCE: &str = "tests/oracles";
const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs the oracles' packages, unless they stand, and answers the folder to put into `NODE_PATH`.
pub fn prepare(root: &Path) -> Result<PathBuf> {
    prepare_in(root, SOURCE, "target/oracles-node")
}

/// The same for the packages that the files in `source` name, in the folder `target`.
pub fn prepare_in(root: &Path, source: &str, target: &str) -> Result<PathBuf> {
    let folder = root.join(target);
    let modules = folder.join("node_modules");
    let mut wanted = String::new();
    for name in FILES {
        let path = root.join(source).join(name);
        wanted += &std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read {source}/{name}: {error}"))?;
    }
    if !(process::on_path("node") && process::on_path("npm")) {
        install::debian_packages("Node.js with npm", &["nodejs", "npm"], "")?;
    }
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && modules.is_dir() {
        return Ok(modules);
    }
    install_packages(root, source, &folder)?;
    std::fs::write(&stamp, wanted)
        .map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(modules)
}

fn install_packages(root: &Path, source: &str, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    for name in FILES {
        std::fs::copy(root.join(source).join(name), folder.join(name))
            .map_err(|error| format!("cannot copy {name}: {error}"))?;
    }
    let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    process::run(Command::new("npm").args(arguments).current_dir(folder))
        .map_err(|error| format!("{error}: the packages in {source} are not installed"))
}
