//! Customers: the app's own, under the app's own ids.

use axum::Json as Answered;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use farthing_engine::customers::{Customer, Profile};
use farthing_engine::state::TimelineEntry;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use utoipa::{IntoParams, ToSchema};

use crate::auth::{Reader, Writer};
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::json::{Json, Text};
use crate::query::{self, CustomerPath, Limit, Page, PageParams, Params};
use crate::schema;
use crate::state::App;
use crate::values::CurrencyCode;

/// How many bytes of notes a customer may have, written as JSON.
const METADATA_BYTES_MAX: usize = 16 << 10;

/// What the app says of a customer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "ana@example.com", "name": "Ana", "currency": "USD"}))]
pub struct CustomerRequest {
    /// Where mail goes; also what trials are counted by.
    #[schema(value_type = String)]
    email: Text<254>,
    /// What people call them. Kept when left out.
    #[schema(value_type = Option<String>, max_length = 200)]
    name: Option<Text<200>>,
    /// What they pay in; one of the catalog's currencies. Kept when left out.
    #[schema(value_type = Option<String>)]
    currency: Option<CurrencyCode>,
    /// What trials are counted by. Kept when left out.
    #[schema(value_type = Option<String>, max_length = 200)]
    device_fingerprint: Option<Text<200>>,
    /// The app's own notes. Kept when left out.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

impl CustomerRequest {
    fn profile(self) -> Result<Profile, ApiError> {
        let metadata = self.metadata.map(|notes| Value::Object(notes).to_string());
        if metadata.as_ref().is_some_and(|notes| METADATA_BYTES_MAX < notes.len()) {
            let message = format!("the notes are longer than {METADATA_BYTES_MAX} bytes of JSON");
            let fix = "keep less here";
            let problem = FieldProblem::new("/metadata", Code::InvalidLength, message, fix);
            return Err(ApiError::invalid(vec![problem]));
        }
        Ok(Profile {
            email: self.email.0,
            name: self.name.map(|name| name.0),
            currency: self.currency.map(|currency| currency.0),
            device_fingerprint: self.device_fingerprint.map(|print| print.0),
            metadata,
        })
    }
}

/// A customer for the app.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerView {
    /// The app's own id.
    id: String,
    /// As the app gave it.
    email: String,
    /// As the app gave it.
    name: Option<String>,
    /// What the customer pays in, once that is decided.
    currency: Option<String>,
    /// The app's own notes.
    #[schema(value_type = Object)]
    metadata: Value,
    /// The key of the plan in force.
    plan: String,
    /// `good`, `past_due` or `read_only`.
    standing: &'static str,
    /// Grows by one with each change.
    revision: i64,
    /// When the customer was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the customer was last changed.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<Customer> for CustomerView {
    fn from(customer: Customer) -> Self {
        Self {
            id: customer.id.to_string(),
            email: customer.email,
            name: customer.name,
            currency: customer.currency.map(|currency| currency.to_string()),
            metadata: serde_json::from_str(&customer.metadata).unwrap_or_default(),
            plan: customer.plan,
            standing: customer.standing.as_str(),
            revision: customer.revision,
            created_at: customer.created_at.to_string(),
            updated_at: customer.updated_at.to_string(),
        }
    }
}

/// Which ones.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Anywhere in the id, the e-mail address or the name, whatever its case.
    #[param(value_type = Option<String>)]
    search: String,
    /// How many entries, 1 to 200.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
    /// Continue after this entry: the `next` of the page before.
    #[param(value_type = Option<String>)]
    after: String,
}

/// Customers in the order of their ids.
#[utoipa::path(
    get, path = "/v1/customers", operation_id = "listCustomers", tag = "customers",
    params(SearchParams),
    responses((status = 200, description = "A page of them", body = Page<CustomerView>)),
    security(("api_key" = ["read"]))
)]
pub async fn list_customers(
    State(app): State<App>,
    _: Reader,
    Params(params): Params<SearchParams>,
) -> Result<Answered<Page<CustomerView>>, ApiError> {
    let SearchParams { search, limit, after } = params;
    let rows = app
        .ask(move |engine| engine.list_customers(&search, &after, i64::from(limit.0) + 1))
        .await?;
    let rows = rows.into_iter().map(CustomerView::from).collect();
    Ok(Answered(Page::of(rows, limit, |view| view.id.clone())))
}

/// Makes or changes a customer. The same again changes nothing.
#[utoipa::path(
    put, path = "/v1/customers/{id}", operation_id = "putCustomer", tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    request_body = CustomerRequest,
    responses(
        (status = 200, description = "The customer was there", body = CustomerView),
        (status = 201, description = "The customer was made", body = CustomerView)
    ),
    security(("api_key" = ["full"]))
)]
pub async fn put_customer(
    State(app): State<App>,
    Writer(call): Writer,
    CustomerPath(id): CustomerPath,
    Json(body): Json<CustomerRequest>,
) -> Result<(StatusCode, Answered<CustomerView>), ApiError> {
    let profile = body.profile()?;
    let (customer, created) =
        app.ask(move |engine| engine.upsert_customer(&call, &id, &profile)).await?;
    let status = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Answered(customer.into())))
}

/// One customer.
#[utoipa::path(
    get, path = "/v1/customers/{id}", operation_id = "getCustomer", tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    responses((status = 200, description = "The customer", body = CustomerView)),
    security(("api_key" = ["read"]))
)]
pub async fn get_customer(
    State(app): State<App>,
    _: Reader,
    CustomerPath(id): CustomerPath,
) -> Result<Answered<CustomerView>, ApiError> {
    let customer = app.ask(move |engine| engine.customer(&id)).await?;
    Ok(Answered(customer.into()))
}

/// Forgets a customer, here and at the provider, where running subscriptions end with it.
///
/// What was bought and paid stays under the app's own id, as the law wants it.
#[utoipa::path(
    delete, path = "/v1/customers/{id}", operation_id = "deleteCustomer", tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer")),
    responses((status = 204, description = "Forgotten")),
    security(("api_key" = ["full"]))
)]
pub async fn delete_customer(
    State(app): State<App>,
    Writer(call): Writer,
    CustomerPath(id): CustomerPath,
) -> Result<StatusCode, ApiError> {
    app.ask(move |engine| engine.delete_customer(&call, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Plan, limits, balances and standing of a customer.
///
/// Send the `ETag` of the last answer as `If-None-Match`: 304 means that nothing has changed.
#[utoipa::path(
    get, path = "/v1/customers/{id}/state", operation_id = "getCustomerState", tag = "customers",
    params(
        ("id" = String, Path, description = "The app's own id of the customer"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of the last answer")
    ),
    responses(
        (status = 200, description = "The state", body = schema::CustomerState,
         headers(("ETag" = String, description = "Changes with the state"))),
        (status = 304, description = "Nothing has changed")
    ),
    security(("api_key" = ["read"]))
)]
pub async fn get_state(
    State(app): State<App>,
    _: Reader,
    CustomerPath(id): CustomerPath,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let state = app.ask(move |engine| engine.state(&id)).await?;
    let body = serde_json::to_vec(&state).map_err(|err| {
        tracing::error!(error = %err, "a state cannot be written");
        ApiError::new(Code::Internal, Code::INTERNAL_DETAIL)
    })?;
    // Use counts too, and does not raise the revision: the tag is one of the whole answer.
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(&body)[..16]));
    let mut response = if is_known(&headers, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        ([(header::CONTENT_TYPE, "application/json")], body).into_response()
    };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    Ok(response)
}

/// Whether the client has the answer with this tag. Source: RFC 9110, 13.1.2.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    tags.map(|known| known.trim())
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// What happened to a customer, why and by whom, the newest first.
#[utoipa::path(
    get, path = "/v1/customers/{id}/timeline", operation_id = "getTimeline", tag = "customers",
    params(("id" = String, Path, description = "The app's own id of the customer"), PageParams),
    responses((status = 200, description = "A page of it", body = Page<schema::TimelineEntry>)),
    security(("api_key" = ["read"]))
)]
pub async fn get_timeline(
    State(app): State<App>,
    _: Reader,
    CustomerPath(id): CustomerPath,
    Params(params): Params<PageParams>,
) -> Result<Answered<Page<TimelineEntry>>, ApiError> {
    let PageParams { limit, after } = params;
    let before = query::before(&after)?;
    let rows = app.ask(move |engine| engine.timeline(&id, before, limit.0 + 1)).await?;
    Ok(Answered(Page::of(rows, limit, |entry| entry.seq.to_string())))
}
