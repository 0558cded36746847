//! `farthing clock`: the sandbox's time.

use serde_json::json;

use crate::args::{Clock, Global};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Out, plain};
use crate::target;

/// Shows or moves it.
pub fn run(global: &Global, command: Clock, out: &Out) -> Outcome {
    let server = target::server(global, out)?;
    let body = match command {
        Clock::Show => {
            let shown = server.get(&["sandbox", "clock"], &[])?;
            if out.json {
                out.value(&shown);
            } else {
                out.line(shown["now"].as_str().map(plain).unwrap_or_default());
            }
            return Ok(Exit::Done);
        }
        Clock::Advance { by } => json!({ "by": by }),
        Clock::To { date } => json!({ "to": instant(&date)? }),
    };
    let moved = server.post(&["v1", "sandbox", "clock", "advance"], &body)?;
    if out.json {
        out.value(&moved);
    } else {
        let now = moved["now"].as_str().map(plain).unwrap_or_default();
        let n = moved["events_delivered"].as_u64().unwrap_or_default();
        out.line(format!("now {now}; {n} provider events were delivered on the way"));
    }
    Ok(Exit::Done)
}

/// A day means its first instant in UTC.
fn instant(text: &str) -> Result<String, Failure> {
    let instant = match text.parse::<jiff::civil::Date>() {
        Ok(date) if !text.contains(['T', 't', ' ']) => format!("{date}T00:00:00Z"),
        _ => text.to_owned(),
    };
    match instant.parse::<farthing_core::time::Timestamp>() {
        Ok(instant) => Ok(instant.to_string()),
        Err(_) => Err(Failure::usage(format!("{text:?} is no day; the clock was not moved"))
            .fix("write a day such as 2027-01-31, or an instant such as 2027-01-31T12:00:00Z")),
    }
}

#[cfg(test)]
mod tests {
    use super::instant;

    #[test]
    fn a_day_is_its_first_instant() {
        assert_eq!(instant("2027-01-31").unwrap(), "2027-01-31T00:00:00Z");
        assert_eq!(instant("2027-01-31T12:00:00+01:00").unwrap(), "2027-01-31T11:00:00Z");
        assert!(instant("tomorrow").is_err());
        assert!(instant("2027-02-30").is_err());
    }
}
