//! Which crate of the workspace may depend on which: ARCHITECTURE.md, as a table.

use serde_json::Value;

use super::Finding;
use crate::Result;

/// A crate, what it may use, and what its tests may use besides.
struct Allowed {
    package: &'static str,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
}

const CORE: &str = "farthing-core";
const STORE: &str = "farthing-store";
const PROVIDERS: &str = "farthing-providers";
const MAIL: &str = "farthing-mail";
const ENGINE: &str = "farthing-engine";
const WEB: &str = "farthing-web";
const SERVER: &str = "farthing-server";
const SANDBOX: &str = "farthing-sandbox";
const SIM: &str = "farthing-sim";

const TABLE: [Allowed; 11] = [
    Allowed { package: CORE, uses: &[], tests_use: &[] },
    Allowed { package: STORE, uses: &[CORE], tests_use: &[] },
    Allowed { package: PROVIDERS, uses: &[CORE], tests_use: &[] },
    Allowed { package: MAIL, uses: &[CORE], tests_use: &[] },
    Allowed { package: ENGINE, uses: &[CORE, STORE, PROVIDERS, MAIL], tests_use: &[SANDBOX] },
    Allowed { package: WEB, uses: &[CORE, ENGINE], tests_use: &[SANDBOX, STORE, PROVIDERS] },
    Allowed {
        package: SERVER,
        uses: &[CORE, ENGINE, WEB],
        tests_use: &[SANDBOX, STORE, PROVIDERS],
    },
    Allowed {
        package: "farthing",
        uses: &[CORE, STORE, PROVIDERS, MAIL, ENGINE, SERVER, SANDBOX, SIM],
        tests_use: &[SANDBOX],
    },
    Allowed { package: SIM, uses: &[ENGINE, PROVIDERS, SANDBOX, CORE, STORE], tests_use: &[] },
    Allowed { package: SANDBOX, uses: &[], tests_use: &[] },
    Allowed { package: "xtask", uses: &[], tests_use: &[] },
];

/// Judges the edges in the answer of `cargo metadata --no-deps`.
pub fn check(metadata: &str) -> Result<Vec<Finding>> {
    let metadata: Value = serde_json::from_str(metadata)
        .map_err(|error| format!("cannot read what cargo metadata prints: {error}"))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let members: Vec<&str> = packages.iter().filter_map(|it| it["name"].as_str()).collect();
    let mut findings = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap_or_default();
        let path = package["manifest_path"].as_str().unwrap_or_default();
        let root = metadata["workspace_root"].as_str().unwrap_or_default();
        let path = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/');
        let Some(allowed) = TABLE.iter().find(|allowed| allowed.package == name) else {
            findings.push(unknown_package(path, name));
            continue;
        };
        let dependencies = package["dependencies"].as_array().map(Vec::as_slice);
        for dependency in dependencies.unwrap_or_default() {
            let target = dependency["name"].as_str().unwrap_or_default();
            let for_tests = dependency["kind"].as_str() == Some("dev");
            // A crate's tests may turn on its own features.
            let own = target == name && for_tests;
            let fine = own
                || allowed.uses.contains(&target)
                || (for_tests && allowed.tests_use.contains(&target));
            if members.contains(&target) && !fine {
                findings.push(forbidden_edge(path, name, target, for_tests));
            }
        }
    }
    Ok(findings)
}

fn unknown_package(path: &str, name: &str) -> Finding {
    Finding {
        path: path.to_owned(),
        line: 0,
        what: format!("the crate {name} has no place in the architecture"),
        why: "every crate and its edges are decided, not grown".to_owned(),
        instead: "add it to ARCHITECTURE.md and to the table in xtask/src/tidy/edges.rs".to_owned(),
    }
}

fn forbidden_edge(path: &str, name: &str, target: &str, for_tests: bool) -> Finding {
    let tests = if for_tests { " in its tests" } else { "" };
    Finding {
        path: path.to_owned(),
        line: 0,
        what: format!("{name} uses {target}{tests}"),
        why: "ARCHITECTURE.md has no such edge: core <- store, core <- providers, core <- mail, \
              all <- engine <- web <- server <- cli; the sandbox stands alone"
            .to_owned(),
        instead: "move what is shared down, or pass it in from the crate above".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn findings(edges: &[(&str, &str, Option<&str>)]) -> Vec<String> {
        let packages: Vec<Value> = TABLE
            .iter()
            .map(|allowed| {
                let dependencies = edges.iter().filter(|(from, ..)| *from == allowed.package);
                let dependencies: Vec<Value> = dependencies
                    .map(|(_, to, kind)| json!({ "name": to, "kind": kind }))
                    .collect();
                let path = format!("/repository/crates/{}/Cargo.toml", allowed.package);
                json!({"name": allowed.package, "manifest_path": path, "dependencies": dependencies})
            })
            .collect();
        let metadata = json!({ "packages": packages, "workspace_root": "/repository" });
        let findings = check(&metadata.to_string()).unwrap();
        findings.into_iter().map(|finding| format!("{}: {}", finding.path, finding.what)).collect()
    }

    #[test]
    fn the_edges_of_the_architecture_are_allowed() {
        assert_eq!(findings(&[(STORE, CORE, None), (ENGINE, STORE, None)]), [""; 0]);
        assert_eq!(findings(&[(ENGINE, SANDBOX, Some("dev"))]), [""; 0]);
        assert_eq!(findings(&[(CORE, "serde", None), (CORE, "insta", Some("dev"))]), [""; 0]);
    }

    #[test]
    fn an_edge_upwards_is_found() {
        let expected = ["crates/farthing-core/Cargo.toml: farthing-core uses farthing-store"];
        assert_eq!(findings(&[(CORE, STORE, None)]), expected);
    }

    #[test]
    fn an_edge_between_neighbours_is_found() {
        assert_eq!(findings(&[(STORE, PROVIDERS, None)]).len(), 1);
    }

    #[test]
    fn a_crates_tests_may_use_its_own_features() {
        assert_eq!(findings(&[(STORE, STORE, Some("dev"))]), [""; 0]);
    }

    #[test]
    fn what_tests_may_use_the_crate_itself_may_not() {
        assert_eq!(findings(&[(ENGINE, SANDBOX, None)]).len(), 1);
        assert_eq!(findings(&[(ENGINE, SANDBOX, Some("build"))]).len(), 1);
    }

    #[test]
    fn the_sandbox_knows_nothing_of_us_even_in_its_tests() {
        assert_eq!(findings(&[(SANDBOX, CORE, Some("dev"))]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        let metadata = json!({"packages": [{"name": "farthing-utils", "dependencies": []}]});
        let findings = check(&metadata.to_string()).unwrap();
        assert!(findings[0].what.contains("farthing-utils"));
    }
}
