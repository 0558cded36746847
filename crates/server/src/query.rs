//! Query parameters and parts of the path, read as strictly as a body.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, MatchedPath, Path, Query};
use axum::http::request::Parts;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use farthing_core::ids::CustomerId;

use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{parse_value, refuse};
use crate::state::App;

/// The query parameters of a request. Every parameter arrives as text.
pub struct Params<T>(pub T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(pairs) = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| ApiError::new(Code::MalformedRequest, "the query cannot be read"))?;
        let mut values = Map::new();
        for (name, value) in pairs {
            let place = place(format!("/{name}"));
            if value.chars().chain(name.chars()).any(char::is_control) {
                let message = "this parameter holds a control character";
                let code = Code::ControlCharacter;
                return Err(invalid(FieldProblem::new(place, code, message, "send it without")));
            }
            if values.insert(name, Value::String(value)).is_some() {
                let message = "this parameter is given twice";
                let code = Code::DuplicateField;
                return Err(invalid(FieldProblem::new(place, code, message, "send it once")));
            }
        }
        parse_value(Value::Object(values), &place).map(Self)
    }
}

/// A route without query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NoParams {}

/// A route that has no query parameters refuses all of them, so that none is thought to count.
pub async fn check(app: &App, parts: &mut Parts) -> Result<(), ApiError> {
    let Some(path) = parts.extensions.get::<MatchedPath>() else {
        return Ok(());
    };
    let route = (parts.method.to_string(), path.as_str().to_owned());
    if app.pages.without_query.contains(&route) {
        Params::<NoParams>::from_request_parts(parts, &()).await?;
    }
    Ok(())
}

fn invalid(problem: FieldProblem) -> ApiError {
    ApiError::invalid(vec![problem])
}

/// A JSON pointer into the parameters, as people write it: `?limit`.
fn place(pointer: String) -> String {
    format!("?{}", pointer.trim_start_matches('/'))
}

/// The `{id}` of a customer in the path.
pub struct CustomerPath(pub CustomerId);

impl<S: Send + Sync> FromRequestParts<S> for CustomerPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(bad_path)?;
        customer_id(&id, "{id}").map(Self)
    }
}

/// A customer's id and the name of a feature in the path.
pub struct FeaturePath(pub CustomerId, pub String);

impl<S: Send + Sync> FromRequestParts<S> for FeaturePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((id, feature)) = path.map_err(bad_path)?;
        let id = customer_id(&id, "{id}")?;
        if feature.is_empty() || 64 < feature.len() || feature.chars().any(char::is_control) {
            return Err(ApiError::not_found("feature"));
        }
        Ok(Self(id, feature))
    }
}

/// The `{id}` of one of our own objects in the path. What cannot be an id names nothing: 404.
pub struct IdPath(pub String);

impl<S: Send + Sync> FromRequestParts<S> for IdPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(bad_path)?;
        let possible = id.len() <= 128 && id.bytes().all(|b| b.is_ascii_graphic());
        if possible { Ok(Self(id)) } else { Err(ApiError::not_found("object")) }
    }
}

/// Reads the text as a customer's id; `place` is where it came from.
pub fn customer_id(text: &str, place: &str) -> Result<CustomerId, ApiError> {
    text.parse().map_err(|err: farthing_core::ids::InvalidCustomerId| {
        let message = format!("{text:?} cannot be the id of a customer");
        invalid(FieldProblem::new(place, Code::InvalidId, message, err.to_string()))
    })
}

fn bad_path(_: PathRejection) -> ApiError {
    ApiError::new(Code::MalformedRequest, "the path is not UTF-8 once it is decoded")
}

/// How many entries of a list are wanted: 1 to 200.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(pub u32);

impl Default for Limit {
    fn default() -> Self {
        Self(50)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer, 1, 200).map(Self)
    }
}

/// For how many seconds an answer may wait: 0 to 60.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wait(pub u32);

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        number(deserializer, 0, 60).map(Self)
    }
}

fn number<'de, D: Deserializer<'de>>(from: D, least: u32, most: u32) -> Result<u32, D::Error> {
    struct Number(u32, u32);
    impl Visitor<'_> for Number {
        type Value = u32;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "a whole number from {} to {}", self.0, self.1)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u32, E> {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let number = text.parse().ok().filter(|n| digits && (self.0..=self.1).contains(n));
            number.ok_or_else(|| {
                let message =
                    format!("{text:?} is not a whole number from {} to {}", self.0, self.1);
                let fix = format!("send a whole number from {} to {}", self.0, self.1);
                refuse(Code::OutOfRange, &message, &fix)
            })
        }
    }
    from.deserialize_str(Number(least, most))
}

/// Yes or no, written `true` or `false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match String::deserialize(deserializer)?.as_str() {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            other => {
                let message = format!("{other:?} is neither true nor false");
                Err(refuse(Code::InvalidValue, &message, "send true or false"))
            }
        }
    }
}

/// Whether to show and not to do.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PreviewParams {
    /// `true`: show what it would do, and change nothing.
    #[param(value_type = Option<bool>, default = false)]
    preview: Flag,
}

impl PreviewParams {
    /// Whether only to show.
    pub fn preview(&self) -> bool {
        self.preview.0
    }
}

/// The parameters of a list that has no others.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    pub limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    pub after: String,
}

/// Where a page of numbered entries goes on: before this number; `None`: at the newest.
///
/// Errors: it is not the `next` of a page.
pub fn before(after: &str) -> Result<Option<i64>, ApiError> {
    if after.is_empty() {
        return Ok(None);
    }
    after.parse().map(Some).map_err(|_| {
        let message = format!("{after:?} is not the \"next\" of a page");
        let fix = "send the \"next\" of the page before";
        ApiError::invalid(vec![FieldProblem::new("?after", Code::InvalidValue, message, fix)])
    })
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Whether there are more.
    pub has_more: bool,
    /// Send it as `after` for the next page; `null` on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The page of `rows`, of which one more than `limit` was asked for. `key` names an entry.
    pub fn of(mut rows: Vec<T>, limit: Limit, key: impl Fn(&T) -> String) -> Self {
        let limit = usize::try_from(limit.0).unwrap_or(usize::MAX);
        let has_more = limit < rows.len();
        rows.truncate(limit);
        let next = rows.last().filter(|_| has_more).map(key);
        Self { data: rows, has_more, next }
    }
}
