//! The question to the user: what would be done for how much, in our own words, checked values, and 7digital's titles marked as such.

use sevendigital_tools::catalogue::{Listing, Unlisted};
use sevendigital_tools::lookup::{card_digits, owned_title};
use sevendigital_tools::{Action, Charged, Payer};

use super::offer::{self, Offer};
use super::outcome::ago;
use super::pending::Pending;
use super::purchase::Purchases;
use super::questions::Details;
use crate::ledger::{Entry, State};
use crate::problem::Problem;

/// The question about a call that spends or deletes, and what is offered. Looks up the item, the payment card, whether the locker has the item, and whether it was bought before.
pub(super) async fn question(
    pending: &Pending,
    action: &Action,
    purchases: &Purchases,
) -> Result<(Details, Offer), Problem> {
    let (client, target) = (&pending.client, &pending.prepared.target);
    let card = offer::in_time(card_digits(client, action, target));
    let Some(paid) = Paid::of(action.payer) else {
        return Ok((deletion(pending, action, card.await), Offer::default()));
    };
    let owned = offer::in_time(owned_title(client, action, target));
    let listed = offer::look_up(pending, action);
    let (listed, owned, card) = match paid {
        Paid::ByCard => tokio::join!(listed, owned, card),
        Paid::ByPartner => {
            let (listed, owned) = tokio::join!(listed, owned);
            (listed, owned, None)
        }
    };
    let offer = Offer::new(&listed, action)?;
    purchases.check_price(action, &offer)?;
    let wording = Wording {
        pending,
        action,
        listed: &listed,
        paid,
        card,
    };
    let mut warnings: Vec<String> = wording.warnings();
    let has_it = |title| format!("The locker has it already; 7digital calls it \"{title}\".");
    warnings.extend(owned.map(has_it));
    let before = purchases.last_bought(pending, action).await?;
    warnings.extend(before.as_ref().map(again));
    let mut facts = wording.facts();
    let left = purchases.left(pending).await?;
    facts.extend(left.map(|left| fact("Left", left)));
    let sentences = [&[wording.question()], &*warnings].concat();
    let unread = wording.unread();
    let details = Details {
        headline: wording.headline(),
        facts,
        warnings: unread.into_iter().chain(warnings).collect(),
        cover: listed.ok().and_then(|listing| listing.cover),
        message: sentences.join(" "),
    };
    Ok((details, offer))
}

/// Who pays for what costs something.
#[derive(Clone, Copy, PartialEq)]
enum Paid {
    ByCard,
    ByPartner,
}

impl Paid {
    fn of(payer: Payer) -> Option<Self> {
        match payer {
            Payer::Card => Some(Self::ByCard),
            Payer::Partner => Some(Self::ByPartner),
            Payer::None => None,
        }
    }
}

/// The question about a deletion.
fn deletion(pending: &Pending, action: &Action, card: Option<String>) -> Details {
    let account = pending.account_in_words();
    let ending = card
        .map(|digits| format!(" (ending in {digits})"))
        .unwrap_or_default();
    let headline = format!("{action}{ending}?");
    Details {
        message: format!("{action}{ending} of {account}? It can't be brought back."),
        facts: vec![fact("Account", account)],
        warnings: vec!["It can't be brought back.".to_owned()],
        cover: None,
        headline,
    }
}

/// The words of a question about a purchase.
struct Wording<'a> {
    pending: &'a Pending,
    action: &'a Action,
    listed: &'a Result<Listing, Unlisted>,
    paid: Paid,
    card: Option<String>,
}

impl Wording<'_> {
    /// The item: as the catalogue names it, or else by its ids.
    fn item(&self) -> String {
        match self.listed {
            Ok(listing) => listing.describe(&self.action.item),
            Err(_) => self.action.item.to_string(),
        }
    }

    /// What the call charges, for people; none where it is not known.
    fn price(&self) -> Option<String> {
        let country = self.pending.country();
        let named = self.action.shown_price(country);
        let listed = self
            .listed
            .as_ref()
            .ok()
            .and_then(|listing| listing.price.as_ref());
        match listed.filter(|_| self.action.charged != Charged::CallersPrice) {
            Some(price) if price.is_free() => Some(format!("free ({price})")),
            Some(price) => Some(price.to_string()),
            None => named,
        }
    }

    fn question(&self) -> String {
        let (verb, item, account) = (
            self.action.verb,
            self.item(),
            self.pending.account_in_words(),
        );
        let price = self.price();
        let for_price = match (&price, self.paid) {
            (Some(price), _) => format!(" for {price}{}", self.compared()),
            (None, Paid::ByCard) => " for 7digital's current price".to_owned(),
            (None, Paid::ByPartner) => String::new(),
        };
        let unread = self.unread();
        let unread = unread
            .map(|unread| format!(" {unread}"))
            .unwrap_or_default();
        match self.paid {
            Paid::ByCard => format!(
                "{verb} {item}{for_price}?{unread} The {} of {account} is charged, and it can't be undone here.",
                self.card()
            ),
            Paid::ByPartner => format!(
                "{verb} {item}{for_price} to {account}?{unread} 7digital bills the partner for it, and it can't be undone here."
            ),
        }
    }

    /// That the catalogue could not be read, where that is so.
    fn unread(&self) -> Option<String> {
        let unlisted = self.listed.as_ref().err()?;
        Some(format!(
            "Its title and price could not be read from 7digital ({unlisted})."
        ))
    }

    /// Where the caller sets the price: what 7digital lists, in brackets.
    fn compared(&self) -> String {
        match self.listed {
            Ok(listing) if self.action.charged == Charged::CallersPrice => {
                match &listing.list_price {
                    Some(price) => format!(" (7digital's recommended retail price: {price})"),
                    None => " (7digital lists no price)".to_owned(),
                }
            }
            _ => String::new(),
        }
    }

    fn headline(&self) -> String {
        format!("{} {}?", self.action.verb, self.item())
    }

    fn card(&self) -> String {
        let card = self
            .card
            .as_ref()
            .map(|digits| format!("card ending in {digits}"));
        card.unwrap_or_else(|| "default card".to_owned())
    }

    fn facts(&self) -> Vec<(String, String)> {
        let price = self
            .price()
            .map(|price| format!("{price}{}", self.compared()));
        let price =
            price.unwrap_or_else(|| "7digital's current price, which is not known here".to_owned());
        let payer = match self.paid {
            Paid::ByCard => self.card(),
            Paid::ByPartner => "7digital bills the partner".to_owned(),
        };
        let country = self
            .pending
            .country()
            .map(|country| fact("Country", country.to_owned()));
        let mut facts = vec![
            fact("Price", price),
            fact("Paid by", payer),
            fact("Account", self.pending.account_in_words()),
        ];
        facts.extend(country);
        facts
    }

    /// What should be read before a yes.
    fn warnings(&self) -> Vec<String> {
        let country = self.pending.country();
        let listing = self.listed.as_ref().ok();
        let doubt = listing.and_then(|listing| listing.price_doubt(self.action, country));
        doubt.into_iter().collect()
    }
}

fn fact(name: &str, value: String) -> (String, String) {
    (name.to_owned(), value)
}

/// That the same item was bought before, or may have been.
fn again(entry: &Entry) -> String {
    let ago = ago(entry);
    if entry.state != State::Done {
        return format!(
            "AGAIN: the same item may have been bought {ago} ago; that outcome is not known."
        );
    }
    let purchase = entry.purchase_id.as_ref();
    let purchase = purchase.map(|id| format!(", purchase {id}"));
    let purchase = purchase.unwrap_or_default();
    format!("AGAIN: the same item was bought {ago} ago{purchase}.")
}
