//! `farthing consume` and `farthing release`.

use serde_json::json;

use crate::args::{Amount, Global};
use crate::exit::{Exit, Outcome};
use crate::output::{Out, Tone, plain};
use crate::target;

/// Takes or gives back, as `path` says. Ends with 1 when it was refused: nothing was taken.
pub fn run(global: &Global, path: &str, wanted: &Amount, out: &Out) -> Outcome {
    let server = target::server(global, out)?;
    let Amount { customer, feature, amount } = wanted;
    let body = json!({ "customer": customer, "feature": feature, "amount": amount });
    let answer = server.post(&["v1", path], &body)?;
    let allowed = answer["allowed"] == json!(true);
    if out.json {
        out.value(&answer);
    } else {
        let word = |name: &str| answer[name].as_str().map(plain).unwrap_or_default();
        let state =
            if allowed { out.tone("ok", Tone::Good) } else { out.tone("refused", Tone::Bad) };
        out.line(format!("{state} ({}): {}", word("code"), word("message")));
        let limit = answer["limit"].as_i64().map_or("unlimited".to_owned(), |n| n.to_string());
        out.line(format!("used {} of {limit}", answer["used"]));
        if answer["upgrade_to"].is_string() {
            out.line(format!("the plan {} would allow it", word("upgrade_to")));
        }
    }
    Ok(if allowed { Exit::Done } else { Exit::Failed })
}
