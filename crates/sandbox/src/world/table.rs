//! A table of one kind of object: in order of creation, found by id, with its due work.
//!
//! A table remembers what changed since it was last saved. When something is due follows from
//! the object itself ([`Row::due`]), so nothing that is scheduled can be lost or left over.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// An object that lives in a table.
pub(crate) trait Row: Clone + Serialize + DeserializeOwned {
    /// The name under which rows of this table are saved.
    const KIND: &'static str;
    fn id(&self) -> &str;
    /// When the world next has to act on this object (unix seconds); `None` if never.
    fn due(&self) -> Option<i64> {
        None
    }
}

/// A row that was put or removed since the last save.
pub(crate) struct Change {
    pub(crate) kind: &'static str,
    pub(crate) seq: u64,
    pub(crate) id: String,
    /// `None`: the row was removed.
    pub(crate) json: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Vec<T>", into = "Vec<T>")]
#[serde(bound = "T: Row")]
pub(crate) struct Table<T: Row> {
    rows: BTreeMap<u64, T>,
    by_id: HashMap<String, u64>,
    due: BTreeSet<(i64, u64)>,
    next_seq: u64,
    changed: BTreeMap<u64, String>,
}

impl<T: Row> Default for Table<T> {
    fn default() -> Table<T> {
        Table {
            rows: BTreeMap::new(),
            by_id: HashMap::new(),
            due: BTreeSet::new(),
            next_seq: 1,
            changed: BTreeMap::new(),
        }
    }
}

impl<T: Row> Table<T> {
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.by_id.get(id)?)
    }

    /// Writes `row` under its id, new or in place of the one that was there.
    pub(crate) fn put(&mut self, row: T) {
        let seq = self.by_id.get(row.id()).copied().unwrap_or(self.next_seq);
        self.changed.insert(seq, row.id().to_owned());
        self.place(seq, row);
    }

    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        let seq = self.by_id.remove(id)?;
        let row = self.rows.remove(&seq)?;
        if let Some(at) = row.due() {
            self.due.remove(&(at, seq));
        }
        self.changed.insert(seq, row.id().to_owned());
        Some(row)
    }

    fn place(&mut self, seq: u64, row: T) {
        self.next_seq = self.next_seq.max(seq + 1);
        if let Some(at) = self.rows.get(&seq).and_then(Row::due) {
            self.due.remove(&(at, seq));
        }
        if let Some(at) = row.due() {
            self.due.insert((at, seq));
        }
        self.by_id.insert(row.id().to_owned(), seq);
        self.rows.insert(seq, row);
    }

    /// All rows, oldest first.
    pub(crate) fn oldest_first(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// All rows, newest first, as Stripe lists them.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &T> {
        self.rows.values().rev()
    }

    /// The earliest instant at which a row is due.
    pub(crate) fn next_due(&self) -> Option<i64> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The row that is due first, if that is at or before `now`.
    pub(crate) fn first_due(&self, now: i64) -> Option<&T> {
        let (at, seq) = self.due.first()?;
        if now < *at { None } else { self.rows.get(seq) }
    }

    /// Every row that is due at or before `now`, oldest first.
    pub(crate) fn all_due(&self, now: i64) -> Vec<&T> {
        let mut seqs: Vec<u64> = self.due.range(..=(now, u64::MAX)).map(|(_, seq)| *seq).collect();
        seqs.sort_unstable();
        seqs.iter().filter_map(|seq| self.rows.get(seq)).collect()
    }
}

impl<T: Row> From<Vec<T>> for Table<T> {
    fn from(rows: Vec<T>) -> Table<T> {
        let mut table = Table::default();
        for row in rows {
            table.place(table.next_seq, row);
        }
        table
    }
}

impl<T: Row> From<Table<T>> for Vec<T> {
    fn from(table: Table<T>) -> Vec<T> {
        table.rows.into_values().collect()
    }
}

/// A table without its row type, for saving and loading.
pub(crate) trait AnyTable {
    fn kind(&self) -> &'static str;
    /// What changed since [`AnyTable::saved`].
    fn changes(&self, into: &mut Vec<Change>);
    fn saved(&mut self);
    /// Puts back a row as it was saved.
    fn load(&mut self, seq: u64, json: &str) -> Result<(), serde_json::Error>;
}

impl<T: Row> AnyTable for Table<T> {
    fn kind(&self) -> &'static str {
        T::KIND
    }

    fn changes(&self, into: &mut Vec<Change>) {
        for (seq, id) in &self.changed {
            let json = self
                .rows
                .get(seq)
                .map(|row| serde_json::to_string(row).expect("rows hold nothing that JSON cannot"));
            into.push(Change { kind: T::KIND, seq: *seq, id: id.clone(), json });
        }
    }

    fn saved(&mut self) {
        self.changed.clear();
    }

    fn load(&mut self, seq: u64, json: &str) -> Result<(), serde_json::Error> {
        let row = serde_json::from_str(json)?;
        self.place(seq, row);
        Ok(())
    }
}
