//! Codes about one field.

use super::Code;

/// The name in the API.
pub(super) fn code(code: Code) -> &'static str {
    match code {
        Code::ControlCharacter => "control_character",
        Code::DuplicateField => "duplicate_field",
        Code::InvalidAmount => "invalid_amount",
        Code::InvalidDuration => "invalid_duration",
        Code::InvalidEmail => "invalid_email",
        Code::InvalidId => "invalid_id",
        Code::InvalidLength => "invalid_length",
        Code::InvalidLimit => "invalid_limit",
        Code::InvalidName => "invalid_name",
        Code::InvalidReason => "invalid_reason",
        Code::InvalidReturnPath => "invalid_return_path",
        Code::InvalidTimestamp => "invalid_timestamp",
        Code::InvalidValue => "invalid_value",
        Code::InThePast => "in_the_past",
        Code::MissingField => "missing_field",
        Code::NotACount => "not_a_count",
        Code::OutOfRange => "out_of_range",
        Code::TooDeep => "too_deep",
        Code::UnknownCurrency => "unknown_currency",
        Code::UnknownFeature => "unknown_feature",
        Code::UnknownField => "unknown_field",
        Code::UnknownInterval => "unknown_interval",
        Code::UnknownOperation => "unknown_operation",
        Code::UnknownPack => "unknown_pack",
        Code::UnknownPlan => "unknown_plan",
        Code::WrongType => "wrong_type",
        _ => "",
    }
}

/// What is wrong and what to do.
pub(super) fn advice(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::ControlCharacter => {
            ("A text holds NUL or another control character.", "Send it without.")
        }
        Code::DuplicateField => ("A field or parameter is given twice.", "Send it once."),
        Code::InvalidAmount => (
            "An amount is not a whole number in its range; text, fractions and exponents are not taken.",
            "Send a JSON integer.",
        ),
        Code::InvalidDuration => {
            ("A duration cannot be read or is not positive.", "Send for example `31d` or `1d12h`.")
        }
        Code::InvalidEmail => {
            ("It is not an e-mail address.", "Send one such as `ana@example.com`.")
        }
        Code::InvalidId => (
            "It cannot be the id of a customer.",
            "Use 1 to 128 letters, digits and `. _ : @ + -`, beginning with a letter or digit.",
        ),
        Code::InvalidLength => ("A text or list is empty or too long.", "See `fix`."),
        Code::InvalidLimit => (
            "The limit does not fit the feature.",
            "Send `true` or `false` for a boolean, an integer, or `\"unlimited\"`.",
        ),
        Code::InvalidName => ("A name is empty or too long.", "See `fix`."),
        Code::InvalidReason => {
            ("A reason of 1 to 500 characters is needed; for a refund, of 10 to 1,000.", "Say why.")
        }
        Code::InvalidReturnPath => {
            ("The way back is not a path on the app's own site.", "Send a path such as `/billing`.")
        }
        Code::InvalidTimestamp => {
            ("It is not an instant.", "Send RFC 3339, such as `2027-01-31T00:00:00Z`.")
        }
        Code::InvalidValue => ("The value is not one of those that are taken here.", "See `fix`."),
        _ => more_advice(code),
    }
}

/// The same for the rest of them.
fn more_advice(code: Code) -> (&'static str, &'static str) {
    match code {
        Code::InThePast => ("An instant that must be in the future is not.", "Send a later one."),
        Code::MissingField => ("A required field is not there.", "Add it."),
        Code::NotACount => (
            "Only features of type count can be released or synced.",
            "Name another feature, or report usage.",
        ),
        Code::OutOfRange => ("A number is too small or too large.", "See `fix`."),
        Code::TooDeep => ("Arrays and objects are nested too deep.", "Send at most 32 levels."),
        Code::UnknownCurrency => (
            "The catalog has no prices in it, or it is no ISO 4217 code.",
            "Use one of the catalog's currencies.",
        ),
        Code::UnknownFeature => (
            "The catalog has no such feature, or not of that type.",
            "Name a feature of the catalog.",
        ),
        Code::UnknownField => {
            ("There is no such field or parameter here.", "See `fix` for the nearest one.")
        }
        Code::UnknownInterval => {
            ("The plan is not paid in this interval.", "Use one that `GET /v1/plans` lists.")
        }
        Code::UnknownOperation => {
            ("The credits have no operation of that name.", "Use one that the catalog names.")
        }
        Code::UnknownPack => ("The catalog has no such pack.", "Use one of the catalog's packs."),
        Code::UnknownPlan => {
            ("The catalog has no such plan.", "Use one that `GET /v1/plans` lists.")
        }
        Code::WrongType => ("The field has another JSON type.", "See the schema at /docs."),
        _ => ("", ""),
    }
}
