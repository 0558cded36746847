//! What answers about differences from the provider look like.

use serde::Deserialize;
use utoipa::ToSchema;

/// What was found of one customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftReport {
    /// The app's own id.
    pub customer: Option<String>,
    /// What differs. Empty: nothing.
    pub findings: Vec<DriftFinding>,
    /// Why nothing was compared: a change of the plan is under way right now.
    pub skipped: Option<String>,
}

/// One difference between what we stand by and what the provider has.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DriftFinding {
    /// Whose it is.
    pub customer: Option<String>,
    /// What differs: mostly the provider's id of an object.
    pub object: String,
    /// What differs of it.
    pub field: String,
    /// What we stand by.
    pub ours: String,
    /// What the provider has, or what should be.
    pub theirs: String,
    /// What ends it: `absorb`, `rematerialize`, `grant` or `person`.
    pub repair: String,
    /// Whether it was repaired.
    pub repaired: bool,
    /// Whether a person said that it may stay.
    pub ignored: bool,
}

/// A difference that was found, and what became of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Ours.
    pub id: String,
    /// Whose it is; `null`: of nobody that we know.
    pub customer: Option<String>,
    /// What differs: mostly the provider's id of an object.
    pub object: String,
    /// What differs of it.
    pub field: String,
    /// What we stand by, or stood by.
    pub ours: String,
    /// What the provider has, or what should be.
    pub theirs: String,
    /// What ends it: `absorb`, `rematerialize`, `grant` or `person`.
    pub repair: String,
    /// `open`, `repaired`, `gone` or `ignored`.
    pub state: String,
    /// When it was seen first, this time.
    #[schema(format = DateTime)]
    pub opened_at: String,
    /// When it was seen last.
    #[schema(format = DateTime)]
    pub seen_at: String,
    /// When it ended.
    #[schema(format = DateTime)]
    pub closed_at: Option<String>,
    /// Who ended it.
    pub closed_by: Option<String>,
    /// Why it may stay.
    pub reason: Option<String>,
}
