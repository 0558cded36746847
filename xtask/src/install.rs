//! Debian packages, for a machine that lacks what the tests need.

use std::process::Command;

use crate::{Result, process};

/// Installs Debian packages, or says why not and what to do instead.
///
/// `missing` is what the tests lack, as a phrase: "a PostgreSQL server". `otherwise` is what else
/// would do; it may be empty.
pub fn debian_packages(missing: &str, packages: &[&str], otherwise: &str) -> Result<()> {
    let names = packages.join(" ");
    let advice = format!(
        "{missing} is missing. Install it (on Debian or Ubuntu: apt-get install {names}) and run \
         this again{otherwise}"
    );
    let prefix = match permission() {
        Permission::Root => &[][..],
        Permission::Sudo => &["sudo", "-n"][..],
        Permission::None(reason) => return Err(format!("{advice}. Not done here: {reason}")),
    };
    println!("    {missing} is missing: installing {names}");
    let install = ["install", "--yes", "--no-install-recommends"];
    let install: Vec<&str> = install.iter().chain(packages).copied().collect();
    apt_get(prefix, &["update"])
        .and_then(|()| apt_get(prefix, &install))
        .map_err(|error| format!("{advice}. Tried here: {error}"))
}

enum Permission {
    Root,
    Sudo,
    None(&'static str),
}

fn permission() -> Permission {
    if std::env::var_os("XTASK_NO_INSTALL").is_some() {
        return Permission::None("XTASK_NO_INSTALL is set");
    }
    if !process::on_path("apt-get") {
        return Permission::None("there is no apt-get");
    }
    if is_root() {
        return Permission::Root;
    }
    let sudo = process::output(Command::new("sudo").args(["-n", "true"]));
    if sudo.is_ok() {
        return Permission::Sudo;
    }
    Permission::None("this user is not root and has no sudo without a password")
}

/// Whether this process runs as root. "No" if that cannot be found out.
pub fn is_root() -> bool {
    process::output(Command::new("id").arg("-u")).is_ok_and(|uid| uid == "0")
}

fn apt_get(prefix: &[&str], arguments: &[&str]) -> Result<()> {
    let words = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"];
    let words: Vec<&str> = prefix.iter().chain(&words).chain(arguments).copied().collect();
    process::run(Command::new(words[0]).args(&words[1..]))
}
