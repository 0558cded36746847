//! The one look of all mails: a narrow column that fits a phone, as HTML and as plain text.
//!
//! Mail programs know tables, attributes and inline styles; some drop `<style>`. So everything that
//! is needed to read is inline, and `<style>` holds what makes it better: dark colours, and less
//! space on narrow screens.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::Brand;
use crate::clean::harmless;
use crate::content::Content;

/// How wide lines of plain text are at most, in characters.
const COLUMNS: usize = 72;

const PAGE: &str = "margin:0;padding:24px 12px;background-color:#f4f5f7";
const CARD: &str = "max-width:600px;margin:0 auto;background-color:#ffffff;border-radius:8px";
const INNER: &str = "padding:32px;text-align:left;font-family:-apple-system,BlinkMacSystemFont,\
                     'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;\
                     color:#1c1f26";
const TITLE: &str = "margin:0 0 16px;font-size:22px;line-height:1.3;font-weight:600";
const P: &str = "margin:0 0 16px";
const NAME: &str = "padding:6px 16px 6px 0;color:#5a6072;vertical-align:top;font-weight:400;\
                    text-align:left";
const VALUE: &str = "padding:6px 0;vertical-align:top;overflow-wrap:anywhere";
const QUOTE: &str = "margin:0 0 16px;padding:4px 0 4px 16px;border-left:3px solid #8a90a2;\
                     white-space:pre-line;overflow-wrap:anywhere";
const BUTTON: &str = "display:inline-block;padding:12px 24px;background-color:#1f4fd8;\
                      color:#ffffff;border-radius:6px;text-decoration:none;font-weight:600";
const SMALL: &str = "margin:0 0 8px;font-size:13px;line-height:1.5;color:#5a6072";

const STYLE: &str = ":root{color-scheme:light dark;supported-color-schemes:light dark}\
@media (max-width:480px){.page{padding:0!important}.card{border-radius:0!important}\
.inner{padding:24px 16px!important}}\
@media (prefers-color-scheme:dark){.page{background-color:#14161b!important}\
.card{background-color:#1f232b!important}.inner{color:#e8eaf0!important}\
.dim{color:#aab0c0!important}.button{background-color:#7fa2ff!important;color:#10131a!important}\
a{color:#9db7ff}}";

/// A whole HTML document.
pub(crate) fn html(content: &Content, brand: &Brand) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="supported-color-schemes" content="light dark";
                title { (content.subject) }
                style { (PreEscaped(STYLE)) }
            }
            body.page style=(PAGE) {
                div style="display:none;max-height:0;overflow:hidden" aria-hidden="true" {
                    (content.preview)
                }
                table.card role="presentation" width="100%" cellpadding="0" cellspacing="0"
                    border="0" align="center" style=(CARD) {
                    tr { td.inner style=(INNER) { (head(brand)) (body(content)) (foot(content)) } }
                }
            }
        }
    };
    page.into_string()
}

fn head(brand: &Brand) -> Markup {
    html! {
        @match &brand.logo_url {
            Some(url) => {
                img src=(url) alt=(brand.app) height="32" style="display:block;height:32px;\
                    max-width:100%;border:0;margin:0 0 24px";
            }
            None => { p.dim style="margin:0 0 24px;font-weight:600;color:#5a6072" { (brand.app) } }
        }
    }
}

fn body(content: &Content) -> Markup {
    html! {
        h1 style=(TITLE) { (content.title) }
        p style=(P) { (content.greeting) }
        @for text in &content.body { p style=(P) { (text) } }
        @if !content.facts.is_empty() {
            table cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px" {
                @for (name, value) in &content.facts {
                    tr { th.dim scope="row" style=(NAME) { (name) } td style=(VALUE) { (value) } }
                }
            }
        }
        @if let Some((who, said)) = &content.quote {
            p.dim style="margin:0 0 4px;color:#5a6072" { (who) ":" }
            blockquote style=(QUOTE) { (lines(said)) }
        }
        @if !content.steps.is_empty() {
            h2 style="margin:0 0 8px;font-size:16px;font-weight:600" { (NEXT) }
            table cellpadding="0" cellspacing="0" border="0" style="margin:0 0 16px" {
                @for (when, what) in &content.steps {
                    tr { th.dim scope="row" style=(NAME) { (when) } td style=(VALUE) { (what) } }
                }
            }
        }
        @if let Some(button) = &content.button {
            p style="margin:8px 0 24px" { a.button href=(button.url) style=(BUTTON) { (button.label) } }
        }
        @for text in &content.closing { p style=(P) { (text) } }
    }
}

fn foot(content: &Content) -> Markup {
    html! {
        hr style="border:0;border-top:1px solid #8a90a255;margin:24px 0 16px";
        @for line in &content.footer { p.dim style=(SMALL) { (line) } }
    }
}

/// Above what happens next.
const NEXT: &str = "What happens next";

/// The same as plain text.
pub(crate) fn text(content: &Content, brand: &Brand) -> String {
    let mut blocks = vec![brand.app.clone(), content.title.clone(), content.greeting.clone()];
    blocks.extend(content.body.iter().cloned());
    if !content.facts.is_empty() {
        let facts = content.facts.iter().map(|(name, value)| format!("{name}: {value}"));
        blocks.push(facts.collect::<Vec<_>>().join("\n"));
    }
    if let Some((who, said)) = &content.quote {
        let quoted = wrapped(&lines(said), COLUMNS - 2);
        let quoted: Vec<String> = quoted.lines().map(|line| format!("> {line}")).collect();
        blocks.push(format!("{who}:\n{}", quoted.join("\n")));
    }
    if !content.steps.is_empty() {
        let steps = content.steps.iter().map(|(when, what)| format!("- {when}: {what}"));
        blocks.push(format!("{NEXT}:\n{}", steps.collect::<Vec<_>>().join("\n")));
    }
    if let Some(button) = &content.button {
        blocks.push(format!("{}:\n{}", button.label, button.url));
    }
    blocks.extend(content.closing.iter().cloned());
    // What mail programs know as the start of what is not part of the letter.
    blocks.push(format!("-- \n{}", content.footer.join("\n")));
    let blocks: Vec<String> = blocks.iter().map(|block| wrapped(block, COLUMNS)).collect();
    blocks.join("\n\n") + "\n"
}

/// How much of what somebody wrote is quoted, in characters.
const QUOTE_MAX: usize = 4_000;

/// What somebody wrote, with its line ends and nothing else that a terminal or a screen obeys.
fn lines(said: &str) -> String {
    let kept = said.replace("\r\n", "\n").replace('\r', "\n");
    let kept: String = kept.chars().filter(|c| *c == '\n' || harmless(*c)).collect();
    kept.trim().chars().take(QUOTE_MAX).collect()
}

/// Every line at most `columns` characters, broken between words; a longer word, such as an
/// address of a page, stays whole.
fn wrapped(text: &str, columns: usize) -> String {
    let mut out = Vec::new();
    for line in text.split('\n') {
        if line == "-- " {
            out.push(line.to_owned());
            continue;
        }
        // The second line of an item stands under the first.
        let indent = if line.starts_with("- ") { "  " } else { "" };
        let mut current = String::new();
        for word in line.split_whitespace() {
            let longer = current.chars().count() + 1 + word.chars().count();
            if !current.is_empty() && columns < longer {
                out.push(std::mem::take(&mut current));
                current.push_str(indent);
            }
            if !current.trim().is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        out.push(current);
    }
    out.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_and_addresses_stay_whole() {
        let address = format!("https://a.example/{}", "x".repeat(100));
        let text = wrapped(&format!("one two three {address} four\nfive"), 10);
        assert_eq!(text, format!("one two\nthree\n{address}\nfour\nfive"));
    }

    #[test]
    fn what_somebody_wrote_keeps_its_lines_and_loses_what_a_screen_obeys() {
        assert_eq!(lines("a\r\nb\u{1b}[31mc\u{202e}d\n"), "a\nb[31mcd");
    }
}
