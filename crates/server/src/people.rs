//! The pages for people, with this server's clocks and sandbox behind them.

use std::sync::Arc;

use axum::Router;
use farthing_core::time::Timestamp;
use farthing_web::{BoxFuture, Site, billing};

use crate::state::{AppState, Lab};

/// The pages, where it is known at which address they are reached; else nothing.
pub(crate) fn routes(state: &AppState) -> Router {
    let Some(base) = state.pages_base.clone() else { return Router::new() };
    let (engine, wall) = (state.engine.clone(), Arc::clone(&state.wall));
    let theme = state.theme.clone().unwrap_or_default();
    let customers = billing::Pages::new(
        engine.clone(),
        base.clone(),
        theme,
        (Arc::clone(&wall), Arc::clone(&state.uptime)),
    );
    let mut site = Site::new(engine, base, wall, Arc::clone(&state.uptime));
    site.lab = state.sandbox_lab.clone().map(|lab| Arc::new(LabForPages(lab)) as _);
    farthing_web::routes(site).merge(billing::routes(customers))
}

/// The sandbox as the pages see it.
struct LabForPages(Arc<dyn Lab>);

impl farthing_web::Lab for LabForPages {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<u64, String>> {
        Box::pin(async move {
            let moved = self.0.advance(to).await;
            moved.map(|advanced| advanced.events_delivered).map_err(|error| error.message)
        })
    }
}
