//! Purchases and logged sales: what is bought is in the locker at once. None is idempotent.

use super::locker::locker_release;
use crate::call::{Answer, Call, timestamp};
use crate::document::Node;
use crate::prices::Price;
use crate::refusal::Refusal;
use crate::state::{Charge, Owned, Release, Sale, State};

/// A release, or one track of it, and what it costs in minor units.
struct Item {
    release: &'static Release,
    track_id: Option<u64>,
    price: Price,
    /// What is charged for it.
    amount: u64,
}

/// How a sale is paid for.
enum Payment {
    /// The user's default card is charged.
    Card,
    /// The partner was paid already and names its transaction.
    Logged(String),
}

/// `purchaseUserItem`: at 7digital's price.
pub(crate) fn item(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    at_listed_price(state, call, |price| price.sevendigital)
}

/// `purchaseUserRrpItem`: at the recommended retail price.
pub(crate) fn rrp_item(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    at_listed_price(state, call, |price| price.recommended)
}

/// A `price`, when given, must be the price.
fn at_listed_price(
    state: &mut State,
    call: &Call,
    charged: fn(Price) -> u64,
) -> Result<Answer, Refusal> {
    let item = wanted(state, call)?;
    let amount = charged(item.price);
    let item = Item { amount, ..item };
    match call.money("price")? {
        Some(price) if price != item.amount => Err(Refusal::new(
            3004,
            "Supplied price does not match the price of the item",
        )),
        _ => sell(state, call, &[item], Payment::Card),
    }
}

/// `purchaseUserPricedItem`: the partner says what it costs.
pub(crate) fn priced_item(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let item = wanted(state, call)?;
    let amount = call
        .money("price")?
        .ok_or_else(|| Refusal::missing("price"))?;
    sell(state, call, &[Item { amount, ..item }], Payment::Card)
}

/// `purchaseUserBasket`: a basket can be bought once.
pub(crate) fn basket(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let id = call.required("basketId")?;
    let key = uuid::Uuid::try_parse(id)
        .map_err(|_| Refusal::invalid("BasketId", id))?
        .to_string();
    let country = call.country()?;
    let basket = state
        .baskets
        .get(&key)
        .ok_or_else(|| Refusal::not_found("Basket", id))?;
    if basket.country != country {
        return Err(Refusal::not_available("Basket", id));
    }
    let items = basket.items.iter();
    let items = items.map(|(release_id, track_id)| {
        let release = state.release(*release_id)?;
        listed(state, release, *track_id, &country)
    });
    let items = items.collect::<Result<Vec<_>, _>>()?;
    let answer = sell(state, call, &items, Payment::Card)?;
    state.baskets.remove(&key);
    Ok(answer)
}

/// `deliverUserItem`: logs a sale that the partner made, and delivers it. No card is needed.
pub(crate) fn deliver(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let item = wanted(state, call)?;
    let transaction_id = call.required("transactionId")?.to_owned();
    let amount = call.money("retailPrice")?.unwrap_or(item.amount);
    if let Some(currency) = call.optional("currency")
        && !super::subscription::is_currency(currency)
    {
        return Err(Refusal::invalid("currency", currency));
    }
    let payment = Payment::Logged(transaction_id);
    sell(state, call, &[Item { amount, ..item }], payment)
}

/// The item that the call names, if it is sold in the call's country.
fn wanted(state: &State, call: &Call) -> Result<Item, Refusal> {
    call.required("releaseId")?;
    let release_id = call.number("releaseId")?.unwrap_or_default();
    let track_id = call.number("trackId")?;
    let country = call.country()?;
    let release = state.release(release_id)?;
    let item = listed(state, release, track_id, &country)?;
    if !release.is_sold_in(&country) || release.tracks.is_empty() {
        return Err(Refusal::not_available("Release", &release_id.to_string()));
    }
    Ok(item)
}

/// A release, or the track that is named, at 7digital's price.
fn listed(
    state: &State,
    release: &'static Release,
    track_id: Option<u64>,
    country: &str,
) -> Result<Item, Refusal> {
    if let Some(track_id) = track_id
        && !release.has_track(track_id)
    {
        return Err(Refusal::not_found("Track", &track_id.to_string()));
    }
    let price = state.price(release, track_id, country);
    Ok(Item {
        release,
        track_id,
        price,
        amount: price.sevendigital,
    })
}

/// Takes the payment, then puts every item into the locker under one purchase id.
fn sell(
    state: &mut State,
    call: &Call,
    items: &[Item],
    payment: Payment,
) -> Result<Answer, Refusal> {
    if !state.user(&call.user_id)?.has_room() {
        return Err(Refusal::new(7001, "The locker is full"));
    }
    let (card_id, transaction_id) = match payment {
        Payment::Card => (Some(charge(state, call)?), None),
        Payment::Logged(transaction_id) => (None, Some(transaction_id)),
    };
    let purchase_id = state.next_id();
    let mut purchase = Node::default()
        .attribute("id", purchase_id.to_string())
        .element("purchaseDate", timestamp(call.now));
    let bought = items
        .iter()
        .map(|item| item.release.owned(item.track_id, purchase_id, call.now));
    let bought: Vec<Owned> = bought.collect();
    if transaction_id.is_none() {
        let releases = bought.iter().map(|owned| locker_release(owned, 50, call));
        let releases = Node::default().list("lockerRelease", releases.collect());
        purchase = purchase.child("lockerReleases", releases);
    }
    let user = state.user(&call.user_id)?;
    for owned in bought {
        user.receive(owned);
    }
    state.record_sale(Sale {
        purchase_id,
        operation: call.operation,
        user_id: call.user_id.clone(),
        items: items
            .iter()
            .map(|item| (item.release.id, item.track_id))
            .collect(),
        amount: items.iter().map(|item| item.amount).sum(),
        card_id,
        transaction_id,
    });
    Ok(Answer::new(Node::default().child("purchase", purchase)))
}

/// Charges the default card, or says why that fails. Free items need a card as well.
fn charge(state: &mut State, call: &Call) -> Result<u64, Refusal> {
    let user = state.user(&call.user_id)?;
    let default = user
        .cards
        .iter()
        .find(|card| Some(card.id) == user.default_card);
    let card = default.ok_or_else(|| Refusal::new(3002, "User has no card details"))?;
    if card.has_expired(call.now) {
        return Err(Refusal::new(3001, "Card has expired"));
    }
    match card.charge {
        Charge::Accepted => Ok(card.id),
        Charge::Declined => Err(Refusal::new(3102, "Payment Declined : 33")),
    }
}
