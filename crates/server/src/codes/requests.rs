//! Codes about a request as a whole.

use super::Code;

/// The HTTP status.
pub(super) fn status(code: Code) -> Option<u16> {
    Some(match code {
        Code::MalformedJson
        | Code::MalformedRequest
        | Code::InvalidIdempotencyKey
        | Code::InvalidSignature => 400,
        Code::Unauthorized | Code::WrongMode => 401,
        Code::ProviderRefused => 402,
        Code::ForbiddenScope => 403,
        Code::NotFound => 404,
        Code::MethodNotAllowed => 405,
        Code::RequestTimeout => 408,
        Code::IdempotencyKeyInUse => 409,
        Code::BodyTooLarge => 413,
        Code::UnsupportedMediaType => 415,
        Code::InvalidRequest | Code::InvalidCatalog | Code::IdempotencyKeyReused => 422,
        Code::RateLimited => 429,
        Code::Internal | Code::SandboxFailed => 500,
        Code::ProviderObject => 502,
        Code::OutcomeUnknown
        | Code::ProviderUnavailable
        | Code::NoProvider
        | Code::Busy
        | Code::DatabaseUnavailable
        | Code::NotMigrated => 503,
        _ => return None,
    })
}

/// What happened, in a few words.
pub(super) fn title(code: Code) -> Option<&'static str> {
    Some(match code {
        Code::MalformedJson => "The body is not JSON",
        Code::MalformedRequest => "The request cannot be read",
        Code::InvalidIdempotencyKey => "The Idempotency-Key is unusable",
        Code::InvalidSignature => "The event is not signed by the provider",
        Code::Unauthorized => "No valid API key",
        Code::WrongMode => "The API key is of another mode",
        Code::ProviderRefused => "The payment provider refused",
        Code::ForbiddenScope => "The API key may not do this",
        Code::NotFound => "Not found",
        Code::MethodNotAllowed => "The route has other methods",
        Code::RequestTimeout => "The body came too slowly",
        Code::IdempotencyKeyInUse => "The first request still runs",
        Code::BodyTooLarge => "The body is too long",
        Code::UnsupportedMediaType => "The body is of another type",
        Code::InvalidRequest => "The request is not valid",
        Code::InvalidCatalog => "The catalog has mistakes",
        Code::IdempotencyKeyReused => "The Idempotency-Key belongs to another request",
        Code::RateLimited => "Too many requests",
        Code::Internal => "Internal error",
        Code::OutcomeUnknown => "The outcome is not known",
        Code::ProviderUnavailable => "The payment provider cannot be reached",
        Code::NoProvider => "No payment provider is configured",
        Code::ProviderObject => "The provider's answer was not understood",
        Code::Busy => "The database is busy",
        Code::DatabaseUnavailable => "The database cannot be reached",
        Code::NotMigrated => "The database is not migrated",
        Code::SandboxFailed => "The sandbox could not move its clock",
        _ => return None,
    })
}

/// What happened and what to do.
pub(super) fn advice(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::MalformedJson => {
            ("The body is not JSON; `detail` has the line and the column.", "Send valid JSON.")
        }
        Code::MalformedRequest => (
            "The path, the query or the body cannot be read at all.",
            "Look at `detail`; check the encoding.",
        ),
        Code::InvalidIdempotencyKey => (
            "The header `Idempotency-Key` is empty, too long, given twice or not printable ASCII.",
            "Send 1 to 255 printable characters, such as a UUID.",
        ),
        Code::InvalidSignature => (
            "The event is not from the provider, is too old or cannot be read. Nothing was stored.",
            "Compare the webhook secret with the one in the provider's dashboard, and this machine's clock.",
        ),
        Code::Unauthorized => (
            "There is no API key, or it is unknown or revoked.",
            "Send `Authorization: Bearer sk_...`; `farthing keys create` makes a key.",
        ),
        Code::WrongMode => (
            "A live key was sent to a server of test data, or the other way round.",
            "Use a key of this server's mode.",
        ),
        Code::ProviderRefused => (
            "The payment provider said no; `detail` has its words. Nothing was charged.",
            "Correct what it names, then try again.",
        ),
        Code::ForbiddenScope => (
            "The key is valid, but its scope does not reach this far.",
            "Use a key with the scope that /docs names for this request.",
        ),
        Code::NotFound => ("There is no such route or object.", "Check the path and the id."),
        Code::MethodNotAllowed => (
            "The route is there, but not with this method.",
            "Use one of the methods in the header `Allow`.",
        ),
        Code::RequestTimeout => ("The body did not arrive within 30 s.", "Send it again."),
        Code::IdempotencyKeyInUse => (
            "Another request with this `Idempotency-Key` is still running.",
            "Ask again after `Retry-After` with the same key.",
        ),
        Code::BodyTooLarge => {
            ("The body is longer than this endpoint takes.", "Send less, or split it.")
        }
        Code::UnsupportedMediaType => (
            "The header `Content-Type` names a type that is not taken here, or the body is compressed.",
            "Send `Content-Type: application/json`, uncompressed.",
        ),
        _ => return advice_on_this_side(code),
    })
}

/// The same for what is mostly not the caller's doing.
fn advice_on_this_side(code: Code) -> Option<(&'static str, &'static str)> {
    Some(match code {
        Code::InvalidRequest => (
            "One or more fields are wrong; `errors` lists them with a way out.",
            "Correct the fields that `errors` names.",
        ),
        Code::InvalidCatalog => (
            "The catalog cannot be used; `errors` lists every mistake with its line and column, under codes that begin with `catalog_`.",
            "Correct them; `farthing catalog check` shows them in the file.",
        ),
        Code::IdempotencyKeyReused => (
            "This `Idempotency-Key` was used with another path or body in the last 30 days.",
            "Use a new key for a new request.",
        ),
        Code::RateLimited => (
            "This API key sends more requests than it may.",
            "Wait for `Retry-After` seconds; the header `RateLimit` says how much is left.",
        ),
        Code::Internal => (
            "Something went wrong on this side.",
            "Look for `request_id` in the log. Trying again is safe with an `Idempotency-Key`.",
        ),
        Code::OutcomeUnknown => (
            "The database did not answer whether the change was saved: it is there in full or not at all.",
            "Read the state, then decide.",
        ),
        Code::ProviderUnavailable => (
            "The payment provider did not answer. Nothing was charged.",
            "Try again after `Retry-After`, with the same `Idempotency-Key`.",
        ),
        Code::NoProvider => (
            "Nothing can be bought, because no payment provider is configured.",
            "Configure one; `farthing doctor` says how.",
        ),
        Code::ProviderObject => (
            "The payment provider answered with something that does not fit together.",
            "Look for `request_id` in the log.",
        ),
        Code::Busy => {
            ("Too much work is waiting. Nothing was changed.", "Try again after `Retry-After`.")
        }
        Code::DatabaseUnavailable => (
            "The database did not answer. Nothing was changed.",
            "Try again after `Retry-After`; look at `/readyz`.",
        ),
        Code::NotMigrated => (
            "The database has an older layout than this version needs.",
            "Run `farthing db migrate`.",
        ),
        Code::SandboxFailed => (
            "The sandbox could not finish everything that became due.",
            "Look at `detail`; advance again.",
        ),
        _ => return None,
    })
}
