//! Reading JSON strictly: every mistake has a place, a code and a way out.
//!
//! A body is read twice. The first reading knows no types and refuses what no request may hold
//! (a field given twice, a control character, a thousand levels); the second one reads the type.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_path_to_error::{Path, Segment, Track};

use crate::body;
use crate::codes::Code;
use crate::error::{ApiError, FieldProblem};
use crate::state::App;

/// How deep arrays and objects may be nested.
const DEPTH_MAX: usize = 32;

/// Separates the parts of a message that [`refuse`] made.
const PART: char = '\u{1f}';

/// A JSON body, read strictly.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        must_be_json(request.headers())?;
        let bytes = body::read(request).await?;
        parse(&bytes).map(Self)
    }
}

/// A JSON body that may be left out as a whole.
pub struct Whole<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequest<App> for Whole<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &App) -> Result<Self, ApiError> {
        let said = must_be_json(request.headers());
        let bytes = body::read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        said?;
        parse(&bytes).map(Self)
    }
}

/// Errors when the headers say that the body is anything but JSON.
pub(crate) fn must_be_json(headers: &HeaderMap) -> Result<(), ApiError> {
    match body::media_type(headers).as_deref() {
        Some("application/json") => Ok(()),
        found => Err(body::unsupported(found, "application/json")),
    }
}

/// An error for a `Deserialize` of ours, with its own code and advice.
pub fn refuse<E: serde::de::Error>(code: Code, message: &str, fix: &str) -> E {
    E::custom(format!("{PART}{}{PART}{message}{PART}{fix}", code.code()))
}

/// Reads one JSON text as `T`.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let text = std::str::from_utf8(bytes).map_err(|err| {
        let at = err.valid_up_to();
        malformed(format!("the body is not UTF-8 text: the byte at offset {at} is wrong"))
    })?;
    if text.trim_ascii().is_empty() {
        return Err(malformed("the body is empty; this request needs a JSON object".to_owned()));
    }
    judge(text)?;
    let mut reader = serde_json::Deserializer::from_str(text);
    serde_path_to_error::deserialize(&mut reader)
        .map(|Object(value)| value)
        .map_err(|err| mistake(err.path(), err.inner(), &|pointer| pointer))
}

/// Reads a value that is known already as `T`. `name_places` turns a pointer into what people
/// call the place.
pub fn parse_value<T: DeserializeOwned>(
    value: serde_json::Value,
    name_places: &dyn Fn(String) -> String,
) -> Result<T, ApiError> {
    serde_path_to_error::deserialize(value)
        .map_err(|err| mistake(err.path(), err.inner(), name_places))
}

fn malformed(detail: String) -> ApiError {
    ApiError::new(Code::MalformedJson, format!("{detail}; nothing was changed"))
}

/// The first reading.
fn judge(text: &str) -> Result<(), ApiError> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut track = Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut reader, &mut track);
    let read = Judge { depth: 0 }.deserialize(tracked);
    let path = track.path();
    read.and_then(|()| reader.end()).map_err(|err| mistake(&path, &err, &|pointer| pointer))
}

fn mistake(
    path: &Path,
    err: &serde_json::Error,
    name_places: &dyn Fn(String) -> String,
) -> ApiError {
    let text = err.to_string();
    let text = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
    if text.starts_with("number out of range") {
        let place = name_places(pointer(path));
        let message = "this number is too large for any request";
        let field = FieldProblem::new(place, Code::OutOfRange, message, "send a smaller number");
        return ApiError::invalid(vec![field]);
    }
    if !err.is_data() {
        let (line, column) = (err.line(), err.column());
        return malformed(format!("the body is not JSON: {text} at line {line} column {column}"));
    }
    ApiError::invalid(vec![field_problem(path, text, name_places)])
}

fn field_problem(path: &Path, text: &str, name_places: &dyn Fn(String) -> String) -> FieldProblem {
    let at = pointer(path);
    let problem = |pointer: String, code, message: String, fix: String| {
        FieldProblem::new(name_places(pointer), code, message, fix)
    };
    if let Some(rest) = text.strip_prefix(PART) {
        let mut parts = rest.splitn(3, PART).map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let code = Code::of(&part()).unwrap_or(Code::InvalidValue);
        return problem(at, code, part(), part());
    }
    if let Some((name, known)) = unknown_name(text) {
        let message = format!("there is no field {name:?} here");
        let parent = at.strip_suffix(&format!("/{}", escape(&name))).unwrap_or(&at);
        let place = format!("{parent}/{}", escape(&name));
        return problem(place, Code::UnknownField, message, nearest(&name, &known));
    }
    if let Some(name) = text.strip_prefix("missing field ").map(|name| name.trim_matches('`')) {
        let message = format!("{name:?} is missing");
        return problem(
            format!("{at}/{}", escape(name)),
            Code::MissingField,
            message,
            format!("add {name:?}"),
        );
    }
    let fix = "see the schema of this request at /docs".to_owned();
    match text.strip_prefix("invalid type: ").and_then(|text| text.split_once(", expected ")) {
        Some((found, wanted)) => {
            let (found, wanted) = (json_name(found), json_name(wanted));
            let message = format!("this is {found}, and {wanted} is expected");
            problem(at, Code::WrongType, message, fix)
        }
        None => problem(at, Code::InvalidValue, text.to_owned(), fix),
    }
}

/// What JSON calls a type of serde's.
fn json_name(name: &str) -> &str {
    match name {
        "map" | "a map" => "an object",
        "sequence" | "a sequence" => "an array",
        other => other,
    }
}

/// The name that was not expected, and those that were.
fn unknown_name(text: &str) -> Option<(String, Vec<String>)> {
    let rest = text.strip_prefix("unknown field `")?;
    // What is known follows the last "expected"; the name before it is the client's, and may hold
    // anything.
    let none = rest.strip_suffix("`, there are no fields").map(|name| (name, ""));
    let (name, known) = none.or(rest.rsplit_once("`, expected ")).unwrap_or((rest, ""));
    let known = known.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some((name.to_owned(), known))
}

/// What to write instead of `name`.
pub fn nearest<S: AsRef<str>>(name: &str, known: &[S]) -> String {
    let near =
        known.iter().map(AsRef::as_ref).min_by_key(|it| strsim::damerau_levenshtein(it, name));
    match near.filter(|it| strsim::damerau_levenshtein(it, name) <= 1 + it.len() / 3) {
        Some(near) => format!("did you mean {near:?}?"),
        None if known.is_empty() => "leave it out".to_owned(),
        None => {
            let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
            format!("known here: {}", known.join(", "))
        }
    }
}

/// The JSON pointer of a path. Source: RFC 6901.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escape(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}

/// Refuses what no request may hold, whatever its type.
struct Judge {
    depth: usize,
}

impl Judge {
    fn deeper<E: serde::de::Error>(&self) -> Result<Self, E> {
        if DEPTH_MAX <= self.depth {
            let message = format!("this is nested more than {DEPTH_MAX} levels deep");
            return Err(refuse(Code::TooDeep, &message, "send fewer levels"));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

fn check_text<E: serde::de::Error>(text: &str) -> Result<(), E> {
    let bad = |c: &char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    match text.chars().find(bad) {
        None => Ok(()),
        Some(c) => Err(refuse(
            Code::ControlCharacter,
            &format!("this text holds the control character U+{:04X}", u32::from(c)),
            "send it without",
        )),
    }
}

impl<'de> DeserializeSeed<'de> for Judge {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Judge {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        check_text(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { depth } = self.deeper()?;
        while items.next_element_seed(Self { depth })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let Self { depth } = self.deeper()?;
        let mut seen = std::collections::HashSet::new();
        while let Some(key) = fields.next_key::<String>()? {
            if key.chars().any(char::is_control) {
                return Err(refuse(
                    Code::ControlCharacter,
                    "the name of a field holds a control character",
                    "send it without",
                ));
            }
            match seen.insert(key) {
                true => fields.next_value_seed(Self { depth })?,
                false => fields.next_value_seed(Twice)?,
            }
        }
        Ok(())
    }
}

/// In the place of a value whose field was there before, so that the mistake has its place.
struct Twice;

impl<'de> DeserializeSeed<'de> for Twice {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
        Err(refuse(Code::DuplicateField, "this field is given twice", "send it once"))
    }
}

/// A `T` that is written as a JSON object. Serde alone would also read it from an array, field by
/// field in the order of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object<T>(pub T);

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

/// One line of text of 1 to `MAX` characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text<const MAX: usize>(pub String);

impl<'de, const MAX: usize> Deserialize<'de> for Text<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let length = text.chars().count();
        if text.chars().any(char::is_control) {
            let message = "this text holds a control character or a line break";
            return Err(refuse(Code::ControlCharacter, message, "send one line of text"));
        }
        if length == 0 || MAX < length {
            let message = format!("this text has {length} characters");
            let fix = format!("send 1 to {MAX} characters");
            return Err(refuse(Code::InvalidLength, &message, &fix));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
