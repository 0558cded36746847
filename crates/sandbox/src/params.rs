//! Parameters: what an endpoint takes, checked before anything happens, then read by name.
//!
//! An endpoint lists its [`Field`]s. [`check`] refuses what is unknown, missing, empty or of the
//! wrong kind, naming it as Stripe does (`items[0][price]`); after it the readers cannot fail.

use crate::error::ApiError;
use crate::request::Node;

/// What a parameter may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text of at most 5,000 characters, not empty.
    Text,
    /// A whole number within the two bounds, both included.
    Int(i64, i64),
    Bool,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A map of short texts; an empty value removes the key.
    Metadata,
    Object(&'static [Field]),
    List(&'static Kind),
    /// The inner kind, or empty to unset what is there.
    Clear(&'static Kind),
    /// The first kind or else the second, told apart by the words of a [`Kind::OneOf`].
    Either(&'static Kind, &'static Kind),
}

/// One parameter of an endpoint.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

impl Field {
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }
}

/// A parameter that has to be there.
pub(crate) const fn need(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true }
}

/// A parameter that may be left out.
pub(crate) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false }
}

/// A count or an amount: 0 to 99,999,999.
pub(crate) const AMOUNT: Kind = Kind::Int(0, 99_999_999);
/// An instant in unix seconds.
pub(crate) const INSTANT: Kind = Kind::Int(0, crate::calendar::LAST_INSTANT);
/// Text that may be emptied.
pub(crate) const CLEARABLE: Kind = Kind::Clear(&Kind::Text);
/// A metadata map, or empty to drop all keys.
pub(crate) const METADATA: Kind = Kind::Clear(&Kind::Metadata);

const TEXT_MAX: usize = 5_000;
const METADATA_KEYS_MAX: usize = 50;
const METADATA_KEY_MAX: usize = 40;
const METADATA_VALUE_MAX: usize = 500;
const LIST_MAX: usize = 100;

/// The checked parameters of one request, or of one object inside it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(Vec<(String, Node)>);

/// Checks `tree` against all the fields of `specs` together.
pub(crate) fn check(tree: Vec<(String, Node)>, specs: &[&[Field]]) -> Result<Params, ApiError> {
    check_object(&tree, specs, "")?;
    Ok(Params(tree))
}

fn check_object(children: &[(String, Node)], specs: &[&[Field]], at: &str) -> Result<(), ApiError> {
    let fields = || specs.iter().copied().flatten();
    for (name, node) in children {
        let path = path(at, name);
        match fields().find(|field| field.name == name) {
            Some(field) => check_node(node, field.kind, &path)?,
            None => return Err(unknown(&path, &fields().map(|f| f.name).collect::<Vec<_>>())),
        }
    }
    for field in fields().filter(|field| field.required) {
        if !children.iter().any(|(name, _)| name == field.name) {
            let path = path(at, field.name);
            let message = format!("Missing required param: {path}.");
            return Err(ApiError::invalid("parameter_missing", &path, message));
        }
    }
    Ok(())
}

fn unknown(path: &str, known: &[&str]) -> ApiError {
    let message = format!(
        "Received unknown parameter: {path}. The sandbox takes: {}.",
        if known.is_empty() { "none".to_owned() } else { known.join(", ") }
    );
    ApiError::invalid("parameter_unknown", path, message)
}

fn path(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}[{name}]") }
}

fn check_node(node: &Node, kind: Kind, path: &str) -> Result<(), ApiError> {
    match (kind, node) {
        (Kind::Clear(_), Node::Text(text)) if text.is_empty() => Ok(()),
        (Kind::Clear(inner), node) => check_node(node, *inner, path),
        (Kind::Either(first, second), node) => {
            check_node(node, *first, path).or_else(|_| check_node(node, *second, path))
        }
        (Kind::Object(fields), Node::Map(children)) => check_object(children, &[fields], path),
        (Kind::List(inner), Node::Map(children)) => check_list(children, *inner, path),
        (Kind::Metadata, Node::Map(children)) => check_metadata(children, path),
        (Kind::Object(_) | Kind::Metadata, Node::Text(_)) => {
            Err(ApiError::bad_param(path, format!("Invalid object: {path} takes {path}[name]=…")))
        }
        (Kind::List(_), Node::Text(_)) => Err(ApiError::bad_param(path, "Invalid array")),
        (_, Node::Map(_)) => {
            Err(ApiError::bad_param(path, format!("Invalid string: {path} takes one value.")))
        }
        (_, Node::Text(text)) if text.is_empty() => {
            let message = format!(
                "You passed an empty string for '{path}'. We assume empty values are an attempt \
                 to unset a parameter; however '{path}' cannot be unset. You should remove \
                 '{path}' from your request or supply a non-empty value."
            );
            Err(ApiError::invalid("parameter_invalid_empty", path, message))
        }
        (leaf, Node::Text(text)) => check_leaf(text, leaf, path),
    }
}

fn check_leaf(text: &str, kind: Kind, path: &str) -> Result<(), ApiError> {
    match kind {
        Kind::Int(least, most) => {
            let number: i64 = text.parse().map_err(|_| {
                let message = format!("Invalid integer: {text}");
                ApiError::invalid("parameter_invalid_integer", path, message)
            })?;
            if number < least || most < number {
                let message = format!("This value must be between {least} and {most} (inclusive).");
                return Err(ApiError::invalid("parameter_invalid_integer", path, message));
            }
            Ok(())
        }
        Kind::Bool if text != "true" && text != "false" => {
            Err(ApiError::bad_param(path, format!("Invalid boolean: {text}")))
        }
        Kind::OneOf(words) if !words.contains(&text) => {
            let message = format!("Invalid {path}: must be one of {}", words.join(", "));
            Err(ApiError::bad_param(path, message))
        }
        Kind::Text if TEXT_MAX < text.chars().count() => {
            let message = format!("Invalid string: at most {TEXT_MAX} characters.");
            Err(ApiError::bad_param(path, message))
        }
        _ => Ok(()),
    }
}

fn check_list(children: &[(String, Node)], inner: Kind, at: &str) -> Result<(), ApiError> {
    if LIST_MAX < children.len() {
        return Err(ApiError::bad_param(at, format!("At most {LIST_MAX} entries.")));
    }
    for (index, (name, node)) in children.iter().enumerate() {
        if *name != index.to_string() {
            return Err(ApiError::bad_param(
                at,
                format!("Invalid array: no index {index} in {at}."),
            ));
        }
        check_node(node, inner, &path(at, name))?;
    }
    Ok(())
}

fn check_metadata(children: &[(String, Node)], at: &str) -> Result<(), ApiError> {
    if METADATA_KEYS_MAX < children.len() {
        let message = format!("Metadata can have at most {METADATA_KEYS_MAX} keys.");
        return Err(ApiError::bad_param(at, message));
    }
    for (key, node) in children {
        let Node::Text(value) = node else {
            return Err(ApiError::bad_param(at, "Metadata values must be strings."));
        };
        if METADATA_KEY_MAX < key.chars().count() || METADATA_VALUE_MAX < value.chars().count() {
            let message = format!(
                "Metadata keys can have up to {METADATA_KEY_MAX} characters and values up to \
                 {METADATA_VALUE_MAX}; '{key}' is longer."
            );
            return Err(ApiError::bad_param(&path(at, key), message));
        }
    }
    Ok(())
}

impl Params {
    fn node(&self, name: &str) -> Option<&Node> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    fn leaf(&self, name: &str) -> Option<&str> {
        match self.node(name) {
            Some(Node::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The parameter was given, empty or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.node(name).is_some()
    }

    /// An object (or a list) was given, not an empty text that unsets one.
    pub(crate) fn is_object(&self, name: &str) -> bool {
        matches!(self.node(name), Some(Node::Map(_)))
    }

    /// The text, if it was given and is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.leaf(name).filter(|text| !text.is_empty())
    }

    /// As [`Params::text`], owned.
    pub(crate) fn string(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    pub(crate) fn int(&self, name: &str) -> Option<i64> {
        self.leaf(name).and_then(|text| text.parse().ok())
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.leaf(name).map(|text| text == "true")
    }

    /// The object `name`; empty if it was not given.
    pub(crate) fn object(&self, name: &str) -> Params {
        match self.node(name) {
            Some(Node::Map(children)) => Params(children.clone()),
            _ => Params::default(),
        }
    }

    /// The objects of the list `name`.
    pub(crate) fn objects(&self, name: &str) -> Vec<Params> {
        self.children(name)
            .iter()
            .filter_map(|(_, node)| match node {
                Node::Map(children) => Some(Params(children.clone())),
                Node::Text(_) => None,
            })
            .collect()
    }

    /// The texts of the list `name`.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        self.pairs(name).into_iter().map(|(_, text)| text).collect()
    }

    /// Keys and values of the map `name`.
    pub(crate) fn pairs(&self, name: &str) -> Vec<(String, String)> {
        self.children(name)
            .iter()
            .filter_map(|(key, node)| match node {
                Node::Text(text) => Some((key.clone(), text.clone())),
                Node::Map(_) => None,
            })
            .collect()
    }

    fn children(&self, name: &str) -> &[(String, Node)] {
        match self.node(name) {
            Some(Node::Map(children)) => children,
            _ => &[],
        }
    }

    /// Writes the text `name` into `to` if it was given; empty unsets it.
    pub(crate) fn update(&self, name: &str, to: &mut Option<String>) {
        if self.has(name) {
            *to = self.string(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::{Request, decode};

    const ITEM: &[Field] = &[need("price", Kind::Text), may("quantity", Kind::Int(1, 10))];
    const SPEC: &[Field] = &[
        need("customer", Kind::Text),
        may("items", Kind::List(&Kind::Object(ITEM))),
        may("cancel_at", Kind::Clear(&INSTANT)),
        may("mode", Kind::OneOf(&["a", "b"])),
        may("metadata", METADATA),
        may("flag", Kind::Bool),
    ];

    fn checked(query: &str) -> Result<Params, String> {
        let request = Request { path: format!("/?{query}"), ..Request::default() };
        let tree = decode(&request.pairs().expect("a form")).map_err(|e| e.message().to_owned())?;
        check(tree, &[SPEC]).map_err(|error| {
            let error = &error.body()["error"];
            format!(
                "{} {}",
                error["code"].as_str().unwrap_or("-"),
                error["param"].as_str().unwrap_or("-")
            )
        })
    }

    #[test]
    fn wrong_parameters_are_named_with_their_path() {
        let cases = [
            ("items[0][price]=p", "parameter_missing customer"),
            ("customer=c&nmae=x", "parameter_unknown nmae"),
            ("customer=c&items[0][quantity]=1", "parameter_missing items[0][price]"),
            ("customer=c&items[0][price]=p&items[0][nope]=1", "parameter_unknown items[0][nope]"),
            (
                "customer=c&items[0][price]=p&items[0][quantity]=11",
                "parameter_invalid_integer items[0][quantity]",
            ),
            ("customer=", "parameter_invalid_empty customer"),
            ("customer[a]=b", "- customer"),
            ("customer=c&items=x", "- items"),
            ("customer=c&items[1][price]=p", "- items"),
            ("customer=c&mode=z", "- mode"),
            ("customer=c&flag=yes", "- flag"),
            ("customer=c&cancel_at=soon", "parameter_invalid_integer cancel_at"),
            ("customer=c&metadata[a][b]=1", "- metadata"),
        ];
        for (query, expected) in cases {
            assert_eq!(checked(query).expect_err(query), expected, "{query}");
        }
    }

    #[test]
    fn what_passed_is_read_by_name() {
        let params = checked("customer=c&items[0][price]=p&cancel_at=&metadata[k]=v&flag=true")
            .expect("all of it is known");
        assert_eq!(params.text("customer"), Some("c"));
        assert_eq!(params.objects("items")[0].text("price"), Some("p"));
        assert!(params.has("cancel_at") && params.int("cancel_at").is_none());
        assert_eq!(params.pairs("metadata"), vec![("k".into(), "v".into())]);
        assert_eq!(params.flag("flag"), Some(true));
    }
}
