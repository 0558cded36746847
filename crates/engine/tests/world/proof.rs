//! What must be true after every story: the books balance, and ours is what the provider has.

use std::collections::BTreeMap;

use farthing_engine::reconcile::{Drift, DriftReport};
use farthing_store::params;
use serde_json::Value as Json;

use super::{World, caller};

impl World {
    /// Every invariant holds, nothing differs from the provider, every payment that it took is one
    /// that we know, and nothing is left half done.
    pub fn prove(&self) {
        self.check();
        assert_eq!(self.drift(), [], "there is drift");
        assert_eq!(self.charged_there(), self.charged_here(), "charged there, known here");
        assert_eq!(self.invoices_there(), self.invoices_here(), "invoices there, known here");
        self.nothing_is_open();
    }

    /// Everything that differs from the provider, of everybody.
    pub fn drift(&self) -> Vec<Drift> {
        let mut found = Vec::new();
        let tell = &mut |report: &DriftReport| found.extend(report.findings.clone());
        self.engine.reconcile_all(&caller(), false, tell).unwrap();
        found
    }

    /// Our answer to one question, as pairs of a text and a number.
    pub fn ask(&self, sql: &'static str) -> BTreeMap<String, i64> {
        self.by_hand(move |tx| {
            let rows = tx.query(sql, &[])?;
            rows.iter().map(|row| Ok((row.text(0)?, row.int(1)?))).collect()
        })
    }

    /// Every object of a list of the provider, the newest first.
    pub fn all_there(&self, path: &str) -> Vec<Json> {
        let mut found: Vec<Json> = Vec::new();
        loop {
            let mark = if path.contains('?') { '&' } else { '?' };
            let after = found.last().map_or_else(String::new, |last| {
                format!("&starting_after={}", last["id"].as_str().unwrap())
            });
            let page = self.at_provider("GET", &format!("{path}{mark}limit=100{after}"), &[]);
            found.extend(page["data"].as_array().unwrap().iter().cloned());
            if page["has_more"] == false {
                return found;
            }
        }
    }

    /// What the provider took, by payment; nothing is taken for one payment twice.
    pub fn charged_there(&self) -> BTreeMap<String, i64> {
        let mut taken = BTreeMap::new();
        for charge in self.all_there("/v1/charges") {
            if charge["status"] == "succeeded" {
                let payment = charge["payment_intent"].as_str().unwrap().to_owned();
                let amount = charge["amount_captured"].as_i64().unwrap();
                assert_eq!(taken.insert(payment.clone(), amount), None, "{payment} charged twice");
            }
        }
        taken
    }

    fn charged_here(&self) -> BTreeMap<String, i64> {
        self.ask("SELECT provider_id, amount FROM payments WHERE status = 'succeeded'")
    }

    fn invoices_there(&self) -> BTreeMap<String, i64> {
        let paid = self.all_there("/v1/invoices?status=paid");
        let amount = |one: &Json| one["amount_paid"].as_i64().unwrap();
        paid.iter().map(|one| (one["id"].as_str().unwrap().to_owned(), amount(one))).collect()
    }

    fn invoices_here(&self) -> BTreeMap<String, i64> {
        self.ask("SELECT provider_id, paid FROM invoices WHERE status = 'paid'")
    }

    /// No lock is held, no event waits, no job is overdue or was given up.
    fn nothing_is_open(&self) {
        let open = "SELECT id || ' ' || kind, attempts FROM intents
            WHERE state IN ('open', 'unknown')";
        assert_eq!(self.ask(open), BTreeMap::new(), "intents");
        let events = "SELECT id || ' ' || type, attempts FROM provider_events
            WHERE state IN ('received', 'dead')";
        assert_eq!(self.ask(events), BTreeMap::new(), "events");
        let now = self.now();
        let jobs = self.by_hand(move |tx| {
            let sql = "SELECT id || ' ' || kind FROM jobs
                WHERE state = 'dead' OR (state = 'pending' AND run_at < $1)";
            tx.query(sql, &params![now])?
                .iter()
                .map(|row| row.text(0))
                .collect::<Result<Vec<_>, _>>()
        });
        assert_eq!(jobs, [] as [String; 0], "jobs");
    }
}
