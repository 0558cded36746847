//! QR codes, as pictures inside the page.

use maud::{Markup, html};
use qrcodegen::{QrCode, QrCodeEcc};

/// White around the code, in modules: scanners want four.
const MARGIN: i32 = 4;

/// `text` as a picture; nothing when it is too long for one.
pub(crate) fn picture(text: &str, label: &str) -> Markup {
    let Ok(code) = QrCode::encode_text(text, QrCodeEcc::Medium) else { return html! {} };
    let size = code.size() + 2 * MARGIN;
    let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
    let dark = dark.filter(|(x, y)| code.get_module(*x, *y));
    let path: String =
        dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN)).collect();
    html! {
        svg.qr role="img" aria-label=(label) viewBox={ "0 0 " (size) " " (size) }
            shape-rendering="crispEdges" {
            rect width=(size) height=(size) fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}
