//! Planted bugs: what a wrong engine would do, done to a right one.
//!
//! Nothing of it is in the product. A plant is a trigger or a missing index in the simulated
//! database (what a wrong statement would have written), or a change to what goes over the line
//! (what a wrong adapter would have sent or read). The simulation has to notice.

use farthing_providers::HttpRequest;
use farthing_sandbox::Response;

/// A planted bug.
#[derive(Clone, Copy, Debug)]
pub struct Plant {
    /// Its name.
    pub name: &'static str,
    /// What went wrong somewhere once, or would.
    pub like: &'static str,
    /// How it is planted.
    pub how: How,
}

/// How a bug is planted.
#[derive(Clone, Copy, Debug)]
pub enum How {
    /// Statements that change the simulated database beforehand.
    Sql(&'static [&'static str]),
    /// A change to what is sent.
    Request(fn(&mut HttpRequest)),
    /// A change to what is read.
    Response(fn(&HttpRequest, &mut Response)),
}

impl Plant {
    /// The statements to run before anything happens.
    pub fn statements(&self) -> &'static [&'static str] {
        match self.how {
            How::Sql(statements) => statements,
            _ => &[],
        }
    }

    /// Changes what is sent, if that is how.
    pub fn change_request(&self, request: &mut HttpRequest) {
        if let How::Request(change) = self.how {
            change(request);
        }
    }

    /// Changes what is read, if that is how.
    pub fn change_response(&self, request: &HttpRequest, response: &mut Response) {
        if let How::Response(change) = self.how {
            change(request, response);
        }
    }
}

/// One statement.
const fn sql(name: &'static str, like: &'static str, how: &'static [&'static str]) -> Plant {
    Plant { name, like, how: How::Sql(how) }
}

/// Every bug that the simulation is known to notice.
pub const PLANTS: &[Plant] = &[
    sql(
        "spending forgets one credit",
        "a check and a write that do not belong together",
        &["CREATE TRIGGER planted AFTER UPDATE OF remaining ON credit_grants
           WHEN NEW.remaining < OLD.remaining BEGIN
           UPDATE credit_grants SET remaining = NEW.remaining + 1
           WHERE customer_id = NEW.customer_id AND grant_id = NEW.grant_id; END"],
    ),
    sql(
        "a use of two is counted as one",
        "one unit oversold",
        &["CREATE TRIGGER planted AFTER UPDATE OF used ON entitlements
           WHEN NEW.used = OLD.used + 2 BEGIN
           UPDATE entitlements SET used = NEW.used - 1
           WHERE customer_id = NEW.customer_id AND feature = NEW.feature; END"],
    ),
    sql(
        "a new window keeps the old use",
        "a renewal that resets nothing",
        &["CREATE TRIGGER planted AFTER UPDATE OF epoch ON entitlements
           WHEN OLD.epoch < NEW.epoch AND NEW.used < OLD.used BEGIN
           UPDATE entitlements SET used = OLD.used, floor_used = OLD.used
           WHERE customer_id = NEW.customer_id AND feature = NEW.feature; END"],
    ),
    sql(
        "giving back does nothing",
        "held units that never come back",
        &["CREATE TRIGGER planted AFTER UPDATE OF used ON entitlements
           WHEN NEW.kind = 'count' AND NEW.used < OLD.used BEGIN
           UPDATE entitlements SET used = OLD.used, floor_used = OLD.used
           WHERE customer_id = NEW.customer_id AND feature = NEW.feature; END"],
    ),
    sql(
        "the plan stays after the end",
        "access that outlives its subscription",
        &["CREATE TRIGGER planted AFTER UPDATE OF plan ON customers
           WHEN NEW.plan = 'free' AND OLD.plan <> 'free' BEGIN
           UPDATE customers SET plan = OLD.plan WHERE customer_id = NEW.customer_id; END"],
    ),
    sql(
        "a paid plan is not given",
        "an update that came before its creation",
        &["CREATE TRIGGER planted AFTER UPDATE OF plan ON customers
           WHEN NEW.plan <> OLD.plan BEGIN
           UPDATE customers SET plan = 'free' WHERE customer_id = NEW.customer_id; END"],
    ),
    sql(
        "an entry of the audit log is lost",
        "a change without a trace",
        &["CREATE TRIGGER planted AFTER INSERT ON audit WHEN NEW.seq = 2 BEGIN
           DELETE FROM audit WHERE customer_id = NEW.customer_id AND seq = NEW.seq; END"],
    ),
    sql(
        "apps are not told of a purchase",
        "an event that is lost on its way out",
        &["CREATE TRIGGER planted AFTER INSERT ON outbox
           WHEN NEW.type = 'subscription.activated' BEGIN
           DELETE FROM outbox WHERE id = NEW.id; END"],
    ),
    sql(
        "the gift at sign-up is empty",
        "a grant that was written and not posted",
        &["CREATE TRIGGER planted AFTER INSERT ON credit_grants WHEN NEW.source = 'signup' BEGIN
           UPDATE credit_grants SET remaining = 0
           WHERE customer_id = NEW.customer_id AND grant_id = NEW.grant_id; END"],
    ),
    sql(
        "a limit is one too high",
        "a fence post",
        &["CREATE TRIGGER planted AFTER INSERT ON entitlements WHEN NEW.feature = 'messages' BEGIN
           UPDATE entitlements SET limit_amount = NEW.limit_amount + 1,
               ceiling = NEW.limit_amount + 1
           WHERE customer_id = NEW.customer_id AND feature = NEW.feature; END"],
    ),
    sql(
        "news is marked as handled before the work, and nobody looks again",
        "deduplication that was committed without its effect",
        &[
            "CREATE TRIGGER planted AFTER INSERT ON provider_events BEGIN
             UPDATE provider_events SET state = 'ignored', next_attempt_at = NULL,
                 processed_at = NEW.received_at WHERE id = NEW.id; END",
            "CREATE TRIGGER planted_jobs AFTER INSERT ON jobs
             WHEN NEW.kind IN ('reconcile', 'sync_checkout', 'sync_subscription') BEGIN
             DELETE FROM jobs WHERE id = NEW.id; END",
        ],
    ),
    Plant {
        name: "what was bought is read a day too long",
        like: "a provider's field that moved",
        how: How::Response(|_, response| {
            change_json(response, &|key, value| {
                if key == "period"
                    && let Some(end) = value["end"].as_i64()
                {
                    value["end"] = (end + 86_400).into();
                }
            });
        }),
    },
    Plant {
        name: "another customer's name is sent",
        like: "a missing reference to the customer",
        how: How::Request(|request| {
            for (name, value) in &mut request.form {
                if name.contains("farthing_customer") && value != "c0" {
                    "c0".clone_into(value);
                }
            }
        }),
    },
];

/// Changes every named value of a JSON answer, at any depth.
fn change_json(response: &mut Response, change: &dyn Fn(&str, &mut serde_json::Value)) {
    fn walk(value: &mut serde_json::Value, change: &dyn Fn(&str, &mut serde_json::Value)) {
        match value {
            serde_json::Value::Object(fields) => {
                for (key, value) in fields {
                    change(key, value);
                    walk(value, change);
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(|it| walk(it, change)),
            _ => {}
        }
    }
    if let Ok(mut body) = serde_json::from_slice(&response.body) {
        walk(&mut body, change);
        response.body = body.to_string().into_bytes();
    }
}
