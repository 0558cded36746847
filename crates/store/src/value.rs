//! What goes into a statement: four kinds of value, the same on both databases.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

/// One parameter of a statement, or one column of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// SQL's NULL.
    Null,
    /// BIGINT or INTEGER; booleans are 0 and 1, instants are microseconds since 1970.
    Int(i64),
    /// TEXT without NUL characters, which PostgreSQL cannot store.
    Text(String),
    /// BYTEA or BLOB.
    Bytes(Vec<u8>),
}

/// The values of `$1`, `$2`, … in order, from anything that [`Value`] has a `From` for.
///
/// ```
/// use farthing_store::{Value, params};
/// assert_eq!(params![7, "a", None::<i64>], [Value::Int(7), Value::Text("a".into()), Value::Null]);
/// ```
#[macro_export]
macro_rules! params {
    () => { [] as [$crate::Value; 0] };
    ($($value:expr),+ $(,)?) => { [$($crate::Value::from($value)),+] };
}

macro_rules! copied {
    ($($from:ty => |$value:ident| $into:expr),+ $(,)?) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        }
        impl From<&$from> for Value {
            fn from($value: &$from) -> Self {
                let $value = *$value;
                $into
            }
        }
    )+};
}

copied! {
    i64 => |n| Self::Int(n),
    i32 => |n| Self::Int(n.into()),
    u32 => |n| Self::Int(n.into()),
    bool => |yes| Self::Int(yes.into()),
    Timestamp => |at| Self::Int(at.micros()),
    &str => |text| Self::Text(text.to_owned()),
    &[u8] => |bytes| Self::Bytes(bytes.to_vec()),
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<CustomerId> for Value {
    fn from(id: CustomerId) -> Self {
        Self::from(&id)
    }
}

impl From<&CustomerId> for Value {
    fn from(id: &CustomerId) -> Self {
        Self::Text(id.as_str().to_owned())
    }
}

impl From<&&CustomerId> for Value {
    fn from(id: &&CustomerId) -> Self {
        Self::from(*id)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&Vec<u8>> for Value {
    fn from(bytes: &Vec<u8>) -> Self {
        Self::Bytes(bytes.clone())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T> From<Option<T>> for Value
where
    Self: From<T>,
{
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::from)
    }
}

macro_rules! optional {
    ($($from:ty),+ $(,)?) => {$(
        impl From<&Option<$from>> for Value {
            fn from(value: &Option<$from>) -> Self {
                value.as_ref().map_or(Self::Null, Self::from)
            }
        }
    )+};
}

optional!(i64, i32, u32, bool, Timestamp, &str, String, CustomerId, &CustomerId, Vec<u8>);
