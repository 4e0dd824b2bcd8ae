//! One call, straight down.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use sevendigital::{Client, Effect};
use sevendigital_tools::{AnyTool, Arguments};
use tracing::Instrument as _;

use super::call_key::CallKey;
use super::confirmation::{Confirmations, Decision, UserAnswer};
use super::executor::Executor;
use super::outcome::{CallOutcome, Completed, label};
use super::pending::{Pending, Ready};
use super::permits::Admission;
use super::purchase::Purchases;
use super::rate_limits::RateLimits;
use super::registry::Registry;
use super::request_context::RequestContext;
use super::{audit, upstream};
use crate::config::{Config, ConfigError};
use crate::identity::{Caller, User, check_user};
use crate::ledger::Ledger;
use crate::problem::Problem;
use crate::telemetry::metrics;
use crate::telemetry::trace;
use crate::telemetry::trace_context::TraceContext;

/// Makes the calls of all surfaces. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calls {
    registry: Registry,
    client: Client,
    rate_limits: Arc<RateLimits>,
    confirmations: Arc<Confirmations>,
    admission: Admission,
    executor: Executor,
    purchases: Purchases,
    ledger: Ledger,
}

/// A call, as a surface received it.
pub struct Call {
    /// What the client sent.
    pub arguments: Arguments,
    /// Who calls.
    pub caller: Caller,
    /// The user, where the request's headers name one.
    pub user: Option<User>,
    /// The request that the call came with.
    pub context: RequestContext,
    /// What is known of the user's confirmation.
    pub confirmation: UserAnswer,
    /// The client's key for this purchase, to repeat it with.
    pub idempotency_key: Option<String>,
}

/// Arguments, keys and confirmations are not printed.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Call");
        shown.field("context", &self.context);
        shown.finish_non_exhaustive()
    }
}

impl Calls {
    /// Over a client and a ledger made from the settings.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let limits = &config.limits;
        let ledger = Ledger::from_config(config);
        let executor = Executor::new(limits);
        let ttl = limits.confirmation_ttl;
        Ok(Self {
            registry: Registry::new(config),
            client: upstream::client(config)?,
            rate_limits: Arc::new(RateLimits::new(limits)),
            confirmations: Arc::new(Confirmations::new(config.spending(), ledger.clone(), ttl)),
            admission: Admission::new(limits),
            purchases: Purchases::new(config, ledger.clone(), executor.clone()),
            executor,
            ledger,
        })
    }

    /// The tools that are served.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Makes a call; logs and counts how it ended.
    ///
    /// Dropping the future ends a read, and whatever has not been sent yet. A change or a purchase that was sent goes on to its end.
    pub async fn call(&self, tool: &AnyTool, call: Call) -> Result<CallOutcome, Problem> {
        let (started, name) = (Instant::now(), tool.contract.name);
        let span = call.context.span(name, call.caller.label());
        let trace = trace::enter(&span, call.context.trace.as_ref());
        let ended = self.run(tool, call, trace).instrument(span.clone()).await;
        let ended = ended.map_err(|problem| problem.of_call(tool.contract.upstream.effect));
        if let Err(problem) = &ended {
            let kind = problem.kind.spec().slug;
            span.in_scope(|| tracing::warn!(kind, "tool `{name}` failed: {}", problem.what));
        }
        metrics::call_ended(name, label(&ended), started.elapsed());
        if let Ok(CallOutcome::Completed(Completed { reply, .. })) = &ended {
            reply
                .answer
                .rate_limit
                .into_iter()
                .for_each(metrics::rate_limit);
            metrics::unexpected(name, reply.unexpected.len());
            if let Some(path) = reply.unexpected.first() {
                let values = reply.unexpected.len();
                span.in_scope(|| {
                    tracing::warn!(path, values, "tool `{name}`: `{path}` is not as documented");
                });
            }
        }
        ended
    }

    /// Authorize, rate limit, prepare, and then read, change or buy.
    async fn run(
        &self,
        tool: &AnyTool,
        call: Call,
        trace: Option<TraceContext>,
    ) -> Result<CallOutcome, Problem> {
        let contract = &tool.contract;
        call.caller.authorize(contract)?;
        self.rate_limits.check_caller(&call.caller, contract)?;
        let prepared = tool.prepare(call.arguments)?;
        self.rate_limits.check_email(prepared.email())?;
        let configured = self.client.credentials().user_id.as_deref();
        let named = prepared.named_users();
        let user = call.caller.user(contract, call.user, named, configured)?;
        let client = upstream::for_call(&self.client, user, trace)?;
        check_user(contract, client.credentials(), prepared.named_users())?;
        let key = CallKey::new(contract, &client, &prepared);
        let ready = Ready {
            caller: call.caller,
            client,
            prepared,
            key,
        };
        match contract.upstream.effect {
            Effect::Reads => self.read(ready).await,
            // Boxed, since these are large and most calls are reads.
            Effect::Writes => Box::pin(self.change(ready, call.confirmation)).await,
            Effect::Charges => {
                let idempotency_key = call.idempotency_key.as_deref();
                Box::pin(self.purchase(ready, call.confirmation, idempotency_key)).await
            }
        }
    }

    async fn read(&self, ready: Ready) -> Result<CallOutcome, Problem> {
        let permit = self.admission.admit(&ready.caller, Effect::Reads).await?;
        let read = async move {
            let _permit = permit;
            Ok(ready.prepared.run(&ready.client).await?)
        };
        let reply = self.executor.read(read).await?;
        Ok(CallOutcome::Completed(Completed::fresh(reply)))
    }

    /// A change that charges no one; the user confirms those that can't be undone.
    async fn change(&self, ready: Ready, answer: UserAnswer) -> Result<CallOutcome, Problem> {
        let nonce = match ready.pending() {
            None => None,
            Some(pending) => match self.decide(&pending, answer).await? {
                Decision::Ask(question) => return Ok(CallOutcome::ConfirmationRequired(question)),
                Decision::Proceed(nonce) => nonce,
            },
        };
        let permit = self.admission.admit(&ready.caller, Effect::Writes).await?;
        self.confirmations.consume(nonce).await?;
        let change = async move {
            let _permit = permit;
            let ended = ready.prepared.run(&ready.client).await;
            audit::change(&ready.key, &ended);
            Ok(ended?)
        };
        let reply = self.executor.run_to_end(change).await?;
        Ok(CallOutcome::Completed(Completed::fresh(reply)))
    }

    async fn purchase(
        &self,
        ready: Ready,
        answer: UserAnswer,
        idempotency_key: Option<&str>,
    ) -> Result<CallOutcome, Problem> {
        let purchases = &self.purchases;
        purchases.check_spending()?;
        // `AnyTool` does not compile for a tool that charges and has no action.
        let pending = ready.pending().ok_or_else(Problem::internal)?;
        if let Some(key) = idempotency_key {
            purchases.bind_idempotency_key(&pending, key).await?;
        }
        if let Some(completed) = purchases.find_existing(&pending).await? {
            return Ok(CallOutcome::Completed(completed));
        }
        let nonce = match self.decide(&pending, answer).await? {
            Decision::Ask(question) => return Ok(CallOutcome::ConfirmationRequired(question)),
            Decision::Proceed(nonce) => nonce,
        };
        let permit = self
            .admission
            .admit(&pending.caller, Effect::Charges)
            .await?;
        let completed = purchases.execute(pending, nonce, permit).await?;
        Ok(CallOutcome::Completed(completed))
    }

    async fn decide(&self, pending: &Pending, answer: UserAnswer) -> Result<Decision, Problem> {
        // A confirmation is good for the caller that was asked, too.
        let subject = format!("{} {}", pending.key.digest(), pending.caller.label());
        // Boxed, since few calls need it and it is large.
        let question = Box::pin(self.purchases.question(pending));
        self.confirmations.decide(answer, &subject, question).await
    }

    /// Waits for the calls in flight, within the drain's timeouts, and for their outcomes to be written down. Calls that come later are still made; the surfaces accept none.
    pub async fn drain(&self) {
        self.executor.drain().await;
        if let Err(error) = self.ledger.flush_pending().await {
            tracing::error!("outcomes could not be written down: {error}");
        }
    }

    /// Writes down that the purchases in flight have an unknown outcome: the process ends now.
    pub async fn abandon_in_flight(&self) {
        if let Err(error) = self.ledger.abandon_in_flight().await {
            tracing::error!("charges in flight could not be marked as unknown: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
