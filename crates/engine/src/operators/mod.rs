//! The people who use the admin panel: how they come in, what they may do, and who they are.
//!
//! Sign-in lives by the machine's clock, which is why every function here takes `at`: sessions,
//! links and codes are not to end because somebody moved the sandbox's clock by a month. Nothing
//! here says whether an address is known: a wrong password, an unknown address and a used code
//! have one answer, and take as long.
//!
//! In reading order: [`roles`], [`links`], [`sign_in`], [`sessions`], `password`, [`totp`], and the
//! team here.

pub mod links;
mod password;
pub mod roles;
pub mod sessions;
pub mod sign_in;
mod team;
pub mod totp;

use farthing_core::time::Timestamp;
use farthing_store::operators::Operator;

pub use farthing_store::operators::Role;
pub use roles::{Action, may};

/// An operator for people: nothing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// `opr_…`
    pub id: String,
    /// What they sign in with.
    pub email: String,
    /// What others call them.
    pub name: String,
    /// What they are trusted with.
    pub role: Role,
    /// Whether they have a password. Without one they came in through the development server.
    pub has_password: bool,
    /// Whether they have a second factor.
    pub has_totp: bool,
    /// When they came.
    pub created_at: Timestamp,
    /// When they were removed.
    pub removed_at: Option<Timestamp>,
}

impl Person {
    /// How the audit log names them.
    pub fn actor(&self) -> String {
        format!("operator:{}", self.id)
    }
}

impl From<Operator> for Person {
    fn from(operator: Operator) -> Self {
        Self {
            id: operator.id,
            email: operator.email,
            name: operator.name,
            role: operator.role,
            has_password: operator.password.is_some(),
            has_totp: operator.totp_secret.is_some(),
            created_at: operator.created_at,
            removed_at: operator.removed_at,
        }
    }
}
