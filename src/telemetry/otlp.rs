//! Traces to a collector, by OTLP over HTTP. Only this program's own spans go out, and they hold no argument and no secret.

use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;
use url::Url;

use super::trace_context::TraceContext;
use crate::config::ConfigError;

/// How long the collector has for one batch, and for the last one at the end.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// Sends what is left when it is dropped.
#[derive(Debug)]
pub struct Exporter(SdkTracerProvider);

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(EXPORT_TIMEOUT) {
            tracing::warn!("the last traces could not be sent: {error}");
        }
    }
}

/// Sends spans to the collector at `endpoint` from now on.
pub fn start<S>(endpoint: &Url) -> Result<(Exporter, impl Layer<S>), ConfigError>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let address = format!("{}/v1/traces", endpoint.as_str().trim_end_matches('/'));
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(address)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .map_err(|error| ConfigError::new(format!("`otlp_endpoint`: {error}")))?;
    let resource = Resource::builder()
        .with_service_name(env!("CARGO_PKG_NAME"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    let tracer = provider.tracer(env!("CARGO_PKG_NAME"));
    let ours =
        filter_fn(|data| data.target().starts_with("sevendigital") && *data.level() <= Level::INFO);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_filter(ours);
    Ok((Exporter(provider), layer))
}

/// Puts a span that is exported below the caller's.
pub(super) fn enter(span: &Span, caller: Option<&TraceContext>) -> Option<TraceContext> {
    if let Some(remote) = caller.and_then(remote) {
        // It fails only where nothing is exported.
        let _ = span.set_parent(Context::new().with_remote_span_context(remote));
    }
    let context = span.context();
    let here = context.span().span_context().clone();
    here.is_valid().then(|| TraceContext {
        trace: here.trace_id().to_string(),
        span: here.span_id().to_string(),
        flags: format!("{:02x}", here.trace_flags().to_u8()),
    })
}

fn remote(caller: &TraceContext) -> Option<SpanContext> {
    Some(SpanContext::new(
        TraceId::from_hex(&caller.trace).ok()?,
        SpanId::from_hex(&caller.span).ok()?,
        TraceFlags::new(u8::from_str_radix(&caller.flags, 16).ok()?),
        true,
        TraceState::default(),
    ))
}
