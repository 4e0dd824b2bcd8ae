//! The life of a charge: looked up in the ledger, written down, sent once, and its outcome written down.

use std::time::Duration;

use serde_json::json;
use sevendigital::{Answer, Client, Delivery};
use sevendigital_tools::locker_lookup::owned_title;
use sevendigital_tools::payment_card_lookup::card_digits;
use sevendigital_tools::reconcile::find_purchase;
use sevendigital_tools::values::Price;
use sevendigital_tools::{Action, AnyTool, Payer, Prepared, Receipt, Reply, ToolError};
use tracing::Instrument as _;

pub(crate) use super::audit::Change;
use super::fingerprint::{account, canonical, digest};
use crate::calls::admission::Place;
use crate::calls::call::{Failure, Guard, Success};
use crate::calls::confirmation::{Circumstances, Question, Seal, words};
use crate::ledger::{Begun, Entry, Intent, Named, Outcome, State};
use crate::telemetry::metrics;

/// How long a repeat waits for the purchase under way: longer than a charge may take.
const PATIENCE: Duration = Duration::from_secs(50);
/// How much earlier than ours 7digital's clock may have stamped a purchase, in milliseconds.
const CLOCK_SLACK: i64 = 120_000;

/// A call that charges or deletes, its arguments checked, before anything is sent.
pub(crate) struct Charge {
    guard: Guard,
    tool: AnyTool,
    pub(crate) client: Client,
    pub(crate) prepared: Prepared,
    action: Action,
    account: String,
    arguments: String,
    /// Digest of account, tool and arguments.
    pub(crate) key: String,
}

impl Charge {
    pub(crate) fn new(
        guard: Guard,
        tool: AnyTool,
        client: Client,
        prepared: Prepared,
        action: Action,
    ) -> Self {
        let account = account(&client, prepared.target().user_id.as_deref());
        let arguments = canonical(client.credentials(), prepared.canonical());
        let arguments = digest(&arguments.to_string());
        let key = digest(&format!("{account} {} {arguments}", tool.contract.name));
        Self {
            guard,
            tool,
            client,
            prepared,
            action,
            account,
            arguments,
            key,
        }
    }

    /// Gives the purchase the name that its caller chose, and answers where that name has an answer already.
    pub(crate) async fn be_called(&self, name: &str) -> Result<(), Failure> {
        let caller = account(&self.client, None);
        let ledger = &self.guard.ledger;
        match ledger.name(&caller, &digest(name), &self.key).await? {
            Named::ThisCall => Ok(()),
            Named::Refused(entry) => Err(Failure::Stored(entry)),
            Named::AnotherCall => Err(Failure::KeyReused),
        }
    }

    /// The answer to a purchase that was made before, or is being made. An unknown outcome blocks until the locker settles it.
    pub(crate) async fn settled_before(&self) -> Result<Option<Success>, Failure> {
        match self.guard.ledger.find(&self.key).await? {
            None => Ok(None),
            Some(entry) => self.answer_of(entry).await.map(Some),
        }
    }

    /// What the user is asked, sealed to this charge as this caller makes it.
    pub(crate) async fn question(&self, seal: &Seal, asked: &str) -> Result<Question, Failure> {
        self.check_price()?;
        let (action, target) = (&self.action, self.prepared.target());
        let card = card_digits(&self.client, action, target);
        let owned = owned_title(&self.client, action, target);
        let (card, owned) = match action.payer {
            Payer::Card => tokio::join!(card, owned),
            Payer::Partner => (None, owned.await),
            Payer::None => (card.await, None),
        };
        let circumstances = Circumstances {
            card,
            account: self.account_in_words(),
            country: self.country(),
            owned,
            before: self
                .guard
                .ledger
                .last_bought(&self.account, &action.item.to_string())
                .await?,
        };
        Ok(seal.question(words(action, circumstances), asked))
    }

    /// Writes the purchase down, sends it once, and writes its outcome down. From the first of these on nothing stops it.
    pub(crate) async fn buy(
        self,
        consent: Option<String>,
        place: Option<Place>,
    ) -> Result<Success, Failure> {
        self.check_price()?;
        let guard = self.guard.clone();
        guard
            .detached(async move {
                let _place = place;
                match self
                    .guard
                    .ledger
                    .begin(self.intent(consent), self.guard.policy.allowance)
                    .await?
                {
                    Begun::Started(id) => self.send(id).await,
                    Begun::Limit(name, value) => Err(Failure::Limit(name, value)),
                    Begun::ConsentUsed => Err(Failure::NotThisYes),
                    // Another call was quicker; its outcome answers this one too.
                    Begun::Exists(entry) => self.answer_of(entry).await,
                }
            })
            .await
    }

    async fn send(&self, id: i64) -> Result<Success, Failure> {
        // A panic in the tool must not leave the purchase under way for ever, so it gets a task of its own.
        let (prepared, client) = (self.prepared.clone(), self.client.clone());
        let sent = tokio::spawn(async move { prepared.run(&client).await }.in_current_span()).await;
        let (outcome, answer) = match sent {
            Ok(Ok(reply)) => match Receipt::from_document(&reply.answer.document) {
                Some(receipt) => (
                    done(&receipt),
                    Ok(Success {
                        reply,
                        replayed: None,
                    }),
                ),
                None => (ended(State::Unknown, None), Err(None)),
            },
            Ok(Err(error)) => (ended(state(&error), code(&error)), Err(Some(error))),
            Err(_) => (ended(State::Unknown, None), Err(None)),
        };
        self.audit(&outcome);
        if let Err(error) = self.guard.ledger.finish(id, outcome.clone()).await {
            // It is kept, and written with the next use of the ledger.
            tracing::error!(
                charge = id,
                "the outcome of charge {id} could not be written down yet: {error}"
            );
        }
        match answer {
            Ok(success) => Ok(success),
            Err(Some(error)) => Err(error.into()),
            Err(None) => match self.guard.ledger.show(id).await? {
                Some(entry) => Err(Failure::Unsettled(Box::new(entry))),
                None => Err(Failure::Broken),
            },
        }
    }

    /// What an entry of the ledger answers a repeat with.
    async fn answer_of(&self, entry: Entry) -> Result<Success, Failure> {
        let entry = if entry.state == State::Sending {
            self.outcome_of(entry).await?
        } else {
            entry
        };
        match entry.state {
            State::Done => Ok(replay(&entry)),
            // It was under way when this call came, so its outcome is this call's too.
            State::Refused | State::NotSent => Err(Failure::Alike(Box::new(entry))),
            State::Sending | State::Unknown => self.settle(entry).await,
        }
    }

    /// Waits for a purchase that is under way, here or in another process.
    async fn outcome_of(&self, entry: Entry) -> Result<Entry, Failure> {
        let mut pause = Duration::from_millis(20);
        let wait = async {
            loop {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_millis(250));
                match self.guard.ledger.show(entry.id).await? {
                    Some(now) if now.state == State::Sending => {}
                    Some(now) => return Ok(now),
                    None => return Err(Failure::Broken),
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait)
            .await
            .unwrap_or(Ok(entry.clone()))
    }

    /// Looks into the locker for a purchase whose outcome is unknown: if it is there, it was made.
    async fn settle(&self, entry: Entry) -> Result<Success, Failure> {
        let since = entry.started.saturating_sub(CLOCK_SLACK);
        let known = self.guard.ledger.purchase_ids(&self.account).await?;
        let found = find_purchase(
            &self.client,
            &self.action,
            self.prepared.target(),
            since,
            &known,
        )
        .await;
        let Ok(Some(receipt)) = found else {
            return Err(Failure::Unsettled(Box::new(entry)));
        };
        let outcome = done(&receipt);
        self.audit(&outcome);
        self.guard.ledger.finish(entry.id, outcome).await?;
        Ok(replay(&Entry {
            document: Some(receipt.document),
            ..entry
        }))
    }

    fn intent(&self, consent: Option<String>) -> Intent {
        Intent {
            key: self.key.clone(),
            account: self.account.clone(),
            tool: self.tool.contract.name,
            arguments: self.arguments.clone(),
            item: self.action.item.to_string(),
            price: self.action.price.map(Price::in_minor_units),
            consent,
        }
    }

    /// Holds a price against the operator's bounds; a price that is not known can't be held against them.
    fn check_price(&self) -> Result<(), Failure> {
        if self.action.payer == Payer::None {
            return Ok(());
        }
        let price = self.action.price.map(Price::in_minor_units);
        match (self.guard.policy.max_price, price) {
            (Some(_), None) => return Err(Failure::PriceUnknown("max_price")),
            (Some(most), Some(price)) if price > most => {
                return Err(Failure::Limit("max_price", most.into()));
            }
            _ => {}
        }
        if self.guard.policy.allowance.daily_budget.is_some() && price.is_none() {
            return Err(Failure::PriceUnknown("daily_budget"));
        }
        Ok(())
    }

    fn country(&self) -> Option<&str> {
        let given = self.prepared.target().country.as_deref();
        given.or(self.client.credentials().country.as_deref())
    }

    /// The account as a person can recognise it.
    fn account_in_words(&self) -> String {
        let given = self.prepared.target().user_id.as_ref();
        let user = given.or(self.client.credentials().user_id.as_ref());
        match (user, &self.client.credentials().token) {
            (Some(user), _) => format!("user `{user}`"),
            (None, Some(_)) => "the user who is signed in".to_owned(),
            (None, None) => "the partner's own account".to_owned(),
        }
    }

    fn audit(&self, outcome: &Outcome) {
        metrics::charge_ended(outcome.state);
        tracing::info!(
            target: "audit",
            account = self.account,
            tool.name = self.tool.contract.name,
            arguments = self.arguments,
            outcome = outcome.state.as_str(),
            purchase_id = outcome.purchase_id,
            "charge by `{}`: {}", self.tool.contract.name, outcome.state.as_str()
        );
    }
}

fn done(receipt: &Receipt) -> Outcome {
    Outcome {
        state: State::Done,
        purchase_id: Some(receipt.purchase_id.clone()),
        document: Some(receipt.document.clone()),
        code: None,
    }
}

fn ended(state: State, code: Option<u32>) -> Outcome {
    Outcome {
        state,
        purchase_id: None,
        document: None,
        code,
    }
}

fn code(error: &ToolError) -> Option<u32> {
    match error {
        ToolError::Client(sevendigital::Error::Rejected { code, .. }) => Some(*code),
        ToolError::RegistrationFailed { code, .. } => *code,
        ToolError::Client(_) | ToolError::Input(_) => None,
    }
}

pub(super) fn state(error: &ToolError) -> State {
    match error {
        ToolError::Input(_) => State::NotSent,
        ToolError::RegistrationFailed { .. } => State::Refused,
        ToolError::Client(error) => match error.delivery() {
            Delivery::NotSent => State::NotSent,
            Delivery::Rejected => State::Refused,
            Delivery::Unknown => State::Unknown,
        },
    }
}

fn replay(entry: &Entry) -> Success {
    let document = entry
        .document
        .clone()
        .unwrap_or_else(|| json!({"purchase": {"id": entry.purchase_id}}));
    Success {
        reply: Reply {
            answer: Answer::new(document),
            note: None,
        },
        replayed: Some(entry.started),
    }
}
