//! One call, straight down.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use sevendigital::{Client, Effect};
use sevendigital_tools::{Action, AnyTool, Arguments, Payer};
use tracing::{Instrument as _, field};

use super::confirmation::{Asker, Confirmations, Confirmed, Decision, Question, UserAnswer, Way};
use super::dry_run::dry_run;
use super::executor::Executor;
use super::outcome::{CallOutcome, Completed, label};
use super::pending::{Pending, Ready, digest};
use super::permits::{Admission, Permit};
use super::purchase::Purchases;
use super::question::question;
use super::questions::{Questions, Subject};
use super::rate_limits::RateLimits;
use super::registry::Registry;
use super::{audit, upstream};
use crate::config::{Config, ConfigError, Spending};
use crate::identity::{Caller, User, check_user};
use crate::ledger::Ledger;
use crate::problem::Problem;
use crate::telemetry::request_id::RequestId;
use crate::telemetry::trace_context::TraceContext;
use crate::telemetry::{self, metrics};

/// Makes the calls of all surfaces. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Calls {
    registry: Registry,
    pub(super) client: Client,
    pub(super) rate_limits: Arc<RateLimits>,
    confirmations: Arc<Confirmations>,
    questions: Questions,
    pub(super) admission: Arc<Admission>,
    pub(super) executor: Executor,
    pub(super) purchases: Purchases,
    pub(super) ledger: Ledger,
    drain_timeout: Duration,
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

/// The request that a call came with, for logs, errors and traces.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// The id in logs and errors.
    pub id: RequestId,
    /// The caller's span, where the request names one.
    pub trace: Option<TraceContext>,
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
        let ledger = Ledger::from_config(config)?;
        let executor = Executor::new(limits);
        Ok(Self {
            registry: Registry::new(config),
            client: upstream::client(config)?,
            rate_limits: Arc::new(RateLimits::new(limits)),
            confirmations: Arc::new(Confirmations::new(config, ledger.clone())),
            questions: Questions::new(config, ledger.clone()),
            admission: Arc::new(Admission::new(limits)),
            purchases: Purchases::new(config, ledger.clone(), executor.clone()),
            executor,
            ledger,
            drain_timeout: limits.drain_changes_timeout,
        })
    }

    /// The tools that are served.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The questions that wait for a browser or a terminal.
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Makes a call; logs and counts how it ended.
    ///
    /// Dropping the future ends a read, and whatever has not been sent yet. A change or a purchase that was sent goes on to its end.
    pub async fn call(&self, tool: &AnyTool, call: Call) -> Result<CallOutcome, Problem> {
        let (started, name) = (Instant::now(), tool.contract.name);
        // However little is logged, a call's failures hold the request's id.
        let span = tracing::error_span!(
            "call",
            tool.name = name,
            caller = call.caller.label(),
            request_id = %call.context.id,
            trace_id = field::Empty,
            span_id = field::Empty,
        );
        let trace = telemetry::enter(&span, call.context.trace.as_ref());
        let ended = self.run(tool, call, trace).instrument(span.clone()).await;
        let ended = ended.map_err(|problem| problem.of_call(tool.contract.upstream.effect));
        if let Err(problem) = &ended {
            let kind = problem.kind.spec().slug;
            span.in_scope(|| tracing::warn!(kind, "tool `{name}` failed: {}", problem.what));
        }
        metrics::call_ended(name, label(&ended), started.elapsed());
        if let Ok(CallOutcome::Completed(Completed { reply, .. })) = &ended {
            let quota = reply.answer.rate_limit.into_iter();
            quota.for_each(metrics::rate_limit);
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
        let effect = tool.contract.upstream.effect;
        let (answer, idempotency_key) = (call.confirmation.clone(), call.idempotency_key.clone());
        let ready = self.prepare(tool, call, trace)?;
        if effect == Effect::Reads {
            let completed = self.read(ready).await?;
            return Ok(CallOutcome::Completed(completed));
        }
        let pending = ready.pending(&tool.contract);
        // Boxed, since this is large and most calls are reads.
        let sent = self.send(effect, pending, answer, idempotency_key.as_deref());
        Box::pin(sent).await
    }

    /// Authorizes a call, counts it, reads its arguments, and finds out for which user it is.
    fn prepare(
        &self,
        tool: &AnyTool,
        call: Call,
        trace: Option<TraceContext>,
    ) -> Result<Ready, Problem> {
        let contract = &tool.contract;
        call.caller.authorize(contract)?;
        self.rate_limits.check_caller(&call.caller, tool)?;
        let prepared = tool.prepare(call.arguments)?;
        if let Some(email) = &prepared.email {
            self.rate_limits.check_email(email)?;
        }
        let configured = self.client.credentials().user_id.as_deref();
        let named = &prepared.named_users;
        let user = call
            .caller
            .user(contract.scope, call.user, named, configured)?;
        let client = upstream::for_call(&self.client, user, trace)?;
        check_user(contract, client.credentials(), named)?;
        Ok(Ready {
            caller: call.caller,
            client,
            prepared,
        })
    }

    /// What a call would do, for a person: the question that the user would be asked, and the request without its secrets. The item is looked up; nothing that changes or charges is sent.
    pub async fn dry_run(&self, tool: &AnyTool, call: Call) -> Result<Value, Problem> {
        let effect = tool.contract.upstream.effect;
        let trace = call.context.trace.clone();
        let ready = self.prepare(tool, call, trace);
        let ready = ready.map_err(|problem| problem.of_call(effect))?;
        let pending = ready.pending(&tool.contract);
        let shown = dry_run(tool, &pending, self.confirmations.spending, &self.purchases);
        shown.await.map_err(|problem| problem.of_call(effect))
    }

    async fn read(&self, ready: Ready) -> Result<Completed, Problem> {
        let permit = self.admission.admit(&ready.caller, Effect::Reads).await?;
        let read = async move {
            let reply = ready.prepared.run(&ready.client).await?;
            Ok(Completed::fresh(reply).holding(permit))
        };
        self.executor.read(read).await
    }

    /// Makes a change or a purchase, unless it was made before or the user must confirm it first.
    async fn send(
        &self,
        effect: Effect,
        pending: Pending,
        answer: UserAnswer,
        idempotency_key: Option<&str>,
    ) -> Result<CallOutcome, Problem> {
        let charges = effect == Effect::Charges;
        // Before the look for the same purchase: what ends between the two is found there.
        let seen = if charges {
            self.purchases.newest(&pending).await?
        } else {
            0
        };
        if charges
            && let Some(completed) = self
                .purchases
                .find_existing(&pending, idempotency_key)
                .await?
        {
            return Ok(CallOutcome::Completed(completed));
        }
        let confirmed = match self.decide(&pending, seen, answer).await? {
            Decision::Ask(question) => return Ok(CallOutcome::ConfirmationRequired(question)),
            Decision::Proceed(confirmed) => confirmed,
            Decision::Superseded => {
                let existing = if charges {
                    self.purchases.find_existing(&pending, None).await?
                } else {
                    None
                };
                let completed = existing.ok_or_else(Problem::question_gone)?;
                return Ok(CallOutcome::Completed(completed));
            }
        };
        let permit = self.admission.admit(&pending.caller, effect).await?;
        let completed = if charges {
            let purchases = &self.purchases;
            purchases.execute(pending, seen, confirmed, permit).await?
        } else {
            self.change(pending, confirmed, permit).await?
        };
        Ok(CallOutcome::Completed(completed))
    }

    /// Asks the user where they must confirm the call: one that spends, or that can't be undone.
    async fn decide(
        &self,
        pending: &Pending,
        seen: i64,
        answer: UserAnswer,
    ) -> Result<Decision, Problem> {
        let Some(action) = &pending.prepared.action else {
            return Ok(Decision::Proceed(Confirmed::default()));
        };
        if self.confirmations.spending == Spending::Allow {
            let offer = self.purchases.offer_for_limits(pending, action).await?;
            return Ok(Decision::Proceed(Confirmed { nonce: None, offer }));
        }
        // A confirmation is good for the caller that was asked, and for what the question knew.
        let subject = format!("{} {seen} {}", pending.key.digest, pending.caller.label());
        match answer {
            UserAnswer::Confirmed(token) => {
                let confirmed = self.confirmations.verify(&token, &subject).await?;
                Ok(Decision::Proceed(confirmed))
            }
            UserAnswer::Declined(token) => {
                Err(self.confirmations.decline(&token, &subject).await?)
            }
            UserAnswer::NotAsked(asker) => self.ask(pending, action, &subject, asker).await,
        }
    }

    /// The first way to ask that there is, for calls of such a caller.
    pub fn way_to_ask(&self, asker: Asker) -> Option<Way> {
        let mut ways = self.confirmations.ways(asker).into_iter();
        ways.find(|way| match way {
            Way::Caller => true,
            Way::Browser => self.questions.has_browser(),
            Way::Terminal => self.questions.has_terminal(),
        })
    }

    /// Asks in the first way that there is.
    async fn ask(
        &self,
        pending: &Pending,
        action: &Action,
        subject: &str,
        asker: Asker,
    ) -> Result<Decision, Problem> {
        let way = self.way_to_ask(asker);
        let way = way.ok_or_else(Problem::elicitation_unsupported)?;
        // Boxed, since few calls need it and it is large.
        let question = Box::pin(question(pending, action, &self.purchases));
        if way == Way::Caller {
            // Where the ledger can't be used, nothing has to be looked up.
            self.confirmations.check().await?;
            let (details, offer) = question.await?;
            return Ok(Decision::Ask(Question {
                confirmation_token: self.confirmations.sign(subject, &offer).await?,
                message: details.message,
                ttl: self.confirmations.ttl,
            }));
        }
        let key = pending.key.digest.clone();
        let subject = Subject {
            digest: digest(subject),
            purchase: (action.payer != Payer::None).then(|| (key, pending.identity(action))),
        };
        let in_browser = way == Way::Browser;
        let confirmed = self.questions.ask(&subject, in_browser, question).await?;
        Ok(confirmed.map_or(Decision::Superseded, Decision::Proceed))
    }

    /// Makes a change that charges no one.
    async fn change(
        &self,
        pending: Pending,
        confirmed: Confirmed,
        permit: Permit,
    ) -> Result<Completed, Problem> {
        // A purchase uses its own confirmation up in the ledger, together with its intent.
        if let Some(nonce) = confirmed.nonce
            && !self.ledger.consume_confirmation(nonce).await?
        {
            return Err(Problem::invalid_confirmation());
        }
        let change = async move {
            let ended = pending.prepared.run(&pending.client).await;
            audit::change(&pending.key, &ended);
            Ok(Completed::fresh(ended?).holding(permit))
        };
        self.executor.run_to_end(change).await
    }

    /// Waits for the calls in flight, within the drain's timeouts, and for their outcomes to be written down. Calls that come later are still made; the surfaces accept none.
    pub async fn drain(&self) {
        self.executor.drain().await;
        if let Err(error) = self.ledger.drain(self.drain_timeout).await {
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
