//! What was paid, read at the provider.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::oracle::calendar;
use crate::truth::Truth;

/// Month (`2027-02`) to what was bought (`growth yearly`) to currency to minor units.
pub type Revenue = BTreeMap<String, BTreeMap<String, BTreeMap<String, i64>>>;

/// Every paid invoice and every paid pack.
pub(crate) fn revenue(truth: &mut Truth) -> Revenue {
    let mut revenue = Revenue::new();
    let mut add = |created: &Value, item: String, currency: &str, amount: i64| {
        let month = calendar::month_name(created.as_i64().unwrap_or_default() * 1_000_000);
        let items = revenue.entry(month).or_default().entry(item).or_default();
        *items.entry(currency.to_uppercase()).or_default() += amount;
    };
    for invoice in truth.all("/v1/invoices?status=paid") {
        let amount = invoice["amount_paid"].as_i64().unwrap_or_default();
        let lines = invoice["lines"]["data"].as_array().cloned().unwrap_or_default();
        let line = lines.iter().max_by_key(|line| line["amount"].as_i64().unwrap_or_default());
        let price = line.and_then(|line| line["pricing"]["price_details"]["price"].as_str());
        let price = price.and_then(|price| truth.price(price));
        let item =
            price.map(|it| format!("{} {}", it.item, if it.yearly { "yearly" } else { "monthly" }));
        if 0 < amount {
            let currency = invoice["currency"].as_str().unwrap_or_default();
            add(&invoice["created"], item.unwrap_or_default(), currency, amount);
        }
    }
    for session in truth.all("/v1/checkout/sessions") {
        if session["mode"] == "payment" && session["payment_status"] == "paid" {
            let amount = session["amount_total"].as_i64().unwrap_or_default();
            let currency = session["currency"].as_str().unwrap_or_default();
            add(&session["created"], "packs".to_owned(), currency, amount);
        }
    }
    revenue
}

/// What one customer lived through, a line each, for people.
pub fn tale(story: &[String], customer: &str) -> Vec<String> {
    let mine = story.iter().filter_map(|line| {
        let (at, rest) = line.split_once("  ")?;
        let rest = rest.strip_prefix(customer)?.strip_prefix(' ')?;
        let told = match rest.split_once(" {") {
            Some((kind, data)) if kind.contains('.') => happened(kind, &format!("{{{data}"))?,
            Some((act, rest)) => did(act, rest.split_once("}: ").map_or("", |(_, said)| said)),
            None => {
                rest.split_once(": ").map_or_else(|| rest.to_owned(), |(act, said)| did(act, said))
            }
        };
        Some(format!("{at}  {told}"))
    });
    mine.collect()
}

fn happened(kind: &str, data: &str) -> Option<String> {
    if kind == "customer.state_changed" {
        return None;
    }
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    let plan = data["plan"].as_str().or(data["pack"].as_str());
    let plan = plan.map(|plan| format!(" ({plan})")).unwrap_or_default();
    Some(format!("{}{plan}", kind.replace(['.', '_'], " ")))
}

fn did(act: &str, said: &str) -> String {
    let mut words = String::from("> ");
    for letter in act.chars() {
        if letter.is_uppercase() && 2 < words.len() {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    if said.is_empty() { words } else { format!("{words}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tale_is_of_one_customer_and_has_no_data_in_it() {
        let story = [
            "t1  c1 SignUp: done",
            "t2  c12 SignUp: done",
            "t3  c1 subscription.renewed {\"plan\":\"growth\",\"standing\":\"good\"}",
            "t4  c1 customer.state_changed {}",
            "t5  c1 GiveBack { pick: 1, amount: 2 }: 2 of chatbots: done",
        ];
        let tale = tale(&story.map(str::to_owned), "c1");
        let expected = [
            "t1  > sign up: done",
            "t3  subscription renewed (growth)",
            "t5  > give back: 2 of chatbots: done",
        ];
        assert_eq!(tale, expected);
    }
}
