//! What stands between the surfaces and the tools: which tools there are, for whom a call is, whether the user must be asked,
//! and that a call once sent runs to its end.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sevendigital::{Client, Credentials, Effect, Token};
use sevendigital_tools::{AnyTool, Arguments, Prepared, Reply, TOOLS, ToolError};
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use tracing::{Instrument as _, field};

use crate::calls::admission::Place;
use crate::calls::confirmation::{Question, Seal};
use crate::calls::purchase::{Change, Charge};
use crate::calls::rate_limits::Paces;
use crate::config::{Config, ConfigError, Limits, Spending};
use crate::identity::Caller;
use crate::ledger::{Allowance, Entry, Ledger, LedgerError};
use crate::telemetry::metrics;
use crate::telemetry::request_id::RequestId;
use crate::telemetry::trace::{self, TraceContext};

/// The tools that are served, and the way to call them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Guard {
    client: Client,
    tools: Arc<[AnyTool]>,
    pub(crate) policy: Policy,
    pub(crate) ledger: Ledger,
    limits: Limits,
    paces: Arc<Paces>,
    seal: Arc<OnceCell<Seal>>,
    reads: TaskTracker,
    /// Ends reads that outlast the drain.
    no_more_reads: CancellationToken,
    changes: TaskTracker,
}

/// What the operator allows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Policy {
    pub(crate) spending: Spending,
    pub(crate) max_price: Option<u32>,
    pub(crate) allowance: Allowance,
}

/// A call, as a surface received it.
#[derive(Default)]
pub struct Call {
    /// What the client sent.
    pub arguments: Arguments,
    /// Who makes it.
    pub caller: Caller,
    /// For whom it is, where the request itself says so.
    pub user: Option<User>,
    /// What logs and errors call it.
    pub request: RequestId,
    /// Where it stands in a trace of the caller's.
    pub trace: Option<TraceContext>,
    /// The sealed question that the user has said yes to.
    pub consent: Option<String>,
    /// Whether the surface can ask the user at all.
    pub asking: Asking,
    /// The name that the client gave this purchase, to repeat it by.
    pub name: Option<String>,
    /// The place that it has among the calls under way, for as long as its work goes on, whoever waits for that.
    pub place: Option<Place>,
}

/// Arguments, names and confirmations are not printed.
impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Call");
        shown.field("request", &self.request);
        shown.finish_non_exhaustive()
    }
}

/// Whether the user can be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Asking {
    /// By one way or another.
    #[default]
    Possible,
    /// The client has no way to.
    Impossible,
}

/// For whom a call is, where the request itself says so.
#[derive(Debug, Clone)]
pub enum User {
    /// Whose access token was given.
    Token(Token),
    /// A managed user.
    Id(String),
}

/// How far a call came.
#[derive(Debug)]
pub enum Progress {
    /// There is a document.
    Done(Success),
    /// The user must be asked first; nothing was sent.
    Ask(Question),
}

/// A call that succeeded.
#[derive(Debug)]
pub struct Success {
    /// What the tool gave.
    pub reply: Reply,
    /// Where the ledger answered for 7digital: when the purchase was first made, in milliseconds since 1970.
    pub replayed: Option<i64>,
}

/// Why a call gave no document.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The tool's own reason.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// The caller was not granted the tool, or chose not to have it.
    #[error("the caller may not use this tool")]
    NotAllowed,
    /// The call names a user whose account the caller does not act on.
    #[error("the caller may not act for this user")]
    NotYours,
    /// Something was done too often in the last minute.
    #[error("{what} too often")]
    TooOften {
        /// What, as the start of a sentence that ends "too often".
        what: &'static str,
        /// When it may be done again.
        wait: Duration,
    },
    /// After the user was asked there was no place for the call.
    #[error("as many calls are under way as this server takes at once")]
    Busy,
    /// The operator does not let this server spend.
    #[error("spending is switched off")]
    SpendingOff,
    /// The user would have to be asked, and can't be.
    #[error("the user can't be asked")]
    NotAsked,
    /// The user did not say yes.
    #[error("the user did not agree")]
    Declined,
    /// The yes does not belong to this call, is too old, or was used.
    #[error("the confirmation is not valid for this call")]
    NotThisYes,
    /// A setting bounds what may be spent.
    #[error("the limit `{0}` of {1} is reached")]
    Limit(&'static str, u64),
    /// A setting bounds prices, and this call's price is not known before.
    #[error("`{0}` is set and the price is not known")]
    PriceUnknown(&'static str),
    /// The same purchase was sent before, and its outcome is not known.
    #[error("charge {} has an unknown outcome", .0.id)]
    Unsettled(Box<Entry>),
    /// The same purchase was under way when this call came, and nothing was bought.
    #[error("charge {} ended without a purchase", .0.id)]
    Alike(Box<Entry>),
    /// The same purchase was sent before under this name, and 7digital refused it.
    #[error("charge {} was refused before", .0.id)]
    Stored(Box<Entry>),
    /// The name was given to another purchase before.
    #[error("the idempotency key belongs to another call")]
    KeyReused,
    /// The purchase can't be written down, so it is not made.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The request's headers name a user where that is not allowed, or name one badly.
    #[error("{0}")]
    User(String),
    /// The server is stopping, and does not wait for this read.
    #[error("the server is stopping")]
    Stopping,
    /// A fault of ours.
    #[error("the call broke off inside this server")]
    Broken,
}

impl Failure {
    /// How long to wait before the call is repeated, where that is known.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::TooOften { wait, .. } => Some(*wait),
            Self::Tool(ToolError::Client(sevendigital::Error::CircuitOpen { retry_after })) => {
                Some(*retry_after)
            }
            Self::Tool(ToolError::Client(
                sevendigital::Error::Throttled { retry_after }
                | sevendigital::Error::Unavailable { retry_after, .. },
            )) => *retry_after,
            _ => None,
        }
    }
}

impl Guard {
    /// The tools that the settings choose, over a client made from them.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        let client = config.client()?;
        let serves = |tool: &AnyTool| {
            config.serves(
                tool.contract.name,
                tool.contract.upstream.effect == Effect::Reads,
            )
        };
        Ok(Self {
            client,
            tools: TOOLS.iter().copied().filter(serves).collect(),
            policy: Policy {
                spending: config.spending(),
                max_price: config.max_price,
                allowance: config.allowance(),
            },
            ledger: config.ledger(),
            limits: config.limits.clone(),
            paces: Arc::new(Paces::new(&config.limits)),
            seal: Arc::default(),
            reads: TaskTracker::new(),
            no_more_reads: CancellationToken::new(),
            changes: TaskTracker::new(),
        })
    }

    /// The tools that are served, in the card's order.
    pub fn tools(&self) -> &[AnyTool] {
        &self.tools
    }

    /// The tool of that name, if it is served.
    pub fn find(&self, name: &str) -> Option<&AnyTool> {
        self.tools.iter().find(|tool| tool.contract.name == name)
    }

    /// Makes a call: policy, then ledger, then confirmation, then sending, then recording.
    ///
    /// Dropping the future stops a read, and whatever has not been sent yet.
    /// What changes or charges goes on to its end once it is on its way, since 7digital may have it already.
    pub async fn call(&self, tool: &AnyTool, call: Call) -> Result<Progress, Failure> {
        let started = Instant::now();
        let name = tool.contract.name;
        // However little is logged, its failures hold the request's name.
        let span = tracing::error_span!(
            "call",
            tool.name = name,
            caller = call.caller.shown(),
            request_id = %call.request,
            trace_id = field::Empty,
            span_id = field::Empty,
        );
        let here = trace::place(&span, call.trace.as_ref());
        async {
            let ended = self.decide(tool, call, here).await;
            if let Err(failure) = &ended {
                tracing::warn!("tool `{name}` failed: {failure}");
            }
            metrics::call_ended(name, &ended, started.elapsed());
            ended
        }
        .instrument(span)
        .await
    }

    async fn decide(
        &self,
        tool: &AnyTool,
        call: Call,
        here: Option<TraceContext>,
    ) -> Result<Progress, Failure> {
        let caller = call.caller;
        if !caller.may(&tool.contract) {
            return Err(Failure::NotAllowed);
        }
        // Here every spelling of a user's id has become one.
        let prepared = tool.prepare(call.arguments)?;
        let ours = self.client.credentials().user_id.as_deref();
        let user = caller.user(&tool.contract, call.user, prepared.named_users(), ours)?;
        let client = self.client_for(user, here);
        if client.credentials().consumer.is_none() {
            return Err(ToolError::from(sevendigital::Error::NoConsumerKey).into());
        }
        self.paces.pass(&tool.contract, &caller, prepared.email())?;
        let Some(action) = prepared.action().cloned() else {
            return self.send(*tool, client, prepared, call.place).await;
        };
        let charges = tool.contract.upstream.effect == Effect::Charges;
        if charges && self.policy.spending == Spending::Off {
            return Err(Failure::SpendingOff);
        }
        let charge = Charge::new(self.clone(), *tool, client, prepared, action);
        if charges && let Some(name) = &call.name {
            // A name is its caller's own, as a yes is.
            let name = format!("{name}\0{}", caller.shown());
            charge.be_called(&name).await?;
        }
        if charges && let Some(answer) = charge.settled_before().await? {
            return Ok(Progress::Done(answer));
        }
        // A yes is good for who was asked, too.
        let asked = format!("{} {}", charge.key, caller.shown());
        let nonce = match (self.policy.spending, call.consent) {
            (Spending::Allow, _) => None,
            (_, Some(sealed)) => Some(
                self.seal()
                    .await?
                    .open(&sealed, &asked)
                    .ok_or(Failure::NotThisYes)?,
            ),
            (_, None) if call.asking == Asking::Impossible => return Err(Failure::NotAsked),
            (_, None) => {
                let question = charge.question(self.seal().await?, &asked).await?;
                return Ok(Progress::Ask(question));
            }
        };
        if charges {
            return charge.buy(nonce, call.place).await.map(Progress::Done);
        }
        if let Some(nonce) = nonce
            && !self.ledger.use_consent(nonce).await?
        {
            return Err(Failure::NotThisYes);
        }
        self.send(*tool, charge.client, charge.prepared, call.place)
            .await
    }

    /// Sends a call that is not a charge.
    ///
    /// Each runs in a task of its own, so that a panic ends that call and nothing else.
    async fn send(
        &self,
        tool: AnyTool,
        client: Client,
        prepared: Prepared,
        place: Option<Place>,
    ) -> Result<Progress, Failure> {
        let finished = if tool.contract.upstream.effect == Effect::Reads {
            let read = async move {
                let _place = place;
                prepared.run(&client).await
            };
            let read = self.no_more_reads.clone().run_until_cancelled_owned(read);
            match AbortOnDropHandle::new(self.reads.spawn(read.in_current_span())).await {
                Ok(Some(outcome)) => Ok(outcome),
                Ok(None) => return Err(Failure::Stopping),
                Err(panic) => Err(panic),
            }
        } else {
            let audited = Change::new(&tool, &client, &prepared);
            let change = async move {
                let _place = place;
                let outcome = prepared.run(&client).await;
                audited.audit(&outcome);
                outcome
            };
            self.changes.spawn(change.in_current_span()).await
        };
        match finished {
            Ok(outcome) => Ok(Progress::Done(Success {
                reply: outcome?,
                replayed: None,
            })),
            // The panic's text went to stderr with the panic hook; it is not for the caller.
            Err(_) => Err(Failure::Broken),
        }
    }

    /// Runs work that must come to its end, whoever stops waiting for it.
    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        self.changes
            .spawn(work.in_current_span())
            .await
            .unwrap_or(Err(Failure::Broken))
    }

    fn client_for(&self, user: Option<User>, here: Option<TraceContext>) -> Client {
        let client = match here {
            Some(here) => self.client.with_traceparent(here.header()),
            None => self.client.clone(),
        };
        let Some(user) = user else {
            return client;
        };
        let (token, user_id) = match user {
            User::Token(token) => (Some(token), None),
            User::Id(id) => (None, Some(id)),
        };
        let ours = client.credentials().clone();
        client.with_credentials(Credentials {
            token,
            user_id,
            ..ours
        })
    }

    async fn seal(&self) -> Result<&Seal, LedgerError> {
        self.seal
            .get_or_try_init(|| async {
                Seal::new(
                    &self.ledger.seal().await?,
                    self.limits.confirmation_ms.time(),
                )
            })
            .await
    }

    /// Waits for the calls under way: reads for a while, changes and charges for as long as they may take.
    ///
    /// Calls that come later are still made; the surfaces take none.
    pub async fn drain(&self) {
        self.reads.close();
        self.changes.close();
        let reads = async {
            if tokio::time::timeout(self.limits.drain_reads_ms.time(), self.reads.wait())
                .await
                .is_err()
            {
                self.no_more_reads.cancel();
                self.reads.wait().await;
            }
        };
        let changes =
            tokio::time::timeout(self.limits.drain_changes_ms.time(), self.changes.wait());
        let ((), _) = tokio::join!(reads, changes);
        if let Err(error) = self.ledger.catch_up().await {
            tracing::error!("outcomes could not be written down: {error}");
        }
    }

    /// Writes down that what is still under way has an unknown outcome: the process ends now.
    pub async fn give_up(&self) {
        if let Err(error) = self.ledger.give_up().await {
            tracing::error!("charges under way could not be marked as unknown: {error}");
        }
    }
}

#[cfg(test)]
mod tests;
