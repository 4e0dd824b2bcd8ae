//! The offer: what 7digital's catalogue says of an item and its price, looked up before the user is asked and sent along as a guard.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sevendigital::{Delivery, Error, Repeat};
use sevendigital_tools::catalogue::{self, Amount, Listing, Unlisted};
use sevendigital_tools::values::Price;
use sevendigital_tools::{Action, Charged, ToolError};

use super::pending::Pending;
use crate::problem::{Kind, Problem};

/// How long the catalogue may take: the user waits for the question.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// 7digital's code where `price` is not what it would charge.
const PRICE_DIFFERS: u32 = 3004;

/// What the user agrees to: the item as the catalogue names it, and what it costs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    /// The item, where the catalogue named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    /// 7digital's price, where the catalogue had one that the call is charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) price: Option<Amount>,
}

impl Offer {
    /// Of what was looked up: empty where the catalogue could not be read. Fails where the item is not sold, or where the call names another price.
    pub(super) fn new(
        listed: &Result<Listing, Unlisted>,
        action: &Action,
    ) -> Result<Self, Problem> {
        match listed {
            Ok(listing) => {
                check_named_price(action, listing)?;
                let is_theirs = action.charged != Charged::CallersPrice;
                Ok(Self {
                    title: Some(listing.describe(&action.item)),
                    price: listing.price.clone().filter(|_| is_theirs),
                })
            }
            Err(Unlisted::Failed(_)) => Ok(Self::default()),
            Err(unlisted) => Err(not_for_sale(unlisted)),
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }

    /// What the call charges, in minor units: 7digital's price where it is known, else what the caller says.
    pub(super) fn price(&self, action: &Action) -> Option<u32> {
        let known = self.price.as_ref().and_then(Amount::minor_units);
        known.or(action.price.map(Price::in_minor_units))
    }

    /// The currency of that price, as far as it is known.
    pub(super) fn currency(&self, action: &Action, country: Option<&str>) -> Option<String> {
        let theirs = self.price.as_ref().and_then(|price| price.currency.clone());
        theirs.or_else(|| Price::currency(action.currency.as_ref(), country).map(str::to_owned))
    }
}

/// Looks the item of an action up, with the partner's key.
pub(super) async fn look_up(pending: &Pending, action: &Action) -> Result<Listing, Unlisted> {
    let target = &pending.prepared.target;
    let looked_up = catalogue::look_up(&pending.client, action, target);
    let looked_up = in_time(async { Some(looked_up.await) }).await;
    looked_up.unwrap_or_else(|| Err(Unlisted::Failed("7digital did not answer in time".into())))
}

/// What a look-up on the side finds in time.
pub(super) async fn in_time<T>(found: impl Future<Output = Option<T>>) -> Option<T> {
    let found = tokio::time::timeout(LOOKUP_TIMEOUT, found).await;
    found.ok().flatten()
}

/// Fails where the call names a price that is not 7digital's.
fn check_named_price(action: &Action, listing: &Listing) -> Result<(), Problem> {
    let (Some(theirs), Some(named)) = (&listing.price, action.price) else {
        return Ok(());
    };
    let named = named.in_minor_units();
    if action.charged == Charged::CallersPrice || theirs.minor_units() == Some(named) {
        return Ok(());
    }
    let what = format!(
        "7digital's price for {} is {theirs}, and `price` says {}.",
        listing.describe(&action.item),
        Price::amount(named, theirs.currency.as_deref())
    );
    let advice =
        "Show the user 7digital's price; if they agree, call with that `price` or without one.";
    Err(Problem::new(Kind::PriceChanged, what, advice))
}

fn not_for_sale(unlisted: &Unlisted) -> Problem {
    let what = format!("{unlisted} Nothing was bought.");
    let advice = "Look for another item, or for the country or the release that it is sold in.";
    Problem::new(Kind::NotForSale, what, advice)
}

/// A basket has no guard at 7digital: it is read once more, and must cost what the user agreed to.
pub(super) async fn check_basket(
    pending: &Pending,
    action: &Action,
    offer: &Offer,
) -> Result<(), Problem> {
    let (Charged::AmountDue, Some(agreed)) = (action.charged, &offer.price) else {
        return Ok(());
    };
    let now = match look_up(pending, action).await {
        Ok(listing) => listing.price,
        Err(Unlisted::Failed(reason)) => return Err(basket_unreadable(&reason)),
        Err(unlisted) => return Err(not_for_sale(&unlisted)),
    };
    match now {
        Some(now) if now == *agreed => Ok(()),
        now => {
            let now = now.map_or("not known".to_owned(), |now| now.to_string());
            let what = format!(
                "The amount due of the basket was {agreed} and is {now} now; it was not bought."
            );
            let advice = "Call again: the price is looked up anew, and the user is asked about it.";
            Err(Problem::new(Kind::PriceChanged, what, advice).repeatable(Repeat::Later))
        }
    }
}

/// The failure of a purchase: 7digital's refusal of a price that was looked up means that it has changed since.
pub(super) fn failed(error: ToolError, offer: &Offer) -> Problem {
    let (ToolError::Client(Error::Rejected(refusal)), Some(agreed)) = (&error, &offer.price) else {
        return error.into();
    };
    if refusal.code != Some(PRICE_DIFFERS) || refusal.delivery != Delivery::Rejected {
        return error.into();
    }
    let what = format!("7digital's price is not {agreed} any more, so it was not bought.");
    let advice = "Call again: the price is looked up anew, and the user is asked about it.";
    Problem::new(Kind::PriceChanged, what, advice)
        .quoting(refusal.code, &refusal.message)
        .delivered(Delivery::Rejected)
        .repeatable(Repeat::Later)
}

fn basket_unreadable(reason: &str) -> Problem {
    let what = format!(
        "The basket could not be read again right before the purchase ({reason}), so it was not bought."
    );
    Problem::new(Kind::Unavailable, what, "").repeatable(Repeat::Later)
}
