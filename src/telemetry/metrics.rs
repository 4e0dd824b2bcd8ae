//! What is counted, and where Prometheus may read it.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use http::{HeaderName, header};
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::PrometheusBuilder;
use sevendigital::{Delivery, RateLimit};
use tokio_util::sync::CancellationToken;

use crate::calls::call::{Failure, Progress};
use crate::config::{Config, ConfigError};
use crate::http::cross_origin::{self, Front};
use crate::http::errors::{self, Refused, Words};
use crate::http::listener::Listener;
use crate::ledger::State;
use crate::problem::Problem;

/// How often figures that nobody reads are condensed.
const UPKEEP: Duration = Duration::from_secs(5);
/// What Prometheus reads.
const TEXT: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];

/// Bounds of the histogram's buckets: a read may take 20 seconds, a charge 45.
const SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0];

/// Serves the figures for Prometheus at `/metrics` of this loopback address, from now on; gives the address that was bound.
pub fn serve(address: SocketAddr, config: &Config) -> Result<SocketAddr, ConfigError> {
    let fail = |error: &dyn Display| ConfigError(format!("`metrics_bind`: {error}"));
    if !address.ip().is_loopback() {
        return Err(ConfigError(format!(
            "`metrics_bind` is {address}: figures are served on loopback only"
        )));
    }
    let listener = Listener::bind("metrics_bind", address, &config.limits)?;
    let bound = listener.address().map_err(|error| fail(&error))?;
    let figures = PrometheusBuilder::new()
        .set_buckets(SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| fail(&error))?;
    let kept = figures.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            kept.run_upkeep();
        }
    });
    let router = Router::new()
        .route("/metrics", get(async move || (TEXT, figures.render())))
        .layer(from_fn_with_state(
            Front::new(config).on_loopback(),
            cross_origin::no_foreign_page,
        ))
        .layer(from_fn_with_state(
            Refused::as_problem as Words,
            errors::tell,
        ));
    tokio::spawn(listener.serve(router, CancellationToken::new()));
    Ok(bound)
}

/// Counts a call that has ended: `sevendigital_calls_total` and `sevendigital_call_seconds`.
pub(crate) fn call_ended(tool: &'static str, ended: &Result<Progress, Failure>, elapsed: Duration) {
    let outcome = match ended {
        Ok(Progress::Done(success)) if success.replayed.is_some() => "replayed",
        Ok(Progress::Done(_)) => "done",
        Ok(Progress::Ask(_)) => "asked",
        Err(failure) => match Problem::from(failure).sent {
            Delivery::NotSent => "not_sent",
            Delivery::Rejected => "refused",
            Delivery::Unknown => "unknown",
        },
    };
    counter!("sevendigital_calls_total", "tool" => tool, "outcome" => outcome).increment(1);
    histogram!("sevendigital_call_seconds", "tool" => tool).record(elapsed);
    if let Ok(Progress::Done(success)) = ended
        && let Some(limit) = success.reply.answer.rate_limit
    {
        rate_limit(limit);
    }
}

/// Counts what was learned of a charge that was sent, or was to be: `sevendigital_charges_total`.
/// One whose unknown outcome the locker settles later is counted a second time then, as done.
pub(crate) fn charge_ended(outcome: State) {
    counter!("sevendigital_charges_total", "outcome" => outcome.as_str()).increment(1);
}

/// 7digital's quota: `sevendigital_rate_limit`, `…_current` and `…_reset_seconds`.
fn rate_limit(limit: RateLimit) {
    let set = |name, value: u64| gauge!(name).set(u32::try_from(value).unwrap_or(u32::MAX));
    set("sevendigital_rate_limit", limit.limit);
    set("sevendigital_rate_limit_current", limit.current);
    set("sevendigital_rate_limit_reset_seconds", limit.reset);
}
