//! A world with something to sell, and short words for calling it.

use farthing_sandbox::{Request, Response, World};
use serde_json::Value;

pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 24 * HOUR;
/// 31 January 2027, 10:00 UTC.
pub const START: i64 = 1_801_389_600;
pub const BASE: &str = "http://127.0.0.1:8787/sandbox/stripe";

/// A world with one product, a monthly price of $49 and a pack for $10.
pub struct Shop {
    pub world: World,
    pub growth: String,
    pub pack: String,
}

impl Shop {
    pub fn open() -> Shop {
        Shop::at(START)
    }

    pub fn at(now: i64) -> Shop {
        let mut shop =
            Shop { world: World::new(7, now, BASE), growth: String::new(), pack: String::new() };
        shop.post("/v1/products", "id=growth&name=Growth");
        let growth = "product=growth&currency=usd&unit_amount=4900&recurring[interval]=month&lookup_key=growth";
        shop.growth = id(&shop.post("/v1/prices", growth));
        let pack = "product_data[name]=Pack&currency=usd&unit_amount=1000";
        shop.pack = id(&shop.post("/v1/prices", pack));
        shop
    }

    pub fn call(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        extra: &[(&str, &str)],
    ) -> Response {
        let mut headers = vec![("Authorization".to_owned(), "Bearer sk_test_shop".to_owned())];
        headers.extend(extra.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        let body = body.as_bytes().to_vec();
        self.world.handle(&Request { method: method.into(), path: path.into(), headers, body })
    }

    fn ok(&mut self, method: &str, path: &str, body: &str) -> Value {
        let response = self.call(method, path, body, &[]);
        let answer = json(&response);
        assert_eq!(response.status, 200, "{method} {path} {body}: {answer:#}");
        answer
    }

    pub fn get(&mut self, path: &str) -> Value {
        self.ok("GET", path, "")
    }

    pub fn post(&mut self, path: &str, body: &str) -> Value {
        self.ok("POST", path, body)
    }

    pub fn delete(&mut self, path: &str) -> Value {
        self.ok("DELETE", path, "")
    }

    /// The error object of a request that has to be refused with `status`.
    pub fn refused(&mut self, status: u16, method: &str, path: &str, body: &str) -> Value {
        let response = self.call(method, path, body, &[]);
        let answer = json(&response);
        assert_eq!(response.status, status, "{method} {path} {body}: {answer:#}");
        answer["error"].clone()
    }

    pub fn advance(&mut self, seconds: i64) {
        let to = self.world.now() + seconds;
        self.world.advance_to(to);
    }

    pub fn customer(&mut self, email: &str) -> String {
        id(&self.post("/v1/customers", &format!("email={email}")))
    }

    /// A price of `amount` per `interval` for a product of its own.
    pub fn price(&mut self, name: &str, amount: i64, interval: &str) -> String {
        let body = format!(
            "product_data[name]={name}&currency=usd&unit_amount={amount}&recurring[interval]={interval}"
        );
        id(&self.post("/v1/prices", &body))
    }

    /// The subscription `id` as it is now.
    pub fn subscription(&mut self, id: &str) -> Value {
        self.get(&format!("/v1/subscriptions/{id}"))
    }

    /// What an update of `subscription` answers that moves its first item to `price`.
    pub fn switch(&mut self, subscription: &Value, price: &str, more: &str) -> Value {
        let path = format!("/v1/subscriptions/{}", id(subscription));
        self.post(&path, &switch_body(subscription, price, more))
    }

    /// A customer whose default is the ready-made payment method `method`.
    pub fn customer_with(&mut self, method: &str) -> String {
        id(&self.post(
            "/v1/customers",
            &format!(
                "email=ada@example.com&payment_method={method}&invoice_settings[default_payment_method]={method}"
            ),
        ))
    }

    /// An active subscription to Growth, by the API; with `more` parameters.
    pub fn subscribe(&mut self, customer: &str, more: &str) -> Value {
        let body = format!("customer={customer}&items[0][price]={}&{more}", self.growth);
        self.post("/v1/subscriptions", &body)
    }

    /// A session of `mode`, with `more` parameters.
    pub fn session(&mut self, mode: &str, more: &str) -> Value {
        let body = format!(
            "mode={mode}&success_url=https://app.example.com/done?s={{CHECKOUT_SESSION_ID}}&cancel_url=https://app.example.com/plans&{more}"
        );
        self.post("/v1/checkout/sessions", &body)
    }

    /// A session for Growth.
    pub fn growth_session(&mut self, more: &str) -> Value {
        let more = format!("line_items[0][price]={}&line_items[0][quantity]=1&{more}", self.growth);
        self.session("subscription", &more)
    }

    /// What the hosted page of `session` answers to `card`.
    pub fn pay(&mut self, session: &Value, card: &str) -> Response {
        let path = page_path(session);
        self.call("POST", &path, &format!("card={card}"), &[])
    }

    /// Pays with 4242 and reads the session again.
    pub fn paid(&mut self, session: &Value) -> Value {
        let response = self.pay(session, "4242+4242+4242+4242");
        assert_eq!(response.status, 303, "{}", text(&response));
        self.get(&format!("/v1/checkout/sessions/{}", id(session)))
    }

    /// Types of all events after `after`, oldest first.
    pub fn events_since(&mut self, after: usize) -> Vec<String> {
        let kinds = self.all_events().into_iter().map(|event| field(&event, "type"));
        kinds.skip(after).collect()
    }

    pub fn n_invoices(&mut self) -> usize {
        self.get("/v1/invoices?limit=100")["data"].as_array().map_or(0, Vec::len)
    }

    pub fn n_events(&mut self) -> usize {
        self.all_events().len()
    }

    /// All events, oldest first.
    pub fn all_events(&mut self) -> Vec<Value> {
        let mut out = Vec::new();
        let mut path = "/v1/events?limit=100".to_owned();
        loop {
            let page = self.get(&path);
            let data = page["data"].as_array().expect("a list").clone();
            let last = data.last().map(id);
            out.extend(data);
            match last.filter(|_| page["has_more"] == true) {
                Some(last) => path = format!("/v1/events?limit=100&starting_after={last}"),
                None => break,
            }
        }
        out.reverse();
        out
    }

    /// The last event of `kind`.
    pub fn last_event(&mut self, kind: &str) -> Value {
        let found = self.all_events().into_iter().rfind(|event| event["type"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} event"))
    }
}

/// The form that moves the first item of `subscription` to `price`.
pub fn switch_body(subscription: &Value, price: &str, more: &str) -> String {
    let item = field(&subscription["items"]["data"][0], "id");
    format!("items[0][id]={item}&items[0][price]={price}&items[0][quantity]=1&{more}")
}

/// The period of the first item.
pub fn period(subscription: &Value) -> (i64, i64) {
    let item = &subscription["items"]["data"][0];
    let at = |name: &str| item[name].as_i64().expect("an instant");
    (at("current_period_start"), at("current_period_end"))
}

pub fn page_path(session: &Value) -> String {
    let url = field(session, "url");
    url.strip_prefix(BASE).expect("hosted pages are below the base url").to_owned()
}

pub fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).expect("the API answers in JSON")
}

pub fn text(response: &Response) -> String {
    String::from_utf8(response.body.clone()).expect("pages are UTF-8")
}

pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

pub fn id(object: &Value) -> String {
    field(object, "id")
}

pub fn field(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_else(|| panic!("no text {name} in {object:#}")).to_owned()
}

/// `2027-02-28` of a unix second.
pub fn day(at: &Value) -> String {
    let at = at.as_i64().expect("an instant");
    jiff::Timestamp::from_second(at).expect("in range").to_string()[..10].to_owned()
}
