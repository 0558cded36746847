//! The shortcuts, and what is where.

use maud::html;

use super::desk::{Answer, Desk};
use super::words::help as words;

pub(crate) async fn show(desk: Desk) -> Answer {
    let body = html! {
        h1 { (words::TITLE) }
        p { (words::ABOUT) }
        dl.card {
            @for (keys, what) in words::KEYS { dt { code { (keys) } } dd { (what) } }
        }
    };
    desk.page(words::TITLE, &body)
}
