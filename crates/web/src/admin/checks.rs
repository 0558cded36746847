//! Every invariant, asked of the live database.

use maud::html;

use super::desk::{Answer, Desk};
use super::words::checks as words;
use crate::layout::notice;

pub(crate) async fn show(desk: Desk) -> Answer {
    let findings = desk.ask(farthing_engine::Engine::findings).await?;
    let broken = findings.iter().filter(|finding| !finding.rows.is_empty()).count();
    let body = html! {
        h1 { (words::TITLE) }
        @if broken == 0 { (notice("good", &words::all_hold(findings.len()))) }
        @else { (notice("bad", &words::broken(broken))) }
        table.stack {
            thead { tr { th scope="col" { (words::ID) } th scope="col" { (words::WHAT) } th scope="col" { (words::RESULT) } } }
            tbody {
                @for finding in &findings {
                    tr {
                        td { code { (finding.id) } }
                        td { strong { (finding.name) } br; (finding.meaning) }
                        td data-label=(words::RESULT) {
                            @if finding.rows.is_empty() { span.tag.good { (words::HOLDS) } }
                            @else {
                                span.tag.bad { (words::BROKEN) }
                                ul { @for row in &finding.rows { li { code { (row) } } } }
                            }
                        }
                    }
                }
            }
        }
    };
    desk.page(words::TITLE, &body)
}
