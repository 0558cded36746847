//! Where the two databases differ by nature, and must not differ here.

use farthing_store::{Row, StoreError, Tx, Value, on_both, params};

use super::{TestStore, at, customer, read, refused, write};

on_both!(
    every_value_survives_the_round_trip,
    text_is_ordered_by_its_bytes,
    a_text_with_a_nul_is_refused,
    comparisons_count_as_zero_and_one,
    two_rows_where_one_can_be_are_inconsistent,
    a_value_of_another_kind_is_inconsistent,
    a_fraction_is_never_read,
    the_wrong_number_of_parameters_is_an_error,
    a_lock_on_rows_is_understood,
    how_many_rows_were_changed_is_known,
);

/// One row of constants, which PostgreSQL must be told the types of.
fn select(tx: &mut Tx<'_>) -> Result<Row, StoreError> {
    const SQL: &str = "
        SELECT CAST($1 AS BIGINT) AS n, CAST($2 AS TEXT) AS t, CAST($3 AS BIGINT) AS none,
            CAST($4 AS BIGINT) AS moment, CAST($5 AS TEXT) AS who, CAST($6 AS BIGINT) AS yes";
    let params = params![i64::MIN, "Zoë\n'$1", None::<i64>, at(7), &customer("ann"), true];
    Ok(tx.query_opt(SQL, &params)?.unwrap())
}

fn every_value_survives_the_round_trip(store: &TestStore) {
    let row = read(store, select);
    assert_eq!(row.int(0), Ok(i64::MIN));
    assert_eq!(row.text(1), Ok("Zoë\n'$1".into()));
    assert_eq!(row.opt_int(2), Ok(None));
    assert_eq!(row.opt_text(2), Ok(None));
    assert_eq!(row.opt_bytes(2), Ok(None));
    assert_eq!(row.time(3), Ok(at(7)));
    assert_eq!(row.customer(4), Ok(customer("ann")));
    assert_eq!(row.bool(5), Ok(true));
    let bytes: Vec<u8> = (0..=255).collect();
    let stored = bytes.clone();
    write(store, move |tx| {
        let sql = "INSERT INTO idempotency_keys
            (scope, key, request_hash, request_id, state, status, body, created_at, lease_until,
            expires_at) VALUES ('', '', $1, '', 'done', 200, $2, 0, 0, 0)";
        tx.execute(sql, &params![[7; 32], &stored])
    });
    let row = read(store, |tx| tx.query_opt("SELECT body FROM idempotency_keys", &[])).unwrap();
    assert_eq!(row.bytes(0), Ok(bytes));
}

fn text_is_ordered_by_its_bytes(store: &TestStore) {
    write(store, |tx| {
        for key in ["b", "é", "B", "a", "_", "Z"] {
            tx.execute("INSERT INTO meta (key, value) VALUES ($1, '')", &params![key])?;
        }
        Ok(())
    });
    let rows = read(store, |tx| tx.query("SELECT key FROM meta ORDER BY key", &[]));
    let keys: Vec<String> = rows.iter().map(|row| row.text(0).unwrap()).collect();
    assert_eq!(keys, ["B", "Z", "_", "a", "b", "é"]);
}

fn a_text_with_a_nul_is_refused(store: &TestStore) {
    let error = refused(store, |tx| {
        tx.execute("INSERT INTO meta (key, value) VALUES ($1, '')", &params!["a\0b"])
    });
    assert!(matches!(&error, StoreError::Constraint { message } if message.contains("NUL")));
}

fn comparisons_count_as_zero_and_one(store: &TestStore) {
    let row = read(store, |tx| tx.query_opt("SELECT 1 < 2, 2 < 1", &[])).unwrap();
    assert_eq!((row.bool(0), row.bool(1)), (Ok(true), Ok(false)));
}

fn two_rows_where_one_can_be_are_inconsistent(store: &TestStore) {
    let error = store.read(|tx| tx.query_opt("SELECT 1 UNION SELECT 2", &[])).unwrap_err();
    let StoreError::Inconsistent { problem, statement, .. } = &error else { panic!("{error}") };
    assert_eq!(problem, "2 rows where at most one can be");
    assert_eq!(statement, "SELECT 1 UNION SELECT 2");
}

fn a_value_of_another_kind_is_inconsistent(store: &TestStore) {
    let row = read(store, select);
    let problem = |read: Result<(), StoreError>| match read {
        Err(StoreError::Inconsistent { column, problem, .. }) => format!("{column} {problem}"),
        other => panic!("{other:?}"),
    };
    let first = i64::MIN;
    assert_eq!(problem(row.text(0).map(drop)), "n is not text");
    assert_eq!(problem(row.int(1).map(drop)), format!("t of {first} is not a whole number"));
    assert_eq!(problem(row.int(2).map(drop)), format!("none of {first} is NULL"));
    assert_eq!(problem(row.bytes(1).map(drop)), format!("t of {first} is not bytes"));
    assert_eq!(problem(row.bool(3).map(drop)), format!("moment of {first} is neither 0 nor 1"));
    assert_eq!(problem(row.time(0).map(drop)), "n is not an instant between 1970 and 9999");
    let word = format!("t of {first} is not a text that is known here");
    assert_eq!(problem(row.customer(1).map(drop)), word);
    assert_eq!(
        problem(row.int(9).map(drop)),
        format!("? of {first} is not a column of the statement")
    );
}

fn a_fraction_is_never_read(store: &TestStore) {
    let error = store.read(|tx| tx.query_opt("SELECT 0.5 AS half", &[])).unwrap_err();
    assert!(
        matches!(&error, StoreError::Inconsistent { column, .. } if column == "half"),
        "{error}"
    );
}

fn the_wrong_number_of_parameters_is_an_error(store: &TestStore) {
    for params in [&params![][..], &params![1, 2][..]] {
        let sql = "SELECT key FROM meta WHERE key = CAST($1 AS TEXT)";
        let answer = store.read(|tx| tx.query(sql, params));
        assert!(matches!(answer, Err(StoreError::Driver { .. })), "{answer:?}");
    }
}

fn a_lock_on_rows_is_understood(store: &TestStore) {
    write(store, |tx| {
        tx.query("SELECT key FROM meta WHERE key = $1 FOR UPDATE", &params!["a"])?;
        tx.query("SELECT key FROM meta ORDER BY key LIMIT $1 FOR UPDATE SKIP LOCKED", &params![1])
    });
}

fn how_many_rows_were_changed_is_known(store: &TestStore) {
    let changed = write(store, |tx| {
        let all = "INSERT INTO meta (key, value) VALUES ('a', ''), ('b', ''), ('c', 'x')";
        let inserted = tx.execute(all, &[])?;
        let updated = tx.execute("UPDATE meta SET value = 'y' WHERE value = ''", &[])?;
        let nothing = "INSERT INTO meta (key, value) VALUES ('a', '') ON CONFLICT DO NOTHING";
        let ignored = tx.execute(nothing, &[])?;
        let deleted = "DELETE FROM meta WHERE value = $1";
        Ok([inserted, updated, ignored, tx.execute(deleted, &[Value::Text("z".into())])?])
    });
    assert_eq!(changed, [3, 2, 0, 0]);
}
