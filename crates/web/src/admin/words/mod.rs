//! Every sentence and word of the admin panel, in one place: one module per screen.

mod doing;
mod door;
mod looking;
mod money_back;

use farthing_engine::operators::Role;

pub(crate) use doing::{catalog, change, customer, drift, events, favour, keys, lab, team};
pub(crate) use door::{confirm, link, second_factor, sign_in, you};
pub(crate) use looking::{audit, checks, customers, frame, help, home, outbox, refused, timeline};
pub(crate) use money_back::{disputes, refunds};

/// What a role is called.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Owner => "Owner",
        Role::Finance => "Finance",
        Role::Support => "Support",
        Role::Developer => "Developer",
        Role::Viewer => "Viewer",
    }
}

/// What was just done, by the code in the address.
pub(crate) fn said(code: &str) -> Option<&'static str> {
    Some(match code {
        "noted" => "The note is kept.",
        "override" => "The exception counts from now on.",
        "override_ended" => "The exception has ended.",
        "in_step" => "Compared with the provider: no difference is left.",
        "drift" => {
            "Compared with the provider: there are differences. They are listed under Drift."
        }
        "done" => "Done: the change is in force.",
        "scheduled" => "Scheduled: it happens at the end of the period.",
        "payment_pending" => "The payment is pending. The plan changes when it arrives.",
        "unchanged" => "Nothing had to be changed.",
        _ => return None,
    })
}

/// What an entry of the audit log says happened, for people.
pub(crate) fn action_name(action: &str) -> String {
    let known = match action {
        "customer.created" => "Customer created",
        "customer.updated" => "Profile changed",
        "customer.deleted" => "Customer erased",
        "subscription.activated" => "Subscription began",
        "subscription.renewed" => "Subscription renewed",
        "subscription.changed" => "Plan changed",
        "subscription.change_scheduled" => "Change of plan scheduled",
        "subscription.cancel_scheduled" => "End scheduled",
        "subscription.cancel_undone" => "Scheduled end taken back",
        "subscription.past_due" => "Payment overdue",
        "subscription.recovered" => "Overdue payment arrived",
        "subscription.ended" => "Subscription ended",
        "trial.started" => "Trial began",
        "trial.converted" => "Trial became a paid plan",
        "trial.ended" => "Trial ended",
        "override.set" => "Exception made",
        "override.ended" => "Exception ended",
        "note.added" => "Note written",
        "catalog.applied" => "Catalog applied",
        "event.replayed" => "Provider event handled again",
        "key.created" => "API key made",
        "key.revoked" => "API key revoked",
        "operator.signed_in" => "Signed in",
        "operator.signed_out" => "Session ended",
        "operator.joined" => "Joined the team",
        "operator.removed" => "Removed from the team",
        "operator.confirmed" => "Showed again who they are",
        "operator.password_set" => "Chose a password",
        "operator.second_factor_set" => "Set up the second factor",
        other => return sentence(other),
    };
    known.to_owned()
}

/// `dunning.access_limited` as `Dunning: access limited`.
fn sentence(action: &str) -> String {
    let text = action.replace('_', " ").replacen('.', ": ", 1).replace('.', " ");
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
