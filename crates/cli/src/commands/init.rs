//! `farthing init`: a catalog to start from.

use farthing_core::catalog::template;
use serde_json::json;

use crate::args::{Global, Init, Template};
use crate::dev::dir::Dir;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Out;

/// Writes the template; refuses to overwrite a file unless it was told to.
pub fn run(global: &Global, init: &Init, out: &Out) -> Outcome {
    let name = match init.template {
        Template::Saas => "saas",
        Template::AiCredits => "ai-credits",
        Template::Seats => "seats",
    };
    let source = template(name)
        .ok_or_else(|| Failure::new(format!("there is no template {name}; nothing was written")))?;
    let file = init.file.display();
    if init.file.exists() && !init.force {
        return Err(Failure::new(format!("{file} is there already; nothing was written"))
            .fix("overwrite it with --force, or name another file")
            .ending(Exit::ConfirmationNeeded));
    }
    std::fs::write(&init.file, source).map_err(|error| {
        Failure::new(format!("{file} cannot be written: {error}"))
            .fix("name a file in a directory that is there and writable")
    })?;
    if out.json {
        out.value(&json!({ "file": init.file, "template": name }));
        return Ok(Exit::Done);
    }
    out.line(format!("wrote {file} (template {name})"));
    let dev = Dir::at(&global.data).catalog();
    if dev == init.file {
        out.line("next: edit it, `farthing catalog check`, then `farthing dev`");
    } else {
        out.line(format!("next: edit it, then `farthing catalog check {file}`"));
        out.line(format!("`farthing dev` uses {}, which is another file", dev.display()));
    }
    Ok(Exit::Done)
}
