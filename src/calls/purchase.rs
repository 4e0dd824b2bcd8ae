//! The life of a purchase: looked up in the ledger, written down, sent once, and its outcome written down.

use std::time::Duration;

use sevendigital::Client;
use sevendigital_tools::reconcile::find_purchases;
use sevendigital_tools::values::Price;
use sevendigital_tools::{Action, Payer, Receipt, Standing, ToolError};
use tracing::Instrument as _;

use super::audit;
use super::confirmation::Confirmed;
use super::executor::Executor;
use super::offer::{self, Offer};
use super::outcome::{self, Completed};
use super::pending::{Pending, account, digest};
use super::permits::Permit;
use crate::config::{Config, Spending, SpendingLimits};
use crate::ledger::{
    BeginOutcome, Entry, Intent, KeyBinding, Ledger, LimitUse, Outcome, Repeat, State, wall_clock,
};
use crate::problem::{Kind, Problem};

/// How long a repeat waits for the purchase in flight: longer than a purchase may take.
const REPEAT_TIMEOUT: Duration = Duration::from_secs(50);
/// How much earlier than it was sent a purchase may be dated, in milliseconds: dates have whole seconds.
const CLOCK_SLACK: i64 = 3_000;

/// Makes purchases, each once. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Purchases {
    ledger: Ledger,
    executor: Executor,
    pub(super) spending: Spending,
    pub(super) max_price: Option<u32>,
    pub(super) limits: SpendingLimits,
}

impl Purchases {
    pub(super) fn new(config: &Config, ledger: Ledger, executor: Executor) -> Self {
        Self {
            ledger,
            executor,
            spending: config.spending(),
            max_price: config.max_price,
            limits: config.spending_limits(),
        }
    }

    /// The result of the same purchase, if it was made before or is being made. An unknown outcome fails, unless the locker shows the purchase; where the operator has switched spending off, every purchase fails.
    pub(super) async fn find_existing(
        &self,
        pending: &Pending,
        idempotency_key: Option<&str>,
    ) -> Result<Option<Completed>, Problem> {
        let repeat = match self.spending {
            Spending::Confirm => Repeat::Asked,
            Spending::Allow => Repeat::Unasked,
            Spending::Off => {
                return Err(Problem::new(
                    Kind::SpendingOff,
                    "This server does not spend: the setting `spending` is `off`.",
                    "Ask the operator to set `spending` (`SEVENDIGITAL_MCP_SPENDING`) to `allow`.",
                ));
            }
        };
        if let Some(idempotency_key) = idempotency_key {
            self.bind(pending, idempotency_key).await?;
        }
        let identity = pending.identity(pending.action()?);
        let key = &pending.key.digest;
        if let Some(entry) = self.ledger.find(key.clone(), identity, repeat).await? {
            return self.repeat(pending, entry).await.map(Some);
        }
        // Where the user is asked, they are told that it may have been bought; unless the locker says so.
        match self.ledger.find_unknown(key.clone()).await? {
            Some(entry) => self.settle(pending, &entry).await,
            None => Ok(None),
        }
    }

    /// The newest charge that the question about a purchase would name; zero without one, or where nobody is asked.
    pub(super) async fn newest(&self, pending: &Pending) -> Result<i64, Problem> {
        if self.spending != Spending::Confirm {
            return Ok(0);
        }
        let identity = pending.identity(pending.action()?);
        Ok(self.ledger.newest(identity).await?)
    }

    /// Binds an idempotency key to the purchase; fails where it belongs to another one, or where 7digital has refused this one under it. A key is its caller's own.
    async fn bind(&self, pending: &Pending, idempotency_key: &str) -> Result<(), Problem> {
        let scope = account(&pending.client, None);
        let name = digest(&format!("{idempotency_key}\0{}", pending.caller.label()));
        let bound = self.ledger.bind_key(&scope, &name, &pending.key.digest);
        match bound.await? {
            KeyBinding::Bound => Ok(()),
            KeyBinding::Refused(entry) => Err(Problem::previously_refused(&entry)),
            KeyBinding::OtherPurchase => Err(Problem::new(
                Kind::KeyReused,
                "This Idempotency-Key was used for a call with other arguments.",
                "Use a new key for each purchase, and the same one only to repeat it.",
            )),
        }
    }

    /// Writes the purchase down, sends it once, and writes its outcome down. Once begun, nothing stops it.
    pub(super) async fn execute(
        &self,
        pending: Pending,
        seen: i64,
        confirmed: Confirmed,
        permit: Permit,
    ) -> Result<Completed, Problem> {
        let action = pending.action()?;
        let offer = confirmed.offer.unwrap_or_default();
        self.check_price(action, &offer)?;
        offer::check_basket(&pending, action, &offer).await?;
        let key = pending.key.clone();
        let price = offer.price(action);
        let currency = offer.currency(action, pending.country());
        let intent = Intent {
            key: key.digest,
            identity: pending.identity(action),
            account: key.account,
            tool: key.tool,
            arguments: key.arguments,
            item: action.item.to_string(),
            title: offer.title.clone(),
            price,
            currency: currency.filter(|_| price.is_some()),
            upstream_time: upstream_now(&pending.client),
            seen,
            nonce: confirmed.nonce,
        };
        let purchases = self.clone();
        let work = async move {
            match purchases.ledger.begin(intent, purchases.limits).await? {
                BeginOutcome::Begun(id) => {
                    let sent = purchases.send(&pending, id, &offer).await;
                    sent.map(|completed| completed.holding(permit))
                }
                BeginOutcome::LimitReached(reached) => Err(limit_reached(&reached)),
                BeginOutcome::ConfirmationUsed => Err(Problem::invalid_confirmation()),
                // Another call was quicker; its outcome is this one's too.
                BeginOutcome::Exists(entry) => {
                    drop(permit);
                    purchases.repeat(&pending, *entry).await
                }
            }
        };
        self.executor.run_to_end(work).await
    }

    async fn send(&self, pending: &Pending, id: i64, offer: &Offer) -> Result<Completed, Problem> {
        // In a task of its own: a panic in the tool must not leave the purchase in flight.
        let (prepared, client) = (pending.prepared.clone(), pending.client.clone());
        let price = offer.price.clone();
        let sending = async move { prepared.run_at(&client, price.as_ref()).await };
        let (outcome, result) = match tokio::spawn(sending.in_current_span()).await {
            Ok(Ok(reply)) => match Standing::from_answer(&reply.answer) {
                Standing::Made(receipt) => (outcome::done(&receipt), Ok(Completed::fresh(reply))),
                Standing::Pending => (Outcome::default(), Err(Failure::Pending)),
                Standing::Unclear => (Outcome::default(), Err(Failure::Unclear)),
            },
            Ok(Err(error)) => (outcome::failed(&error), Err(Failure::Reported(error))),
            Err(_) => (Outcome::default(), Err(Failure::Unclear)),
        };
        audit::purchase(&pending.key, &outcome);
        if let Err(error) = self.ledger.finish(id, outcome).await {
            // It is kept, and written with the next use of the ledger.
            tracing::error!(
                charge = id,
                "the outcome of charge {id} could not be written down yet: {error}"
            );
        }
        let failure = match result {
            Ok(completed) => return Ok(self.with_receipt(completed, pending, offer).await),
            Err(Failure::Reported(error)) => return Err(offer::failed(error, offer)),
            Err(failure) => failure,
        };
        let entry = self.ledger.show(id).await?.ok_or_else(Problem::internal)?;
        Err(match failure {
            Failure::Pending => Problem::outcome_pending(&entry),
            _ => Problem::outcome_unknown(&entry),
        })
    }

    /// With what was bought and what is left of the limits, in sentences beside the document.
    async fn with_receipt(
        &self,
        mut completed: Completed,
        pending: &Pending,
        offer: &Offer,
    ) -> Completed {
        let notes = &mut completed.reply.notes;
        if let Some(title) = &offer.title {
            let price = offer.price.as_ref().map(ToString::to_string);
            notes.push(outcome::bought(title, price.as_deref()));
        }
        // The purchase is made, whatever becomes of this.
        if let Ok(Some(left)) = self.left(pending).await {
            notes.push(format!("Left of the operator's limits: {left}."));
        }
        completed
    }

    /// What an entry of the ledger means for a repeat of its purchase.
    async fn repeat(&self, pending: &Pending, entry: Entry) -> Result<Completed, Problem> {
        let entry = match entry.state {
            State::Sending => self.wait_for_outcome(entry).await?,
            _ => entry,
        };
        match entry.state {
            State::Done => Ok(Completed::replay(&entry)),
            // It was in flight when this call came, so its outcome is this call's too.
            State::Refused | State::NotSent => Err(Problem::duplicate_failed(&entry)),
            State::Sending => Err(Problem::still_in_flight(&entry)),
            State::Unknown => {
                let settled = self.settle(pending, &entry).await?;
                settled.ok_or_else(|| Problem::outcome_unknown(&entry))
            }
        }
    }

    /// Waits for a purchase in flight, here or in another process.
    async fn wait_for_outcome(&self, entry: Entry) -> Result<Entry, Problem> {
        let mut pause = Duration::from_millis(20);
        let wait = async {
            loop {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(250));
                match self.ledger.show(entry.id).await? {
                    Some(now) if now.state == State::Sending => {}
                    Some(now) => return Ok(now),
                    None => return Err(Problem::internal()),
                }
            }
        };
        let ended = tokio::time::timeout(REPEAT_TIMEOUT, wait).await;
        ended.unwrap_or(Ok(entry.clone()))
    }

    /// Looks for a purchase whose outcome is unknown in the locker: if it is there, it was made.
    async fn settle(&self, pending: &Pending, entry: &Entry) -> Result<Option<Completed>, Problem> {
        let Some(receipt) = self.find_receipt(pending, entry).await? else {
            return Ok(None);
        };
        let outcome = outcome::done(&receipt);
        let account = &pending.key.account;
        if !self
            .ledger
            .settle(entry.id, account, outcome.clone())
            .await?
        {
            return Ok(None);
        }
        audit::purchase(&pending.key, &outcome);
        Ok(Some(Completed::replay(&Entry {
            purchase_id: Some(receipt.purchase_id),
            document: Some(receipt.document),
            ..entry.clone()
        })))
    }

    /// The one purchase of the same item that the locker shows, made after the charge was sent, and that the ledger does not know. By 7digital's own clock: without it nothing is proved.
    async fn find_receipt(
        &self,
        pending: &Pending,
        entry: &Entry,
    ) -> Result<Option<Receipt>, Problem> {
        let (client, action) = (&pending.client, pending.action()?);
        let found = find_purchases(client, action, &pending.prepared.target).await;
        let sent = match (entry.upstream_time, upstream_now(client)) {
            (Some(sent), _) => sent,
            // Nothing was known of 7digital's clock then: the read says it now, and how long ago it was the ledger's.
            (None, Some(now)) => now - (self.ledger.wall_clock().await? - entry.started),
            (None, None) => return Ok(None),
        };
        let since = sent - CLOCK_SLACK;
        let mut new = Vec::new();
        let found = found.unwrap_or_default().into_iter();
        for (_, receipt) in found.filter(|(at, _)| *at >= since) {
            if !self
                .ledger
                .knows(&pending.key.account, &receipt.purchase_id)
                .await?
            {
                new.push(receipt);
            }
        }
        Ok(new.pop().filter(|_| new.is_empty()))
    }

    /// Checks the price against the operator's limits; a price that is not known fails where there is one.
    pub(super) fn check_price(&self, action: &Action, offer: &Offer) -> Result<(), Problem> {
        match (self.max_price, offer.price(action)) {
            _ if action.payer == Payer::None => Ok(()),
            (Some(_), None) => Err(price_unknown("max_price")),
            (Some(max), Some(price)) if price > max => Err(too_dear(max)),
            (_, None) if self.limits.daily_budget.is_some() => Err(price_unknown("daily_budget")),
            _ => Ok(()),
        }
    }

    /// Whether a limit needs a price that the call does not name.
    pub(super) fn limits_need_price(&self, action: &Action) -> bool {
        let limited = self.max_price.is_some() || self.limits.daily_budget.is_some();
        limited && action.payer != Payer::None && action.price.is_none()
    }

    /// Where nobody is asked: the offer, if a limit on prices needs one that the call does not name.
    pub(super) async fn offer_for_limits(
        &self,
        pending: &Pending,
        action: &Action,
    ) -> Result<Option<Offer>, Problem> {
        if !self.limits_need_price(action) {
            return Ok(None);
        }
        let listed = offer::look_up(pending, action).await;
        Offer::new(&listed, action).map(Some)
    }

    /// When the account last bought the item, or may have.
    pub(super) async fn last_bought(
        &self,
        pending: &Pending,
        action: &Action,
    ) -> Result<Option<Entry>, Problem> {
        let (account, item) = (&pending.key.account, action.item.to_string());
        Ok(self.ledger.last_bought(account, &item).await?)
    }

    /// What is left of the operator's limits, for people; none where none is set.
    pub(super) async fn left(&self, pending: &Pending) -> Result<Option<String>, Problem> {
        let (account, country) = (&pending.key.account, pending.country());
        let used = self.ledger.limits_used(account, self.limits).await?;
        let currency = Price::currency(None, country);
        let left: Vec<String> = used.iter().map(|used| used.left(currency)).collect();
        Ok((!left.is_empty()).then(|| left.join(", ")))
    }
}

/// Milliseconds since 1970 by 7digital's clock, as far as its last answer said so.
fn upstream_now(client: &Client) -> Option<i64> {
    Some(wall_clock().ok()? - client.clock_ahead()? * 1_000)
}

/// Why a purchase that was sent has no receipt.
enum Failure {
    /// 7digital reports a failure, or was not reached.
    Reported(ToolError),
    /// 7digital has not decided on it.
    Pending,
    /// The answer does not say whether it was made.
    Unclear,
}

fn too_dear(max: u32) -> Problem {
    Problem::new(
        Kind::SpendingLimit,
        format!("The operator's limit `max_price` of {max} is reached: this costs more."),
        "Buy something that costs less, or ask the operator to raise it.",
    )
}

fn limit_reached(reached: &LimitUse) -> Problem {
    let LimitUse { name, limit, .. } = reached;
    Problem::new(
        Kind::SpendingLimit,
        format!("The operator's limit `{name}` of {limit} is reached."),
        "Wait until it allows more, or ask the operator to raise it.",
    )
}

fn price_unknown(name: &str) -> Problem {
    Problem::new(
        Kind::SpendingLimit,
        format!(
            "The operator has set `{name}`, and the price of this call is not known beforehand."
        ),
        "Give the price shown to the user, in minor units, where the tool takes one; 7digital then sells at that price or not at all.",
    )
}
