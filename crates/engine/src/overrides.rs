//! Exceptions for one customer: more, less or none of a feature, with a reason and an end.

use farthing_core::allowance::Override;
use farthing_core::catalog::{Feature, Limit};
use farthing_core::entitlement::AMOUNT_MAX;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_store::customers::{self, Customer};
use farthing_store::{Tx, overrides};
use serde_json::json;

use crate::follow_up::Change;
use crate::jobs::Job;
use crate::state::State;
use crate::{Call, Engine, EngineError};

/// An exception to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOverride {
    /// What is allowed instead of what the plan says.
    pub limit: Limit,
    /// Why, for people; 1 to 500 characters.
    pub reason: String,
    /// The first instant at which it no longer counts; `None`: for good.
    pub expires_at: Option<Timestamp>,
}

impl Engine {
    /// Makes or replaces an exception.
    ///
    /// Errors: no such customer or feature, a limit of the wrong kind, no reason, an end in the past.
    pub fn put_override(
        &self,
        call: &Call,
        id: &CustomerId,
        feature: &str,
        new: &NewOverride,
    ) -> Result<State, EngineError> {
        let (call, id, feature, new) = (call.clone(), id.clone(), feature.to_owned(), new.clone());
        self.write(move |engine, tx| {
            let now = engine.now();
            let missing = || EngineError::no_customer(&id);
            let customer = customers::lock(tx, &id)?.ok_or_else(missing)?;
            engine.check_override(tx, &feature, &new, now)?;
            let exception = Override { limit: new.limit, expires_at: new.expires_at };
            overrides::put(tx, (&id, &feature), &exception, &new.reason, now)?;
            if let Some(end) = new.expires_at {
                let (customer, feature) = (id.clone(), feature.clone());
                engine.enqueue(tx, &Job::ExpireOverride { customer, feature }, end)?;
            }
            let to = json!({ "feature": feature, "limit": new.limit, "reason": new.reason, "expires_at": new.expires_at });
            engine.changed_override(tx, &call, &customer, ("override.set", to))
        })
    }

    /// Ends an exception. Ending what is not there changes nothing. Errors: no such customer.
    pub fn delete_override(
        &self,
        call: &Call,
        id: &CustomerId,
        feature: &str,
    ) -> Result<State, EngineError> {
        let (call, id, feature) = (call.clone(), id.clone(), feature.to_owned());
        self.write(move |engine, tx| {
            let missing = || EngineError::no_customer(&id);
            let customer = customers::lock(tx, &id)?.ok_or_else(missing)?;
            if !overrides::delete(tx, &id, &feature)? {
                return engine.state_in(tx, &customer);
            }
            let to = json!({ "feature": feature });
            engine.changed_override(tx, &call, &customer, ("override.ended", to))
        })
    }

    fn changed_override(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        (action, to): (&'static str, serde_json::Value),
    ) -> Result<State, EngineError> {
        self.rematerialize_in(tx, call, &customer.id)?;
        let missing = || EngineError::no_customer(&customer.id);
        let customer = customers::find(tx, &customer.id)?.ok_or_else(missing)?;
        let change = Change { action, from: None, to: Some(to), effective_at: self.now() };
        self.record(tx, call, &customer, &change)?;
        self.state_in(tx, &customer)
    }

    fn check_override(
        &self,
        tx: &mut Tx<'_>,
        feature: &str,
        new: &NewOverride,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let fits = match (catalog.features.get(feature), new.limit) {
            (None | Some(Feature::Credits(_)), _) => {
                return Err(EngineError::invalid(
                    "/feature",
                    "unknown_feature",
                    format!("the catalog has no feature {feature:?} that can be limited"),
                    "name a feature of the catalog that is not credits",
                ));
            }
            (Some(Feature::Boolean), limit) => matches!(limit, Limit::Switch(_)),
            (Some(Feature::Value), limit) => matches!(limit, Limit::Amount(0..=AMOUNT_MAX)),
            (Some(Feature::Count { .. } | Feature::Usage { .. }), limit) => {
                matches!(limit, Limit::Unlimited | Limit::Amount(0..=AMOUNT_MAX))
            }
        };
        if !fits {
            return Err(EngineError::invalid(
                "/limit",
                "invalid_limit",
                "the limit does not fit the feature's type",
                "send true or false for a boolean, a whole number from 0, or \"unlimited\" for what is counted",
            ));
        }
        let reason = new.reason.trim().chars().count();
        if !(1..=500).contains(&reason) {
            return Err(EngineError::invalid(
                "/reason",
                "invalid_reason",
                "an exception needs a reason of 1 to 500 characters",
                "say why, so that others understand it later",
            ));
        }
        if new.expires_at.is_some_and(|end| end <= now) {
            return Err(EngineError::invalid(
                "/expires_at",
                "in_the_past",
                "the exception would be over already",
                "send an instant in the future, or leave it out",
            ));
        }
        Ok(())
    }
}
