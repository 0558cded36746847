//! Requests and responses, and the decoding of forms: `a[b][0]=c` into a tree.

use crate::error::ApiError;

/// One HTTP request, as the world sees it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST` or `DELETE`.
    pub method: String,
    /// Path with its query, for example `/v1/customers?limit=3`.
    pub path: String,
    /// Header names (in any case) and values.
    pub headers: Vec<(String, String)>,
    /// The raw body: a form, or nothing.
    pub body: Vec<u8>,
}

/// One HTTP response.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status; 0 if the answer never arrives.
    pub status: u16,
    /// Header names (lower case) and values.
    pub headers: Vec<(String, String)>,
    /// The raw body: JSON from the API, HTML from the hosted pages.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer that never arrives: its status is 0, which HTTP does not have. In memory the
    /// caller treats it as a timeout; over HTTP the connection is held and then given up.
    pub fn lost() -> Response {
        Response::default()
    }

    /// Whether the answer never arrives.
    pub fn is_lost(&self) -> bool {
        self.status == 0
    }
}

impl Request {
    /// The value of the header `name`, which is given in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The path without its query, and the query.
    pub(crate) fn split_path(&self) -> (&str, &str) {
        self.path.split_once('?').unwrap_or((&self.path, ""))
    }

    /// Name and value of everything in the query and the form body, in order.
    pub(crate) fn pairs(&self) -> Result<Vec<(String, String)>, ApiError> {
        let is_form = self.header("content-type").is_none_or(|kind| {
            kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded")
        });
        if !self.body.is_empty() && !is_form {
            return Err(ApiError::refused(
                "The body must be application/x-www-form-urlencoded: a[b][0]=c. Nothing was changed.",
            ));
        }
        let (_, query) = self.split_path();
        let pairs = form_urlencoded::parse(query.as_bytes())
            .chain(form_urlencoded::parse(&self.body))
            .map(|(name, value)| (name.into_owned(), value.into_owned()));
        Ok(pairs.collect())
    }
}

/// How deep names may nest: `a[b][c]` is 3.
const DEPTH_MAX: usize = 8;
/// How many parameters one request may have.
const PAIRS_MAX: usize = 1_000;

/// A decoded form: text at the leaves, named (or numbered) children above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    /// Children in order of arrival; lists have `0`, `1`, … as names.
    Map(Vec<(String, Node)>),
}

/// Reads `a[b][0]=c` into a tree. `a[]=x` appends to `a`.
pub(crate) fn decode(pairs: &[(String, String)]) -> Result<Vec<(String, Node)>, ApiError> {
    if PAIRS_MAX < pairs.len() {
        return Err(ApiError::refused(format!("More than {PAIRS_MAX} parameters in one request.")));
    }
    let mut root = Vec::new();
    for (name, value) in pairs {
        insert(&mut root, name, &segments(name)?, value)?;
    }
    Ok(root)
}

fn segments(name: &str) -> Result<Vec<&str>, ApiError> {
    let malformed = || ApiError::bad_param(name, format!("Malformed parameter name: {name}"));
    let (head, mut rest) = match name.find('[') {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    if head.is_empty() {
        return Err(malformed());
    }
    let mut out = vec![head];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').ok_or_else(malformed)?;
        let (segment, after) = inner.split_once(']').ok_or_else(malformed)?;
        out.push(segment);
        rest = after;
    }
    if DEPTH_MAX < out.len() {
        return Err(ApiError::bad_param(name, format!("{name} is nested too deeply.")));
    }
    Ok(out)
}

fn insert(
    children: &mut Vec<(String, Node)>,
    name: &str,
    path: &[&str],
    value: &str,
) -> Result<(), ApiError> {
    let (head, rest) = path.split_first().expect("segments() gives at least one");
    let key = if head.is_empty() { children.len().to_string() } else { (*head).to_owned() };
    let at = children.iter().position(|(existing, _)| *existing == key);
    let clash = || ApiError::bad_param(name, format!("{name} was given twice, or as two kinds."));
    if rest.is_empty() {
        if at.is_some() {
            return Err(clash());
        }
        children.push((key, Node::Text(value.to_owned())));
        return Ok(());
    }
    let at = at.unwrap_or_else(|| {
        children.push((key, Node::Map(Vec::new())));
        children.len() - 1
    });
    match &mut children[at].1 {
        Node::Map(inner) => insert(inner, name, rest, value),
        Node::Text(_) => Err(clash()),
    }
}

/// The field `wanted` of a form that a person sent, without the space around it; `None` if it is
/// empty or the form cannot be read.
pub(crate) fn field(request: &Request, wanted: &str) -> Option<String> {
    let tree = request.pairs().and_then(|pairs| decode(&pairs)).unwrap_or_default();
    tree.iter().find_map(|(name, node)| match node {
        Node::Text(text) if name == wanted && !text.trim().is_empty() => {
            Some(text.trim().to_owned())
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(query: &str) -> Result<Vec<(String, Node)>, ApiError> {
        let request = Request { path: format!("/v1/x?{query}"), ..Request::default() };
        decode(&request.pairs()?)
    }

    #[test]
    fn brackets_become_a_tree() {
        let tree = decoded("items[0][price]=p%201&items[0][quantity]=2&types[]=a&types[]=b&x=")
            .expect("well formed");
        let text = |value: &str| Node::Text(value.into());
        let item = vec![("price".into(), text("p 1")), ("quantity".into(), text("2"))];
        assert_eq!(
            tree,
            vec![
                ("items".into(), Node::Map(vec![("0".into(), Node::Map(item))])),
                ("types".into(), Node::Map(vec![("0".into(), text("a")), ("1".into(), text("b"))])),
                ("x".into(), text("")),
            ]
        );
    }

    #[test]
    fn malformed_names_are_refused() {
        for query in
            ["[a]=1", "a[b=1", "a[b]c=1", "a=1&a=2", "a=1&a[b]=2", "a[1][1][1][1][1][1][1][1]=1"]
        {
            let error = decoded(query).expect_err(query);
            assert_eq!(error.status(), 400, "{query}");
        }
    }

    #[test]
    fn a_json_body_is_refused_in_words() {
        let request = Request {
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: b"{}".to_vec(),
            ..Request::default()
        };
        let error = request.pairs().expect_err("not a form");
        assert!(error.message().contains("x-www-form-urlencoded"));
    }
}
