//! What is counted, and where Prometheus may read it.

use std::net::SocketAddr;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::PrometheusBuilder;
use sevendigital::{RateLimit, Sent};

use crate::config::ConfigError;
use crate::guard::{Failure, Progress};
use crate::problem::Problem;

/// Bounds of the histogram's buckets: a read may take 20 seconds, a charge 45.
const SECONDS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0];

/// Serves the figures for Prometheus at `/metrics` of this loopback address, from now on.
pub fn serve(address: SocketAddr) -> Result<(), ConfigError> {
    if !address.ip().is_loopback() {
        return Err(ConfigError(format!(
            "`metrics_bind` is {address}: figures are served on loopback only"
        )));
    }
    PrometheusBuilder::new()
        .with_http_listener(address)
        .set_buckets(SECONDS)
        .and_then(PrometheusBuilder::install)
        .map_err(|error| {
            ConfigError(format!(
                "`metrics_bind`: {address} can't be served: {error}"
            ))
        })
}

/// Counts a call that has ended: `sevendigital_calls_total` and `sevendigital_call_seconds`.
pub(crate) fn call_ended(tool: &'static str, ended: &Result<Progress, Failure>, elapsed: Duration) {
    let outcome = match ended {
        Ok(Progress::Done(success)) if success.replayed.is_some() => "replayed",
        Ok(Progress::Done(_)) => "done",
        Ok(Progress::Ask(_)) => "asked",
        Err(failure) => match Problem::from(failure).sent {
            Sent::No => "not_sent",
            Sent::Refused => "refused",
            Sent::Unknown => "unknown",
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

/// 7digital's quota: `sevendigital_rate_limit`, `…_current` and `…_reset_seconds`.
fn rate_limit(limit: RateLimit) {
    let set = |name, value: u64| gauge!(name).set(u32::try_from(value).unwrap_or(u32::MAX));
    set("sevendigital_rate_limit", limit.limit);
    set("sevendigital_rate_limit_current", limit.current);
    set("sevendigital_rate_limit_reset_seconds", limit.reset);
}
