//! Words of the way in.

pub(crate) mod sign_in {
    pub(crate) const TITLE: &str = "Sign in";
    pub(crate) const EMAIL: &str = "E-mail";
    pub(crate) const PASSWORD: &str = "Password";
    pub(crate) const SUBMIT: &str = "Sign in";
    pub(crate) const WRONG: &str =
        "That is not an address with its password. Nothing was changed; try again.";
    pub(crate) const LOST: &str =
        "Lost your password? Ask an owner for a new link, or whoever runs the server for";
}

pub(crate) mod link {
    use farthing_engine::operators::links::LinkKind;

    pub(crate) const TITLE: &str = "Welcome";
    pub(crate) const AS: &str = "You come in as";
    pub(crate) const NAME: &str = "Your name";
    pub(crate) const EMAIL: &str = "E-mail";
    pub(crate) const PASSWORD: &str = "New password";
    pub(crate) const PASSWORD_HINT: &str = "At least 12 characters. A sentence is fine.";
    pub(crate) const SUBMIT: &str = "Go on";
    pub(crate) const SANDBOX: &str = "This is a development server: no real card, no real money.";
    pub(crate) const ENTER: &str = "Open the admin panel";
    pub(crate) const OR_PASSWORD: &str = "Or set up sign-in as in production";

    pub(crate) fn title(kind: LinkKind) -> &'static str {
        match kind {
            LinkKind::First => "Become the first owner",
            LinkKind::Invite => "Join the team",
            LinkKind::Reset => "Choose a new password",
            LinkKind::Sandbox => "Farthing runs",
        }
    }
}

pub(crate) mod second_factor {
    pub(crate) const TITLE: &str = "Second factor";
    pub(crate) const SET_UP: &str = "Set up the second factor";
    pub(crate) const SCAN: &str =
        "Scan this with an authenticator app, then type the code it shows.";
    pub(crate) const QR: &str = "QR code for an authenticator app; the same is written below";
    pub(crate) const OR_TYPE: &str = "Or type this into the app:";
    pub(crate) const CODE: &str = "Code of your app, or a recovery code";
    pub(crate) const FIRST_CODE: &str = "Code of your app";
    pub(crate) const SUBMIT: &str = "Sign in";
    pub(crate) const TURN_ON: &str = "Turn it on";
    pub(crate) const SKIP: &str = "Not on this development server";
    pub(crate) const WRONG: &str =
        "That code is wrong, or was used before. Wait for the next one and try again.";
    pub(crate) const LOST: &str =
        "Lost the app and the recovery codes? An owner can reset your second factor.";
    pub(crate) const RECOVERY: &str = "Keep your recovery codes";
    pub(crate) const RECOVERY_WHY: &str =
        "Each works once, in the place of a code, when your app is lost. They are not shown again.";
    pub(crate) const KEPT: &str = "I have kept them";
}

pub(crate) mod confirm {
    pub(crate) const TITLE: &str = "Is it you?";
    pub(crate) const WHY: &str = "What comes next moves money or opens a door. Show once more who you are; it counts for five minutes.";
    pub(crate) const PROOF: &str = "Code of your app, or your password";
    pub(crate) const SUBMIT: &str = "Go on";
    pub(crate) const WRONG: &str = "That is neither; nothing was changed. Try again.";
}

pub(crate) mod you {
    pub(crate) const TITLE: &str = "You";
    pub(crate) const EMAIL: &str = "E-mail";
    pub(crate) const ROLE: &str = "Role";
    pub(crate) const SECOND: &str = "Second factor";
    pub(crate) const ON: &str = "on";
    pub(crate) const OFF: &str = "off";
    pub(crate) const LOOK: &str = "Light or dark";
    pub(crate) const SYSTEM: &str = "As the system";
    pub(crate) const LIGHT: &str = "Light";
    pub(crate) const DARK: &str = "Dark";
    pub(crate) const SESSIONS: &str = "Where you are signed in";
    pub(crate) const BROWSER: &str = "Browser";
    pub(crate) const SINCE: &str = "Since";
    pub(crate) const SEEN: &str = "Last seen";
    pub(crate) const THIS: &str = "this one";
    pub(crate) const END: &str = "End";
}
