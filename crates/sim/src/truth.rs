//! What the provider really has, read directly: no line, no faults.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use farthing_providers::HttpRequest;
use farthing_sandbox::World as Provider;
use serde_json::Value;

use crate::line::{call, lock};

/// A direct look at the provider.
#[derive(Clone)]
pub struct Truth {
    provider: Arc<Mutex<Provider>>,
    customers: BTreeMap<String, Vec<String>>,
    prices: BTreeMap<String, Price>,
}

/// What a price is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    /// The plan's or the pack's key.
    pub item: String,
    /// Whether it is a pack's.
    pub pack: bool,
    /// Whether it is paid each year.
    pub yearly: bool,
}

impl Truth {
    /// A look at this provider.
    pub fn new(provider: Arc<Mutex<Provider>>) -> Self {
        Self { provider, customers: BTreeMap::new(), prices: BTreeMap::new() }
    }

    /// The object at `path`; `Null` when there is none.
    pub fn get(&self, path: &str) -> Value {
        let request = HttpRequest::get(path.to_owned());
        let response = call(&mut lock(&self.provider), &request);
        match response.status {
            200 => serde_json::from_slice(&response.body).unwrap_or_default(),
            _ => Value::Null,
        }
    }

    /// Everything in the list at `path`, the newest first.
    pub fn all(&self, path: &str) -> Vec<Value> {
        let mut found: Vec<Value> = Vec::new();
        let mark = if path.contains('?') { '&' } else { '?' };
        loop {
            let after = found.last().and_then(|last| last["id"].as_str());
            let after = after.map(|id| format!("&starting_after={id}")).unwrap_or_default();
            let page = self.get(&format!("{path}{mark}limit=100{after}"));
            let items = page["data"].as_array().cloned().unwrap_or_default();
            let more = page["has_more"] == Value::Bool(true) && !items.is_empty();
            found.extend(items);
            if !more {
                return found;
            }
        }
    }

    /// The provider's ids of one of the app's customers. There are several after an answer was
    /// lost and its key forgotten; only one of them is ever used.
    pub fn customers(&mut self, id: &str) -> Vec<String> {
        if !self.customers.contains_key(id) {
            self.customers.clear();
            for customer in self.all("/v1/customers") {
                let ours = customer["metadata"]["farthing_customer"].as_str();
                if let (Some(ours), Some(theirs)) = (ours, customer["id"].as_str()) {
                    self.customers.entry(ours.to_owned()).or_default().push(theirs.to_owned());
                }
            }
        }
        self.customers.get(id).cloned().unwrap_or_default()
    }

    /// The subscriptions of one of the app's customers, ended ones too.
    pub fn subscriptions(&mut self, id: &str) -> Vec<Value> {
        self.of_customer(id, "/v1/subscriptions?status=all&customer=")
    }

    /// The checkout pages of one of the app's customers.
    pub fn sessions(&mut self, id: &str) -> Vec<Value> {
        self.of_customer(id, "/v1/checkout/sessions?customer=")
    }

    /// Looks at the customers anew.
    pub fn refresh(&mut self) {
        self.customers.clear();
    }

    fn of_customer(&mut self, id: &str, path: &str) -> Vec<Value> {
        for _ in 0..2 {
            let customers = self.customers(id);
            let found =
                customers.iter().flat_map(|customer| self.all(&format!("{path}{customer}")));
            let found: Vec<Value> = found.collect();
            if !found.is_empty() {
                return found;
            }
            self.refresh();
        }
        Vec::new()
    }

    /// What a price is for.
    pub fn price(&mut self, id: &str) -> Option<Price> {
        if !self.prices.contains_key(id) {
            for price in self.all("/v1/prices") {
                if let (Some(id), Some(known)) = (price["id"].as_str(), read_price(&price)) {
                    self.prices.insert(id.to_owned(), known);
                }
            }
        }
        self.prices.get(id).cloned()
    }
}

/// `farthing_growth_month_usd_6900`, `farthing_pack_ai_500_once_usd_900`: read from the end.
fn read_price(price: &Value) -> Option<Price> {
    let key = price["lookup_key"].as_str()?.strip_prefix("farthing_")?;
    let mut parts = key.rsplitn(4, '_');
    let (_amount, _currency) = (parts.next()?, parts.next()?);
    let (interval, item) = (parts.next()?, parts.next()?);
    let pack = interval == "once";
    let item = if pack { item.strip_prefix("pack_")? } else { item };
    Some(Price { item: item.to_owned(), pack, yearly: interval == "year" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_price_says_what_it_is_for() {
        let read = |key: &str| read_price(&json!({ "lookup_key": key })).unwrap();
        let pack = Price { item: "ai_500".to_owned(), pack: true, yearly: false };
        assert_eq!(read("farthing_pack_ai_500_once_usd_900"), pack);
        let plan = Price { item: "big_one".to_owned(), pack: false, yearly: true };
        assert_eq!(read("farthing_big_one_year_eur_6900"), plan);
    }
}
