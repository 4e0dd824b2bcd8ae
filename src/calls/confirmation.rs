//! Asking before spending: the question in words, and the seal that binds a yes to one call.

use std::time::Duration;

use rmcp::model::{RequestStateCodec, SealOptions};
use sevendigital_tools::{Action, Payer};

use crate::ledger::{self, Entry, LedgerError, State};

/// What the user is asked, and what their yes must come back with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The question, of our own words and checked values.
    pub message: String,
    /// Binds the answer to the call: caller, account, tool and arguments, for a while, once.
    pub sealed: String,
    /// How long it may wait for its answer.
    pub patience: Duration,
}

/// Seals questions. What is sealed may be read by anyone and changed by nobody.
#[derive(Debug)]
pub struct Seal {
    codec: RequestStateCodec,
    patience: Duration,
}

impl Seal {
    /// A seal with this key of 32 bytes, for questions that may wait so long.
    pub(crate) fn new(key: &[u8], patience: Duration) -> Result<Self, LedgerError> {
        let codec = RequestStateCodec::try_new(key);
        codec
            .map(|codec| Self { codec, patience })
            .map_err(|error| LedgerError(format!("the ledger's seal is damaged: {error}")))
    }

    /// A question about the call with that name. Its number is good for one purchase.
    pub(crate) fn question(&self, message: String, call: &str) -> Question {
        let nonce = uuid::Uuid::new_v4().to_string();
        let options = SealOptions::new()
            .associated_data(call.as_bytes())
            .ttl(self.patience);
        Question {
            message,
            sealed: self.codec.seal_with(nonce.as_bytes(), &options),
            patience: self.patience,
        }
    }

    /// The number of the question, if it was sealed here, for the call with that name, and not too long ago.
    pub(crate) fn open(&self, sealed: &str, call: &str) -> Option<String> {
        let opened = self.codec.open_with(sealed, call.as_bytes()).ok()?;
        String::from_utf8(opened).ok()
    }
}

/// What is known of an action beside itself.
pub(crate) struct Circumstances<'a> {
    /// Last four digits of the card that pays, or is deleted.
    pub(crate) card: Option<String>,
    /// The account, as a person can recognise it.
    pub(crate) account: String,
    /// The country whose currency prices are in.
    pub(crate) country: Option<&'a str>,
    /// 7digital's title of the release, where the locker has it already.
    pub(crate) owned: Option<String>,
    /// When the same item was bought last.
    pub(crate) before: Option<Entry>,
}

/// The question about an action.
pub(crate) fn words(action: &Action, circumstances: Circumstances<'_>) -> String {
    let Circumstances {
        card,
        account,
        country,
        owned,
        before,
    } = circumstances;
    let price = action.shown_price(country);
    let consequence = match (action.payer, price) {
        (Payer::Card, price) => {
            let price = price.unwrap_or_else(|| "the store's price".to_owned());
            let card = card.map_or_else(
                || "default card".to_owned(),
                |digits| format!("card ending in {digits}"),
            );
            format!("for {price}? The {card} of {account} is charged, and it can't be undone here.")
        }
        (Payer::Partner, price) => {
            let price = price
                .map(|price| format!("for {price} "))
                .unwrap_or_default();
            format!(
                "{price}to {account}? 7digital bills the partner for it, and it can't be undone here."
            )
        }
        (Payer::None, _) => {
            let card = card
                .map(|digits| format!("(ending in {digits}) "))
                .unwrap_or_default();
            format!("{card}of {account}? It can't be brought back.")
        }
    };
    let again = before.map(|entry| {
        let seconds = (ledger::now() - entry.started).max(0) / 1_000;
        let purchase = entry
            .purchase_id
            .as_deref()
            .map(|id| format!(", purchase {id}"))
            .unwrap_or_default();
        match entry.state {
            State::Done => format!(
                " AGAIN: the same item was bought {} ago{purchase}.",
                ago(seconds)
            ),
            _ => format!(
                " AGAIN: the same item may have been bought {} ago; that outcome is not known.",
                ago(seconds)
            ),
        }
    });
    let owned =
        owned.map(|title| format!(" The locker has it already; 7digital calls it \"{title}\"."));
    format!(
        "{action} {consequence}{}{}",
        owned.unwrap_or_default(),
        again.unwrap_or_default()
    )
}

fn ago(seconds: i64) -> String {
    match seconds {
        0..=119 => format!("{seconds} seconds"),
        120..=7_199 => format!("{} minutes", seconds / 60),
        _ => format!("{} hours", seconds / 3_600),
    }
}
