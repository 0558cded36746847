//! `farthing check`: every invariant of the live database, read-only.

use serde_json::json;

use crate::args::Global;
use crate::exit::{Exit, Outcome};
use crate::output::{Out, Tone, plain};
use crate::target;

/// How many rows of a broken invariant are shown to people; JSON has them all.
const SHOWN: usize = 10;

/// Asks them all; ends with findings if one does not hold.
pub fn run(global: &Global, out: &Out) -> Outcome {
    let findings = target::local(global, out)?.findings()?;
    let broken = findings.iter().filter(|finding| !finding.rows.is_empty()).count();
    let exit = if broken == 0 { Exit::Done } else { Exit::Findings };
    if out.json {
        out.value(&json!({ "ok": broken == 0, "findings": findings }));
        return Ok(exit);
    }
    let width = findings.iter().map(|finding| finding.id.len()).max().unwrap_or_default();
    for finding in &findings {
        let state = match finding.rows.len() {
            0 => out.tone("ok", Tone::Good),
            n => out.tone(&format!("{n} broken"), Tone::Bad),
        };
        out.line(format!("{:width$}  {}: {state}", finding.id, finding.name));
        if finding.rows.is_empty() {
            continue;
        }
        out.line(format!("{:width$}  must hold: {}", "", finding.meaning));
        for row in finding.rows.iter().take(SHOWN) {
            out.line(format!("{:width$}    {}", "", plain(row)));
        }
        if SHOWN < finding.rows.len() {
            out.line(format!(
                "{:width$}    and {} more: --json has them",
                "",
                finding.rows.len() - SHOWN
            ));
        }
    }
    let all = findings.len();
    out.line(match broken {
        0 => format!("all {all} invariants hold"),
        n => format!("{n} of {all} invariants are broken; nothing was changed"),
    });
    Ok(exit)
}
