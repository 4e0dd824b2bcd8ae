//! The question to the user, in our own words and checked values.

use sevendigital_tools::lookup::{card_digits, owned_title};
use sevendigital_tools::{Action, Payer};

use super::outcome::ago;
use super::pending::Pending;
use crate::ledger::{Entry, Ledger, LedgerError, State};

/// The question about a call that spends or deletes. Looks up the payment card, whether the locker has the item, and whether it was bought before.
pub(super) async fn question(
    pending: &Pending,
    action: &Action,
    ledger: &Ledger,
) -> Result<String, LedgerError> {
    let (client, target) = (&pending.client, &pending.prepared.target);
    let card = card_digits(client, action, target);
    let owned = owned_title(client, action, target);
    let (card, owned) = match action.payer {
        Payer::Card => tokio::join!(card, owned),
        Payer::Partner => (None, owned.await),
        Payer::None => (card.await, None),
    };
    let item = action.item.to_string();
    let before = ledger.last_bought(&pending.key.account, &item).await?;
    let owned =
        owned.map(|title| format!(" The locker has it already; 7digital calls it \"{title}\"."));
    Ok(format!(
        "{action} {}{}{}",
        consequence(pending, action, card),
        owned.unwrap_or_default(),
        before.as_ref().map(again).unwrap_or_default()
    ))
}

/// What it costs, who pays, and that it can't be undone.
fn consequence(pending: &Pending, action: &Action, card: Option<String>) -> String {
    let account = pending.account_in_words();
    let price = action.shown_price(pending.country());
    match action.payer {
        Payer::Card => {
            let price = price.unwrap_or_else(|| "the store's price".to_owned());
            let card = card.map(|digits| format!("card ending in {digits}"));
            let card = card.unwrap_or_else(|| "default card".to_owned());
            format!("for {price}? The {card} of {account} is charged, and it can't be undone here.")
        }
        Payer::Partner => {
            let price = price.map(|price| format!("for {price} "));
            let price = price.unwrap_or_default();
            format!(
                "{price}to {account}? 7digital bills the partner for it, and it can't be undone here."
            )
        }
        Payer::None => {
            let card = card.map(|digits| format!("(ending in {digits}) "));
            let card = card.unwrap_or_default();
            format!("{card}of {account}? It can't be brought back.")
        }
    }
}

/// That the same item was bought before, or may have been.
fn again(entry: &Entry) -> String {
    let ago = ago(entry);
    if entry.state != State::Done {
        return format!(
            " AGAIN: the same item may have been bought {ago} ago; that outcome is not known."
        );
    }
    let purchase = entry.purchase_id.as_ref();
    let purchase = purchase.map(|id| format!(", purchase {id}"));
    let purchase = purchase.unwrap_or_default();
    format!(" AGAIN: the same item was bought {ago} ago{purchase}.")
}
