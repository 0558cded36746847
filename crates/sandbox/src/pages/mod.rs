//! The hosted pages, as HTML: one column, no script, readable in light and dark and on a phone.

mod portal;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub(crate) use portal::{Owned, Portal, portal};

use crate::request::Response;

/// What the checkout page shows.
pub(crate) struct Checkout {
    pub(crate) title: String,
    /// What the button says: `Pay $49.00`.
    pub(crate) action: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) due: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) known_email: Option<String>,
    pub(crate) needs_card: bool,
    pub(crate) cancel_url: Option<String>,
    /// Why the last attempt was refused.
    pub(crate) error: Option<String>,
    pub(crate) nonce: String,
}

/// One thing that is bought.
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) terms: String,
    pub(crate) amount: String,
}

/// Cards that the page offers to try: number and what happens.
const HINTS: &[(&str, &str)] = &[
    ("4242 4242 4242 4242", "pays"),
    ("5555 5555 5555 4444", "pays, Mastercard"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has insufficient funds"),
    ("4000 0000 0000 0341", "can be saved, then every charge fails"),
    ("4000 0025 0000 3155", "asks to confirm once (3-D Secure)"),
    ("4000 0027 6000 3184", "asks to confirm every payment"),
    ("4000 0000 0000 0259", "pays, then the bank disputes it"),
    ("4000 0000 0000 5126", "pays; refunds fail later"),
];

/// The page that shows the offer and takes the card.
pub(crate) fn checkout(status: u16, view: &Checkout) -> Response {
    let body = html! {
        h1 { (view.title) }
        p.muted { "A sandbox: no real card, no real money." }
        @if !view.lines.is_empty() { (lines(view)) }
        @if let Some(note) = &view.note { p { (note) } }
        @if let Some(error) = &view.error {
            div.error role="alert" id="problem" { strong { "That did not work. " } (error) }
        }
        form method="post" {
            @match &view.known_email {
                Some(email) => p { "For " strong { (email) } },
                None => {
                    label for="email" { "Email" }
                    input id="email" name="email" type="email" autocomplete="email"
                        placeholder="you@example.com" required;
                }
            }
            @if view.needs_card { (card_field(view)) }
            button type="submit" { (view.action) }
        }
        @if let Some(url) = &view.cancel_url { p { a href=(url) { "Cancel and go back" } } }
        @if view.needs_card { (hints()) }
    };
    page(status, &view.title, &view.nonce, &body)
}

fn lines(view: &Checkout) -> Markup {
    html! {
        table {
            caption.hidden { "What you buy" }
            thead.hidden { tr { th scope="col" { "Item" } th scope="col" { "Due today" } } }
            tbody {
                @for line in &view.lines {
                    tr {
                        th scope="row" {
                            (line.name)
                            @if let Some(text) = &line.description { span.muted { (text) } }
                            span.muted { (line.terms) }
                        }
                        td { (line.amount) }
                    }
                }
            }
            @if let Some(due) = &view.due {
                tfoot { tr { th scope="row" { "Due today" } td { (due) } } }
            }
        }
    }
}

fn card_field(view: &Checkout) -> Markup {
    let problem = view.error.is_some();
    html! {
        label for="card" { "Card number" }
        input id="card" name="card" type="text" inputmode="numeric" autocomplete="off"
            value="4242 4242 4242 4242" maxlength="30" required
            aria-invalid=[problem.then_some("true")]
            aria-describedby=[problem.then_some("problem")];
    }
}

fn hints() -> Markup {
    html! {
        details {
            summary { "Test cards" }
            dl { @for (number, meaning) in HINTS { div { dt { code { (number) } } dd { (meaning) } } } }
        }
    }
}

/// Sends a person on to `url`.
pub(crate) fn see_other(url: String) -> Response {
    let headers = vec![("location".into(), url), ("cache-control".into(), "no-store".into())];
    Response { status: 303, headers, body: Vec::new() }
}

/// The bank's page of 3-D Secure: `challenge=confirm` or `challenge=fail`, with `kept` as it was.
pub(crate) fn challenge(kept: &[(&str, Option<String>)], nonce: &str) -> Response {
    let title = "Confirm this payment";
    let body = html! {
        h1 { (title) }
        p.muted { "A sandbox: this stands for the page of your bank." }
        p { "Your bank wants to know whether it is you." }
        form method="post" {
            @for (name, value) in kept {
                @if let Some(value) = value { input type="hidden" name=(name) value=(value); }
            }
            button type="submit" name="challenge" value="confirm" { "Confirm" }
            button type="submit" name="challenge" value="fail" { "Fail" }
        }
    };
    page(200, title, nonce, &body)
}

/// A page that only says something, with one way on.
pub(crate) fn message(
    status: u16,
    title: &str,
    text: &str,
    link: Option<(&str, &str)>,
) -> Response {
    let body = html! {
        h1 { (title) }
        p { (text) }
        @if let Some((url, label)) = link { p { a href=(url) { (label) } } }
    };
    page(status, title, "message", &body)
}

fn page(status: u16, title: &str, nonce: &str, body: &Markup) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Sandbox" }
                style nonce=(nonce) { (PreEscaped(CSS)) }
            }
            body { main { (body) } }
        }
    };
    // The form's answer redirects to the app, which may be anywhere: form-action follows redirects.
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; frame-ancestors 'none'; \
         form-action *"
    );
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Response {
        status,
        headers: vec![
            header("content-type", "text/html; charset=utf-8"),
            header("content-security-policy", &policy),
            header("referrer-policy", "no-referrer"),
            header("x-content-type-options", "nosniff"),
            header("cache-control", "no-store"),
        ],
        body: document.into_string().into_bytes(),
    }
}

const CSS: &str = "\
:root{--bg:#f6f5f2;--panel:#fff;--ink:#1d1d1b;--muted:#5f5e5a;--line:#d9d7d0;--act:#1f5f4a;\
--on-act:#fff;--bad:#9c1c1c;--bad-bg:#fdecec}\
@media (prefers-color-scheme:dark){:root{--bg:#161615;--panel:#20201e;--ink:#efeee9;\
--muted:#a9a79f;--line:#3b3a36;--act:#7fd1b3;--on-act:#10251d;--bad:#ffb4ab;--bad-bg:#3d1a18}}\
*{box-sizing:border-box}\
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,sans-serif}\
main{max-width:27rem;margin:0 auto;padding:1.5rem;background:var(--panel);min-height:100vh}\
@media (min-width:32rem){main{margin:3rem auto;min-height:0;border:1px solid var(--line);\
border-radius:.75rem;padding:2rem}}\
h1{font-size:1.5rem;line-height:1.2;margin:0 0 .25rem}\
h2{font-size:1.125rem;margin:1.5rem 0 .25rem}\
p{margin:.75rem 0}\
.muted{color:var(--muted);font-size:.875rem;font-weight:400;display:block}\
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
table{width:100%;border-collapse:collapse;margin:1rem 0}\
th{text-align:left;font-weight:600}td{text-align:right;vertical-align:top;white-space:nowrap}\
th,td{padding:.75rem 0;border-top:1px solid var(--line)}\
tfoot th,tfoot td{font-size:1.125rem;font-weight:700}\
label{display:block;margin:1rem 0 .25rem;font-weight:600}\
input,select{width:100%;padding:.625rem .75rem;font:inherit;color:inherit;background:var(--bg);\
border:1px solid var(--muted);border-radius:.5rem}\
button{width:100%;margin:1.25rem 0 .25rem;padding:.75rem;font:inherit;font-weight:600;border:0;\
border-radius:.5rem;background:var(--act);color:var(--on-act);cursor:pointer}\
a{color:var(--act)}\
:focus-visible{outline:3px solid var(--act);outline-offset:2px}\
.error{margin:1rem 0;padding:.75rem;border-radius:.5rem;color:var(--bad);background:var(--bad-bg)}\
details{margin-top:1rem;border-top:1px solid var(--line);padding-top:.75rem}\
summary{cursor:pointer}\
dl div{margin:.5rem 0}dt,dd{display:inline;margin:0 .5rem 0 0}\
";
