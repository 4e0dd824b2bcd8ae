//! Where Prometheus reads the metrics.

use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use http::{HeaderName, header};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::answers::AnswerRoom;
use super::cross_origin::CrossOriginProtection;
use super::errors::{Renderer, enforce, identify, problem_json};
use super::listener::Listener;
use crate::config::{Config, ConfigError};
use crate::telemetry::metrics::SECONDS;

/// How often histograms are condensed that are not read.
const UPKEEP: Duration = Duration::from_secs(5);
const TEXT: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];

/// Serves the metrics at `/metrics` of this loopback address from now on; returns the address that was bound.
pub fn serve(address: SocketAddr, config: &Config) -> Result<SocketAddr, ConfigError> {
    let fail = |why: &dyn Display| ConfigError::new(format!("`metrics_bind`: {why}"));
    if !address.ip().is_loopback() {
        return Err(ConfigError::new(format!(
            "`metrics_bind` is {address}: metrics are served on loopback only"
        )));
    }
    let listener = Listener::bind(
        "metrics_bind",
        address,
        &config.limits,
        AnswerRoom::new(&config.limits),
    )?;
    let bound = listener.address().map_err(|error| fail(&error))?;
    let metrics = PrometheusBuilder::new()
        .set_buckets(SECONDS)
        .and_then(PrometheusBuilder::install_recorder)
        .map_err(|error| fail(&error))?;
    let kept = metrics.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            kept.run_upkeep();
        }
    });
    let protection = CrossOriginProtection::new(config).on_loopback();
    let render: Renderer = problem_json;
    let router = Router::new()
        .route("/metrics", get(async move || (TEXT, metrics.render())))
        .layer(from_fn_with_state((protection, render), enforce))
        .layer(from_fn(identify));
    tokio::spawn(listener.serve(router, CancellationToken::new(), TaskTracker::new()));
    Ok(bound)
}
