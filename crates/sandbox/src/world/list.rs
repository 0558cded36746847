//! Lists with cursors: newest first, `limit`, `starting_after`, `ending_before`, `created`.

use serde_json::{Value, json};

use super::table::{Row, Table};
use crate::error::{Answer, ApiError};
use crate::params::{Field, INSTANT, Kind, Params, may};

const CREATED: &[Field] =
    &[may("gt", INSTANT), may("gte", INSTANT), may("lt", INSTANT), may("lte", INSTANT)];

/// The parameters that every list takes.
pub(crate) const PAGE: &[Field] = &[
    may("limit", Kind::Int(1, 100)),
    may("starting_after", Kind::Text),
    may("ending_before", Kind::Text),
    may("created", Kind::Either(&INSTANT, &Kind::Object(CREATED))),
];

/// One page of `table`: the rows that `keep` wants, as `render` shows them.
pub(crate) fn page<T: Row>(
    table: &Table<T>,
    url: &str,
    params: &Params,
    created: impl Fn(&T) -> i64,
    keep: impl Fn(&T) -> bool,
    render: impl Fn(&T) -> Value,
) -> Answer {
    let within = created_filter(params);
    let rows: Vec<&T> =
        table.newest_first().filter(|row| keep(row) && within(created(row))).collect();
    let (shown, has_more) = cut(&rows, params, |row| row.id())?;
    let data: Vec<Value> = shown.iter().map(|row| render(row)).collect();
    Ok(json!({"object": "list", "url": url, "has_more": has_more, "data": data}))
}

/// One page of a list that belongs to an object and was rendered whole.
pub(crate) fn page_of(whole: Value, params: &Params) -> Answer {
    let rows = whole["data"].as_array().cloned().unwrap_or_default();
    let (shown, has_more) = cut(&rows, params, |row| row["id"].as_str().unwrap_or_default())?;
    Ok(json!({"object": "list", "url": whole["url"], "has_more": has_more, "data": shown}))
}

/// The part of `rows` that the cursors and the limit leave, and whether more follow in the
/// direction of travel.
fn cut<'a, R>(
    rows: &'a [R],
    params: &Params,
    id_of: impl Fn(&R) -> &str,
) -> Result<(&'a [R], bool), ApiError> {
    let limit = usize::try_from(params.int("limit").unwrap_or(10)).unwrap_or(10);
    let cursor = |name: &str| match params.text(name) {
        Some(id) => rows
            .iter()
            .position(|row| id_of(row) == id)
            .map(Some)
            .ok_or_else(|| ApiError::unknown_reference("object in this list", id, name)),
        None => Ok(None),
    };
    match (cursor("starting_after")?, cursor("ending_before")?) {
        (Some(_), Some(_)) => Err(ApiError::refused(
            "You may only specify one of these parameters: ending_before, starting_after.",
        )),
        (None, Some(before)) => {
            let first = before.saturating_sub(limit);
            Ok((&rows[first..before], 0 < first))
        }
        (after, None) => {
            let first = after.map_or(0, |at| at + 1);
            let end = (first + limit).min(rows.len());
            Ok((&rows[first..end], end < rows.len()))
        }
    }
}

fn created_filter(params: &Params) -> impl Fn(i64) -> bool {
    let exact = params.int("created");
    let range = params.object("created");
    let bounds = ["gt", "gte", "lt", "lte"].map(|name| range.int(name));
    move |at| {
        let [gt, gte, lt, lte] = bounds;
        exact.is_none_or(|only| at == only)
            && gt.is_none_or(|bound| bound < at)
            && gte.is_none_or(|bound| bound <= at)
            && lt.is_none_or(|bound| at < bound)
            && lte.is_none_or(|bound| at <= bound)
    }
}
