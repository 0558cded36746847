//! `farthing admin`: one-time links into the admin panel, made directly in the database.

use farthing_engine::operators::Role;
use farthing_engine::{Call, Clock, Engine, Mode};
use farthing_server::Base;
use serde_json::json;

use crate::args::{Admin, AdminRole, Global};
use crate::clock::SystemClock;
use crate::config;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::Out;
use crate::target;

/// Does what was asked.
pub fn run(global: &Global, command: Admin, out: &Out) -> Outcome {
    let base = base(global)?;
    let engine = target::local(global, out)?;
    let call = Call::new("cli", "farthing admin");
    let at = SystemClock.now();
    let token = match command {
        Admin::Link => link(&engine, &call)?,
        Admin::Invite { email, role } => engine.invite(&call, &email, role_of(role), at)?,
        Admin::Reset { email } => {
            let email = email.trim().to_lowercase();
            let mut team = engine.team()?.into_iter();
            let found = team.find(|it| it.email == email && it.removed_at.is_none());
            let missing = || {
                Failure::new(format!("nobody has the address {email}; nothing was changed"))
                    .fix("invite them with `farthing admin invite`")
            };
            engine.reset_operator(&call, &found.ok_or_else(missing)?.id, at)?
        }
    };
    let link = format!("{}/admin/link/{token}", base.origin());
    if out.json {
        out.value(&json!({ "link": link }));
    } else {
        out.line(&link);
        out.note("it works once; whoever has it can come in");
    }
    Ok(Exit::Done)
}

fn link(engine: &Engine, call: &Call) -> Result<String, Failure> {
    let at = SystemClock.now();
    if engine.mode() == Mode::Sandbox {
        return Ok(engine.sandbox_link(call, at)?);
    }
    engine.first_link(call, at)?.ok_or_else(|| {
        Failure::new("somebody can sign in already; nothing was changed")
            .fix("ask an owner for an invitation, or use `farthing admin reset EMAIL`")
    })
}

/// Where the panel is: what the environment says, or the development server's address.
fn base(global: &Global) -> Result<Base, Failure> {
    let configured = config::public_url(&config::process_env)?;
    let url = configured.or_else(|| target::running(global).map(|running| running.api));
    url.and_then(|url| Base::parse(&url).ok()).ok_or_else(|| {
        Failure::new("it is not known where the admin panel is; nothing was changed")
            .fix("set FARTHING_PUBLIC_URL, or start `farthing dev`")
    })
}

fn role_of(role: AdminRole) -> Role {
    match role {
        AdminRole::Owner => Role::Owner,
        AdminRole::Finance => Role::Finance,
        AdminRole::Support => Role::Support,
        AdminRole::Developer => Role::Developer,
        AdminRole::Viewer => Role::Viewer,
    }
}
