//! The oracles' Python: a virtual environment of pinned packages in `target/venv`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, install, process};

/// The packages and their exact versions.
pub const REQUIREMENTS: &str = "tests/oracles/requirements.txt";

/// Makes the virtual environment, unless it stands, and answers its interpreter.
///
/// It is made anew when the requirements change: the copy of them inside is written last, so a
/// half-made environment is never taken for a whole one.
pub fn prepare(root: &Path) -> Result<PathBuf> {
    let wanted = std::fs::read_to_string(root.join(REQUIREMENTS))
        .map_err(|error| format!("cannot read {REQUIREMENTS}: {error}"))?;
    let folder = root.join("target/venv");
    let python = folder.join("bin/python");
    let stamp = folder.join("requirements.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|made| made == wanted) && python.is_file() {
        return Ok(python);
    }
    create(&folder)?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    process::run(Command::new(&python).args(install).arg(root.join(REQUIREMENTS)))
        .map_err(|error| format!("{error}: the packages in {REQUIREMENTS} are not installed"))?;
    std::fs::write(&stamp, wanted)
        .map_err(|error| format!("cannot write {}: {error}", stamp.display()))?;
    Ok(python)
}

fn create(folder: &Path) -> Result<()> {
    if !process::on_path("python3") {
        install::debian_packages("Python 3", &["python3", "python3-venv"], "")?;
    }
    if make(folder).is_ok() {
        return Ok(());
    }
    // Debian ships the module without the part that it needs.
    install::debian_packages("Python's venv module", &["python3-venv"], "")?;
    make(folder).map_err(|error| format!("{error}: the virtual environment is not made"))
}

fn make(folder: &Path) -> Result<()> {
    process::output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder)).map(drop)
}
