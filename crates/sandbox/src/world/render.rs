//! Small parts that many rendered objects share.

use serde_json::{Map, Value, json};

/// Names and values that the caller attached to an object.
pub(crate) type Metadata = std::collections::BTreeMap<String, String>;

/// `object` with `null` for each of `names`: fields that Stripe always sends and that nothing in
/// the sandbox sets.
pub(crate) fn with_nulls(mut object: Value, names: &[&str]) -> Value {
    let fields = object.as_object_mut().expect("only objects are rendered");
    for name in names {
        fields.entry(*name).or_insert(Value::Null);
    }
    object
}

/// A list inside an object. It is always complete, so `has_more` is false.
pub(crate) fn sublist(data: Vec<Value>, url: &str) -> Value {
    json!({"object": "list", "data": data, "has_more": false, "url": url})
}

/// What was there before, for `*.updated` events: the fields of `old` that differ in `new`, down
/// to the fields of objects; lists are given whole. `None` if nothing differs.
pub(crate) fn previous_attributes(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return None };
    let mut previous = Map::new();
    for (name, before) in old {
        let after = new.get(name).unwrap_or(&Value::Null);
        if before != after {
            let inner = previous_attributes(before, after).unwrap_or_else(|| before.clone());
            previous.insert(name.clone(), inner);
        }
    }
    for name in new.keys().filter(|name| !old.contains_key(*name)) {
        previous.insert(name.clone(), Value::Null);
    }
    if previous.is_empty() { None } else { Some(Value::Object(previous)) }
}

/// Applies a metadata parameter: given keys are set, empty ones removed, `metadata=` drops all.
pub(crate) fn update_metadata(metadata: &mut Metadata, params: &crate::params::Params) {
    if params.has("metadata") && params.pairs("metadata").is_empty() {
        metadata.clear();
    }
    for (key, value) in params.pairs("metadata") {
        if value.is_empty() {
            metadata.remove(&key);
        } else {
            metadata.insert(key, value);
        }
    }
}

/// The metadata of something new.
pub(crate) fn new_metadata(params: &crate::params::Params) -> Metadata {
    let mut metadata = Metadata::new();
    update_metadata(&mut metadata, params);
    metadata
}

/// An amount for people: `$49.00`, `49.00 CHF`, `¥500`.
pub(crate) fn amount(minor: i64, currency: &str) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let minor = minor.unsigned_abs();
    let number = if ZERO_DECIMAL.contains(&currency) {
        minor.to_string()
    } else {
        format!("{}.{:02}", minor / 100, minor % 100)
    };
    match currency {
        "usd" => format!("{sign}${number}"),
        "eur" => format!("{sign}€{number}"),
        "gbp" => format!("{sign}£{number}"),
        "jpy" => format!("{sign}¥{number}"),
        other => format!("{sign}{number} {}", other.to_uppercase()),
    }
}

/// Currencies whose minor unit is the whole unit.
/// Source: <https://docs.stripe.com/currencies#zero-decimal>
const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
    "xof", "xpf",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_attributes_hold_only_what_changed() {
        let old = json!({"status": "trialing", "a": {"x": 1, "y": 2}, "list": [1], "same": true});
        let new = json!({"status": "active", "a": {"x": 1, "y": 3}, "list": [1, 2], "same": true, "new": 1});
        let previous = previous_attributes(&old, &new).expect("something changed");
        assert_eq!(
            previous,
            json!({"status": "trialing", "a": {"y": 2}, "list": [1], "new": null})
        );
        assert_eq!(previous_attributes(&new, &new), None);
    }

    #[test]
    fn amounts_read_as_people_write_them() {
        assert_eq!(amount(4_900, "usd"), "$49.00");
        assert_eq!(amount(500, "jpy"), "¥500");
        assert_eq!(amount(-105, "chf"), "-1.05 CHF");
    }
}
