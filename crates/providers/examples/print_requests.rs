//! Prints every request that the Stripe adapter can make, one JSON object per line, so that
//! another program can judge them: `{"method", "path", "form": [[name, value], ...]}`.

use std::io::Write;

#[path = "../tests/requests/every.rs"]
mod every;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for request in every::every_request() {
        let line = serde_json::json!({
            "method": request.method,
            "path": request.path,
            "form": request.form,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}
