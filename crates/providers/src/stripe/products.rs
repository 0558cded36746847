//! Products: one per plan or pack, under an id that we choose, so that there is never a second.
//!
//! Source: <https://docs.stripe.com/api/products>.

use super::answer::answer;
use super::form::{field, path};
use super::wire::Node;
use crate::error::CallError;
use crate::http::HttpRequest;

/// Reads one.
pub fn encode_fetch_product(id: &str) -> HttpRequest {
    HttpRequest::get(path(&["products", id], &[]))
}

/// Creates one under our own id.
pub fn encode_create_product(id: &str, name: &str, key: &str) -> HttpRequest {
    let form = vec![field("id", id), field("name", name)];
    HttpRequest::post(path(&["products"], &[]), key, form)
}

/// The id, of one that was created or found. A deleted one is refused: its id cannot be used again.
pub fn decode_product(status: u16, body: &[u8]) -> Result<String, CallError> {
    let body = answer(status, body)?;
    let root = Node::root(&body);
    root.expect_kind("product")?;
    let id = root.text("id")?;
    if root.opt_flag("deleted")? == Some(true) {
        let message = format!("product {id} was deleted at Stripe; nothing was changed");
        return Err(CallError::refused_here("product_deleted", message));
    }
    Ok(id)
}
