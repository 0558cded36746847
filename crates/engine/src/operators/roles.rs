//! Who may do what: one table.

use farthing_store::operators::Role;

/// Something that a page shows or does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Look at customers, events, the catalog and everything else that is not a secret.
    Look,
    /// Write notes about customers.
    Note,
    /// Ask for a refund: somebody else decides.
    AskRefund,
    /// Approve, reject and make refunds.
    Refund,
    /// Change, end and resume subscriptions.
    ChangePlan,
    /// Make exceptions, give credits, extend trials.
    Favour,
    /// Handle provider events again, compare with the provider, repair.
    Repair,
    /// Apply a catalog.
    ApplyCatalog,
    /// Make and revoke API keys.
    Keys,
    /// Move the sandbox's clock and play its scenarios.
    Lab,
    /// Invite, remove and change operators.
    Team,
    /// Read the audit log.
    Audit,
}

/// All actions, in the order of the table.
pub const ACTIONS: [Action; 12] = [
    Action::Look,
    Action::Note,
    Action::AskRefund,
    Action::Refund,
    Action::ChangePlan,
    Action::Favour,
    Action::Repair,
    Action::ApplyCatalog,
    Action::Keys,
    Action::Lab,
    Action::Team,
    Action::Audit,
];

/// All roles, the most trusted first.
pub const ROLES: [Role; 5] =
    [Role::Owner, Role::Finance, Role::Support, Role::Developer, Role::Viewer];

/// Whether a role may do something. This is the only place that knows.
pub fn may(role: Role, action: Action) -> bool {
    const YES: bool = true;
    const NO: bool = false;
    #[rustfmt::skip]
    let [owner, finance, support, developer, viewer] = match action {
        //                       owner finance support developer viewer
        Action::Look =>         [YES,  YES,    YES,    YES,      YES],
        Action::Note =>         [YES,  YES,    YES,    YES,      NO],
        Action::AskRefund =>    [YES,  YES,    YES,    NO,       NO],
        Action::Refund =>       [YES,  YES,    NO,     NO,       NO],
        Action::ChangePlan =>   [YES,  YES,    YES,    NO,       NO],
        Action::Favour =>       [YES,  YES,    YES,    NO,       NO],
        Action::Repair =>       [YES,  YES,    NO,     YES,      NO],
        Action::ApplyCatalog => [YES,  NO,     NO,     YES,      NO],
        Action::Keys =>         [YES,  NO,     NO,     YES,      NO],
        Action::Lab =>          [YES,  YES,    YES,    YES,      NO],
        Action::Team =>         [YES,  NO,     NO,     NO,       NO],
        Action::Audit =>        [YES,  YES,    NO,     YES,      NO],
    };
    match role {
        Role::Owner => owner,
        Role::Finance => finance,
        Role::Support => support,
        Role::Developer => developer,
        Role::Viewer => viewer,
    }
}

/// The roles that may do something, the most trusted first: whom to ask.
pub fn who_may(action: Action) -> Vec<Role> {
    ROLES.into_iter().filter(|role| may(*role, action)).collect()
}

/// Whether somebody has to show again who they are, within five minutes before it is done: money
/// goes out, or something that opens doors is made.
pub fn needs_step_up(action: Action) -> bool {
    matches!(action, Action::AskRefund | Action::Refund | Action::Keys | Action::Team)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reviewing a change of what somebody may do is reading this diff.
    #[test]
    fn the_table_of_permissions() {
        let mut table =
            String::from("action        owner finance support developer viewer step-up\n");
        for action in ACTIONS {
            let mark = |yes: bool| if yes { "yes" } else { "." };
            let [a, b, c, d, e] = ROLES.map(|role| mark(may(role, action)));
            let name = format!("{action:?}");
            let step = mark(needs_step_up(action));
            table += &format!("{name:<13} {a:<5} {b:<7} {c:<7} {d:<9} {e:<6} {step}\n");
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn an_owner_may_do_everything_and_a_viewer_only_looks() {
        for action in ACTIONS {
            assert!(may(Role::Owner, action), "{action:?}");
            assert_eq!(may(Role::Viewer, action), action == Action::Look, "{action:?}");
        }
    }
}
