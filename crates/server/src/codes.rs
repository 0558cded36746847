//! Every error code that the API answers with: what it means and what to do about it.
//!
//! `docs/errors.md` and the list at `/docs` are made from this. The engine's own codes are here
//! too; a test reads its source and finds those that are missing.

mod fields;
mod refusals;
mod requests;

use axum::http::StatusCode;

/// Makes the enum, and the list of all its variants.
macro_rules! codes {
    ($($variant:ident)+) => {
        /// A stable name for what went wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "Code::meaning says what each one means")]
        pub enum Code { $($variant),+ }

        impl Code {
            /// All of them, in the order in which they are explained.
            pub const ALL: &[Self] = &[$(Self::$variant),+];
        }
    };
}

codes! {
    // Of a request as a whole.
    MalformedJson MalformedRequest InvalidIdempotencyKey InvalidSignature Unauthorized WrongMode
    ProviderRefused ForbiddenScope NotFound MethodNotAllowed RequestTimeout IdempotencyKeyInUse
    BodyTooLarge UnsupportedMediaType InvalidRequest InvalidCatalog IdempotencyKeyReused
    RateLimited Internal OutcomeUnknown ProviderUnavailable NoProvider ProviderObject Busy
    DatabaseUnavailable NotMigrated SandboxFailed
    // Refused for this customer, or just now.
    CatalogBlocked CatalogChanged CatalogNotAtProvider ChangeInProgress ChangeScheduled CurrencyChange
    DriftOver LastPaymentMethod NoBillingPage NoCatalog NoRunningSubscription NoTrial NotEnoughCredits NotOnTrial NotSold
    NothingDue NothingToRefund NothingToUndo NoRefunds OverLimit PackNotForPlan PastDue PaymentDisputed PlanIsFree
    PreviewChanged PriceMismatch RefundDecided RefundTooLarge RefundWindowOver RetryTooSoon SamePlan
    SecondApproverNeeded SubscriptionExists TrialNotLonger TrialUsed UnknownIntent UsedTooMuch
    // Of one field.
    ControlCharacter DuplicateField InvalidAmount InvalidDuration InvalidEmail InvalidId
    InvalidLength InvalidLimit InvalidName InvalidReason InvalidReturnPath InvalidTimestamp
    InvalidValue InThePast MissingField NotACount OutOfRange TooDeep UnknownCurrency
    UnknownFeature UnknownField UnknownInterval UnknownOperation UnknownPack UnknownPlan WrongType
}

/// Where a code stands in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// In `code`, about the whole request.
    Request,
    /// In `code`: the request is right, but not for this customer or not now.
    Refusal,
    /// In `errors[].code`, about one field.
    Field,
}

impl Code {
    /// What an answer says when the fault is on this side.
    pub const INTERNAL_DETAIL: &'static str =
        "something went wrong on this side; the log has it under this request_id";

    /// The name in the API.
    pub fn code(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::MalformedRequest => "malformed_request",
            Self::InvalidIdempotencyKey => "invalid_idempotency_key",
            Self::InvalidSignature => "invalid_signature",
            Self::Unauthorized => "unauthorized",
            Self::WrongMode => "wrong_mode",
            Self::ProviderRefused => "provider_refused",
            Self::ForbiddenScope => "forbidden_scope",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::RequestTimeout => "request_timeout",
            Self::IdempotencyKeyInUse => "idempotency_key_in_use",
            Self::BodyTooLarge => "body_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidCatalog => "invalid_catalog",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::RateLimited => "rate_limited",
            Self::Internal => "internal",
            Self::OutcomeUnknown => "outcome_unknown",
            Self::ProviderUnavailable => "provider_unavailable",
            Self::NoProvider => "no_provider",
            Self::ProviderObject => "provider_object",
            Self::Busy => "busy",
            Self::DatabaseUnavailable => "database_unavailable",
            Self::NotMigrated => "not_migrated",
            Self::SandboxFailed => "sandbox_failed",
            other => refusals::code(other).unwrap_or_else(|| fields::code(other)),
        }
    }

    /// The code of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.code() == name)
    }

    /// Where it stands in an answer.
    pub fn kind(self) -> Kind {
        if refusals::code(self).is_some() {
            Kind::Refusal
        } else if requests::status(self).is_some() {
            Kind::Request
        } else {
            Kind::Field
        }
    }

    /// The HTTP status that comes with it; with the code of a field comes 422.
    pub fn status(self) -> StatusCode {
        let number = requests::status(self).or_else(|| refusals::status(self)).unwrap_or(422);
        StatusCode::from_u16(number).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What happened, in a few words that are always the same.
    pub fn title(self) -> &'static str {
        let title = requests::title(self).or_else(|| refusals::title(self));
        title.unwrap_or("The request is not valid")
    }

    /// What happened, and what to do about it, in a sentence each.
    pub fn advice(self) -> (&'static str, &'static str) {
        let advice = requests::advice(self).or_else(|| refusals::advice(self));
        advice.unwrap_or_else(|| fields::advice(self))
    }
}

#[cfg(test)]
mod tests;
